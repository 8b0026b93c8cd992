#include "collectors/schema_samples.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "kafka/connection.h"
#include "kafka/dead_letter_samples.h"
#include "kafka/metadata.h"
#include "kafka/offsets.h"
#include "kafka/sampler.h"

namespace weir::collectors {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSpan{10'000};
constexpr milliseconds kSpanOfTopic{2000};
constexpr std::size_t kMessages = 2000;
constexpr std::size_t kBytes = 16U << 20U;
constexpr std::size_t kHeadBytes = 5;

/// Where newer serializers put the schema's id instead of before the value.
constexpr std::string_view kIdHeader = "__value_schema_id";

TopicSample sample_of(const std::string& topic, std::vector<kafka::SampledMessage> messages) {
  TopicSample sample{.topic = topic, .heads = {}, .in_headers = 0};
  for (kafka::SampledMessage& message : messages) {
    if (message.value.empty()) continue;  // a deletion
    const bool by_header =
        std::ranges::any_of(message.headers, [](const auto& header) { return header.first == kIdHeader; });
    if (by_header) ++sample.in_headers;
    if (!by_header) sample.heads.push_back(std::move(message.value));
  }
  return sample;
}

}  // namespace

KafkaSamples::KafkaSamples(kafka::ClusterSettings cluster, kafka::NameFilter topics, std::size_t messages)
    : cluster_(std::move(cluster)), messages_(messages) {
  cluster_.topics = std::move(topics);
}

KafkaSamples::~KafkaSamples() = default;

core::Result<SampledTopics> KafkaSamples::operator()(const core::CollectContext& context) {
  tokens_.set_now(context.now);
  const kafka::Budget budget{.deadline = context.deadline, .stop = context.stop};
  auto connection = connect_once(cluster_, tokens_);
  if (!connection) return std::unexpected(connection.error());
  (*connection)->begin();
  auto metadata = kafka::read_metadata(**connection, budget, cluster_);
  if (!metadata) return std::unexpected(metadata.error());
  const auto offsets = kafka::read_offsets(**connection, nullptr, budget, cluster_.request_timeout, metadata->topics);
  if (!offsets) return std::unexpected(offsets.error());
  SampledTopics found{.topics = {}, .admitted = {}, .faults = std::move(metadata->faults)};
  std::vector<const kafka::Topic*> turns;
  for (const kafka::Topic& topic : metadata->topics) {
    found.admitted.push_back(topic.name);
    if (!topic.failed) turns.push_back(&topic);
  }
  std::erase_if(ends_, [&](const auto& entry) { return !std::ranges::binary_search(found.admitted, entry.first); });
  const auto first = std::ranges::find_if(turns, [&](const kafka::Topic* topic) { return topic->name >= next_; });
  std::ranges::rotate(turns, first);
  next_.clear();
  const kafka::Budget span = budget.within(kSpan);
  std::size_t messages = kMessages;
  for (const kafka::Topic* topic : turns) {
    if (messages < messages_ || span.left(kSpan) == milliseconds{0}) {
      next_ = topic->name;
      break;
    }
    auto& ends = ends_[topic->name];
    const auto ranges = kafka::newest_ranges(*topic, ends, messages_);
    if (ranges.empty()) continue;
    auto read = kafka::read_ranges(**connection, span, topic->name, ranges,
                                   {.span = kSpanOfTopic,
                                    .messages = messages_,
                                    .bytes = kBytes * messages_ / kMessages,
                                    .headers = true,
                                    .value_bytes = kHeadBytes});
    if (!read) {
      found.faults.push_back(
          {std::move(read.error()), core::Labels{{"cluster", cluster_.name}, {"topic", topic->name}}});
      continue;
    }
    if (read->empty()) continue;
    for (const kafka::OffsetRange& range : ranges) ends[range.partition] = range.to;
    messages -= std::min(messages, read->size());
    found.topics.push_back(sample_of(topic->name, std::move(*read)));
  }
  return found;
}

}  // namespace weir::collectors
