#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "incidents/causes.h"

namespace weir::incidents {
namespace {

using namespace std::chrono_literals;

bool is_of_topic(const Evidence& evidence) {
  return !evidence.label("topic").empty() && evidence.label("consumergroup").empty();
}

/// What ails replicas ails the cluster.
core::Node cluster_of(const Evidence& evidence) { return {"cluster", "", std::string(evidence.label("cluster"))}; }

core::Labels topic_labels(const Evidence& evidence) { return evidence.labels({"cluster", "topic"}); }

bool has_grown(const Evidence& evidence, std::string_view counter) {
  const auto growth = evidence.growth(counter, topic_labels(evidence), 10min);
  return growth && growth->by() > 0;
}

/// Mean of a histogram's values of the last minutes, in seconds; nothing while there is none.
std::optional<double> mean(const Evidence& evidence, const std::string& histogram) {
  const auto sum = evidence.growth(histogram + "_sum", topic_labels(evidence), evidence.window());
  const auto count = evidence.growth(histogram + "_count", topic_labels(evidence), evidence.window());
  if (!sum || !count || count->by() <= 0) return std::nullopt;
  return sum->by() / count->by();
}

/// "0.8 s", "120 ms"
std::string latency_text(double seconds) {
  return seconds < 1 ? fmt::format("{:.0f} ms", seconds * 1000) : fmt::format("{:.1f} s", seconds);
}

/// What the canary's collector said shortly before the alert or since: the alert may come when that is over.
const core::Event* canary_error(const Evidence& evidence) {
  const core::Event* said = evidence.newest_event("canary_error", topic_labels(evidence));
  return said != nullptr && evidence.alert().active_at - said->time <= 10min ? said : nullptr;
}

/// " 12 partitions of the cluster miss replicas in sync.", or nothing.
std::string weakness(const Evidence& evidence) {
  const auto weak = evidence.newest("kafka_topic_under_replicated_partitions", evidence.labels({"cluster"}));
  if (!weak || *weak <= 0) return {};
  return fmt::format(" {} partitions of {} miss in-sync replicas.", number_text(*weak), evidence.label("cluster"));
}

/// Brokers let no transaction be for longer, transaction.max.timeout.ms.
constexpr double kHangingTransaction = 900;
/// Explains a group that stands right before it.
constexpr double kLongTransaction = 30;

/// The partition of the alert's topic with the most messages behind an open transaction.
struct Held {
  std::string partition;
  double messages = 0;
  double stable = 0;  // the last stable offset
};

std::optional<Held> held_partition(const Evidence& evidence) {
  Held held;
  for (const core::SeriesView& series :
       evidence.points("kafka_topic_partition_open_transaction_messages", topic_labels(evidence), 5min)) {
    if (series.points.back().value <= held.messages) continue;
    held.messages = series.points.back().value;
    held.partition = series.labels.get("partition");
  }
  if (held.messages <= 0) return std::nullopt;
  const core::Labels labels = core::LabelsBuilder(topic_labels(evidence)).set("partition", held.partition).build();
  const auto end = evidence.newest("kafka_topic_partition_current_offset", labels);
  if (!end) return std::nullopt;
  held.stable = *end - held.messages;
  return held;
}

/// Whether the group's commit is where read_committed consumers must wait. Between it and the last stable offset may be
/// markers of earlier transactions, which are no messages.
bool stands_before(const Evidence& evidence, const Held& held) {
  constexpr double kMarkers = 10;
  const core::Labels labels = core::LabelsBuilder(evidence.labels({"cluster", "consumergroup", "topic"}))
                                  .set("partition", held.partition)
                                  .build();
  const auto committed = evidence.newest("kafka_consumergroup_current_offset", labels);
  return committed && *committed <= held.stable && held.stable - *committed <= kMarkers;
}

}  // namespace

std::optional<Cause> log_directory_offline(const Evidence& evidence) {
  if (!is_of_topic(evidence)) return std::nullopt;
  const double weak = evidence.newest("kafka_topic_under_replicated_partitions", topic_labels(evidence)).value_or(0) +
                      evidence.newest("kafka_topic_offline_partitions", topic_labels(evidence)).value_or(0);
  if (weak <= 0) return std::nullopt;
  for (const core::SeriesView& series :
       evidence.points("kafka_broker_offline_log_directories", evidence.labels({"cluster"}), 5min)) {
    const double offline = series.points.back().value;
    if (offline <= 0) continue;
    return Cause{
        fmt::format("{} log directories of broker {} of {} are offline (a disk failed or is full): its replicas "
                    "of topic {} are not in use.",
                    number_text(offline), series.labels.get("instance"), evidence.label("cluster"),
                    evidence.label("topic")),
        0.94, cluster_of(evidence)};
  }
  return std::nullopt;
}

std::optional<Cause> replicas_lag(const Evidence& evidence) {
  if (!is_of_topic(evidence)) return std::nullopt;
  const core::Labels topic = topic_labels(evidence);
  const auto least = evidence.newest("kafka_topic_min_insync_replicas", topic);
  const auto copies = evidence.newest("kafka_topic_replication_factor", topic);
  const auto under = evidence.newest("kafka_topic_under_min_isr_partitions", topic);
  if (under && *under > 0 && least && copies && *least > *copies) {
    return Cause{
        fmt::format("min.insync.replicas of {} in {} is {}, more than its {} replicas: nobody can write to it with "
                    "acks=all.",
                    evidence.label("topic"), evidence.label("cluster"), number_text(*least), number_text(*copies)),
        0.94};
  }
  const auto offline = evidence.newest("kafka_topic_offline_partitions", topic);
  const auto behind = evidence.newest("kafka_topic_under_replicated_partitions", topic);
  const bool none = offline.value_or(0) <= 0 && behind.value_or(0) <= 0 && under.value_or(0) <= 0;
  const auto brokers = evidence.newest("kafka_brokers", evidence.labels({"cluster"}));
  if (none || !brokers) return std::nullopt;
  if (offline.value_or(0) > 0) {
    return Cause{
        fmt::format("{} partitions of {} in {} have no leader: all brokers that hold their replicas are down, or a "
                    "disk of theirs failed ({} brokers are there).",
                    number_text(*offline), evidence.label("topic"), evidence.label("cluster"), number_text(*brokers)),
        0.65, cluster_of(evidence)};
  }
  return Cause{
      fmt::format("Replicas of {} in {} are behind their leaders though {} brokers are there: a broker is slow, or "
                  "copies anew after a restart.",
                  evidence.label("topic"), evidence.label("cluster"), number_text(*brokers)),
      0.56, cluster_of(evidence)};
}

std::optional<Cause> transaction_hangs(const Evidence& evidence) {
  if (evidence.label("topic").empty()) return std::nullopt;
  const auto open = evidence.points("kafka_topic_open_transaction_seconds", topic_labels(evidence), 5min);
  if (open.empty()) return std::nullopt;
  const double seconds = open.front().points.back().value;
  const auto held = held_partition(evidence);
  const std::string_view group = evidence.label("consumergroup");
  const bool waits = !group.empty() && held && seconds >= kLongTransaction && stands_before(evidence, *held);
  if (!waits && seconds < kHangingTransaction) return std::nullopt;
  std::string text = fmt::format(
      "A transaction on {}{} in {} has been open for {}{}: consumers that read committed messages only do not get {}.",
      held ? fmt::format("partition {} of ", held->partition) : std::string(), evidence.label("topic"),
      evidence.label("cluster"), span_text(seconds),
      seconds < kHangingTransaction ? "" : ", most likely since its producer died",
      held ? fmt::format("the {} messages since offset {}", number_text(held->messages), number_text(held->stable))
           : "what came since");
  const core::Node topic{"topic", std::string(evidence.label("cluster")), std::string(evidence.label("topic"))};
  if (group.empty()) return Cause{std::move(text), 0.85};
  if (waits) return Cause{fmt::format("{} Consumer group {} stands still right before it.", text, group), 0.91, topic};
  // A group that goes on does not wait for it.
  const auto committed = evidence.growth("kafka_consumergroup_current_offset",
                                         evidence.labels({"cluster", "consumergroup", "topic"}), evidence.window());
  if (!committed || committed->moved) return std::nullopt;
  return Cause{fmt::format("{} Consumer group {} stands still there.", text, group), 0.86, topic};
}

std::optional<Cause> canaries_lost(const Evidence& evidence) {
  if (!is_of_topic(evidence) || !has_grown(evidence, "kafka_canary_lost_total")) return std::nullopt;
  const core::Event* back = evidence.newest_event("topic_recreated", topic_labels(evidence));
  const core::Event* lost = evidence.newest_event("canary_lost", topic_labels(evidence));
  if (back != nullptr && evidence.alert().active_at - back->time <= 10min) {
    return Cause{
        fmt::format("{} had acknowledged messages and lost them, most likely in an unclean leader election: {}",
                    evidence.label("cluster"), back->message),
        0.95};
  }
  if (lost == nullptr) return std::nullopt;
  return Cause{lost->message + weakness(evidence), 0.7};
}

std::optional<Cause> canaries_slow(const Evidence& evidence) {
  if (!is_of_topic(evidence)) return std::nullopt;
  const auto whole = mean(evidence, "kafka_canary_round_trip_latency_seconds");
  const auto produce = mean(evidence, "kafka_canary_produce_latency_seconds");
  if (!whole || *whole < 1) return std::nullopt;
  if (const core::Event* said = canary_error(evidence); said != nullptr) {
    return Cause{
        fmt::format("Messages waited while {} did not take or give them: {}", evidence.label("cluster"), said->message),
        0.75};
  }
  if (!produce) return std::nullopt;
  const bool slow_to_take = *produce >= *whole / 2;
  return Cause{
      fmt::format("Of the {} that a message takes through {}, {} pass until it is acknowledged: the brokers are slow "
                  "to {}.{}",
                  latency_text(*whole), evidence.label("cluster"), latency_text(std::min(*produce, *whole)),
                  slow_to_take ? "write or to copy it (disks, request handlers, in-sync replicas)"
                               : "give it out (fetch requests, network, throttling)",
                  weakness(evidence)),
      0.72};
}

std::optional<Cause> canaries_refused(const Evidence& evidence) {
  if (!is_of_topic(evidence) || !has_grown(evidence, "kafka_canary_produce_failures_total")) return std::nullopt;
  const auto offline = evidence.newest("kafka_topic_offline_partitions", topic_labels(evidence));
  const auto under = evidence.newest("kafka_topic_under_min_isr_partitions", topic_labels(evidence));
  const std::string head =
      fmt::format("{} does not take messages of topic {}", evidence.label("cluster"), evidence.label("topic"));
  if (offline && *offline > 0)
    return Cause{fmt::format("{}: {} of its partitions have no leader.", head, number_text(*offline)), 0.87};
  if (under && *under > 0) {
    return Cause{
        fmt::format("{}: {} of its partitions have fewer in-sync replicas than min.insync.replicas, and acks=all "
                    "is refused.",
                    head, number_text(*under)),
        0.87};
  }
  if (const core::Fault* fault = evidence.fault(); fault != nullptr) {
    return Cause{fmt::format("{}: {}", head, fault->error.message), 0.8};
  }
  if (const core::Event* said = canary_error(evidence); said != nullptr) {
    return Cause{fmt::format("{}: {}", head, said->message), 0.79};
  }
  return std::nullopt;
}

}  // namespace weir::incidents
