#include "collectors/deleted_topics.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <string_view>
#include <utility>

#include "collectors/kafka_past.h"

namespace weir::collectors {
namespace {

using core::Labels;

/// Metadata of a broker that has just started may lack a topic for a moment.
constexpr int kMissingCycles = 3;
constexpr std::uint64_t kLate = 2;  // cycles
constexpr core::Duration kTold = std::chrono::hours(24);
constexpr std::size_t kMostTopics = 1000;   // that are missing at the same time
constexpr std::size_t kMostReaders = 1000;  // of one topic
constexpr std::size_t kNamed = 3;           // groups, in an event

constexpr std::string_view kSeconds = "kafka_consumergroup_deleted_topic_seconds";
constexpr core::MetricInfo kMetrics[] = {
    {kSeconds, core::MetricType::gauge,
     "For how long a topic has been deleted that the consumer group was reading, or had messages of unread."}};

Labels series(std::string_view cluster, std::string_view group, std::string_view topic) {
  return Labels::metric(kSeconds, {{"cluster", cluster}, {"consumergroup", group}, {"topic", topic}});
}

/// What a group had of a topic; nothing when it has committed nothing there of late.
const GroupMemory::Topic* read_topic(const GroupMemory& groups, const GroupMemory::Group& group,
                                     std::string_view topic) {
  const auto known = std::ranges::find(group.topics, topic, &GroupMemory::Topic::name);
  if (known == group.topics.end() || known->committed == 0) return nullptr;
  // The commits may have gone a cycle before the topic.
  return groups.cycle - known->committed <= kLate ? &*known : nullptr;
}

bool has_members(const GroupMemory::Group& group) {
  return group.state != kafka::GroupState::empty && group.state != kafka::GroupState::dead &&
         group.state != kafka::GroupState::unknown;
}

class Deletions {
 public:
  Deletions(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, const GroupMemory& groups,
            DeletedTopicMemory& memory, core::Batch& batch)
      : snapshot_(snapshot), cycle_(cycle), groups_(groups), memory_(memory), batch_(batch) {}

  void run() {
    if (!std::exchange(memory_.recalled, true) && cycle_.past != nullptr) recall();
    notice();
    for (auto entry = memory_.missing.begin(); entry != memory_.missing.end();) {
      entry = is_over(entry->first, entry->second) ? memory_.missing.erase(entry) : std::next(entry);
    }
    const auto same = [](const std::string& name, const kafka::Topic& topic) { return name == topic.name; };
    if (std::ranges::equal(memory_.names, snapshot_.topics, same)) return;
    memory_.names.clear();
    for (const kafka::Topic& topic : snapshot_.topics) memory_.names.push_back(topic.name);
  }

 private:
  bool is_there(std::string_view topic) const {
    return std::ranges::binary_search(snapshot_.topics, topic, {}, &kafka::Topic::name);
  }

  /// Topics of the last cycle that are not in this one.
  void notice() {
    auto topic = snapshot_.topics.begin();
    for (const std::string& name : memory_.names) {
      while (topic != snapshot_.topics.end() && topic->name < name) ++topic;
      if (topic != snapshot_.topics.end() && topic->name == name) continue;
      if (memory_.missing.size() >= kMostTopics) return;
      DeletedTopicMemory::Missing missing;
      missing.since = cycle_.now;
      for (const auto& [id, group] : groups_.groups) {
        if (missing.readers.size() >= kMostReaders) break;
        const GroupMemory::Topic* had = read_topic(groups_, group, name);
        // One that has no members and has read all is rather taken out of service with its topic.
        if (had == nullptr || (had->unread == 0 && !has_members(group))) continue;
        missing.unread += had->unread;
        missing.readers.push_back({id, series(cycle_.cluster, id, name)});
      }
      std::ranges::sort(missing.readers, {}, &DeletedTopicMemory::Reader::group);
      if (!missing.readers.empty()) memory_.missing.insert_or_assign(name, std::move(missing));
    }
  }

  bool is_over(const std::string& topic, DeletedTopicMemory::Missing& missing) {
    if (is_there(topic)) {
      if (missing.told) {
        event("topic_recreated", topic,
              fmt::format("Topic {} was created anew {} after it was deleted.", topic,
                          core::format_duration(std::chrono::floor<std::chrono::seconds>(cycle_.now - missing.since))));
      }
      return true;
    }
    if (cycle_.now - missing.since > kTold) return true;
    if (++missing.cycles < kMissingCycles && !missing.told) return false;
    if (!std::exchange(missing.told, true)) tell(topic, missing);
    // A cycle that could not list all groups does not say that one is gone: consumer_groups() keeps such.
    std::erase_if(missing.readers, [&](const auto& reader) { return !is_known(reader.group); });
    for (const DeletedTopicMemory::Reader& reader : missing.readers) {
      batch_.samples.push_back({reader.labels, cycle_.now, core::to_seconds(cycle_.now - missing.since)});
    }
    return missing.readers.empty();
  }

  bool is_known(const std::string& group) const {
    return groups_.groups.contains(group) ||
           std::ranges::find(snapshot_.groups, group, &kafka::Group::id) != snapshot_.groups.end();
  }

  void tell(const std::string& topic, const DeletedTopicMemory::Missing& missing) {
    std::string readers;
    for (std::size_t i = 0; i < std::min(missing.readers.size(), kNamed); ++i)
      readers += (i == 0 ? "" : ", ") + missing.readers[i].group;
    if (missing.readers.size() > kNamed) readers += fmt::format(" and {} others", missing.readers.size() - kNamed);
    event("topic_deleted", topic,
          fmt::format("Topic {} was deleted while consumer group{} {} read it{}.", topic,
                      missing.readers.size() == 1 ? "" : "s", readers,
                      missing.unread > 0 ? fmt::format(", with {} messages unread", missing.unread) : std::string()));
  }

  void event(const char* kind, const std::string& topic, std::string message) {
    batch_.events.push_back(
        {cycle_.now, kind, Labels{{"cluster", cycle_.cluster}, {"topic", topic}}, std::move(message)});
  }

  /// What was told before a restart.
  void recall() {
    visit_newest(cycle_, kSeconds, kTold, [&](const Labels& labels, const core::Point& point) {
      const std::string topic(labels.get("topic"));
      if (!std::isfinite(point.value) || (memory_.missing.size() >= kMostTopics && !memory_.missing.contains(topic)))
        return;
      DeletedTopicMemory::Missing& missing = memory_.missing[topic];
      const auto for_ms = static_cast<std::int64_t>(point.value * 1000);
      missing.since = point.time - std::chrono::milliseconds(for_ms);
      missing.told = true;
      const std::string group(labels.get("consumergroup"));
      if (missing.readers.size() < kMostReaders)
        missing.readers.push_back({group, series(cycle_.cluster, group, topic)});
    });
  }

  const kafka::Snapshot& snapshot_;
  const KafkaCycle& cycle_;
  const GroupMemory& groups_;
  DeletedTopicMemory& memory_;
  core::Batch& batch_;
};

}  // namespace

void deleted_topics(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, const GroupMemory& groups,
                    DeletedTopicMemory& memory, core::Batch& batch) {
  Deletions(snapshot, cycle, groups, memory, batch).run();
}

std::span<const core::MetricInfo> deleted_topics_metrics() { return kMetrics; }

}  // namespace weir::collectors
