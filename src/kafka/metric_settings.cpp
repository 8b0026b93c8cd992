#include "kafka/metric_settings.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "config/reader.h"

namespace weir::kafka {
namespace {

using config::MapReader;
using config::Node;

struct Compat {
  std::string_view name;
  bool CompatSettings::*set;
};
constexpr std::array kCompat = {
    Compat{"burrow", &CompatSettings::burrow},
    Compat{"kafka_exporter", &CompatSettings::kafka_exporter},
    Compat{"kafka_lag_exporter", &CompatSettings::kafka_lag_exporter},
    Compat{"kminion", &CompatSettings::kminion},
};

Patterns read_patterns(MapReader& reader, std::string_view key) {
  Patterns patterns;
  for (const Node* item : reader.list(key)) {
    if (!item->is_scalar()) {
      reader.error(*item, "expected a regular expression, found " + std::string(item->kind_name()));
      continue;
    }
    const auto added = patterns.add(config::expand_environment(*item, reader.diagnostics()));
    if (!added) reader.error(*item, added.error().message);
  }
  return patterns;
}

NameFilter read_filter(MapReader& parent, std::string_view key) {
  const Node none;
  const Node* child = parent.child(key);
  MapReader reader(child == nullptr ? none : *child, parent.diagnostics(), parent.what() + ", " + std::string(key));
  NameFilter filter;
  filter.allow = read_patterns(reader, "allow");
  filter.deny = read_patterns(reader, "deny");
  reader.finish();
  return filter;
}

CompatSettings read_compat(MapReader& reader) {
  CompatSettings compat;
  for (const Node* item : reader.list("compat")) {
    const std::string name =
        item->is_scalar() ? config::expand_environment(*item, reader.diagnostics()) : std::string();
    const auto found = std::ranges::find(kCompat, name, &Compat::name);
    if (found == kCompat.end()) {
      std::vector<std::string> known;
      for (const Compat& each : kCompat) known.emplace_back(each.name);
      reader.error(*item, "\"compat\": \"" + name +
                              "\" is not one of burrow, kafka_exporter, kafka_lag_exporter, kminion" +
                              config::did_you_mean(name, known));
    } else {
      compat.*(found->set) = true;
    }
  }
  return compat;
}

}  // namespace

StatusSettings parse_status(const Node& node, config::Diagnostics& diagnostics, const std::string& what) {
  MapReader reader(node, diagnostics, what);
  StatusSettings settings;
  settings.window = reader.duration("window", settings.window);
  if (settings.window < std::chrono::minutes(1) || settings.window > std::chrono::hours(24)) {
    reader.error("window", "must be from 1m to 1d");
    settings.window = StatusSettings{}.window;
  }
  settings.min_lag = reader.integer("min_lag", 0, 0, std::int64_t{1} << 50);
  reader.finish();
  return settings;
}

MetricSettings parse_metrics(const Node& node, config::Diagnostics& diagnostics, const std::string& what) {
  MapReader reader(node, diagnostics, what);
  MetricSettings settings;
  const Node none;
  const Node* partitions = reader.child("per_partition");
  MapReader per_partition(partitions == nullptr ? none : *partitions, diagnostics, what + ", per_partition");
  settings.partition_topics = read_filter(per_partition, "topics");
  settings.partition_groups = read_filter(per_partition, "groups");
  per_partition.finish();
  if (reader.has("max_series")) {
    settings.max_series = static_cast<std::size_t>(reader.integer("max_series", 0, 100, 10'000'000));
  }
  settings.members = reader.boolean("members", false);
  settings.compat = read_compat(reader);
  reader.finish();
  return settings;
}

}  // namespace weir::kafka
