#include "quality/schedule.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace weir::quality {
namespace {

constexpr core::Duration kTick = std::chrono::minutes(1);
constexpr core::Duration kLongestWait = std::chrono::hours(1);
/// A tick is a minute, and what is done once a day may take longer.
constexpr auto kExtraTime = std::chrono::minutes(29);

class CronCollector final : public core::Collector {
 public:
  CronCollector(std::unique_ptr<core::Collector> inner, CronTimes times)
      : inner_(std::move(inner)), times_(std::move(times)) {}

  std::string_view name() const override { return inner_->name(); }
  core::Duration interval() const override { return kTick; }
  std::span<const core::MetricInfo> metrics() const override { return inner_->metrics(); }

  core::Result<core::Batch> collect(const core::CollectContext& context) override {
    if (due_ && context.now < *due_) return again(context.now);
    core::CollectContext longer = context;
    longer.deadline += kExtraTime;
    core::Result<core::Batch> seen = inner_->collect(longer);
    const auto next = times_.cron.next(context.now, times_.zone);
    due_ = next.value_or(core::Time::max());
    if (!seen) {
      wait_ = std::min(wait_ == core::Duration{} ? kTick : wait_ * 2, kLongestWait);
      due_ = std::min(*due_, context.now + wait_);
    } else {
      wait_ = {};
    }
    last_ = seen;
    if (last_ && *last_) last_->value().events.clear();
    return seen;
  }

 private:
  core::Result<core::Batch> again(core::Time now) {
    if (!last_ || !*last_) return *last_;
    core::Batch batch = **last_;
    for (core::Sample& sample : batch.samples) sample.time = now;
    return batch;
  }

  const std::unique_ptr<core::Collector> inner_;
  const CronTimes times_;
  std::optional<core::Time> due_;  // unset: at once
  core::Duration wait_{};
  std::optional<core::Result<core::Batch>> last_;  // set with due_
};

}  // namespace

Schedule read_schedule(config::MapReader& reader) {
  Schedule schedule;
  const bool every = reader.has("every");
  const std::string_view key = every ? "every" : "interval";
  schedule.interval = reader.duration(key, schedule.interval);
  if (schedule.interval < std::chrono::seconds(1) || schedule.interval > std::chrono::days(7))
    reader.error(key, "must be from 1s to 1w");
  if (every && reader.has("interval")) reader.error("every", "is the same as \"interval\"; give one of them");
  TimeZone zone;
  if (const std::string name = reader.text("timezone"); !name.empty()) {
    auto loaded = TimeZone::load(name);
    if (!loaded) reader.error("timezone", fmt::format("\"{}\" {}", name, loaded.error().message));
    if (!reader.has("cron")) reader.error("timezone", "belongs to \"cron\"");
    if (loaded) zone = std::move(*loaded);
  }
  const std::string text = reader.text("cron");
  if (text.empty()) return schedule;
  if (every || reader.has("interval")) reader.error("cron", "give it instead of an interval, not besides");
  const auto cron = Cron::parse(text);
  if (!cron) {
    reader.error("cron", cron.error());
  } else {
    schedule.cron = CronTimes{*cron, std::move(zone)};
  }
  return schedule;
}

std::unique_ptr<core::Collector> at_cron_times(std::unique_ptr<core::Collector> collector, CronTimes times) {
  return std::make_unique<CronCollector>(std::move(collector), std::move(times));
}

}  // namespace weir::quality
