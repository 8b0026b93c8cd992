#include "runtime/collector_harness.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "core/retry_note.h"
#include "runtime/log.h"

namespace weir::runtime {
namespace {

constexpr std::string_view kSuccess = "weir_collector_success";
constexpr std::string_view kDuration = "weir_collector_duration_seconds";
constexpr std::string_view kLastSuccess = "weir_collector_last_success_timestamp_seconds";
constexpr std::string_view kSkipped = "weir_collector_skipped_ticks_total";

constexpr std::array<core::MetricInfo, 4> kMetrics{{
    {kSuccess, core::MetricType::gauge, "1 when the collector's last cycle saw everything."},
    {kDuration, core::MetricType::gauge, "Duration of the collector's last cycle."},
    {kLastSuccess, core::MetricType::gauge, "When a cycle of the collector last saw everything."},
    {kSkipped, core::MetricType::counter, "Ticks missed because a cycle was still running."},
}};

/// A cycle may take this long at the most; short intervals still leave a slow broker a chance.
core::Duration cycle_limit(core::Duration interval) { return std::max(interval, core::Duration(10'000)); }

constexpr core::Duration kRepeat = std::chrono::minutes(1);
constexpr core::Duration kLongestWait = std::chrono::hours(1);
/// Ticks lie on a grid of their own; what is due before the middle of two is due.
constexpr core::Duration kEarly = kRepeat / 2;

std::string describe(const std::vector<core::Fault>& faults) {
  const auto first = std::ranges::find(faults, false, &core::Fault::no_value);
  if (first == faults.end()) return {};
  std::string text = first->error.describe();
  if (text.empty()) text = "a part could not be seen";
  const auto unseen = std::ranges::count(faults, false, &core::Fault::no_value);
  if (unseen > 1) text += " (and " + std::to_string(unseen - 1) + " more)";
  return text;
}

}  // namespace

CollectorHarness::CollectorHarness(std::unique_ptr<core::Collector> collector, const Clock& clock)
    : collector_(std::move(collector)), clock_(clock), name_(collector_->name()) {
  status_.name = name_;
  success_labels_ = core::Labels::metric(kSuccess, {{"collector", name_}});
  duration_labels_ = core::Labels::metric(kDuration, {{"collector", name_}});
  last_success_labels_ = core::Labels::metric(kLastSuccess, {{"collector", name_}});
  skipped_labels_ = core::Labels::metric(kSkipped, {{"collector", name_}});
}

std::span<const core::MetricInfo> CollectorHarness::metrics() { return kMetrics; }

void CollectorHarness::start(Scheduler& scheduler, Sink sink) {
  scheduler.add({.name = name_,
                 .interval = repeats() ? kRepeat : collector_->interval(),
                 .run = [this, sink = std::move(sink)](const std::stop_token& stop) { sink(run(stop)); },
                 .skipped = [this] { note_skipped_tick(); }});
}

void CollectorHarness::note_skipped_tick() {
  if (repeats()) return;  // a cycle of it may take many of these ticks
  const std::lock_guard lock(mutex_);
  ++status_.skipped_ticks;
}

core::Result<core::Batch> CollectorHarness::collect(const core::CollectContext& context) {
  try {
    return collector_->collect(context);
  } catch (const std::exception& error) {
    return core::fail(core::ErrorKind::internal, std::string("unexpected failure: ") + error.what(), name_);
  } catch (...) {
    return core::fail(core::ErrorKind::internal, "unexpected failure: not a standard exception", name_);
  }
}

std::optional<CycleReport> CollectorHarness::repeat(core::Time now) const {
  if (!due_ || now + kEarly >= *due_) return std::nullopt;
  CycleReport report = last_;
  report.now = now;
  for (core::Sample& sample : report.batch.samples) sample.time = now;
  return report;
}

void CollectorHarness::plan_next(const CycleReport& report) {
  last_ = report;
  last_.batch.events.clear();
  due_ = collector_->next(report.now);
  wait_ = report.seen ? core::Duration{0} : std::clamp(wait_ * 2, kRepeat, kLongestWait);
  if (!report.seen) due_ = std::min(*due_, report.now + wait_);
}

CycleReport CollectorHarness::run(const std::stop_token& stop) {
  if (repeats()) {
    if (auto again = repeat(clock_.now())) return std::move(*again);
  }
  const auto started = clock_.steady();
  const core::CollectContext context{
      .now = clock_.now(), .deadline = started + cycle_limit(collector_->interval()), .stop = stop};
  core::Result<core::Batch> result = collect(context);
  const auto duration = std::chrono::duration_cast<core::Duration>(clock_.steady() - started);
  CycleReport report{
      .collector = name_, .now = context.now, .batch = {}, .seen = result.has_value(), .duration = duration};
  std::string error;
  if (result) {
    report.batch = std::move(*result);
    error = describe(report.batch.faults);
  } else {
    error = result.error().describe();
    if (error.empty()) error = core::to_string(result.error().kind);
  }
  report.cancelled = stop.stop_requested() && !error.empty();
  if (!report.cancelled) finish(error, context.now, duration);
  report.error = std::move(error);
  if (!report.cancelled && repeats()) plan_next(report);
  return report;
}

void CollectorHarness::finish(const std::string& error, core::Time now, core::Duration duration) {
  const std::lock_guard lock(mutex_);
  const bool first = !status_.ran;
  const bool changed = first || core::without_retry_notes(status_.error) != core::without_retry_notes(error);
  status_.ran = true;
  status_.success = error.empty();
  status_.duration = duration;
  if (status_.success) status_.last_success = now;
  if (changed && error.empty()) {
    log_info(first ? "collector works" : "collector recovered", {{"collector", name_}});
  } else if (changed) {
    log_warn("collector failed", {{"collector", name_}, {"error", error}});
  }
  status_.error = error;
}

CollectorStatus CollectorHarness::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void CollectorHarness::append_samples(std::vector<core::Sample>& samples, core::Time now) const {
  const CollectorStatus status = this->status();
  samples.push_back({skipped_labels_, now, static_cast<double>(status.skipped_ticks)});
  if (!status.ran) return;
  samples.push_back({success_labels_, now, status.success ? 1.0 : 0.0});
  samples.push_back({duration_labels_, now, core::to_seconds(status.duration)});
  if (status.last_success) samples.push_back({last_success_labels_, now, core::to_seconds(*status.last_success)});
}

}  // namespace weir::runtime
