#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/time.h"

namespace weir::quality {

/// Names with * for any text: those that `allow` has (all, when it is empty) and `deny` has not.
struct NamePatterns {
  std::vector<std::string> allow;
  std::vector<std::string> deny;

  bool admits(const std::string& name) const;
};

/// Whether the pattern, in which * is any text, is the whole name.
bool fits_pattern(std::string_view pattern, std::string_view name);

/// Personal data is looked for.
struct PiiSettings {
  std::size_t sample = 1000;          // rows of a table, messages of a topic
  NamePatterns names;                 // tables or topics
  std::vector<std::string> accepted;  // table.column or topic.field, * for any text: known, and not told
};

/// One entry of `governance:`, of a source or of a Kafka cluster.
struct GovernanceSettings {
  std::string name;  // of its collector: "governance/warehouse"
  std::string source;
  std::string kafka;
  core::Duration interval = std::chrono::hours(6);
  std::optional<PiiSettings> pii;
  bool contracts = false;  // tables and columns that no check file or contract names
  bool owners = false;     // tables none of whose checks has an owner
  std::size_t most_tables = 500;
};

/// Reads the list under `governance:` (see src/README.md). `sources` and `clusters` are the names that it may refer to.
std::vector<GovernanceSettings> parse_governance_section(const config::Node& section,
                                                         std::span<const std::string> sources,
                                                         std::span<const std::string> clusters,
                                                         config::Diagnostics& diagnostics);

}  // namespace weir::quality
