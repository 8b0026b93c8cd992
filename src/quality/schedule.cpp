#include "quality/schedule.h"

#include <fmt/format.h>
#include <utility>

namespace weir::quality {
namespace {

/// What is done once a day may take that long.
constexpr core::Duration kLongestCycle = std::chrono::minutes(30);

class CronCollector final : public core::Collector {
 public:
  CronCollector(std::unique_ptr<core::Collector> inner, CronTimes times)
      : inner_(std::move(inner)), times_(std::move(times)) {}

  std::string_view name() const override { return inner_->name(); }
  core::Duration interval() const override { return kLongestCycle; }
  core::Time next(core::Time now) const override {
    return times_.cron.next(now, times_.zone).value_or(core::Time::max());
  }
  std::span<const core::MetricInfo> metrics() const override { return inner_->metrics(); }
  core::Result<core::Batch> collect(const core::CollectContext& context) override { return inner_->collect(context); }

 private:
  const std::unique_ptr<core::Collector> inner_;
  const CronTimes times_;
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
