#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/schema_registry.h"
#include "collectors/schema_registry_client.h"
#include "collectors/schema_samples.h"
#include "core/collector.h"
#include "core/columns.h"
#include "net/http_client.h"

namespace weir::collectors {

/// The collector "schema_drift/<registry>": whether the newest messages of topics carry ids of schemas that belong to
/// them, and whether tables have the columns that subjects have fields. What a topic's newest messages showed holds
/// until it has newer ones.
class SchemaDriftCollector : public core::Collector {
 public:
  static constexpr std::size_t kMostLookups = 500;  // of schema ids, each time

  /// `http` outlives the collector. `sample` is asked where topics are given, `columns` where tables are.
  SchemaDriftCollector(const SchemaRegistrySettings& settings, net::HttpClient& http, SampleTopics sample,
                       std::unique_ptr<core::TableColumns> columns);

  std::string_view name() const override { return name_; }
  core::Duration interval() const override { return settings_.drift.interval; }
  std::span<const core::MetricInfo> metrics() const override;
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

 private:
  enum Result : std::size_t { ok, unknown_id, not_wire_format, wrong_subject };
  static constexpr std::array<std::string_view, 4> kResults{"ok", "unknown_id", "not_wire_format", "wrong_subject"};
  struct Topic {
    std::array<std::size_t, 4> messages{};
    std::set<std::string> subjects;  // of the schemas that its messages carry
    std::array<core::Labels, 4> labels;
  };
  struct Seen {  // of one topic's newest messages
    std::array<std::size_t, 4> messages{};
    std::set<std::string> subjects, wrong;
    std::set<std::int32_t> unknown;
  };

  void look_at_topics(const core::CollectContext& context, core::Batch& batch);
  /// Nothing when the registry did not answer for some id.
  core::Result<Seen> judge(const TopicSample& sample);
  core::Result<Result> judge_id(const std::string& topic, std::int32_t id, Seen& seen);
  void tell(const core::CollectContext& context, const std::string& name, const Topic& before, const Seen& seen,
            core::Batch& batch) const;
  void look_at_tables(const core::CollectContext& context, core::Batch& batch);
  core::Result<std::vector<std::string>> compare(const core::CollectContext& context, const SchemaTable& table);
  void emit_topics(const core::CollectContext& context, const std::set<std::string, std::less<>>& unseen,
                   core::Batch& batch) const;

  SchemaRegistrySettings settings_;
  std::string name_;
  SchemaRegistryClient client_;
  SampleTopics sample_;
  std::unique_ptr<core::TableColumns> columns_;
  std::map<std::string, Topic> topics_;
  std::map<std::int32_t, std::vector<std::string>> ids_;  // subjects of ids, of this cycle
  std::map<std::size_t, std::string> told_;               // of tables: the differences that were told last
};

}  // namespace weir::collectors
