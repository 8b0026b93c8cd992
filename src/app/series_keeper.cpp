#include "app/series_keeper.h"

#include <array>
#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "incidents/causes.h"
#include "runtime/log.h"
#include "series/snapshot.h"
#include "storage/store.h"
#include "storage/trouble.h"

namespace weir::app {
namespace {

using core::MetricInfo;
using core::MetricType;

constexpr MetricInfo kSamples{"weir_series_samples", MetricType::gauge, "Samples of time series held in memory."};
constexpr MetricInfo kBytes{"weir_series_bytes", MetricType::gauge, "Memory that these samples take."};
constexpr MetricInfo kRefused{"weir_series_refused_total", MetricType::counter,
                              "Samples of new series that were refused because series.max_series was reached, of the "
                              "metrics with the most."};
constexpr MetricInfo kDropped{"weir_series_samples_dropped_total", MetricType::counter,
                              "Samples that were dropped: too_old or duplicate."};
constexpr MetricInfo kFailures{"weir_series_snapshot_failures_total", MetricType::counter,
                               "Snapshots of the series that could not be saved or loaded."};
constexpr MetricInfo kSavedAt{"weir_series_snapshot_last_save_timestamp_seconds", MetricType::gauge,
                              "When the series were last saved."};
constexpr MetricInfo kSeconds{"weir_series_snapshot_duration_seconds", MetricType::gauge,
                              "Duration of the last save of the series."};
constexpr MetricInfo kSize{"weir_series_snapshot_bytes", MetricType::gauge, "Size of the last snapshot of the series."};
constexpr std::array kMetrics{kSamples, kBytes, kRefused, kDropped, kFailures, kSavedAt, kSeconds, kSize};

}  // namespace

SeriesKeeper::SeriesKeeper(series::Store& store, const std::string& path, OwnErrors* errors)
    : store_(store), errors_(errors), path_(path == ":memory:" ? "" : path + ".series") {}

std::span<const core::MetricInfo> SeriesKeeper::metrics() { return kMetrics; }

core::Result<void> SeriesKeeper::hold() {
  if (path_.empty()) return {};
  auto lock = storage::FileLock::take(path_);
  if (lock) {
    lock_ = std::move(*lock);
  } else if (storage::trouble_of(lock.error()) == storage::Trouble::held) {
    return core::fail(
        core::ErrorKind::storage,
        storage::holder_of(lock.error()) + ", which keeps its series there; give each a folder of its own", path_);
  }
  return {};
}

void SeriesKeeper::load(core::Time now) {
  if (path_.empty()) return;
  const auto report = series::load_snapshot(store_, path_, now);
  if (!report && report.error().kind == core::ErrorKind::not_found) return;
  if (!report) {
    {
      const std::lock_guard lock(mutex_);
      ++load_failures_;
    }
    const auto moved = storage::set_aside(path_, now);
    const std::string kept_as = moved ? *moved : "nothing: " + moved.error().describe();
    note_error("load", fmt::format("{}. It is kept as {}; series began anew", report.error().describe(), kept_as));
    runtime::log_error("the snapshot of the series cannot be used and was set aside; series begin anew",
                       {{"error", report.error().describe()}, {"kept_as", kept_as}});
    return;
  }
  store_.prune(now);
  runtime::log_info("series were taken up from the last run",
                    {{"series", std::to_string(report->series)}, {"samples", std::to_string(report->samples)}});
  if (report->over_limit + report->from_future > 0) {
    runtime::log_warn("not all of the snapshot could be taken up",
                      {{"series_past_max_series", std::to_string(report->over_limit)},
                       {"chunks_later_than_the_clock", std::to_string(report->from_future)}});
  }
}

void SeriesKeeper::save(core::Time now) {
  if (path_.empty()) return;
  const auto began = std::chrono::steady_clock::now();
  const auto report = series::save_snapshot(store_, path_);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const std::string error = report ? "" : report.error().describe();
  if (error != error_) {
    error.empty()
        ? runtime::log_info("series are saved again", {})
        : runtime::log_error("series cannot be saved: a restart now would lose what is newer than the last snapshot",
                             {{"error", error}});
  }
  error_ = error;
  note_error("save", error);
  const std::lock_guard lock(mutex_);
  if (report) {
    saved_ = Saved{.at = now, .seconds = took.count(), .bytes = report->bytes};
  } else {
    ++save_failures_;
  }
}

void SeriesKeeper::note_error(const char* operation, const std::string& error) {
  if (errors_ != nullptr) errors_->note(std::string(incidents::kOwnSnapshot) + operation, error);
}

/// A counter is first shown as 0, so that increase() sees its first step too.
void SeriesKeeper::append_counter(std::vector<core::Sample>& samples, core::Labels labels, core::Time now,
                                  double value) {
  const bool shown = !counters_.insert(labels).second;
  samples.push_back({std::move(labels), now, shown ? value : 0});
}

void SeriesKeeper::append_samples(std::vector<core::Sample>& samples, core::Time now) {
  const series::StoreStats stats = store_.stats();
  const std::lock_guard lock(mutex_);
  const auto gauge = [&](const MetricInfo& info, double value) {
    samples.push_back({core::Labels::metric(info.name, {}), now, value});
  };
  const auto counter = [&](const MetricInfo& info, std::string_view label, std::string_view value, double count) {
    append_counter(samples, core::Labels::metric(info.name, {{label, value}}), now, count);
  };
  gauge(kSamples, static_cast<double>(stats.samples));
  gauge(kBytes, static_cast<double>(stats.chunk_bytes));
  for (const series::Refused& refused : stats.refused)
    counter(kRefused, "metric", refused.metric, static_cast<double>(refused.samples));
  counter(kDropped, "reason", "too_old", static_cast<double>(stats.out_of_order));
  counter(kDropped, "reason", "duplicate", static_cast<double>(stats.duplicate));
  if (path_.empty()) return;
  counter(kFailures, "operation", "load", load_failures_);
  counter(kFailures, "operation", "save", save_failures_);
  if (!saved_) return;
  gauge(kSavedAt, core::to_seconds(saved_->at));
  gauge(kSeconds, saved_->seconds);
  gauge(kSize, static_cast<double>(saved_->bytes));
}

}  // namespace weir::app
