#include "collectors/retention.h"

#include <algorithm>

namespace weir::collectors {
namespace {

std::optional<double> by_time(const kafka::TopicConfig* config, const std::optional<TimeLag>& age) {
  // Of a message that is older than all that is known, it cannot be said when it is old enough.
  if (config == nullptr || !age || age->method != LagMethod::interpolated) return std::nullopt;
  if (!config->retention_ms || *config->retention_ms < 0) return std::nullopt;
  if (config->cleanup_policy.find("delete") == std::string::npos) return std::nullopt;
  return std::max(0.0, static_cast<double>(*config->retention_ms) / 1000 - core::to_seconds(age->lag));
}

}  // namespace

void RetentionMargin::add(std::int64_t margin, std::optional<double> deleted_per_second,
                          const kafka::TopicConfig* config, const std::optional<TimeLag>& age) {
  messages = std::min(messages.value_or(margin), margin);
  std::optional<double> left = by_time(config, age);
  if (deleted_per_second && *deleted_per_second > 0) {
    const double by_pace = static_cast<double>(std::max<std::int64_t>(0, margin)) / *deleted_per_second;
    left = std::min(left.value_or(by_pace), by_pace);
  }
  if (left) seconds = std::min(seconds.value_or(*left), *left);
}

}  // namespace weir::collectors
