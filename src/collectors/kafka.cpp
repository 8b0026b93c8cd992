#include "collectors/kafka.h"

#include <utility>
#include <vector>

#include "kafka/cluster.h"

namespace weir::collectors {
namespace {

constexpr core::MetricInfo kBrokers = {"kafka_brokers", core::MetricType::gauge, "Brokers of the cluster."};
constexpr core::MetricInfo kConfigsDenied = {"kafka_topic_configs_denied", core::MetricType::gauge,
                                             "Topics whose settings this user may not read."};

std::vector<core::MetricInfo> all_metrics() {
  std::vector<core::MetricInfo> all = {kBrokers, kConfigsDenied};
  for (const auto part :
       {topics_metrics(), consumer_groups_metrics(), dead_letter_metrics(), offsets_stream_metrics()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

KafkaCollector::KafkaCollector(kafka::ClusterSettings settings)
    : KafkaCollector(settings.name, settings.interval,
                     [this](const core::CollectContext& context) { return take(context); }) {
  settings_ = std::move(settings);
}

KafkaCollector::KafkaCollector(std::string cluster, core::Duration interval, TakeSnapshot take)
    : cluster_(std::move(cluster)),
      name_("kafka/" + cluster_),
      interval_(interval),
      take_(std::move(take)),
      brokers_(core::Labels::metric(kBrokers.name, {{"cluster", cluster_}})),
      configs_denied_(core::Labels::metric(kConfigsDenied.name, {{"cluster", cluster_}})) {}

KafkaCollector::~KafkaCollector() = default;

std::span<const core::MetricInfo> KafkaCollector::metrics() const {
  static const std::vector<core::MetricInfo> kAll = all_metrics();
  return kAll;
}

core::Result<kafka::Snapshot> KafkaCollector::take(const core::CollectContext& context) {
  if (!connection_) {
    auto connected = kafka::Cluster::connect(settings_);
    if (!connected) return std::unexpected(std::move(connected.error()));
    connection_ = std::move(*connected);
  }
  return connection_->snapshot(context.deadline, context.stop);
}

core::Result<core::Batch> KafkaCollector::collect(const core::CollectContext& context) {
  auto snapshot = take_(context);
  if (!snapshot) return std::unexpected(std::move(snapshot.error()));
  const KafkaCycle cycle{cluster_, context.now};
  core::Batch batch;
  batch.samples.reserve(samples_ + samples_ / 16);
  batch.samples.push_back({brokers_, context.now, static_cast<double>(snapshot->brokers)});
  batch.samples.push_back({configs_denied_, context.now, static_cast<double>(snapshot->configs_denied)});
  for (kafka::Notice& notice : snapshot->notices) {
    batch.events.push_back(
        {context.now, std::move(notice.kind), core::Labels{{"cluster", cluster_}}, std::move(notice.message)});
  }
  const std::vector<TopicTotals> totals = topics(*snapshot, cycle, topics_, batch);
  dead_letter(*snapshot, totals, cycle, dead_letters_, batch);
  consumer_groups(*snapshot, cycle, groups_, batch);
  offsets_stream(*snapshot, cycle, offsets_stream_, batch);
  batch.faults = std::move(snapshot->faults);
  samples_ = batch.samples.size();
  return batch;
}

}  // namespace weir::collectors
