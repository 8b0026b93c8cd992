#include "collectors/dead_letter.h"

#include <algorithm>

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;

constexpr MetricInfo kMetrics[] = {
    {"kafka_dead_letter_messages", MetricType::gauge, "Messages in the dead-letter topic (log end - log start)."},
    {"kafka_dead_letter_messages_per_second", MetricType::gauge,
     "Messages that arrived in the dead-letter topic per second since the previous cycle."},
    {"kafka_dead_letter_newest_message_age_seconds", MetricType::gauge,
     "Age of the newest message in the dead-letter topic; absent while it is empty."},
};

void build_labels(std::string_view cluster, const std::string& name, DeadLetterMemory::Topic& topic) {
  const auto label = [&](std::string_view metric) {
    return Labels::metric(metric, {{"cluster", cluster}, {"topic", name}});
  };
  topic.messages = label("kafka_dead_letter_messages");
  topic.rate = label("kafka_dead_letter_messages_per_second");
  topic.age = label("kafka_dead_letter_newest_message_age_seconds");
}

}  // namespace

void dead_letter(const kafka::Snapshot& snapshot, std::span<const TopicTotals> totals, const KafkaCycle& cycle,
                 DeadLetterMemory& memory, core::Batch& batch) {
  for (std::size_t i = 0; i < snapshot.topics.size(); ++i) {
    const kafka::Topic& topic = snapshot.topics[i];
    if (!topic.dead_letter) continue;
    DeadLetterMemory::Topic& known = memory.topics[topic.name];
    known.seen = true;
    if (topic.failed) continue;
    if (known.messages.empty()) build_labels(cycle.cluster, topic.name, known);
    const auto add = [&](const Labels& labels, double value) { batch.samples.push_back({labels, cycle.now, value}); };
    if (totals[i].messages) add(known.messages, static_cast<double>(*totals[i].messages));
    if (totals[i].records_per_second) add(known.rate, *totals[i].records_per_second);
    if (topic.newest_message) {
      add(known.age, core::to_seconds(std::max(core::Duration{0}, cycle.now - *topic.newest_message)));
    }
  }
  forget_unseen(memory.topics);
}

std::span<const core::MetricInfo> dead_letter_metrics() { return kMetrics; }

}  // namespace weir::collectors
