#include "kafka/sampler.h"

#include <algorithm>
#include <array>
#include <librdkafka/rdkafka.h>
#include <memory>
#include <utility>

#include "kafka/errors.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSampleSpan{2000};
constexpr milliseconds kPollSpan{100};
constexpr std::size_t kMaxPartitionsPerCycle = 256;
/// The last offset may be a transaction's marker, which no consumer is given: step back, further each time.
constexpr std::array<std::int64_t, 3> kStepsBack = {1, 16, 256};

struct MessageDeleter {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using RawMessage = std::unique_ptr<rd_kafka_message_t, MessageDeleter>;

struct Pending {
  const Partition* partition = nullptr;
  bool done = false;
  std::optional<MessageSample> sample;
};

/// Consumes the pending partitions from `back` before their end until each has reached it.
class Round {
 public:
  Round(Connection& connection, rd_kafka_topic_t* topic, std::vector<Pending>& pending, std::int64_t back)
      : connection_(connection), topic_(topic), pending_(pending), queue_(connection.new_queue()) {
    for (Pending& each : pending_) {
      each.done = each.sample.has_value();
      if (each.done) continue;
      const std::int64_t from = std::max(each.partition->start, each.partition->end - back);
      if (rd_kafka_consume_start_queue(topic_, each.partition->id, from, queue_.get()) == 0) {
        started_.push_back(each.partition->id);
      } else {
        each.done = true;
      }
    }
  }
  ~Round() {
    for (const std::int32_t id : started_) rd_kafka_consume_stop(topic_, id);
  }
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  core::Result<void> run(const Budget& budget) {
    while (std::ranges::any_of(pending_, [](const Pending& each) { return !each.done; })) {
      if (auto error = connection_.give_up(budget)) return std::unexpected(std::move(*error));
      const int timeout = static_cast<int>(budget.left(kPollSpan).count());
      const RawMessage message(rd_kafka_consume_queue(queue_.get(), timeout));
      if (!message) continue;
      if (auto taken = take(*message); !taken) return taken;
    }
    return {};
  }

 private:
  core::Result<void> take(const rd_kafka_message_t& message) {
    const auto found =
        std::ranges::find_if(pending_, [&](const Pending& each) { return each.partition->id == message.partition; });
    if (found == pending_.end()) return {};
    if (message.err != 0) {
      found->done = true;
      if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return {};
      return std::unexpected(connection_.explain(message.err,
                                                 std::string("topic \"") + rd_kafka_topic_name(topic_) + "\"",
                                                 rd_kafka_message_errstr(&message)));
    }
    rd_kafka_timestamp_type_t type{};
    const std::int64_t timestamp = rd_kafka_message_timestamp(&message, &type);
    if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && timestamp >= 0) {
      found->sample = {message.partition, message.offset, core::Time(milliseconds(timestamp))};
    }
    found->done = found->done || message.offset + 1 >= found->partition->end;
    return {};
  }

  Connection& connection_;
  rd_kafka_topic_t* topic_;
  std::vector<Pending>& pending_;
  Queue queue_;
  std::vector<std::int32_t> started_;
};

}  // namespace

core::Result<std::vector<MessageSample>> sample_newest(Connection& connection, const Budget& budget,
                                                       const std::string& topic,
                                                       std::span<const Partition> partitions) {
  const TopicHandle handle(rd_kafka_topic_new(connection.handle(), topic.c_str(), nullptr));
  if (!handle) return core::fail(core::ErrorKind::invalid, "\"" + topic + "\" is no topic name");
  std::vector<Pending> pending;
  for (const Partition& partition : partitions) {
    if (partition.leader >= 0 && partition.offsets_known() && partition.end > partition.start) {
      pending.push_back({&partition, false, std::nullopt});
    }
  }
  const Budget span = budget.within(kSampleSpan);
  for (const std::int64_t back : kStepsBack) {
    if (std::ranges::all_of(pending, [](const Pending& each) { return each.sample.has_value(); })) break;
    Round round(connection, handle.get(), pending, back);
    const auto ran = round.run(span);
    if (ran) continue;
    if (ran.error().kind != core::ErrorKind::timeout) return std::unexpected(ran.error());
    break;  // what was read counts
  }
  std::vector<MessageSample> samples;
  for (const Pending& each : pending) {
    if (each.sample) samples.push_back(*each.sample);
  }
  return samples;
}

std::vector<core::Fault> NewestMessages::update(Connection& connection, const Budget& budget,
                                                const std::string& cluster, std::vector<Topic>& topics) {
  std::vector<core::Fault> faults;
  std::map<std::string, Partitions> kept;
  std::size_t reads = 0;
  for (Topic& topic : topics) {
    if (!topic.dead_letter) continue;
    Partitions& known = kept[topic.name];
    if (const auto before = topics_.find(topic.name); before != topics_.end()) known = std::move(before->second);
    std::vector<Partition> grown;
    for (const Partition& partition : topic.partitions) {
      if (!partition.offsets_known()) continue;
      if (partition.end == partition.start) known[partition.id] = {partition.end, std::nullopt};
      if (known[partition.id].end != partition.end && reads++ < kMaxPartitionsPerCycle) grown.push_back(partition);
    }
    if (!grown.empty()) {
      auto samples = sample_newest(connection, budget, topic.name, grown);
      if (samples) {
        for (const MessageSample& sample : *samples) {
          known[sample.partition] = {topic.find(sample.partition)->end, sample.timestamp};
        }
      } else {
        faults.push_back({samples.error(), core::Labels{{"cluster", cluster}, {"topic", topic.name}}});
      }
    }
    for (const auto& [id, partition] : known) {
      if (partition.newest && (!topic.newest_message || *topic.newest_message < *partition.newest)) {
        topic.newest_message = partition.newest;
      }
    }
  }
  topics_ = std::move(kept);
  return faults;
}

}  // namespace weir::kafka
