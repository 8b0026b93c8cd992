#include "collectors/openlineage.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <set>
#include <utility>

#include "privacy/mask.h"

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;

constexpr std::size_t kMostOpenRuns = 1'000;  // of one job
constexpr std::size_t kEndedRuns = 64;        // of one job, whose later events change nothing
constexpr std::size_t kMostEdges = 2'000;     // of one job
constexpr std::size_t kMostChecks = 1'000;    // of one dataset
constexpr std::size_t kMostErrorBytes = 200;

constexpr std::array kMetrics{
    MetricInfo{"weir_openlineage_events_total", MetricType::counter, "Events of OpenLineage, by what became of them."},
    MetricInfo{"weir_openlineage_jobs", MetricType::gauge, "Jobs that events were heard of."},
    MetricInfo{"weir_openlineage_refused_total", MetricType::counter, "Jobs, datasets and ways past the limits."},
    MetricInfo{"weir_openlineage_job_runs_total", MetricType::counter, "Runs that ended, by state."},
    MetricInfo{"weir_openlineage_job_last_start_timestamp_seconds", MetricType::gauge, "When a run last began."},
    MetricInfo{"weir_openlineage_job_last_complete_timestamp_seconds", MetricType::gauge, "When one last ended well."},
    MetricInfo{"weir_openlineage_job_last_fail_timestamp_seconds", MetricType::gauge, "When one last failed."},
    MetricInfo{"weir_openlineage_job_last_duration_seconds", MetricType::gauge, "How long the last that ended took."},
    MetricInfo{"weir_openlineage_job_failed", MetricType::gauge, "1 when the last run to end failed or was aborted."},
    MetricInfo{"weir_openlineage_job_running", MetricType::gauge, "Runs that began and have not ended."},
    MetricInfo{"weir_openlineage_job_oldest_run_seconds", MetricType::gauge, "For how long the oldest of them runs."},
    MetricInfo{"weir_openlineage_job_stuck_runs", MetricType::gauge, "Of them those past stuck_after."},
    MetricInfo{"weir_openlineage_dataset_rows", MetricType::gauge, "Rows of a dataset, by its newest metrics."},
    MetricInfo{"weir_openlineage_dataset_bytes", MetricType::gauge, "Its size."},
    MetricInfo{"weir_openlineage_dataset_written_rows", MetricType::gauge, "Rows that the newest run wrote to it."},
    MetricInfo{"weir_openlineage_dataset_written_bytes", MetricType::gauge, "Bytes likewise."},
    MetricInfo{"weir_openlineage_column_nulls", MetricType::gauge, "Nulls in a column, by the newest metrics."},
    MetricInfo{"weir_openlineage_column_distinct", MetricType::gauge, "Different values of a column."},
    MetricInfo{"weir_openlineage_column_min", MetricType::gauge, "Its least value."},
    MetricInfo{"weir_openlineage_column_max", MetricType::gauge, "Its largest value."},
    MetricInfo{"weir_check_status", MetricType::gauge,
               "Outcome of a check: 0 pass, 1 warn, 2 fail, 3 could not be evaluated."},
};

using Way = std::pair<core::Node, core::Node>;

struct Job {
  Labels labels;
  std::optional<core::Time> started, completed, failed;
  std::optional<double> duration;
  std::optional<core::Time> ended;         // the newest run to end
  bool last_failed = false;                // that one did
  std::map<std::string, core::Time> open;  // runs and when they began
  std::deque<std::string> done;            // runs that ended, the newest last
  std::set<std::string> stuck;             // told of
  std::map<std::string, std::uint64_t> counts;
  std::map<Way, core::Time> ways;  // when last told of
  core::Time heard;
};

struct CheckState {
  int outcome = 0;
  core::Time time;
};

struct Dataset {
  OpenLineageDataset newest;  // without lineage and assertions
  core::Time measured{};      // when
  core::Time written{};
  std::map<std::string, CheckState> checks;
  std::map<core::Node, std::map<core::ColumnLink, core::Time>> made_of;
  core::Time heard;
};

std::string size_text(std::size_t value) { return std::to_string(value); }

}  // namespace

core::Result<void> OpenLineageInbox::offer(const std::string& body) {
  auto event = parse_openlineage(body);
  const std::lock_guard lock(mutex_);
  if (!event) {
    ++counts_.invalid;
    return std::unexpected(event.error());
  }
  if (waiting_.size() >= limit_ || bytes_ + body.size() > kMostBytes) {
    ++counts_.refused;
    return core::fail(core::ErrorKind::unavailable,
                      size_text(waiting_.size()) + " events wait already: send it again in some seconds");
  }
  ++counts_.accepted;
  bytes_ += body.size();
  waiting_.push_back(std::move(*event));
  return {};
}

std::vector<OpenLineageEvent> OpenLineageInbox::drain() {
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  return std::exchange(waiting_, {});
}

OpenLineageInbox::Counts OpenLineageInbox::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

/// What is known of jobs and datasets; used by the collector's cycle alone.
class OpenLineageCollector::State {
 public:
  explicit State(const OpenLineageSettings& settings) : settings_(settings) {}

  void take(const OpenLineageEvent& event, core::Time now, core::Batch& batch) {
    // A producer whose clock is ahead would else be newer than everything after it.
    const core::Time at = std::min(event.time, now);
    if (at + settings_.keep < now) return;
    Job* job = event.kind == OpenLineageKind::dataset ? nullptr : job_for(event, now);
    if (job != nullptr && event.kind == OpenLineageKind::run) run(event, at, *job, batch);
    if (job != nullptr) ways(event, at, *job);
    for (const auto* datasets : {&event.inputs, &event.outputs}) {
      for (const OpenLineageDataset& dataset : *datasets) take(dataset, at, now, batch);
    }
  }

  void forget(core::Time now) {
    const core::Time before = now - settings_.keep;
    std::erase_if(jobs_, [&](const auto& job) { return job.second.heard < before; });
    std::erase_if(datasets_, [&](const auto& dataset) { return dataset.second.heard < before; });
    for (auto& [key, job] : jobs_) {
      std::erase_if(job.ways, [&](const auto& way) { return way.second < before; });
      std::erase_if(job.open, [&](const auto& run) { return run.second < before; });
    }
  }

  void report(core::Time now, core::Batch& batch) {
    const auto add = [&](std::string_view metric, const Labels& labels, double value) {
      batch.samples.push_back({labels.with(core::kMetricName, metric), now, value});
    };
    add("weir_openlineage_jobs", {}, static_cast<double>(jobs_.size()));
    for (const auto& [what, count] : refused_)
      add("weir_openlineage_refused_total", Labels{{"what", what}}, static_cast<double>(count));
    for (auto& [key, job] : jobs_) report(job, now, add, batch);
    for (const auto& [node, dataset] : datasets_) report(node, dataset, add, batch);
  }

 private:
  Job* job_for(const OpenLineageEvent& event, core::Time now) {
    const std::pair key(event.job_namespace, event.job_name);
    const auto known = jobs_.find(key);
    if (known == jobs_.end() && jobs_.size() >= settings_.max_jobs) {
      ++refused_["job"];
      return nullptr;
    }
    Job& job = jobs_[key];
    job.labels = Labels{{"job_namespace", event.job_namespace}, {"job_name", event.job_name}};
    job.heard = now;
    return &job;
  }

  static bool is_end(const std::string& state) { return state == "COMPLETE" || state == "FAIL" || state == "ABORT"; }

  void run(const OpenLineageEvent& event, core::Time at, Job& job, core::Batch& batch) {
    // Events may come late or twice: a run that has ended stays so.
    if (std::ranges::find(job.done, event.run) != job.done.end()) return;
    if (!is_end(event.state)) {
      if (job.open.size() >= kMostOpenRuns && !job.open.contains(event.run)) {
        ++refused_["run"];
        return;
      }
      const auto [known, fresh] = job.open.emplace(event.run, at);
      if (!fresh) known->second = std::min(known->second, at);
      if (event.state == "START") job.started = std::max(job.started.value_or(at), at);
      return;
    }
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

  core::Node node_of(const std::string& name_space, const std::string& name) const {
    return openlineage_node(settings_, name_space, name);
  }

  void ways(const OpenLineageEvent& event, core::Time at, Job& job) {
    const core::Node self{"job", event.job_namespace, event.job_name};
    const auto add = [&](Way way) {
      if (job.ways.size() >= kMostEdges && !job.ways.contains(way)) {
        ++refused_["way"];
        return;
      }
      core::Time& seen = job.ways[std::move(way)];
      seen = std::max(seen, at);
    };
    for (const OpenLineageDataset& input : event.inputs) add({node_of(input.name_space, input.name), self});
    for (const OpenLineageDataset& output : event.outputs) add({self, node_of(output.name_space, output.name)});
  }

  void take(const OpenLineageDataset& dataset, core::Time at, core::Time now, core::Batch& batch) {
    const bool written = dataset.written_rows || dataset.written_bytes;
    const bool measured = dataset.rows || dataset.bytes || !dataset.columns.empty();
    if (!written && !measured && dataset.assertions.empty() && dataset.made_of.empty()) return;
    const core::Node node = node_of(dataset.name_space, dataset.name);
    if (!datasets_.contains(node) && datasets_.size() >= settings_.max_datasets) {
      ++refused_["dataset"];
      return;
    }
    Dataset& known = datasets_[node];
    known.heard = now;
    if (measured && at >= known.measured) {
      known.measured = at;
      known.newest.rows = dataset.rows;
      known.newest.bytes = dataset.bytes;
      known.newest.columns = dataset.columns;
    }
    if (written && at >= known.written) {
      known.written = at;
      known.newest.written_rows = dataset.written_rows;
      known.newest.written_bytes = dataset.written_bytes;
    }
    for (const OpenLineageAssertion& assertion : dataset.assertions) take(assertion, node, at, known, batch);
    for (const auto& [column, inputs] : dataset.made_of) {
      for (const OpenLineageInput& input : inputs)
        known.made_of[node_of(input.name_space, input.name)][{input.field, column}] = at;
    }
  }

  void take(const OpenLineageAssertion& assertion, const core::Node& node, core::Time at, Dataset& dataset,
            core::Batch& batch) {
    if (dataset.checks.size() >= kMostChecks && !dataset.checks.contains(assertion.name)) {
      ++refused_["check"];
      return;
    }
    const auto [check, fresh] = dataset.checks.emplace(assertion.name, CheckState{0, at});
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

  static Labels labels_of(const core::Node& node) {
    if (node.kind == "topic") return Labels{{"cluster", node.place}, {"topic", node.name}};
    return Labels{{"source", node.place}, {"dataset", node.name}};
  }

  template <class Add>
  void report(Job& job, core::Time now, const Add& add, core::Batch& batch) const {
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
      batch.events.push_back(
          {now, "job_run_stuck", labels,
           fmt::format("A run of job {} began {} ago and has not ended.", labels.get("job_name"),
                       core::format_duration(std::chrono::floor<std::chrono::seconds>(now - began)))});
    }
    add("weir_openlineage_job_running", labels, static_cast<double>(job.open.size()));
    add("weir_openlineage_job_oldest_run_seconds", labels, core::to_seconds(oldest));
    add("weir_openlineage_job_stuck_runs", labels, static_cast<double>(stuck));
    for (const auto& [way, seen] : job.ways) batch.edges.push_back({way.first, way.second, "openlineage"});
  }

  template <class Add>
  void report(const core::Node& node, const Dataset& dataset, const Add& add, core::Batch& batch) const {
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

  const OpenLineageSettings& settings_;
  std::map<std::pair<std::string, std::string>, Job> jobs_;
  std::map<core::Node, Dataset> datasets_;
  std::map<std::string, std::uint64_t> refused_;
};

OpenLineageCollector::OpenLineageCollector(OpenLineageSettings settings, std::shared_ptr<OpenLineageInbox> inbox)
    : settings_(std::move(settings)), inbox_(std::move(inbox)), state_(std::make_unique<State>(settings_)) {}

OpenLineageCollector::~OpenLineageCollector() = default;

std::span<const core::MetricInfo> OpenLineageCollector::metrics() const { return kMetrics; }

core::Result<core::Batch> OpenLineageCollector::collect(const core::CollectContext& context) {
  core::Batch batch;
  for (const OpenLineageEvent& event : inbox_->drain()) state_->take(event, context.now, batch);
  state_->forget(context.now);
  state_->report(context.now, batch);
  const OpenLineageInbox::Counts counts = inbox_->counts();
  for (const auto& [result, count] : {std::pair{"accepted", counts.accepted}, std::pair{"invalid", counts.invalid},
                                      std::pair{"refused", counts.refused}}) {
    batch.samples.push_back({Labels::metric("weir_openlineage_events_total", {{"result", result}}), context.now,
                             static_cast<double>(count)});
  }
  return batch;
}

}  // namespace weir::collectors
