#include "collectors/dead_letter.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <iterator>

#include "privacy/mask.h"

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;
using Letter = DeadLetterMemory::Letter;

constexpr std::size_t kWindow = 50;
constexpr std::size_t kReasons = 10;
constexpr std::size_t kReasonsPerHour = 30;
constexpr std::size_t kShownMessageBytes = 200;
constexpr std::size_t kShownPreviewBytes = 200;
constexpr std::string_view kUnknown = "unknown";
constexpr std::string_view kOther = "other";

constexpr MetricInfo kMetrics[] = {
    {"kafka_dead_letter_messages", MetricType::gauge, "Messages in the dead-letter topic (log end - log start)."},
    {"kafka_dead_letter_messages_per_second", MetricType::gauge,
     "Messages that arrived in the dead-letter topic per second since the previous cycle."},
    {"kafka_dead_letter_newest_message_age_seconds", MetricType::gauge,
     "Age of the newest message in the dead-letter topic; absent while it is empty."},
    {"kafka_dead_letter_oldest_message_age_seconds", MetricType::gauge,
     "Age of the oldest message in the dead-letter topic; absent while it is empty."},
    {"kafka_dead_letter_sampled_messages", MetricType::gauge,
     "Of the newest dead letters that were looked at (up to 50), how many are there for this reason."},
};

void build_labels(std::string_view cluster, const std::string& name, DeadLetterMemory::Topic& topic) {
  const auto label = [&](std::string_view metric) {
    return Labels::metric(metric, {{"cluster", cluster}, {"topic", name}});
  };
  topic.messages = label("kafka_dead_letter_messages");
  topic.rate = label("kafka_dead_letter_messages_per_second");
  topic.newest_age = label("kafka_dead_letter_newest_message_age_seconds");
  topic.oldest_age = label("kafka_dead_letter_oldest_message_age_seconds");
  topic.others = Labels::metric(
      "kafka_dead_letter_sampled_messages",
      {{"cluster", cluster}, {"topic", name}, {"origin", kOther}, {"exception", kOther}, {"component", kOther}});
}

/// "org.apache.kafka.common.errors.SerializationException" as people say it.
std::string_view simple_name(std::string_view exception) {
  const std::size_t dot = exception.find_last_of(".$");
  return dot == std::string_view::npos || dot + 1 == exception.size() ? exception : exception.substr(dot + 1);
}

/// A name as a label shows it: a topic's or class's as it is, anything else masked.
std::string shown_name(const std::string& name) {
  const bool plain = std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == ':' || c == '$';
  });
  return plain ? name : privacy::mask(name);
}

Letter to_letter(const kafka::DeadLetter& letter) {
  const kafka::DeadLetterReason& reason = letter.reason;
  Letter kept{letter.partition, letter.offset, letter.time, {}, {}, {}};
  kept.reason.origin = shown_name(reason.origin);
  kept.reason.exception = reason.exception.empty() ? std::string(kUnknown) : shown_name(reason.exception);
  kept.reason.component = privacy::mask(reason.component);
  kept.message = privacy::cut(privacy::mask(reason.message), kShownMessageBytes);
  // Masked before it is cut: half a card number would not be recognized.
  const std::string preview = kafka::clean_text(letter.preview, letter.preview.size());
  kept.preview = privacy::cut(privacy::mask(preview), kShownPreviewBytes);
  return kept;
}

/// The window with this cycle's letters, without those that were deleted meanwhile; whether that changed it.
bool slide(const kafka::Topic& topic, std::deque<Letter>& window) {
  const auto gone = std::erase_if(window, [&](const Letter& letter) {
    const kafka::Partition* partition = topic.find(letter.partition);
    if (partition == nullptr) return true;
    return partition->offsets_known() && (letter.offset < partition->start || letter.offset >= partition->end);
  });
  if (topic.dead_letters.empty()) return gone > 0;
  for (const kafka::DeadLetter& letter : topic.dead_letters) window.push_back(to_letter(letter));
  std::ranges::stable_sort(window, {}, &Letter::time);
  while (window.size() > kWindow) window.pop_front();
  return true;
}

/// The reasons of one topic: counts them, gives new ones their series and event.
class Reasons {
 public:
  Reasons(const std::string& topic, const KafkaCycle& cycle, DeadLetterMemory::Topic& known, core::Batch& batch)
      : topic_(topic), cycle_(cycle), known_(known), batch_(batch) {}

  void recount() {
    std::map<DeadLetterReasonKey, std::size_t> counts;
    for (const Letter& letter : known_.window) ++counts[letter.reason];
    std::erase_if(known_.reasons, [&](const auto& entry) { return !counts.contains(entry.first); });
    while (!known_.named.empty() && cycle_.now - known_.named.front() >= std::chrono::hours(1))
      known_.named.pop_front();
    std::vector<std::pair<DeadLetterReasonKey, std::size_t>> fresh;
    for (auto& [reason, count] : counts) {
      const auto named = known_.reasons.find(reason);
      if (named != known_.reasons.end()) {
        named->second.letters = count;
      } else {
        fresh.emplace_back(reason, count);
      }
    }
    std::ranges::stable_sort(fresh, std::greater<>(), [](const auto& entry) { return entry.second; });
    known_.other_letters = 0;
    for (auto& [reason, count] : fresh) {
      if (known_.reasons.size() >= kReasons || known_.named.size() >= kReasonsPerHour) {
        known_.other_letters += count;
      } else {
        name(reason, count);
      }
    }
  }

 private:
  void name(const DeadLetterReasonKey& reason, std::size_t count) {
    known_.named.push_back(cycle_.now);
    const Labels about{{"cluster", cycle_.cluster},
                       {"topic", topic_},
                       {"origin", reason.origin},
                       {"exception", reason.exception},
                       {"component", reason.component}};
    known_.reasons[reason] = {about.with(core::kMetricName, "kafka_dead_letter_sampled_messages"), count};
    if (reason.exception == kUnknown && reason.origin.empty() && reason.component.empty()) return;  // says nothing
    const Letter& newest = *std::find_if(known_.window.rbegin(), known_.window.rend(),
                                         [&](const Letter& letter) { return letter.reason == reason; });
    batch_.events.push_back(
        {cycle_.now, "dead_letter_reason", about.with("message", newest.message), sentence(newest, count)});
  }

  std::string sentence(const Letter& newest, std::size_t count) const {
    const DeadLetterReasonKey& reason = newest.reason;
    const std::size_t of = known_.window.size();
    std::string text = of == 1 ? fmt::format("The last dead letter of {} ", topic_)
                               : fmt::format("{} of the last {} dead letters of {} ", count, of, topic_);
    text += reason.origin.empty() ? std::string(count == 1 ? "is there because of " : "are there because of ")
                                  : fmt::format("{} from topic {}: ", count == 1 ? "comes" : "come", reason.origin);
    text += reason.exception == kUnknown ? std::string_view("an exception that is not named")
                                         : simple_name(reason.exception);
    if (!reason.component.empty()) text += " in " + reason.component;
    if (!newest.message.empty()) text += ": " + newest.message;
    if (!text.ends_with('.') && !text.ends_with('!') && !text.ends_with("…")) text += '.';
    if (!newest.preview.empty()) text += " The newest begins " + newest.preview;
    return text;
  }

  const std::string& topic_;
  const KafkaCycle& cycle_;
  DeadLetterMemory::Topic& known_;
  core::Batch& batch_;
};

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
    const auto age = [&](core::Time time) { return core::to_seconds(std::max(core::Duration{0}, cycle.now - time)); };
    if (totals[i].messages) add(known.messages, static_cast<double>(*totals[i].messages));
    if (totals[i].records_per_second) add(known.rate, *totals[i].records_per_second);
    if (topic.newest_message) add(known.newest_age, age(*topic.newest_message));
    if (topic.oldest_message) add(known.oldest_age, age(*topic.oldest_message));
    if (slide(topic, known.window)) Reasons(topic.name, cycle, known, batch).recount();
    for (const auto& [key, reason] : known.reasons) add(reason.labels, static_cast<double>(reason.letters));
    if (known.other_letters > 0) add(known.others, static_cast<double>(known.other_letters));
  }
  forget_unseen(memory.topics);
}

std::span<const core::MetricInfo> dead_letter_metrics() { return kMetrics; }

}  // namespace weir::collectors
