#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/cluster_totals.h"
#include "collectors/compat.h"
#include "collectors/consumer_groups.h"
#include "collectors/dead_letter.h"
#include "collectors/deleted_topics.h"
#include "collectors/kafka_token.h"
#include "collectors/offsets_stream.h"
#include "collectors/series_budget.h"
#include "collectors/topic_config.h"
#include "collectors/topics.h"
#include "core/collector.h"
#include "kafka/settings.h"
#include "kafka/snapshot.h"

namespace weir::kafka {
class Cluster;
}

namespace weir::collectors {

/// The collector "kafka/<cluster>": one snapshot of the cluster a cycle, turned into samples and events by
/// pure functions that remember the previous cycle. Connects in the first cycle; one that cannot is an
/// error of each cycle, not of the start.
class KafkaCollector : public core::Collector {
 public:
  using TakeSnapshot = std::function<core::Result<kafka::Snapshot>(const core::CollectContext&)>;

  /// `past`, where there is one, holds the samples of earlier cycles, of before a restart too; it outlives the
  /// collector.
  explicit KafkaCollector(kafka::ClusterSettings settings, const core::SeriesSource* past = nullptr);
  /// With another source of snapshots, for tests.
  KafkaCollector(std::string cluster, core::Duration interval, TakeSnapshot take);
  KafkaCollector(kafka::ClusterSettings settings, TakeSnapshot take, const core::SeriesSource* past = nullptr);
  ~KafkaCollector() override;

  std::string_view name() const override { return name_; }
  core::Duration interval() const override { return settings_.interval; }
  std::span<const core::MetricInfo> metrics() const override;
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

 private:
  core::Result<kafka::Snapshot> take(const core::CollectContext& context);

  std::size_t truncate(const kafka::Snapshot& snapshot, core::Batch& batch);
  void look_at_trouble(const core::Batch& batch);

  kafka::ClusterSettings settings_;
  std::string name_;
  KafkaTokens tokens_;
  std::unique_ptr<kafka::Cluster> connection_;
  TakeSnapshot take_;
  const core::SeriesSource* past_;
  ClusterMemory cluster_;
  core::Labels configs_denied_;
  TopicMemory topics_;
  TopicConfigMemory configs_;
  DeletedTopicMemory deleted_topics_;
  DeadLetterMemory dead_letters_;
  GroupMemory groups_;
  OffsetsStreamMemory offsets_stream_;
  CompatMemory compat_;
  std::optional<SeriesBudget> budget_;
  std::size_t samples_ = 0;  // of the last batch
};

}  // namespace weir::collectors
