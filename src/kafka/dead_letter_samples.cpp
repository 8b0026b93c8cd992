#include "kafka/dead_letter_samples.h"

#include <algorithm>
#include <utility>

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSpan{1000};
constexpr std::size_t kMessagesPerTopic = 50;
constexpr std::size_t kMessagesPerCycle = 500;
constexpr std::size_t kBytesPerCycle = 4U << 20U;
constexpr std::size_t kPartitionsPerTopic = 64;
constexpr std::size_t kPreviewBytes = 2048;  // more than is shown: masking looks at whole words

}  // namespace

std::vector<OffsetRange> newest_ranges(const Topic& topic, const std::map<std::int32_t, std::int64_t>& seen,
                                       std::size_t most) {
  std::vector<OffsetRange> ranges;
  for (const Partition& partition : topic.partitions) {
    if (partition.leader < 0 || !partition.offsets_known()) continue;
    const auto last = seen.find(partition.id);
    // An end that went back: the topic was created anew.
    const bool goes_on = last != seen.end() && last->second <= partition.end;
    const std::int64_t from = goes_on ? std::max(partition.start, last->second) : partition.start;
    if (from < partition.end) ranges.push_back({partition.id, from, partition.end});
  }
  if (ranges.size() > kPartitionsPerTopic) {
    // Those that grew most say most.
    std::ranges::stable_sort(ranges, std::greater<>(), [](const OffsetRange& range) { return range.to - range.from; });
    ranges.resize(kPartitionsPerTopic);
  }
  std::size_t left = ranges.size();
  std::int64_t messages = static_cast<std::int64_t>(most);
  std::ranges::sort(ranges, {}, [](const OffsetRange& range) { return range.to - range.from; });
  for (OffsetRange& range : ranges) {  // what small ones leave goes to the others
    const std::int64_t share = std::max<std::int64_t>(1, messages / static_cast<std::int64_t>(left--));
    range.from = std::max(range.from, range.to - share);
    messages -= std::min(messages, range.to - range.from);
  }
  return ranges;
}

bool DeadLetterSamples::sample(Connection& connection, const Budget& budget, Topic& topic, Left& left) {
  Ends& ends = topics_[topic.name];
  const auto ranges = newest_ranges(topic, ends, std::min(left.messages, kMessagesPerTopic));
  if (ranges.empty()) return true;
  const ReadLimits limits{.span = kSpan,
                          .messages = std::min(left.messages, kMessagesPerTopic + kPartitionsPerTopic),
                          .bytes = left.bytes,
                          .headers = true,
                          .value_bytes = settings_.preview ? kPreviewBytes : 0};
  auto messages = read_ranges(connection, budget, topic.name, ranges, limits);
  if (!messages) return messages.error().kind != core::ErrorKind::cancelled;
  if (messages->empty() && budget.left(kSpan) == milliseconds{0}) return false;  // no answer in time
  for (const OffsetRange& range : ranges) ends[range.partition] = range.to;
  left.messages -= std::min(left.messages, messages->size());
  for (SampledMessage& message : *messages) {
    for (const auto& [name, value] : message.headers) left.bytes -= std::min(left.bytes, name.size() + value.size());
    left.bytes -= std::min(left.bytes, message.value.size());
    if (!message.time) continue;
    topic.dead_letters.push_back({message.partition, message.offset, *message.time,
                                  read_reason(message.headers, settings_.headers), std::move(message.value)});
  }
  return true;
}

void DeadLetterSamples::update(Connection& connection, const Budget& budget, std::vector<Topic>& topics) {
  if (!settings_.sample) return;
  std::vector<Topic*> turns;
  for (Topic& topic : topics) {
    if (topic.dead_letter && topic.newest_message) turns.push_back(&topic);
  }
  const auto name_of = [](const Topic* topic) -> const std::string& { return topic->name; };
  std::erase_if(topics_,
                [&](const auto& entry) { return !std::ranges::binary_search(turns, entry.first, {}, name_of); });
  const auto first = std::ranges::find_if(turns, [&](const Topic* topic) { return topic->name >= next_; });
  std::ranges::rotate(turns, first);
  next_.clear();
  const Budget span = budget.within(kSpan);
  Left left{kMessagesPerCycle, kBytesPerCycle};
  for (Topic* topic : turns) {
    if (left.messages > 0 && left.bytes > 0 && span.left(kSpan) > milliseconds{0} &&
        sample(connection, span, *topic, left)) {
      continue;
    }
    next_ = topic->name;
    return;
  }
}

}  // namespace weir::kafka
