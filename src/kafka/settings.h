#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/secret.h"
#include "core/time.h"
#include "kafka/canary.h"
#include "kafka/dead_letter_headers.h"
#include "kafka/filter.h"
#include "kafka/metric_settings.h"
#include "kafka/token.h"

namespace weir::kafka {

/// librdkafka properties. Values are secrets throughout: many are, and none needs to be logged.
using Properties = std::vector<std::pair<std::string, core::Secret>>;

/// A consumer group asked for by name. `topics` are those it is expected to consume; empty means the
/// topics named in the topic filter, or whatever the broker knows where that names none either.
struct NamedGroup {
  std::string name;
  std::vector<std::string> topics;
};

struct GroupFilter {
  NameFilter filter;              // names are those of `named`
  std::vector<NamedGroup> named;  // ascending by name; not empty: only these, and no ListGroups
  std::size_t max = 5000;         // of listed ones; more are counted and not read
  Patterns read_committed;        // groups that read up to the last stable offset
};

/// A property whose value is the first line of a file.
struct PropertyFile {
  std::string property;
  std::string path;
};

struct ClusterSettings {
  std::string name;
  std::string brokers;  // host:port, comma separated
  core::Duration interval = std::chrono::seconds(15);
  core::Duration request_timeout = std::chrono::seconds(10);
  Properties properties;
  std::optional<TokenSettings> token;        // of sasl.oauthbearer.method "oidc"
  std::vector<PropertyFile> property_files;  // of those in `properties` that came from one
  /// Whether last stable offsets are read too: one more client, and one more ListOffsets a partition.
  bool transactions = false;
  GroupFilter groups;
  NameFilter topics;
  Patterns dead_letter;
  StatusSettings status;
  MetricSettings metrics;
  DeadLetterSettings dead_letters;
  std::optional<CanarySettings> canary;
  bool offsets_stream = false;  // commits come from __consumer_offsets
};

/// Reads one entry of `kafka:` (see src/README.md). Mistakes, a property that librdkafka refuses among
/// them, are diagnostics with their place; a property's value never appears in one.
///
/// Beyond the example there: `request_timeout`; `brokers` may be a list; a property may be given as
/// `<property>_file`, whose first line is the value; an entry of `groups.names` may be
/// `{name: billing, topics: [orders]}`. Filters match anywhere in a name; `deny` of topics is ["^__"] and
/// `dead_letter.topics` is ['[.-](dlt|dlq)$'] unless given; `groups.max` is 5000. `groups.read_committed` names
/// groups by expressions, and needs `transactions: true`.
ClusterSettings parse_cluster(const config::Node& node, config::Diagnostics& diagnostics);

}  // namespace weir::kafka
