#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <ranges>

#include "incidents/causes.h"

namespace weir::incidents {
namespace {

using namespace std::chrono_literals;

/// "on orders" when the alert names a topic, else nothing.
std::string on_topic(const Evidence& evidence) {
  const std::string_view topic = evidence.label("topic");
  return topic.empty() ? "" : fmt::format(" on {}", topic);
}

std::string group_text(const Evidence& evidence) {
  return fmt::format("Consumer group {} in {}", evidence.label("consumergroup"), evidence.label("cluster"));
}

/// The group's present state, "" when it is not known.
std::string group_state(const Evidence& evidence) {
  const core::SeriesView* newest = nullptr;
  const auto found = evidence.points("kafka_consumergroup_state", evidence.labels({"cluster", "consumergroup"}), 5min);
  for (const core::SeriesView& series : found) {
    if (series.points.back().value != 1) continue;
    if (newest == nullptr || series.points.back().time > newest->points.back().time) newest = &series;
  }
  return newest == nullptr ? "" : std::string(newest->labels.get("state"));
}

/// Consumers that are assigned by hand join no group: it never has members.
bool is_assigned_by_hand(const Evidence& evidence) {
  const core::Labels kind =
      core::LabelsBuilder(evidence.labels({"cluster", "consumergroup"})).set("kind", "simple").build();
  return evidence.newest("kafka_consumergroup_info", kind).value_or(0) > 0;
}

bool has_no_members(const Evidence& evidence, const std::string& state) {
  const auto members = evidence.newest("kafka_consumergroup_members", evidence.labels({"cluster", "consumergroup"}));
  return state == "Empty" || state == "Dead" || (members && *members <= 0);
}

/// A group that has read all there is may have stopped because of that, as one does that runs now and then.
bool nothing_waits(const Evidence& evidence) {
  const core::Labels labels = evidence.labels({"cluster", "consumergroup", "topic"});
  const auto lag = evidence.newest("kafka_consumergroup_lag_sum", labels);
  return lag ? *lag <= 0 : evidence.newest("kafka_consumergroup_lag", labels) == 0.0;
}

struct Flow {
  Evidence::Growth committed;
  double arrived = 0;
};

/// What the group committed and what arrived meanwhile: commits + growth of the lag.
std::optional<Flow> flow(const Evidence& evidence) {
  if (evidence.label("consumergroup").empty()) return std::nullopt;
  const core::Labels labels = evidence.labels({"cluster", "consumergroup", "topic"});
  const auto committed = evidence.growth("kafka_consumergroup_current_offset", labels, evidence.window());
  const auto lag = evidence.growth("kafka_consumergroup_lag", labels, evidence.window());
  if (!committed || !lag || committed->seconds < 30) return std::nullopt;
  return Flow{*committed, committed->by() + lag->by()};
}

/// The topic a dead-letter topic belongs to, by the usual endings; "" when it has none of them.
std::string_view source_topic(std::string_view topic) {
  constexpr std::array<std::string_view, 8> kEndings{"dlt",         "dlq",         "DLT",        "DLQ",
                                                     "dead-letter", "dead_letter", "deadletter", "error"};
  for (const std::string_view ending : kEndings) {
    if (topic.size() <= ending.size() + 1 || !topic.ends_with(ending)) continue;
    const char separator = topic[topic.size() - ending.size() - 1];
    if (separator == '.' || separator == '-' || separator == '_')
      return topic.substr(0, topic.size() - ending.size() - 1);
  }
  return {};
}

/// What most of the dead letters that were looked at are there for.
struct LetterReason {
  std::string origin;
  std::string exception;
  std::string sentence;  // " 37 of the last 50 come from topic orders: SerializationException in connector sink-pg."
};

std::optional<LetterReason> letter_reason(const Evidence& evidence) {
  const core::Labels labels = evidence.labels({"cluster", "topic"});
  const auto found = evidence.points("kafka_dead_letter_sampled_messages", labels, 5min);
  const core::SeriesView* most = nullptr;
  double all = 0;
  // What a window of letters that has moved on was there for is still within the span.
  core::Time newest{};
  for (const core::SeriesView& series : found) newest = std::max(newest, series.points.back().time);
  for (const core::SeriesView& series : found) {
    if (series.points.back().time != newest) continue;
    const double count = series.points.back().value;
    all += count;
    const bool named = series.labels.get("exception") != "unknown" || series.labels.has("origin");
    if (!named || series.labels.get("exception") == "other") continue;
    if (most == nullptr || count > most->points.back().value) most = &series;
  }
  if (most == nullptr || most->points.back().value <= 0) return std::nullopt;
  const std::string origin(most->labels.get("origin"));
  const std::string_view exception = most->labels.get("exception");
  const std::string_view component = most->labels.get("component");
  const std::size_t dot = exception.find_last_of(".$");
  std::string text = fmt::format(" {} of the last {} {}", number_text(most->points.back().value), number_text(all),
                                 origin.empty() ? "are there because of " : "come from topic " + origin + ": ");
  text += dot == std::string_view::npos ? exception : exception.substr(dot + 1);
  if (!component.empty()) text += fmt::format(" in {}", component);
  core::LabelsBuilder about(labels);
  about.set("origin", origin).set("exception", exception).set("component", component);
  const core::Event* event = evidence.newest_event("dead_letter_reason", about.build());
  if (event != nullptr && event->labels.has("message")) text += fmt::format(": {}", event->labels.get("message"));
  if (!text.ends_with('.') && !text.ends_with('!') && !text.ends_with("…")) text += '.';
  return LetterReason{origin, std::string(exception), text};
}

/// Whether the event is of a schema of this topic, by its labels or the usual names of subjects, and no later than what
/// it may explain.
bool is_of_schema(const core::Event& event, const Evidence& evidence, std::string_view topic) {
  const std::string_view cluster = evidence.label("cluster");
  if (topic.empty() || (event.labels.has("cluster") && event.labels.get("cluster") != cluster)) return false;
  if (event.time > evidence.alert().active_at + 1min) return false;
  const std::string_view subject = event.labels.get("subject");
  return event.labels.get("topic") == topic || subject == fmt::format("{}-value", topic) ||
         subject == fmt::format("{}-key", topic);
}

/// True of exceptions that tell of bytes which their reader does not understand.
bool cannot_read(std::string_view exception) {
  constexpr std::array<std::string_view, 7> kWords{"erializ", "Schema", "Avro", "Protobuf", "Json", "Decod", "Parse"};
  return std::ranges::any_of(kWords,
                             [&](std::string_view word) { return exception.find(word) != std::string_view::npos; });
}

/// How long nothing was committed while messages went on to arrive: what matters is the end of the window, for before
/// that all was well. Nothing while a group that commits now and then may just not have come to it.
std::optional<Flow> standstill(const Evidence& evidence) {
  if (evidence.label("consumergroup").empty()) return std::nullopt;
  const core::Labels labels = evidence.labels({"cluster", "consumergroup", "topic"});
  core::Time moved{};
  core::Time begun = core::Time::max();
  core::Duration longest{};
  for (const core::SeriesView& series :
       evidence.points("kafka_consumergroup_current_offset", labels, evidence.window() + 5min)) {
    core::Time last = series.points.front().time;
    begun = std::min(begun, last);
    for (std::size_t i = 1; i < series.points.size(); ++i) {
      if (series.points[i].value == series.points[i - 1].value) continue;
      longest = std::max(longest, series.points[i].time - last);
      last = series.points[i].time;
      moved = std::max(moved, last);
    }
  }
  if (begun == core::Time::max()) return std::nullopt;
  const core::Duration still = evidence.now() - std::max(moved, begun);
  if (still < std::max<core::Duration>(20s, 3 * longest)) return std::nullopt;
  const auto committed = evidence.growth("kafka_consumergroup_current_offset", labels, still);
  const auto lag = evidence.growth("kafka_consumergroup_lag", labels, still);
  if (!committed || !lag) return std::nullopt;
  return Flow{*committed, committed->by() + lag->by()};
}

}  // namespace

std::optional<Cause> consumer_down(const Evidence& evidence) {
  if (evidence.label("consumergroup").empty()) return std::nullopt;
  const std::string state = group_state(evidence);
  if (!has_no_members(evidence, state) || is_assigned_by_hand(evidence) || nothing_waits(evidence)) return std::nullopt;
  return Cause{
      fmt::format("{} has no members{}: its consumers are down, and what arrives{} waits.", group_text(evidence),
                  state.empty() ? "" : fmt::format(" (state {})", state), on_topic(evidence)),
      0.95};
}

std::optional<Cause> consumer_stuck(const Evidence& evidence) {
  auto seen = flow(evidence);
  if (!seen || seen->committed.moved) seen = standstill(evidence);
  if (!seen || seen->committed.moved || seen->arrived <= 0) return std::nullopt;
  return Cause{
      fmt::format("{} has committed nothing{} for {} while {} messages arrived: its consumers are stuck or stopped.",
                  group_text(evidence), on_topic(evidence), span_text(seen->committed.seconds),
                  number_text(seen->arrived)),
      0.85};
}

std::optional<Cause> consumer_too_slow(const Evidence& evidence) {
  const auto seen = flow(evidence);
  constexpr core::Duration kLately = 30s;
  constexpr double kFasterBy = 1.02;  // what is about the same is no reason
  if (!seen || seen->committed.by() <= 0 || seen->arrived < kFasterBy * seen->committed.by()) return std::nullopt;
  // What stood still for most of that time may be catching up by now.
  const auto lately =
      evidence.growth("kafka_consumergroup_lag", evidence.labels({"cluster", "consumergroup", "topic"}), kLately);
  if (lately && lately->by() < 0) return std::nullopt;
  const double seconds = seen->committed.seconds;
  return Cause{fmt::format("{} is too slow{}: it reads {} messages a second while {} arrive.", group_text(evidence),
                           on_topic(evidence), number_text(seen->committed.by() / seconds),
                           number_text(seen->arrived / seconds)),
               0.6};
}

std::optional<Cause> traffic_surge(const Evidence& evidence) {
  if (evidence.label("topic").empty() || !is_about_traffic(evidence)) return std::nullopt;
  const core::Time split = std::min(evidence.alert().active_at, evidence.now() - 1min);
  const auto rate =
      evidence.levels("kafka_topic_records_per_second", evidence.labels({"cluster", "topic"}), 60min, split);
  if (!rate || rate->before <= 0 || rate->after < 1 || rate->after < 2 * rate->before) return std::nullopt;
  return Cause{fmt::format("Traffic on {} in {} rose {}-fold, from {} to {} records a second.", evidence.label("topic"),
                           evidence.label("cluster"), number_text(rate->after / rate->before),
                           number_text(rate->before), number_text(rate->after)),
               0.75};
}

std::optional<Cause> messages_deleted_unread(const Evidence& evidence) {
  if (evidence.label("consumergroup").empty()) return std::nullopt;
  const auto lost =
      evidence.newest("kafka_consumergroup_messages_lost", evidence.labels({"cluster", "consumergroup", "topic"}));
  if (!lost || *lost <= 0) return std::nullopt;
  // What is gone is gone whoever reads now; elsewhere it is a matter of the past.
  const bool is_it = evidence.alert().rule == "KafkaMessagesLost";
  const bool down = has_no_members(evidence, group_state(evidence)) && !is_assigned_by_hand(evidence);
  return Cause{
      fmt::format("Retention deleted {} messages{} before consumer group {} read them: it is further behind than the "
                  "topic keeps.{}",
                  number_text(*lost), on_topic(evidence), evidence.label("consumergroup"),
                  down ? " It has no members: its consumers are down." : ""),
      is_it ? 0.97 : 0.58};
}

std::optional<Cause> poison_messages(const Evidence& evidence) {
  const std::string_view topic = evidence.label("topic");
  const core::Labels labels = evidence.labels({"cluster", "topic"});
  if (topic.empty() || !evidence.label("consumergroup").empty()) return std::nullopt;
  const auto depth = evidence.newest("kafka_dead_letter_messages", labels);
  if (!depth || *depth <= 0) return std::nullopt;
  const auto reason = letter_reason(evidence);
  const std::string_view source =
      reason && !reason->origin.empty() ? std::string_view(reason->origin) : source_topic(topic);
  const std::string who = source.empty() ? std::string("A consumer") : fmt::format("The consumers of {}", source);
  const std::string why = reason ? reason->sentence : std::string();
  for (const core::Event& event : std::views::reverse(evidence.events())) {
    if (event.kind != "schema_incompatible" || !is_of_schema(event, evidence, source)) continue;
    const std::string_view subject = event.labels.get("subject");
    return Cause{
        fmt::format("{} in {} cannot process some messages and put them in {}; an incompatible schema of {} was "
                    "seen shortly before: {}{}",
                    who, evidence.label("cluster"), topic, subject, event.message, why),
        reason ? 0.9 : 0.88, core::Node{"subject", std::string(event.labels.get("registry")), std::string(subject)}};
  }
  return Cause{fmt::format("{} in {} cannot process some messages (poison messages): {} now holds {}.{}", who,
                           evidence.label("cluster"), topic, number_text(*depth), why),
               reason ? 0.86 : 0.8};
}

std::optional<Cause> deserialization_errors(const Evidence& evidence) {
  const std::string_view topic = evidence.label("topic");
  if (topic.empty() || !evidence.label("consumergroup").empty()) return std::nullopt;
  const auto reason = letter_reason(evidence);
  if (!reason || !cannot_read(reason->exception)) return std::nullopt;
  const std::string_view source = reason->origin.empty() ? source_topic(topic) : std::string_view(reason->origin);
  // Of the newest schema of the topic that its readers met shortly before.
  const core::Event* change = nullptr;
  for (const core::Event& event : evidence.events()) {
    const bool newer = event.kind == "schema_version_registered" || event.kind == "schema_incompatible";
    if (!newer || !is_of_schema(event, evidence, source)) continue;
    if (change == nullptr || event.kind == "schema_incompatible") change = &event;
  }
  if (change == nullptr) return std::nullopt;
  return Cause{
      fmt::format("The readers of {} in {} cannot deserialize messages since its schema changed: {}{} They are "
                  "in {}.",
                  source, evidence.label("cluster"), change->message, reason->sentence, topic),
      0.92,
      core::Node{"subject", std::string(change->labels.get("registry")), std::string(change->labels.get("subject"))}};
}

std::optional<Cause> source_stopped(const Evidence& evidence) {
  if (evidence.label("topic").empty() || !evidence.label("consumergroup").empty() || !is_about_traffic(evidence))
    return std::nullopt;
  const core::Labels topic = evidence.labels({"cluster", "topic"});
  const auto rate = evidence.levels("kafka_topic_records_per_second", topic, 60min, evidence.alert().active_at);
  if (!rate || rate->before <= 0 || rate->after > 0) return std::nullopt;
  const auto age = evidence.newest("kafka_topic_newest_record_age_seconds", topic);
  return Cause{
      fmt::format("Nothing is written to {} in {} any more{}, where {} records a second were: its producers "
                  "stopped.",
                  evidence.label("topic"), evidence.label("cluster"),
                  age && *age > 0 ? " (since " + span_text(*age) + ")" : std::string(), number_text(rate->before)),
      0.72};
}

std::optional<Cause> settings_changed(const Evidence& evidence) {
  if (evidence.label("topic").empty() || !evidence.label("consumergroup").empty()) return std::nullopt;
  const core::Event* event = evidence.newest_event("topic_config_changed", evidence.labels({"cluster", "topic"}));
  const bool is_it = evidence.alert().rule == "KafkaTopicConfigChanged";
  return event == nullptr ? std::nullopt : std::optional(Cause{event->message, is_it ? 0.9 : 0.5});
}

std::optional<Cause> broker_gone(const Evidence& evidence) {
  if (evidence.label("cluster").empty()) return std::nullopt;
  const core::Labels topic = evidence.labels({"cluster", "topic"});
  const bool of_group = !evidence.label("consumergroup").empty();
  if (of_group && evidence.label("topic").empty()) return std::nullopt;
  // Of a partition that misses replicas a group still reads.
  double weak = evidence.newest("kafka_topic_offline_partitions", topic).value_or(0);
  if (!of_group) weak += evidence.newest("kafka_topic_under_replicated_partitions", topic).value_or(0);
  if (weak <= 0) return std::nullopt;
  const auto brokers = evidence.points("kafka_brokers", evidence.labels({"cluster"}), 60min);
  if (brokers.empty()) return std::nullopt;
  const auto& points = brokers.front().points;
  const double most = std::ranges::max_element(points, {}, &core::Point::value)->value;
  const double now = points.back().value;
  if (now >= most) return std::nullopt;
  // What was ill before the broker left is ill for another reason.
  core::Time left{};
  for (const core::Point& point : points) {
    if (point.value > now) left = point.time;
  }
  if (left > evidence.alert().active_at + 30s) return std::nullopt;
  return Cause{fmt::format("{} of {} brokers of {} left: partitions{} {}.", number_text(most - now), number_text(most),
                           evidence.label("cluster"), on_topic(evidence),
                           of_group ? "have no leader, and cannot be read" : "miss replicas or a leader"),
               of_group ? 0.96 : 0.93, core::Node{"cluster", "", std::string(evidence.label("cluster"))}};
}

}  // namespace weir::incidents
