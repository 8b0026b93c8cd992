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
    core::MetricInfo{"weir_dataset_scan_reused", MetricType::gauge,
                     "1 when nothing was written to the table since it was measured, and it was not read again."},
    core::MetricInfo{"weir_check_value", MetricType::gauge, "What a check measured."},
    core::MetricInfo{"weir_check_info", MetricType::gauge,
                     "1, with the attributes owner, severity and dimension of a check that has any."},
};

constexpr core::Duration kRecalled = std::chrono::hours(24);  // no older outcomes of the last run are taken up

/// What stays the same while a problem does: its text up to the first number.
std::string stem(const std::string& problem) { return problem.substr(0, problem.find_first_of("0123456789")); }

/// As many rows as a message can bear.
void append_sample(const std::vector<std::string>& sample, std::string& message) {
  constexpr std::size_t kMostBytes = 600;
  std::string shown;
  for (const std::string& row : sample) {
    if (shown.size() + row.size() > kMostBytes) break;
    shown += (shown.empty() ? "; such rows: " : ", ") + row;
  }
  message += shown;
}

}  // namespace

CheckCollector::CheckCollector(ChecksSettings settings, std::unique_ptr<sql::SqlSource> source,
                               core::MeasurementHistory& history, const core::SeriesSource* past,
                               core::KeyedTexts* texts, SessionMaker other)
    : settings_(std::move(settings)),
      source_(std::move(source)),
      history_(history),
      past_(past),
      texts_(texts),
      others_(std::move(other)),
      keeper_(settings_.source, texts) {}

std::span<const core::MetricInfo> CheckCollector::metric_table() { return kMetricTable; }
std::span<const core::MetricInfo> CheckCollector::metrics() const { return kMetricTable; }

core::Result<core::Batch> CheckCollector::collect(const core::CollectContext& context) {
  sql::QueryLimits limits;
  limits.deadline = context.deadline;
  limits.stop = context.stop;
  recall(context.now);
  CheckRun run({.source = settings_.source,
                .session = *source_,
                .history = &history_,
                .other = [this](const std::string& name) { return others_.get(name); },
                .texts = texts_,
                .keeper = &keeper_,
                .was_failing =
                    [this](const std::string& dataset, const std::string& check) {
                      const Labels status{{std::string(core::kMetricName), "weir_check_status"},
                                          {"source", settings_.source},
                                          {"dataset", dataset},
                                          {"check", check}};
                      const auto last = last_.find(status);
                      return last != last_.end() && last->second.outcome == Outcome::fail;
                    }});
  const auto seen = run.run(settings_.datasets, context.now, limits, first_);
  if (!seen) return std::unexpected(seen.error());
  Cycle cycle;
  cycle.now = context.now;
  for (const DatasetRun& dataset : seen->datasets) report_dataset(dataset, cycle);
  // The dataset that ran out of time had its turn; the next cycle begins after it.
  first_ = seen->late ? (*seen->late + 1) % settings_.datasets.size() : 0;
  return std::move(cycle.batch);
}

void CheckCollector::report_dataset(const DatasetRun& dataset, Cycle& cycle) {
  const Labels scope{{"source", settings_.source}, {"dataset", dataset.label}};
  if (dataset.error) cycle.batch.faults.push_back({*dataset.error, scope});
  if (dataset.not_remembered) cycle.batch.faults.push_back({*dataset.not_remembered, scope});
  if (dataset.not_incremental) cycle.batch.faults.push_back({*dataset.not_incremental, scope, true});
  if (!dataset.error && dataset.row_count) {
    emit(scope.with(core::kMetricName, "weir_dataset_scan_reused"), dataset.reused ? 1 : 0, cycle);
  }
  if (dataset.row_count) emit(scope.with(core::kMetricName, "weir_dataset_row_count"), *dataset.row_count, cycle);
  for (const Observed& check : dataset.checks) {
    if (dataset.error) {
      // The fault covers all of the dataset's series; what is definite is told of each check besides.
      if (check.state != Observed::State::unknown)
        report_outcome(scope.with("check", check.result.check), check, cycle);
    } else {
      report_check(scope, check, cycle);
    }
  }
}

/// Series without a value must not vanish as if the dataset were gone: what alerts on them has not recovered.
void CheckCollector::report_check(const core::Labels& scope, const Observed& check, Cycle& cycle) {
  const Labels of_check = scope.with("check", check.result.check);
  if (check.state == Observed::State::unknown) {
    cycle.batch.faults.push_back({*check.error, of_check});
    return;
  }
  const Labels series = scope.with("column", check.result.column).with(core::kMetricName, check.series);
  if (!check.series.empty() && check.series_value) emit(series, *check.series_value, cycle);
  const std::string& why = check.problem.empty() ? check.result.message : check.problem;
  const core::Error none{core::ErrorKind::not_found, why, false, settings_.source + "/" + check.result.dataset};
  // What is not there or forbidden could not be looked at; what cannot be computed is the check's own matter.
  const core::Error& error = check.error.value_or(none);
  const bool looked_at = !check.error || check.error->kind == core::ErrorKind::invalid;
  if (!check.result.value) {
    cycle.batch.faults.push_back({error, of_check.with(core::kMetricName, "weir_check_value"), looked_at});
  }
  if (!check.series.empty() && !check.series_value) cycle.batch.faults.push_back({error, series, looked_at});
  report_outcome(of_check, check, cycle);
}

void CheckCollector::report_outcome(const core::Labels& of_check, const Observed& check, Cycle& cycle) {
  const CheckResult& result = check.result;
  const Labels status = of_check.with(core::kMetricName, "weir_check_status");
  emit(status, static_cast<double>(result.outcome), cycle);
  if (result.value) emit(of_check.with(core::kMetricName, "weir_check_value"), *result.value, cycle);
  emit_info(of_check, result, cycle);
  Last& last = last_[status];
  const Outcome before = std::exchange(last.outcome, result.outcome);
  const auto problem = std::exchange(last.problem, stem(check.problem));
  if (result.outcome == before && (result.outcome != Outcome::error || !problem || *problem == *last.problem)) return;
  const bool recovered = result.outcome == Outcome::pass;
  core::Event event;
  event.time = cycle.now;
  event.kind = recovered ? "check_recovered" : "check_failed";
  event.labels = of_check.with("outcome", to_string(result.outcome));
  const std::string_view verb = recovered                         ? " passes again"
                                : result.outcome == Outcome::warn ? " warns"
                                : result.outcome == Outcome::fail ? " failed"
                                                                  : "";  // the message says it
  event.message = fmt::format("{}: check \"{}\"{}: {}", result.dataset, result.check, verb, result.message);
  append_sample(result.sample, event.message);
  cycle.batch.events.push_back(std::move(event));
}

/// These three and no others, so that the labels stay few whatever a check file says.
void CheckCollector::emit_info(const core::Labels& of_check, const CheckResult& result, Cycle& cycle) {
  Labels labels = of_check.with(core::kMetricName, "weir_check_info");
  bool any = false;
  for (const std::string_view name : {"owner", "severity", "dimension"}) {
    const auto attribute = result.attributes.find(std::string(name));
    if (attribute == result.attributes.end()) continue;
    any = true;
    labels = labels.with(name, attribute->second);
  }
  if (any) emit(labels, 1, cycle);
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
  for (const core::SeriesView& series : *kept) {
    const double value = series.points.empty() ? -1 : series.points.back().value;
    // A series that ended is one of another time.
    if (!(value >= 0 && value <= 3)) continue;
    last_[series.labels].outcome = static_cast<Outcome>(static_cast<int>(value));
  }
}

void CheckCollector::emit(const core::Labels& labels, double value, Cycle& cycle) {
  if (std::isnan(value) || !cycle.emitted.insert(labels).second) return;
  cycle.batch.samples.push_back({labels, cycle.now, value});
}

}  // namespace weir::quality
