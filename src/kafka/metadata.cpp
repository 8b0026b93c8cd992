#include "kafka/metadata.h"

#include <algorithm>
#include <librdkafka/rdkafka.h>
#include <string>

#include "kafka/errors.h"
#include "kafka/raw_handles.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::minutes kServes{1};

/// rd_kafka_metadata blocks and cannot be interrupted, so it is called for short spans, longer ones only
/// while a broker is connected but slow.
core::Result<RawMetadata> request(Connection& connection, const Budget& budget, bool all) {
  milliseconds span{250};
  while (true) {
    if (auto error = connection.give_up(budget)) return std::unexpected(std::move(*error));
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto timeout = static_cast<int>(budget.left(span).count());
    const auto code = rd_kafka_metadata(connection.handle(), all ? 1 : 0, nullptr, &metadata, timeout);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      connection.answered();
      return RawMetadata(metadata);
    }
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT) {
      span *= 2;
    } else if (code != RD_KAFKA_RESP_ERR__TRANSPORT) {
      return std::unexpected(connection.explain(code, {}));
    }
  }
}

Topic to_topic(const rd_kafka_metadata_topic_t& raw, const ClusterSettings& settings) {
  Topic topic;
  topic.name = raw.topic;
  topic.dead_letter = settings.dead_letter.match(topic.name);
  topic.partitions.reserve(static_cast<std::size_t>(std::max(raw.partition_cnt, 0)));
  for (int i = 0; i < raw.partition_cnt; ++i) {
    const rd_kafka_metadata_partition_t& partition = raw.partitions[i];
    if (partition.id < 0) continue;
    topic.partitions.push_back({.id = partition.id,
                                .leader = partition.leader,
                                .replicas = partition.replica_cnt,
                                .in_sync = partition.isr_cnt,
                                .preferred_leader = partition.replica_cnt > 0 && partition.leader >= 0 &&
                                                    partition.leader == partition.replicas[0]});
  }
  std::ranges::sort(topic.partitions, {}, &Partition::id);
  const auto twice = std::ranges::unique(topic.partitions, {}, &Partition::id);
  topic.partitions.erase(twice.begin(), twice.end());
  return topic;
}

/// A topic of which nothing was read. One that is gone leaves nothing to keep the state of, so the scope of
/// its fault matches no series: what was known of it is closed as deleted, while the configuration that
/// still names it is complained about.
void add_failed(Metadata& result, const ClusterSettings& settings, const std::string& name, int code) {
  const bool gone = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  core::Error error = to_error(code, "topic \"" + name + "\"", {});
  if (gone && !settings.topics.names.empty()) error.message += "; create it, or take it out of topics.names";
  result.faults.push_back(
      {std::move(error), core::Labels{{"cluster", settings.name}, {gone ? "configured_topic" : "topic", name}}});
  if (gone) return;
  Topic topic;
  topic.name = name;
  topic.failed = true;
  topic.dead_letter = settings.dead_letter.match(name);
  result.topics.push_back(std::move(topic));
}

}  // namespace

core::Result<Metadata> read_metadata(Connection& connection, const Budget& budget, const ClusterSettings& settings) {
  const bool all = settings.topics.names.empty();
  auto raw = request(connection, budget.within(settings.request_timeout), all);
  if (!raw) return std::unexpected(std::move(raw.error()));
  Metadata result;
  for (int i = 0; i < (*raw)->broker_cnt; ++i) result.brokers.push_back((*raw)->brokers[i].id);
  std::ranges::sort(result.brokers);
  std::vector<bool> seen(settings.topics.names.size());
  for (int i = 0; i < (*raw)->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = (*raw)->topics[i];
    if (!settings.topics.admits(topic.topic)) continue;
    const auto named = std::ranges::lower_bound(settings.topics.names, std::string_view(topic.topic));
    if (!all) seen[static_cast<std::size_t>(named - settings.topics.names.begin())] = true;
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      result.topics.push_back(to_topic(topic, settings));
    } else if (!all || topic.err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      add_failed(result, settings, topic.topic, topic.err);
    }
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i]) add_failed(result, settings, settings.topics.names[i], RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  }
  std::ranges::sort(result.topics, {}, &Topic::name);
  return result;
}

core::Result<Metadata> MetadataReader::read(Connection& connection, const Budget& budget,
                                            const ClusterSettings& settings, milliseconds patience) {
  const auto now = std::chrono::steady_clock::now();
  if (last_ && now - read_at_ > kServes) last_.reset();
  auto read = read_metadata(connection, last_ ? budget.within(patience) : budget, settings);
  if (!read) return last_ && read.error().retryable && !budget.stop.stop_requested() ? *last_ : std::move(read);
  read_at_ = now;
  if (read->brokers.size() > 1) last_ = *read;
  return read;
}

}  // namespace weir::kafka
