#include "quality/collector.h"

#include <array>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace weir::quality {
namespace {

using core::Labels;
using core::MetricType;

constexpr std::array kMetricTable = {
    core::MetricInfo{"weir_dataset_row_count", MetricType::gauge, "Rows of the dataset."},
    core::MetricInfo{"weir_dataset_freshness_seconds", MetricType::gauge, "Age of the newest value of a time column."},
    core::MetricInfo{"weir_dataset_missing_count", MetricType::gauge, "NULLs in a column."},
    core::MetricInfo{"weir_dataset_column_min", MetricType::gauge, "Smallest value of a column."},
    core::MetricInfo{"weir_dataset_column_max", MetricType::gauge, "Largest value of a column."},
    core::MetricInfo{"weir_dataset_column_avg", MetricType::gauge, "Mean of a column."},
    core::MetricInfo{"weir_dataset_distribution_psi", MetricType::gauge,
                     "Population stability index of a column against its reference."},
    core::MetricInfo{"weir_check_status", MetricType::gauge,
                     "Outcome of a check: 0 pass, 1 warn, 2 fail, 3 could not be evaluated."},
    core::MetricInfo{"weir_check_value", MetricType::gauge, "What a check measured."},
};

constexpr std::string_view metric_name(MetricKind kind) {
  switch (kind) {
    case MetricKind::row_count: return "weir_dataset_row_count";
    case MetricKind::freshness: return "weir_dataset_freshness_seconds";
    case MetricKind::missing_count:
    case MetricKind::missing_percent: return "weir_dataset_missing_count";
    case MetricKind::min: return "weir_dataset_column_min";
    case MetricKind::max: return "weir_dataset_column_max";
    case MetricKind::avg: return "weir_dataset_column_avg";
    case MetricKind::distribution: return "weir_dataset_distribution_psi";
  }
  return "weir_dataset_row_count";
}

/// What the metric's series shows: for a percentage of missing values their number.
Metric shown(const Metric& metric) {
  Metric result = metric;
  if (metric.kind == MetricKind::missing_percent) result.kind = MetricKind::missing_count;
  return result;
}

constexpr core::Duration kRecalled = std::chrono::hours(24);  // no older outcomes of the last run are taken up

/// What stays the same while a problem does: its text up to the first number.
std::string stem(const std::string& problem) { return problem.substr(0, problem.find_first_of("0123456789")); }

}  // namespace

CheckCollector::CheckCollector(ChecksSettings settings, std::unique_ptr<sql::SqlSource> source,
                               core::MeasurementHistory& history, const core::SeriesSource* past)
    : settings_(std::move(settings)), source_(std::move(source)), history_(history), past_(past) {
  for (const Dataset& dataset : settings_.datasets) targets_.push_back(prepare(dataset));
}

std::span<const core::MetricInfo> CheckCollector::metric_table() { return kMetricTable; }
std::span<const core::MetricInfo> CheckCollector::metrics() const { return kMetricTable; }

CheckCollector::Target CheckCollector::prepare(const Dataset& dataset) const {
  Target target;
  target.dataset = &dataset;
  const std::string label = dataset.label();
  target.scope = Labels{{"source", settings_.source}, {"dataset", label}};
  target.row_count = target.scope.with(core::kMetricName, "weir_dataset_row_count");
  for (const Check& check : dataset.checks) {
    Line line;
    line.check = &check;
    const Labels of_check = target.scope.with("check", check.name);
    line.status = of_check.with(core::kMetricName, "weir_check_status");
    line.value = of_check.with(core::kMetricName, "weir_check_value");
    if (check.metric.kind != MetricKind::row_count) {
      line.metric =
          target.scope.with("column", check.metric.column).with(core::kMetricName, metric_name(check.metric.kind));
    }
    line.measurement = fmt::format("{}/{}/{}", settings_.source, label, check.metric.to_string());
    target.lines.push_back(std::move(line));
  }
  return target;
}

core::Result<core::Batch> CheckCollector::collect(const core::CollectContext& context) {
  sql::QueryLimits limits;
  limits.deadline = context.deadline;
  limits.stop = context.stop;
  if (auto connected = source_->connect(limits); !connected) return std::unexpected(connected.error());
  recall(context.now);
  Cycle cycle;
  cycle.now = context.now;
  std::optional<core::Error> lost;  // the source went away: no use in asking it for the rest
  std::optional<std::size_t> skipped;
  const std::size_t count = targets_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = (first_ + i) % count;
    Target& target = targets_[index];
    if (!lost) {
      const auto checked = check_dataset(target, limits, cycle);
      if (checked) continue;
      const bool late = std::chrono::steady_clock::now() >= context.deadline;
      if (late && !skipped) skipped = index;
      const core::ErrorKind kind = checked.error().kind;
      if (kind == core::ErrorKind::unavailable || kind == core::ErrorKind::cancelled || is_definite(checked.error())) {
        lost = checked.error();
      }
      cycle.batch.faults.push_back({checked.error(), target.scope});
    } else {
      cycle.batch.faults.push_back({*lost, target.scope});
    }
  }
  if (lost && cycle.batch.samples.empty()) return std::unexpected(*lost);
  // The dataset that ran out of time had its turn; the next cycle begins after it.
  first_ = skipped ? (*skipped + 1) % count : 0;
  return std::move(cycle.batch);
}

/// An error is one without a definite answer; whatever is definite is in the cycle.
core::Result<void> CheckCollector::check_dataset(Target& target, const sql::QueryLimits& limits, Cycle& cycle) {
  auto seen = scan(*target.dataset, *source_, limits);
  if (!seen) {
    if (!is_definite(seen.error())) return std::unexpected(seen.error());
    // "denied" may have come from opening a new session, and then concerns no dataset.
    if (auto open = source_->connect(limits); !open) return std::unexpected(open.error());
    refuse_all(target, seen.error(), cycle);
    return {};
  }
  emit(target.row_count, seen->observation.row_count(), cycle);
  for (Line& line : target.lines) {
    const auto unreadable = seen->unreadable.find(line.check);
    if (unreadable != seen->unreadable.end()) {
      // What is not there or forbidden could not be looked at; what cannot be computed is the check's own matter.
      const bool looked_at = unreadable->second.kind == core::ErrorKind::invalid;
      cycle.batch.faults.push_back({unreadable->second, line.value, looked_at});
      if (!line.metric.empty()) cycle.batch.faults.push_back({unreadable->second, line.metric, looked_at});
      refuse(target, line, unreadable->second, cycle);
    } else {
      judge_line(target, line, seen->observation, cycle);
    }
  }
  remember(target, cycle);
  return {};
}

void CheckCollector::refuse_all(Target& target, const core::Error& error, Cycle& cycle) {
  cycle.batch.faults.push_back({error, target.scope});
  for (Line& line : target.lines) refuse(target, line, error, cycle);
}

void CheckCollector::refuse(Target& target, Line& line, const core::Error& error, Cycle& cycle) {
  report(target, line, cannot_tell(*line.check, error.message), cycle);
}

void CheckCollector::judge_line(Target& target, Line& line, const Observation& observation, Cycle& cycle) {
  bool metric_seen = line.metric.empty();
  if (!metric_seen) {
    const Measured value = measure(shown(line.check->metric), observation, source_->dialect(), cycle.now);
    metric_seen = value.value.has_value();
    if (metric_seen) emit(line.metric, *value.value, cycle);
  }
  const auto verdict = verdict_of(target, line, observation, cycle);
  if (verdict) {
    keep_series(target, line, metric_seen, *verdict, cycle);
    return report(target, line, *verdict, cycle);
  }
  // Weir's own history cannot be read: nothing is known about the check, so its last state stands.
  cycle.batch.faults.push_back({verdict.error(), target.scope.with("check", line.check->name)});
  cycle.candidates[line.measurement].flagged = true;
}

/// Series without a value must not vanish as if the dataset were gone: what alerts on them has not recovered.
void CheckCollector::keep_series(const Target& target, const Line& line, bool metric_seen, const Verdict& verdict,
                                 Cycle& cycle) const {
  const std::string& why = verdict.problem.empty() ? verdict.message : verdict.problem;
  const core::Error error{core::ErrorKind::not_found, why, false, settings_.source + "/" + target.dataset->label()};
  if (!verdict.value) cycle.batch.faults.push_back({error, line.value, true});
  if (!metric_seen) cycle.batch.faults.push_back({error, line.metric, true});
}

void CheckCollector::recall(core::Time now) {
  const core::SeriesSource* past = std::exchange(past_, nullptr);
  if (past == nullptr) return;
  const auto kept =
      past->select({.matchers = {{std::string(core::kMetricName), core::MatchOp::equal, "weir_check_status"},
                                 {"source", core::MatchOp::equal, settings_.source}},
                    .from = now - kRecalled,
                    .to = now,
                    .newest_only = true});
  if (!kept) return;
  std::map<core::Labels, double> outcomes;
  for (const core::SeriesView& series : *kept) {
    if (!series.points.empty()) outcomes[series.labels] = series.points.back().value;
  }
  for (Target& target : targets_) {
    for (Line& line : target.lines) {
      const auto found = outcomes.find(line.status);
      // A series that ended is one of another time.
      if (found == outcomes.end() || !(found->second >= 0 && found->second <= 3)) continue;
      line.last = static_cast<Outcome>(static_cast<int>(found->second));
    }
  }
}

core::Result<Verdict> CheckCollector::verdict_of(const Target& target, const Line& line, const Observation& observation,
                                                 Cycle& cycle) {
  const Check& check = *line.check;
  const Measured measured = measure(check.metric, observation, source_->dialect(), cycle.now);
  Candidate& candidate = cycle.candidates[line.measurement];
  if (!check.change || !measured.value) {
    const Verdict verdict = judge(check, measured);
    candidate.flagged = candidate.flagged || verdict.outcome != Outcome::pass;
    return verdict;
  }
  // Loads that were measured while they grew have several entries each.
  const auto wanted = static_cast<std::size_t>(check.change->last) * 2 + 16;
  const auto history = history_.newest(line.measurement, wanted);
  if (!history) return std::unexpected(history.error());
  const auto load = load_time(*target.dataset, observation, source_->dialect(), cycle.now);
  const Baseline before = baseline(*check.change, *measured.value, load, *history, cycle.now);
  const Verdict verdict = judge_change(check, measured, before);
  const auto measurement = to_remember(line.measurement, verdict, *measured.value, before, load, cycle.now);
  if (measurement) candidate.measurement = measurement;
  candidate.flagged = candidate.flagged || verdict.outcome != Outcome::pass;
  return verdict;
}

void CheckCollector::report(const Target& target, Line& line, const Verdict& verdict, Cycle& cycle) {
  emit(line.status, static_cast<double>(verdict.outcome), cycle);
  if (verdict.value) emit(line.value, *verdict.value, cycle);
  const Outcome before = std::exchange(line.last, verdict.outcome);
  const auto problem = std::exchange(line.problem, stem(verdict.problem));
  if (verdict.outcome == before && (verdict.outcome != Outcome::error || !problem || *problem == *line.problem)) return;
  const bool recovered = verdict.outcome == Outcome::pass;
  core::Event event;
  event.time = cycle.now;
  event.kind = recovered ? "check_recovered" : "check_failed";
  event.labels = target.scope.with("check", line.check->name).with("outcome", to_string(verdict.outcome));
  const std::string_view verb = recovered                          ? " passes again"
                                : verdict.outcome == Outcome::warn ? " warns"
                                : verdict.outcome == Outcome::fail ? " failed"
                                                                   : "";  // the message says it
  event.message =
      fmt::format("{}: check \"{}\"{}: {}", target.dataset->label(), line.check->name, verb, verdict.message);
  cycle.batch.events.push_back(std::move(event));
}

void CheckCollector::emit(const core::Labels& labels, double value, Cycle& cycle) {
  if (std::isnan(value) || !cycle.emitted.insert(labels).second) return;
  cycle.batch.samples.push_back({labels, cycle.now, value});
}

void CheckCollector::remember(Target& target, Cycle& cycle) {
  std::vector<core::Measurement> measurements;
  for (auto& [identity, candidate] : cycle.candidates) {
    if (candidate.measurement && !candidate.flagged) measurements.push_back(std::move(*candidate.measurement));
  }
  cycle.candidates.clear();
  if (measurements.empty()) return;
  // Not written now, the load is still unknown next time, and written then.
  if (auto written = history_.append(measurements); !written) {
    cycle.batch.faults.push_back({written.error(), target.scope});
  }
}

}  // namespace weir::quality
