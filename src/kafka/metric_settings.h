#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/time.h"
#include "kafka/filter.h"

namespace weir::kafka {

/// By what consumer groups are judged.
struct StatusSettings {
  core::Duration window = std::chrono::minutes(10);
  std::int64_t min_lag = 0;  // messages of a partition that count as none
};

/// Sets of metrics under the names that other programs give them.
struct CompatSettings {
  bool burrow = false;
  bool kafka_exporter = false;
  bool kafka_lag_exporter = false;
  bool kminion = false;

  bool any() const { return burrow || kafka_exporter || kafka_lag_exporter || kminion; }
};

/// Which series a cluster gives.
struct MetricSettings {
  NameFilter partition_topics;  // topics with series for each partition
  NameFilter partition_groups;  // groups with series for each partition of such topics
  std::size_t max_series = 0;   // 0: no limit
  bool members = false;         // a series for each client of a group
  CompatSettings compat;
};

inline const StatusSettings kDefaultStatus;
inline const MetricSettings kDefaultMetrics;

/// Reads `status:` of a cluster: {window: 10m, min_lag: 0}. The window is from 1m to 1d.
StatusSettings parse_status(const config::Node& node, config::Diagnostics& diagnostics, const std::string& what);

/// Reads `metrics:` of a cluster:
///
///     per_partition: {topics: {allow: [], deny: []}, groups: {allow: [], deny: []}}
///     max_series: 60000
///     members: true
///     compat: [kminion, kafka_lag_exporter, burrow, kafka_exporter]
MetricSettings parse_metrics(const config::Node& node, config::Diagnostics& diagnostics, const std::string& what);

}  // namespace weir::kafka
