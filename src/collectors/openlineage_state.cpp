#include "collectors/openlineage_state.h"

#include <algorithm>
#include <fmt/format.h>

#include "core/clock_skew.h"

#include "privacy/mask.h"

namespace weir::collectors {
namespace {

using core::Labels;

constexpr std::size_t kMostOpenRuns = 1'000;  // of one job
constexpr std::size_t kEndedRuns = 64;        // of one job, whose later events change nothing
constexpr std::size_t kMostEdges = 2'000;     // of one job
constexpr std::size_t kMostErrorBytes = 200;
constexpr std::size_t kMostAheadNamed = 1'000;
constexpr core::Duration kAheadFor = std::chrono::hours(1);

bool is_end(const std::string& state) { return state == "COMPLETE" || state == "FAIL" || state == "ABORT"; }

Labels labels_of(const core::Node& node) {
  if (node.kind == "topic") return Labels{{"cluster", node.place}, {"topic", node.name}};
  return Labels{{"source", node.place}, {"dataset", node.name}};
}

}  // namespace

void OpenLineageState::take(const OpenLineageEvent& event, core::Time now, core::Batch& batch) {
  note_clock(event, now);
  // A producer whose clock is ahead would else be newer than everything after it.
  const core::Time at = std::min(event.time, now);
  if (at + settings_.keep < now) return refuse("old event");
  changed_ = true;
  OpenLineageJob* job = event.kind == OpenLineageKind::dataset ? nullptr : job_for(event, now);
  if (job != nullptr && event.kind == OpenLineageKind::run) run(event, at, *job, batch);
  if (job != nullptr) ways(event, at, *job);
  for (const auto* datasets : {&event.inputs, &event.outputs}) {
    for (const OpenLineageDataset& dataset : *datasets) take(dataset, at, now, batch);
  }
}

void OpenLineageState::note_clock(const OpenLineageEvent& event, core::Time now) {
  const std::string who = event.kind == OpenLineageKind::dataset
                              ? fmt::format("dataset {}", event.outputs.empty() ? "" : event.outputs.front().name)
                              : fmt::format("job {}/{}", event.job_namespace, event.job_name);
  if (!core::is_ahead(event.time, now)) {
    ahead_.erase(who);
  } else if (ahead_.contains(who) || ahead_.size() < kMostAheadNamed) {
    ahead_[who] = {event.time - now, now};
  }
}

void OpenLineageState::report_clocks(core::Time now, core::Batch& batch) {
  std::erase_if(ahead_, [&](const auto& entry) { return now - entry.second.heard > kAheadFor; });
  if (ahead_.empty()) return;
  const auto& [who, ahead] = *std::ranges::max_element(ahead_, {}, [](const auto& entry) { return entry.second.by; });
  const std::string others = ahead_.size() == 1 ? "" : fmt::format(", and those of {} others", ahead_.size() - 1);
  batch.faults.push_back(
      {core::fail(
           core::ErrorKind::protocol,
           fmt::format("the events of {} are dated {}{}: they count as of when they came; set the sender's clock",
                       privacy::cut(privacy::printable(who), kMostErrorBytes), core::off_by(now + ahead.by, now),
                       others))
           .error(),
       Labels{{"clock", "ahead"}}});
}

void OpenLineageState::forget(core::Time now) {
  const core::Time before = now - settings_.keep;
  const auto old = [&](const auto& entry) { return entry.second < before; };
  std::erase_if(jobs_, [&](const auto& job) { return job.second.heard < before; });
  std::erase_if(datasets_, [&](const auto& dataset) { return dataset.second.heard < before; });
  for (auto& [key, job] : jobs_) {
    std::erase_if(job.ways, old);
    std::erase_if(job.open, old);
    std::erase_if(job.stuck, [&](const std::string& run) { return !job.open.contains(run); });
  }
  for (auto& [node, dataset] : datasets_) {
    for (auto& [from, links] : dataset.made_of) std::erase_if(links, old);
    std::erase_if(dataset.made_of, [](const auto& from) { return from.second.empty(); });
    std::erase_if(dataset.checks, [&](const auto& check) { return check.second.time < before; });
  }
  count();
}

void OpenLineageState::count() {
  held_ = {0, 0, 0, 0};
  for (const auto& [key, job] : jobs_) held_.ways += job.ways.size();
  for (const auto& [node, dataset] : datasets_) {
    held_.checks += dataset.checks.size();
    held_.columns += dataset.newest.columns.size();
    for (const auto& [from, links] : dataset.made_of) held_.links += links.size();
  }
}

void OpenLineageState::refuse(const char* what) { ++refused_[what]; }

void OpenLineageState::report(core::Time now, core::Batch& batch) {
  const auto add = [&](std::string_view metric, const Labels& labels, double value) {
    batch.samples.push_back({labels.with(core::kMetricName, metric), now, value});
  };
  report_clocks(now, batch);
  add("weir_openlineage_jobs", {}, static_cast<double>(jobs_.size()));
  for (const auto& [what, count] : refused_)
    add("weir_openlineage_refused_total", Labels{{"what", what}}, static_cast<double>(count));
  for (auto& [key, job] : jobs_) report(job, now, add, batch);
  for (const auto& [node, dataset] : datasets_) report(node, dataset, add, batch);
}

OpenLineageJob* OpenLineageState::job_for(const OpenLineageEvent& event, core::Time now) {
  const std::pair key(event.job_namespace, event.job_name);
  const auto known = jobs_.find(key);
  if (known == jobs_.end() && jobs_.size() >= settings_.max_jobs) {
    refuse("job");
    return nullptr;
  }
  OpenLineageJob& job = jobs_[key];
  job.labels = Labels{{"job_namespace", event.job_namespace}, {"job_name", event.job_name}};
  job.heard = now;
  return &job;
}

void OpenLineageState::run(const OpenLineageEvent& event, core::Time at, OpenLineageJob& job, core::Batch& batch) {
  // Events may come late or twice: a run that has ended stays so.
  if (std::ranges::find(job.done, event.run) != job.done.end()) return;
  if (is_end(event.state)) return end(event, at, job, batch);
  if (job.open.size() >= kMostOpenRuns && !job.open.contains(event.run)) return refuse("run");
  const auto [known, fresh] = job.open.emplace(event.run, at);
  if (!fresh) known->second = std::min(known->second, at);
  if (event.state == "START") job.started = std::max(job.started.value_or(at), at);
}

void OpenLineageState::end(const OpenLineageEvent& event, core::Time at, OpenLineageJob& job, core::Batch& batch) {
  const auto began = job.open.find(event.run);
  const bool newest = !job.ended || at >= *job.ended;
  if (newest) {
    job.ended = at;
    job.last_failed = event.state != "COMPLETE";
    job.duration =
        began == job.open.end() ? std::nullopt : std::optional(std::max(0.0, core::to_seconds(at - began->second)));
  }
  std::optional<core::Time>& last = event.state == "COMPLETE" ? job.completed : job.failed;
  last = std::max(last.value_or(at), at);
  ++job.counts[event.state];
  if (began != job.open.end()) job.open.erase(began);
  job.stuck.erase(event.run);
  job.done.push_back(event.run);
  if (job.done.size() > kEndedRuns) job.done.pop_front();
  if (event.state == "COMPLETE") return;
  std::string why = privacy::cut(privacy::mask(privacy::printable(event.error)), kMostErrorBytes);
  batch.events.push_back(
      {at, "job_run_failed", job.labels,
       fmt::format("A run of job {} {}{}", event.job_name, event.state == "FAIL" ? "failed" : "was aborted",
                   why.empty() ? "." : ": " + why)});
}

core::Node OpenLineageState::node_of(const std::string& name_space, const std::string& name) const {
  return openlineage_node(settings_, name_space, name);
}

void OpenLineageState::ways(const OpenLineageEvent& event, core::Time at, OpenLineageJob& job) {
  const core::Node self{"job", event.job_namespace, event.job_name};
  const auto add = [&](OpenLineageWay way) {
    const auto known = job.ways.find(way);
    if (known == job.ways.end() && (job.ways.size() >= kMostEdges || held_.ways >= bounds_.ways)) {
      refuse("way");
      return;
    }
    if (known == job.ways.end()) ++held_.ways;
    core::Time& seen = job.ways[std::move(way)];
    seen = std::max(seen, at);
  };
  for (const OpenLineageDataset& input : event.inputs) add({node_of(input.name_space, input.name), self});
  for (const OpenLineageDataset& output : event.outputs) add({self, node_of(output.name_space, output.name)});
}

void OpenLineageState::take(const OpenLineageDataset& dataset, core::Time at, core::Time now, core::Batch& batch) {
  const bool written = dataset.written_rows || dataset.written_bytes;
  const bool measured = dataset.rows || dataset.bytes || !dataset.columns.empty();
  if (!written && !measured && dataset.assertions.empty() && dataset.made_of.empty()) return;
  const core::Node node = node_of(dataset.name_space, dataset.name);
  if (!datasets_.contains(node) && datasets_.size() >= settings_.max_datasets) return refuse("dataset");
  OpenLineageDatasetState& known = datasets_[node];
  known.heard = now;
  measure(dataset, at, known);
  for (const OpenLineageAssertion& assertion : dataset.assertions) take(assertion, node, at, known, batch);
  link(dataset, at, known);
}

void OpenLineageState::measure(const OpenLineageDataset& dataset, core::Time at, OpenLineageDatasetState& known) {
  const bool written = dataset.written_rows || dataset.written_bytes;
  const bool measured = dataset.rows || dataset.bytes || !dataset.columns.empty();
  if (measured && at >= known.measured) {
    known.measured = at;
    known.newest.rows = dataset.rows;
    known.newest.bytes = dataset.bytes;
    held_.columns -= std::min(held_.columns, known.newest.columns.size());
    known.newest.columns.clear();
    if (held_.columns + dataset.columns.size() <= bounds_.columns) {
      known.newest.columns = dataset.columns;
      held_.columns += dataset.columns.size();
    } else {
      refuse("column");
    }
  }
  if (written && at >= known.written) {
    known.written = at;
    known.newest.written_rows = dataset.written_rows;
    known.newest.written_bytes = dataset.written_bytes;
  }
}

void OpenLineageState::link(const OpenLineageDataset& dataset, core::Time at, OpenLineageDatasetState& known) {
  for (const auto& [column, inputs] : dataset.made_of) {
    for (const OpenLineageInput& input : inputs) {
      std::map<core::ColumnLink, core::Time>& links = known.made_of[node_of(input.name_space, input.name)];
      const auto [found, fresh] = links.emplace(core::ColumnLink{input.field, column}, at);
      if (!fresh) found->second = std::max(found->second, at);
      if (!fresh) continue;
      if (held_.links < bounds_.links) {
        ++held_.links;
      } else {
        links.erase(found);
        refuse("link");
      }
    }
  }
  std::erase_if(known.made_of, [](const auto& from) { return from.second.empty(); });
}

void OpenLineageState::take(const OpenLineageAssertion& assertion, const core::Node& node, core::Time at,
                            OpenLineageDatasetState& dataset, core::Batch& batch) {
  if (held_.checks >= bounds_.checks && !dataset.checks.contains(assertion.name)) return refuse("check");
  const auto [check, fresh] = dataset.checks.emplace(assertion.name, OpenLineageCheck{0, at});
  if (fresh) ++held_.checks;
  if (at < check->second.time) return;
  const int outcome = assertion.success ? 0 : assertion.warns ? 1 : 2;
  const int before = std::exchange(check->second.outcome, outcome);
  check->second.time = at;
  if (before == outcome) return;
  batch.events.push_back(
      {at, outcome == 0 ? "check_recovered" : "check_failed", labels_of(node).with("check", assertion.name),
       fmt::format("{}: check \"{}\" {}{}", node.name, assertion.name, outcome == 0 ? "passes again" : "failed",
                   assertion.description.empty() ? "" : ": " + assertion.description)});
}

void OpenLineageState::report(OpenLineageJob& job, core::Time now, const Add& add, core::Batch& batch) const {
  const Labels& labels = job.labels;
  const auto time = [&](std::string_view metric, const std::optional<core::Time>& at) {
    if (at) add(metric, labels, core::to_seconds(*at));
  };
  time("weir_openlineage_job_last_start_timestamp_seconds", job.started);
  time("weir_openlineage_job_last_complete_timestamp_seconds", job.completed);
  time("weir_openlineage_job_last_fail_timestamp_seconds", job.failed);
  if (job.duration) add("weir_openlineage_job_last_duration_seconds", labels, *job.duration);
  if (job.ended) add("weir_openlineage_job_failed", labels, job.last_failed ? 1 : 0);
  for (const char* state : {"COMPLETE", "FAIL", "ABORT"})
    add("weir_openlineage_job_runs_total", labels.with("state", state), static_cast<double>(job.counts[state]));
  core::Duration oldest{0};
  std::size_t stuck = 0;
  for (const auto& [run, began] : job.open) {
    oldest = std::max(oldest, now - began);
    if (now - began <= settings_.stuck_after) continue;
    ++stuck;
    if (!job.stuck.insert(run).second) continue;
    batch.events.push_back({now, "job_run_stuck", labels,
                            fmt::format("A run of job {} began {} ago and has not ended.", labels.get("job_name"),
                                        core::format_duration(std::chrono::floor<std::chrono::seconds>(now - began)))});
  }
  add("weir_openlineage_job_running", labels, static_cast<double>(job.open.size()));
  add("weir_openlineage_job_oldest_run_seconds", labels, core::to_seconds(oldest));
  add("weir_openlineage_job_stuck_runs", labels, static_cast<double>(stuck));
  for (const auto& [way, seen] : job.ways) batch.edges.push_back({way.first, way.second, "openlineage"});
}

void OpenLineageState::report(const core::Node& node, const OpenLineageDatasetState& dataset, const Add& add,
                              core::Batch& batch) {
  const Labels labels = labels_of(node);
  const auto maybe = [&](std::string_view metric, const Labels& of, const std::optional<double>& value) {
    if (value) add(metric, of, *value);
  };
  maybe("weir_openlineage_dataset_rows", labels, dataset.newest.rows);
  maybe("weir_openlineage_dataset_bytes", labels, dataset.newest.bytes);
  maybe("weir_openlineage_dataset_written_rows", labels, dataset.newest.written_rows);
  maybe("weir_openlineage_dataset_written_bytes", labels, dataset.newest.written_bytes);
  for (const auto& [column, metrics] : dataset.newest.columns) {
    const Labels of_column = labels.with("column", column);
    maybe("weir_openlineage_column_nulls", of_column, metrics.nulls);
    maybe("weir_openlineage_column_distinct", of_column, metrics.distinct);
    maybe("weir_openlineage_column_min", of_column, metrics.least);
    maybe("weir_openlineage_column_max", of_column, metrics.most);
  }
  for (const auto& [check, state] : dataset.checks)
    add("weir_check_status", labels.with("check", check), state.outcome);
  for (const auto& [from, columns] : dataset.made_of) {
    core::Edge edge{from, node, "openlineage", {}};
    for (const auto& [link, seen] : columns) edge.columns.push_back(link);
    batch.edges.push_back(std::move(edge));
  }
}

}  // namespace weir::collectors
