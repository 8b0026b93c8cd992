#include "kafka/sampler.h"

#include <algorithm>
#include <array>
#include <librdkafka/rdkafka.h>
#include <map>
#include <memory>
#include <utility>

#include "kafka/errors.h"
#include "kafka/raw_handles.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSampleSpan{2000};
constexpr milliseconds kPollSpan{100};
constexpr std::size_t kMaxPartitionsPerCycle = 256;
constexpr std::size_t kMaxHeaders = 64;
constexpr std::size_t kMaxHeaderBytes = 1024;
/// The last offset may be a transaction's marker, which no consumer is given: step back, further each time.
constexpr std::array<std::int64_t, 3> kStepsBack = {1, 16, 256};

struct Pending {
  OffsetRange range;
  bool done = false;
};

Headers read_headers(const rd_kafka_message_t& message) {
  Headers headers;
  rd_kafka_headers_t* raw = nullptr;
  if (rd_kafka_message_headers(&message, &raw) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; i < kMaxHeaders && rd_kafka_header_get_all(raw, i, &name, &value, &size) == 0; ++i) {
    // Stack traces are long and not looked at.
    headers.emplace_back(
        name, std::string(static_cast<const char*>(value), value == nullptr ? 0 : std::min(size, kMaxHeaderBytes)));
  }
  return headers;
}

/// Consumes the ranges of one topic until each has been read.
class Round {
 public:
  Round(Connection& connection, rd_kafka_topic_t* topic, std::span<const OffsetRange> ranges, const ReadLimits& limits)
      : connection_(connection), topic_(topic), limits_(limits), queue_(connection.new_queue()) {
    for (const OffsetRange& range : ranges) {
      if (range.from >= range.to || pending_.contains(range.partition)) continue;
      if (rd_kafka_consume_start_queue(topic_, range.partition, range.from, queue_.get()) != 0) continue;
      pending_[range.partition] = {range, false};
      ++waiting_;
    }
  }
  ~Round() {
    for (const auto& [id, pending] : pending_) rd_kafka_consume_stop(topic_, id);
  }
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  core::Result<void> run(const Budget& budget) {
    while (waiting_ > 0 && read_.size() < limits_.messages && bytes_ < limits_.bytes) {
      if (auto error = connection_.give_up(budget)) return std::unexpected(std::move(*error));
      const int timeout = static_cast<int>(budget.left(kPollSpan).count());
      const RawMessage message(rd_kafka_consume_queue(queue_.get(), timeout));
      if (!message) continue;
      if (auto taken = take(*message); !taken) return taken;
    }
    return {};
  }

  std::vector<SampledMessage> read() { return std::move(read_); }

 private:
  core::Result<void> take(const rd_kafka_message_t& message) {
    const auto found = pending_.find(message.partition);
    if (found == pending_.end() || found->second.done) return {};
    if (message.err != 0) {
      end(found->second);
      if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return {};
      return std::unexpected(connection_.explain(message.err,
                                                 std::string("topic \"") + rd_kafka_topic_name(topic_) + "\"",
                                                 rd_kafka_message_errstr(&message)));
    }
    keep(message);
    if (message.offset + 1 >= found->second.range.to) end(found->second);
    return {};
  }

  void end(Pending& pending) {
    pending.done = true;
    --waiting_;
  }

  void keep(const rd_kafka_message_t& message) {
    SampledMessage& kept = read_.emplace_back();
    kept.partition = message.partition;
    kept.offset = message.offset;
    rd_kafka_timestamp_type_t type{};
    const std::int64_t timestamp = rd_kafka_message_timestamp(&message, &type);
    if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && timestamp >= 0) kept.time = core::Time(milliseconds(timestamp));
    if (limits_.headers) kept.headers = read_headers(message);
    if (limits_.value_bytes > 0 && message.payload != nullptr) {
      kept.value.assign(static_cast<const char*>(message.payload), std::min(message.len, limits_.value_bytes));
    }
    if (limits_.key_bytes > 0 && message.key != nullptr) {
      kept.key.assign(static_cast<const char*>(message.key), std::min(message.key_len, limits_.key_bytes));
    }
    bytes_ += message.len + kept.key.size();
    for (const auto& [name, value] : kept.headers) bytes_ += name.size() + value.size();
  }

  Connection& connection_;
  rd_kafka_topic_t* topic_;
  const ReadLimits& limits_;
  Queue queue_;
  std::map<std::int32_t, Pending> pending_;
  std::size_t waiting_ = 0;
  std::size_t bytes_ = 0;
  std::vector<SampledMessage> read_;
};

}  // namespace

core::Result<std::vector<SampledMessage>> read_ranges(Connection& connection, const Budget& budget,
                                                      const std::string& topic, std::span<const OffsetRange> ranges,
                                                      const ReadLimits& limits) {
  const TopicHandle handle(rd_kafka_topic_new(connection.handle(), topic.c_str(), nullptr));
  if (!handle) return core::fail(core::ErrorKind::invalid, "\"" + topic + "\" is no topic name");
  Round round(connection, handle.get(), ranges, limits);
  const auto ran = round.run(budget.within(limits.span));
  if (!ran && ran.error().kind != core::ErrorKind::timeout) return std::unexpected(ran.error());
  return round.read();
}

core::Result<std::vector<MessageSample>> sample_newest(Connection& connection, const Budget& budget,
                                                       const std::string& topic,
                                                       std::span<const Partition> partitions) {
  std::map<std::int32_t, std::optional<MessageSample>> found;
  for (const Partition& partition : partitions) {
    if (partition.leader >= 0 && partition.offsets_known() && partition.end > partition.start) found[partition.id];
  }
  const Budget span = budget.within(kSampleSpan);
  for (const std::int64_t back : kStepsBack) {
    std::vector<OffsetRange> ranges;
    for (const Partition& partition : partitions) {
      const auto sample = found.find(partition.id);
      if (sample == found.end() || sample->second) continue;
      ranges.push_back({partition.id, std::max(partition.start, partition.end - back), partition.end});
    }
    if (ranges.empty() || span.left(kSampleSpan) == milliseconds{0}) break;
    auto messages = read_ranges(connection, span, topic, ranges, {});
    if (!messages) return std::unexpected(std::move(messages.error()));
    for (const SampledMessage& message : *messages) {
      if (message.time) found[message.partition] = {message.partition, message.offset, *message.time};
    }
  }
  std::vector<MessageSample> samples;
  for (const auto& [id, sample] : found) {
    if (sample) samples.push_back(*sample);
  }
  return samples;
}

core::Result<void> NewestMessages::read_newest(Connection& connection, const Budget& budget, const Topic& topic,
                                               Partitions& known) {
  std::vector<Partition> grown;
  for (const Partition& partition : topic.partitions) {
    if (!partition.offsets_known()) continue;
    if (partition.end == partition.start) known[partition.id] = {partition.end, {}, kUnknownOffset, {}};
    if (known[partition.id].end != partition.end && reads_++ < kMaxPartitionsPerCycle) grown.push_back(partition);
  }
  if (grown.empty()) return {};
  auto samples = sample_newest(connection, budget, topic.name, grown);
  if (!samples) return std::unexpected(std::move(samples.error()));
  for (const MessageSample& sample : *samples) {
    known[sample.partition].end = topic.find(sample.partition)->end;
    known[sample.partition].newest = sample.timestamp;
  }
  return {};
}

core::Result<void> NewestMessages::read_oldest(Connection& connection, const Budget& budget, const Topic& topic,
                                               Partitions& known) {
  std::vector<OffsetRange> moved;
  for (const Partition& partition : topic.partitions) {
    if (partition.leader < 0 || !partition.offsets_known() || partition.end == partition.start) continue;
    const Known& last = known[partition.id];
    if (last.start == partition.start || reads_++ >= kMaxPartitionsPerCycle) continue;
    moved.push_back({partition.id, partition.start, partition.start + 1});  // the first message, wherever it is
  }
  if (moved.empty()) return {};
  auto messages = read_ranges(connection, budget, topic.name, moved, {});
  if (!messages) return std::unexpected(std::move(messages.error()));
  for (const SampledMessage& message : *messages) {
    Known& partition = known[message.partition];
    if (!message.time || partition.start == topic.find(message.partition)->start) continue;
    partition.start = topic.find(message.partition)->start;
    partition.oldest = message.time;
  }
  return {};
}

std::vector<core::Fault> NewestMessages::update(Connection& connection, const Budget& budget,
                                                const std::string& cluster, std::vector<Topic>& topics) {
  std::vector<core::Fault> faults;
  std::map<std::string, Partitions> kept;
  reads_ = 0;
  for (Topic& topic : topics) {
    if (!topic.dead_letter) continue;
    Partitions& known = kept[topic.name];
    if (const auto before = topics_.find(topic.name); before != topics_.end()) known = std::move(before->second);
    auto read = read_newest(connection, budget, topic, known);
    if (read) read = read_oldest(connection, budget, topic, known);
    if (!read) {
      faults.push_back({std::move(read.error()), core::Labels{{"cluster", cluster}, {"topic", topic.name}}});
    }
    for (const auto& [id, partition] : known) {
      if (partition.newest && (!topic.newest_message || *topic.newest_message < *partition.newest)) {
        topic.newest_message = partition.newest;
      }
      if (partition.oldest && (!topic.oldest_message || *partition.oldest < *topic.oldest_message)) {
        topic.oldest_message = partition.oldest;
      }
    }
  }
  topics_ = std::move(kept);
  return faults;
}

}  // namespace weir::kafka
