#include "collectors/kafka.h"

#include <utility>
#include <vector>

#include "collectors/kafka_token.h"
#include "kafka/cluster.h"

namespace weir::collectors {
namespace {

constexpr core::MetricInfo kBrokers = {"kafka_brokers", core::MetricType::gauge, "Brokers of the cluster."};

std::vector<core::MetricInfo> all_metrics() {
  std::vector<core::MetricInfo> all = {kBrokers};
  for (const auto part : {topics_metrics(), consumer_groups_metrics(), dead_letter_metrics()}) {
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
      brokers_(core::Labels::metric(kBrokers.name, {{"cluster", cluster_}})) {}

KafkaCollector::~KafkaCollector() = default;

std::span<const core::MetricInfo> KafkaCollector::metrics() const {
  static const std::vector<core::MetricInfo> kAll = all_metrics();
  return kAll;
}

core::Result<kafka::Snapshot> KafkaCollector::take(const core::CollectContext& context) {
  now_ = context.now;
  if (!connection_) {
    if (settings_.token) http_ = net::make_curl_client();
    auto connected =
        kafka::Cluster::connect(settings_, [this](const kafka::TokenSettings& settings, const std::stop_token& stop) {
          return fetch_token(*http_, settings, now_, stop);
        });
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
  const std::vector<TopicTotals> totals = topics(*snapshot, cycle, topics_, batch);
  dead_letter(*snapshot, totals, cycle, dead_letters_, batch);
  consumer_groups(*snapshot, cycle, groups_, batch);
  batch.faults = std::move(snapshot->faults);
  samples_ = batch.samples.size();
  return batch;
}

}  // namespace weir::collectors
