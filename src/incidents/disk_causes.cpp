#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "incidents/causes.h"

namespace weir::incidents {
namespace {

using namespace std::chrono_literals;

constexpr double kNearFull = 0.1;     // of the size is left: a disk that an alert is about
constexpr double kAllButFull = 0.03;  // a disk that explains what happens to replicas

struct Disk {
  core::Labels labels;  // of node_filesystem_avail_bytes
  double left = 0;      // bytes
  double size = 0;
  double share() const { return left / size; }
};

/// "1.2 GiB"
std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  for (; std::abs(bytes) >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return fmt::format("{:.{}f} {}", bytes, unit > 0 && std::abs(bytes) < 100 ? 1 : 0, kUnits[unit]);
}

/// "broker-1" of "broker-1:9100", without what tells exporters of a machine apart.
std::string_view host_of(std::string_view instance) { return instance.substr(0, instance.rfind(':')); }

/// Filesystems that hold data; what is in memory or read only is full as a rule.
bool holds_data(const core::Labels& labels) {
  constexpr std::array<std::string_view, 6> kOthers{"tmpfs", "ramfs", "squashfs", "overlay", "iso9660", "devtmpfs"};
  return std::ranges::find(kOthers, labels.get("fstype")) == kOthers.end();
}

/// The one with the least left of its size; nothing without any.
std::optional<Disk> fullest_disk(const Evidence& evidence, const core::Labels& which) {
  std::optional<Disk> fullest;
  const auto sizes = evidence.points("node_filesystem_size_bytes", which, 5min);
  for (const core::SeriesView& series : evidence.points("node_filesystem_avail_bytes", which, 5min)) {
    if (!holds_data(series.labels)) continue;
    const auto same = series.labels.with(core::kMetricName, "node_filesystem_size_bytes");
    const auto size = std::ranges::find(sizes, same, &core::SeriesView::labels);
    if (size == sizes.end() || size->points.back().value <= 0) continue;
    Disk disk{series.labels, series.points.back().value, size->points.back().value};
    if (!fullest || disk.share() < fullest->share()) fullest = std::move(disk);
  }
  return fullest;
}

/// " At the pace of the last 50m it is full in 3h.", or nothing where what is left does not shrink.
std::string pace_text(const Evidence& evidence, const Disk& disk) {
  const auto change = evidence.growth("node_filesystem_avail_bytes", disk.labels.without(core::kMetricName), 60min);
  if (!change || change->seconds < 300 || change->by() >= 0) return {};
  const double left = disk.left / (-change->by() / change->seconds);
  if (left > 30.0 * 86400) return {};
  return fmt::format(" At the pace of the last {} it is full in {}.", span_text(change->seconds), span_text(left));
}

/// " Topic clicks takes 31.0 GiB of broker-1.", where the broker's own metrics are scraped too.
std::string largest_topic(const Evidence& evidence, const Disk& disk) {
  std::map<std::string, double, std::less<>> topics;
  const std::string_view host = host_of(disk.labels.get("instance"));
  for (const core::SeriesView& series :
       evidence.points("kafka_broker_log_size_bytes", evidence.labels({"cluster"}), 5min)) {
    if (host_of(series.labels.get("instance")) == host)
      topics[std::string(series.labels.get("topic"))] += series.points.back().value;
  }
  const auto most = std::ranges::max_element(topics, {}, [](const auto& topic) { return topic.second; });
  if (most == topics.end() || most->second <= 0) return {};
  return fmt::format(" Topic {} takes {} of {}.", most->first, bytes_text(most->second), host);
}

std::string disk_text(const Disk& disk) {
  return fmt::format("{} on {} is {:.0f} % full: {} of {} are left.", disk.labels.get("mountpoint"),
                     host_of(disk.labels.get("instance")), std::floor(100 * (1 - disk.share())), bytes_text(disk.left),
                     bytes_text(disk.size));
}

/// Whether the alert is about replicas or log directories, which a full disk takes out of use.
bool is_of_replicas(const Evidence& evidence) {
  if (evidence.label("cluster").empty() || !evidence.label("consumergroup").empty()) return false;
  if (evidence.label("topic").empty())
    return evidence.newest("kafka_broker_offline_log_directories", evidence.labels({"cluster", "instance"})) > 0.0;
  double weak = 0;
  for (const std::string_view metric : {"kafka_topic_under_replicated_partitions", "kafka_topic_offline_partitions"})
    weak += evidence.newest(metric, evidence.labels({"cluster", "topic"})).value_or(0);
  return weak > 0;
}

}  // namespace

std::optional<Cause> disk_near_full(const Evidence& evidence) {
  const std::string cluster(evidence.label("cluster"));
  std::optional<core::Node> origin;
  if (!cluster.empty()) origin = core::Node{"cluster", "", cluster};
  if (!evidence.label("mountpoint").empty()) {
    const auto disk = fullest_disk(evidence, evidence.labels({"cluster", "job", "instance", "device", "mountpoint"}));
    if (!disk) return std::nullopt;
    const std::string pace = pace_text(evidence, *disk);
    if (disk->share() >= kNearFull && pace.empty()) return std::nullopt;
    return Cause{fmt::format("{}{}{}{}", disk_text(*disk), pace, largest_topic(evidence, *disk),
                             cluster.empty() ? "" : " A broker whose disk is full stops."),
                 0.93, origin};
  }
  if (!is_of_replicas(evidence)) return std::nullopt;
  const auto disk = fullest_disk(evidence, evidence.labels({"cluster"}));
  if (!disk || disk->share() >= kAllButFull) return std::nullopt;
  return Cause{fmt::format("A disk of {} is full, and a broker whose disk is full stops or takes its log directory out "
                           "of use: {}{}",
                           cluster, disk_text(*disk), largest_topic(evidence, *disk)),
               0.955, origin};
}

}  // namespace weir::incidents
