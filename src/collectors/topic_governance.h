#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "collectors/kafka_token.h"
#include "core/collector.h"
#include "kafka/connection.h"
#include "kafka/settings.h"
#include "kafka/snapshot.h"

#include "privacy/pii.h"

namespace weir::collectors {

struct TopicGovernanceSettings {
  std::string name;  // of the collector
  core::Duration interval = std::chrono::hours(6);
  std::size_t sample = 100;  // messages of a topic, the newest
  std::size_t most_topics = 500;
  std::function<bool(const std::string& topic)> wanted;
  std::function<bool(const std::string& topic_and_field)> accepted;  // "orders.customer.email"
};

/// What of a topic's messages may hold personal data: fields of JSON by their names and values, other messages as a
/// whole (the field is then "(value)", of keys "(key)"). Keeps no value, not as a field's name either; at most 200
/// fields.
class TopicTally {
 public:
  void add(std::string_view value);
  void add_key(std::string_view key);
  /// Field, kind and "name" or "values", with what was seen, for a person.
  std::map<std::tuple<std::string, std::string, std::string>, std::string> found() const;

 private:
  void add(std::string_view value, const std::string& whole, const std::string& root);

  std::map<std::string, privacy::PiiTally> fields_;
};

/// The collector "governance/<cluster>": personal data in a bounded sample of topics' newest messages, joining no
/// group. A cycle takes a minute at most; topics that had no turn come in the next one, a minute later.
class TopicGovernanceCollector final : public core::Collector {
 public:
  TopicGovernanceCollector(TopicGovernanceSettings settings, kafka::ClusterSettings cluster);
  ~TopicGovernanceCollector() override;

  std::string_view name() const override { return settings_.name; }
  core::Duration interval() const override { return settings_.interval; }
  core::Time next(core::Time now) const override;
  std::span<const core::MetricInfo> metrics() const override;
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

 private:
  using Findings = std::map<std::tuple<std::string, std::string, std::string>, std::string>;
  struct Topic {
    Findings findings;
    std::uint64_t round = 0;
  };

  core::Result<core::Batch> look_through(const core::CollectContext& context);
  void look_at(const kafka::Topic& topic, const kafka::Budget& budget, core::Batch& batch);
  void report(core::Batch& batch) const;

  TopicGovernanceSettings settings_;
  kafka::ClusterSettings cluster_;
  KafkaTokens tokens_;
  std::unique_ptr<kafka::Connection> connection_;  // of the cycle
  std::map<std::string, Topic> topics_;
  std::uint64_t round_ = 0;
  bool unfinished_ = false;
  core::Time now_;
};

}  // namespace weir::collectors
