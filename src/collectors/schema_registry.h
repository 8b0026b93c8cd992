#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/registry_client.h"
#include "config/diagnostics.h"
#include "config/node.h"
#include "core/collector.h"
#include "kafka/filter.h"

namespace weir::collectors {

/// A schema that is to be offered: checked against the newest version of its subject.
struct Candidate {
  std::string subject;
  std::string file;
  std::string type;  // AVRO, PROTOBUF or JSON
};

struct SchemaRegistrySettings {
  std::string name;
  core::Duration interval = std::chrono::seconds(30);
  RegistryAddress address;
  kafka::NameFilter subjects;
  std::vector<Candidate> candidates;
};

/// One entry of `schema_registries:` (see src/README.md).
SchemaRegistrySettings parse_schema_registry(const config::Node& node, config::Diagnostics& diagnostics);

/// Watches a Confluent-compatible schema registry: versions, compatibility level, and whether each new version
/// is compatible with its predecessor, as the registry itself judges it. A version is checked once, and again
/// when the subject's level changes; a candidate when its file or the newest version changes.
class SchemaRegistryCollector final : public core::Collector {
 public:
  /// `client` outlives the collector.
  SchemaRegistryCollector(SchemaRegistrySettings settings, net::HttpClient& client);

  std::string_view name() const override { return name_; }
  core::Duration interval() const override { return settings_.interval; }
  std::span<const core::MetricInfo> metrics() const override { return metric_table(); }
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

  static std::span<const core::MetricInfo> metric_table();

 private:
  /// What is remembered of a subject between cycles.
  struct Subject {
    std::vector<int> versions;
    std::string level;
    int checked_version = 0;  // the newest checked against its predecessor, under checked_level
    std::string checked_level;
    std::optional<bool> compatible;
    std::uint64_t compatible_checks = 0;
    std::uint64_t incompatible_checks = 0;
    std::string candidate_text;  // as last checked, against candidate_version
    int candidate_version = 0;
    std::optional<bool> candidate_compatible;
  };
  struct Cycle {
    const core::CollectContext& context;
    core::Batch batch;
  };

  core::Result<void> observe(const std::string& name, Subject& subject, Cycle& cycle);
  core::Result<void> check_versions(const std::string& name, Subject& subject, Cycle& cycle);
  core::Result<void> check_candidate(const std::string& name, Subject& subject, Cycle& cycle);
  void count(const std::string& name, Subject& subject, const std::string& what, const Compatibility& result,
             Cycle& cycle);
  void emit(const std::string& name, const Subject& subject, Cycle& cycle) const;
  core::Labels labels(std::string_view metric, const std::string& subject) const;

  SchemaRegistrySettings settings_;
  std::string name_;
  RegistryClient client_;
  std::map<std::string, Subject> subjects_;
  std::string next_;  // the subject to begin with, when a cycle had no time for all
  bool first_cycle_ = true;
};

}  // namespace weir::collectors
