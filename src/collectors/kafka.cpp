#include "collectors/kafka.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "collectors/topic_recall.h"
#include "kafka/cluster.h"

namespace weir::collectors {
namespace {

/// Fewer cycles than this tell nothing of a window.
constexpr int kLeastCycles = 8;

constexpr core::MetricInfo kConfigsDenied = {"kafka_topic_configs_denied", core::MetricType::gauge,
                                             "Topics whose settings this user may not read."};

std::vector<core::MetricInfo> all_metrics() {
  std::vector<core::MetricInfo> all = {kConfigsDenied};
  for (const auto part :
       {cluster_totals_metrics(), topics_metrics(), topic_config_metrics(), consumer_groups_metrics(),
        deleted_topics_metrics(), dead_letter_metrics(), offsets_stream_metrics(), compat_metrics()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

kafka::ClusterSettings settings_for(std::string cluster, core::Duration interval) {
  kafka::ClusterSettings settings;
  settings.name = std::move(cluster);
  settings.interval = interval;
  return settings;
}

}  // namespace

KafkaCollector::KafkaCollector(kafka::ClusterSettings settings, const core::SeriesSource* past)
    : KafkaCollector(
          std::move(settings), [this](const core::CollectContext& context) { return take(context); }, past) {}

KafkaCollector::KafkaCollector(std::string cluster, core::Duration interval, TakeSnapshot take)
    : KafkaCollector(settings_for(std::move(cluster), interval), std::move(take)) {}

KafkaCollector::KafkaCollector(kafka::ClusterSettings settings, TakeSnapshot take, const core::SeriesSource* past)
    : settings_(std::move(settings)),
      name_("kafka/" + settings_.name),
      take_(std::move(take)),
      past_(past),
      configs_denied_(core::Labels::metric(kConfigsDenied.name, {{"cluster", settings_.name}})) {
  settings_.status.window = std::max(settings_.status.window, kLeastCycles * settings_.interval);
  if (settings_.metrics.max_series > 0) {
    // The sample that tells of it counts as well.
    budget_.emplace(settings_.metrics.max_series - 1, [compat = settings_.metrics.compat](const core::Labels& labels) {
      return compat_copies(labels, compat);
    });
  }
}

KafkaCollector::~KafkaCollector() = default;

std::span<const core::MetricInfo> KafkaCollector::metrics() const {
  static const std::vector<core::MetricInfo> kAll = all_metrics();
  return kAll;
}

core::Result<kafka::Snapshot> KafkaCollector::take(const core::CollectContext& context) {
  tokens_.set_now(context.now);
  if (!connection_) {
    auto connected = kafka::Cluster::connect(settings_, tokens_.source());
    if (!connected) return std::unexpected(std::move(connected.error()));
    connection_ = std::move(*connected);
  }
  return connection_->snapshot(context.deadline, context.stop);
}

core::Result<core::Batch> KafkaCollector::collect(const core::CollectContext& context) {
  auto snapshot = take_(context);
  if (!snapshot) return std::unexpected(std::move(snapshot.error()));
  if (budget_) budget_->begin_cycle();
  const KafkaCycle cycle{
      settings_.name, context.now, settings_.status, settings_.metrics, budget_ ? &*budget_ : nullptr, past_};
  core::Batch batch;
  batch.samples.reserve(samples_ + samples_ / 16);
  batch.samples.push_back({configs_denied_, context.now, static_cast<double>(snapshot->configs_denied)});
  for (kafka::Notice& notice : snapshot->notices) {
    batch.events.push_back(
        {context.now, std::move(notice.kind), core::Labels{{"cluster", settings_.name}}, std::move(notice.message)});
  }
  recall_topic_configs(cycle, configs_, *snapshot);
  const std::vector<TopicTotals> totals = topics(*snapshot, cycle, topics_, batch);
  cluster_totals(*snapshot, totals, cycle, cluster_, batch);
  topic_config(*snapshot, cycle, configs_, batch);
  dead_letter(*snapshot, totals, cycle, dead_letters_, batch);
  deleted_topics(*snapshot, cycle, groups_, deleted_topics_, batch);
  consumer_groups(*snapshot, cycle, groups_, batch);
  look_at_trouble(batch);
  offsets_stream(*snapshot, cycle, offsets_stream_, batch);
  const std::size_t truncated = truncate(*snapshot, batch);
  batch.samples.push_back({cluster_.truncated, context.now, static_cast<double>(truncated)});
  compat(*snapshot, cycle, groups_, compat_, batch);
  std::ranges::move(snapshot->faults, std::back_inserter(batch.faults));
  samples_ = batch.samples.size();
  return batch;
}

/// Who reads what of a group that has just come into trouble tells a consumer that hangs from one that is gone.
void KafkaCollector::look_at_trouble(const core::Batch& batch) {
  if (!connection_) return;
  for (const core::Event& event : batch.events) {
    if (event.kind != "group_status_changed") continue;
    const std::string id(event.labels.get("consumergroup"));
    const auto known = groups_.groups.find(id);
    if (known != groups_.groups.end() && known->second.status && is_trouble(*known->second.status)) {
      connection_->describe_soon(id);
    }
  }
}

std::size_t KafkaCollector::truncate(const kafka::Snapshot& snapshot, core::Batch& batch) {
  std::size_t left_out = 0;
  if (settings_.metrics.members) {
    for (const auto& [id, group] : groups_.groups) left_out += group.clients_left_out;
  }
  if (!budget_) return left_out;
  return left_out + budget_->enforce(batch, compat_sums(snapshot, groups_, settings_.metrics.compat));
}

}  // namespace weir::collectors
