#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

#include "incidents/causes.h"

namespace weir::incidents {
namespace {

using namespace std::chrono_literals;

std::string group_text(const Evidence& evidence) {
  return fmt::format("Consumer group {} in {}", evidence.label("consumergroup"), evidence.label("cluster"));
}

bool is_of_group(const Evidence& evidence) { return !evidence.label("consumergroup").empty(); }

core::Labels group_labels(const Evidence& evidence) { return evidence.labels({"cluster", "consumergroup"}); }
core::Labels topic_labels(const Evidence& evidence) { return evidence.labels({"cluster", "consumergroup", "topic"}); }

std::string on_topic(const Evidence& evidence) {
  const std::string_view topic = evidence.label("topic");
  return topic.empty() ? "" : fmt::format(" on {}", topic);
}

std::string ago_text(const Evidence& evidence, core::Time time) {
  return span_text(core::to_seconds(evidence.now() - time)) + " before";
}

/// Whether the group committed anything new in the window on other partitions than those that stand still.
bool moves_elsewhere(const Evidence& evidence, const std::vector<core::SeriesView>& stalled) {
  const auto same = [](const core::Labels& a, const core::Labels& b) {
    return a.get("topic") == b.get("topic") && a.get("partition") == b.get("partition");
  };
  const auto commits = evidence.points("kafka_consumergroup_current_offset", group_labels(evidence), evidence.window());
  return std::ranges::any_of(commits, [&](const core::SeriesView& each) {
    const bool stands =
        std::ranges::any_of(stalled, [&](const core::SeriesView& one) { return same(one.labels, each.labels); });
    return !stands && each.points.back().value > each.points.front().value;
  });
}

/// The clients of the group, when they are shown: "client payments-1 on /10.0.0.7".
std::string only_client(const Evidence& evidence) {
  const auto clients = evidence.points("kafka_consumergroup_member_partitions", group_labels(evidence), 5min);
  if (clients.size() != 1) return {};
  return fmt::format(" (client {} on {})", clients.front().labels.get("client_id"), clients.front().labels.get("host"));
}

struct Share {
  std::string topic;
  std::string partition;
  double value = 0;
  double all = 0;
  std::size_t count = 0;
};

/// The partition with the most of something, and what all have.
std::optional<Share> largest_share(const std::vector<core::SeriesView>& series, bool growth) {
  Share share;
  for (const core::SeriesView& each : series) {
    const double last = each.points.back().value;
    const double value = std::max(0.0, growth ? last - each.points.front().value : last);
    share.all += value;
    ++share.count;
    if (value <= share.value) continue;
    share.value = value;
    share.topic = each.labels.get("topic");
    share.partition = each.labels.get("partition");
  }
  if (share.value <= 0) return std::nullopt;
  return share;
}

/// The name up to the first part that holds a digit, as random and numbered names have: "console-consumer-".
std::string_view stem(std::string_view name) {
  std::size_t part = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c >= '0' && c <= '9') return name.substr(0, part);
    if (c == '-' || c == '_' || c == '.' || c == ':') part = i + 1;
  }
  return {};
}

}  // namespace

std::optional<Cause> partitions_unassigned(const Evidence& evidence) {
  if (!is_of_group(evidence)) return std::nullopt;
  const auto stopped = evidence.newest("kafka_consumergroup_status_partitions",
                                       core::LabelsBuilder(topic_labels(evidence)).set("status", "STOP").build());
  const auto members = evidence.newest("kafka_consumergroup_members", group_labels(evidence));
  if (!stopped || *stopped <= 0 || !members || *members <= 0) return std::nullopt;
  return Cause{
      fmt::format("{} has {} members, and none of them reads {} partitions{}: they are assigned to nobody, by a "
                  "consumer that is assigned by hand or by an assignment that is out of date.",
                  group_text(evidence), number_text(*members), number_text(*stopped), on_topic(evidence)),
      0.87};
}

std::optional<Cause> message_fails(const Evidence& evidence) {
  if (!is_of_group(evidence)) return std::nullopt;
  const auto stalled =
      evidence.points("kafka_consumergroup_partition_status",
                      core::LabelsBuilder(topic_labels(evidence)).set("status", "STALL").build(), 5min);
  if (stalled.empty()) return std::nullopt;
  const bool elsewhere = moves_elsewhere(evidence, stalled);
  const core::Labels& first = stalled.front().labels;
  const auto offset =
      evidence.newest("kafka_consumergroup_current_offset", core::LabelsBuilder(topic_labels(evidence))
                                                                .set("topic", first.get("topic"))
                                                                .set("partition", first.get("partition"))
                                                                .build());
  const std::string place =
      fmt::format("{} of partition {} of {}{}", offset ? " at offset " + number_text(*offset) : std::string(),
                  first.get("partition"), first.get("topic"),
                  stalled.size() > 1 ? fmt::format(" and {} more", stalled.size() - 1) : std::string());
  if (elsewhere) {
    return Cause{
        fmt::format("{} stands still{}, while it goes on elsewhere: the message there most likely fails again and "
                    "again, or the consumer{} of that partition hangs.",
                    group_text(evidence), place, only_client(evidence)),
        0.88};
  }
  // Where messages arrive and nothing moves, it may as well be the consumers: see consumer_stuck.
  const auto members = evidence.newest("kafka_consumergroup_members", group_labels(evidence));
  return Cause{fmt::format("{}: its commits stand still{}, with messages unread{}. Most likely the message there fails "
                           "again and again (a poison message), or the consumer{} hangs.",
                           group_text(evidence), place,
                           members && *members > 0
                               ? fmt::format(" and {} member{}", number_text(*members), *members == 1 ? "" : "s")
                               : std::string(),
                           only_client(evidence)),
               0.8};
}

std::optional<Cause> group_rewound(const Evidence& evidence) {
  if (!is_of_group(evidence)) return std::nullopt;
  const core::Event* event = evidence.newest_event("group_rewound", topic_labels(evidence));
  if (event == nullptr || evidence.alert().active_at - event->time > 10min) return std::nullopt;
  return Cause{fmt::format("{} That was {}; its lag is what it reads again: its offsets were reset, or a consumer "
                           "began anew by auto.offset.reset.",
                           event->message, ago_text(evidence, event->time)),
               0.96};
}

std::optional<Cause> topic_renewed(const Evidence& evidence) {
  if (evidence.label("topic").empty()) return std::nullopt;
  const core::Event* event = evidence.newest_event("topic_recreated", evidence.labels({"cluster", "topic"}));
  const bool recent = event != nullptr && evidence.alert().active_at - event->time <= 10min;
  const auto beyond = evidence.newest("kafka_consumergroup_beyond_end_partitions", topic_labels(evidence));
  const bool is_beyond = is_of_group(evidence) && beyond && *beyond > 0;
  if (!recent && !is_beyond) return std::nullopt;
  std::string text = recent ? fmt::format("{} ({})", event->message, ago_text(evidence, event->time))
                            : fmt::format("Topic {} in {} was created anew or truncated.", evidence.label("topic"),
                                          evidence.label("cluster"));
  if (is_beyond) {
    text += fmt::format(
        " On {} partitions consumer group {} has committed offsets that do not exist: its consumers go on "
        "by their auto.offset.reset.",
        number_text(*beyond), evidence.label("consumergroup"));
  }
  // Offsets that do not exist explain a group without members better than the other way round.
  return Cause{std::move(text), is_beyond ? 0.97 : 0.92};
}

std::optional<Cause> topic_deleted(const Evidence& evidence) {
  if (!is_of_group(evidence)) return std::nullopt;
  const auto deleted = evidence.points("kafka_consumergroup_deleted_topic_seconds", topic_labels(evidence), 5min);
  if (deleted.empty()) return std::nullopt;
  const core::SeriesView& latest =
      *std::ranges::min_element(deleted, {}, [](const auto& series) { return series.points.back().value; });
  const std::string topic(latest.labels.get("topic"));
  const core::Event* event =
      evidence.newest_event("topic_deleted", {{"cluster", evidence.label("cluster")}, {"topic", topic}});
  const std::string what = event != nullptr ? event->message
                                            : fmt::format("Topic {} was deleted while consumer group {} read it.",
                                                          topic, evidence.label("consumergroup"));
  return Cause{
      fmt::format("{} That was {}. What was in it is gone, and so are the offsets that were committed there; or "
                  "Weir's user may not see it any more (DESCRIBE).",
                  what, span_text(latest.points.back().value) + " ago"),
      0.97, core::Node{"topic", std::string(evidence.label("cluster")), topic}};
}

std::optional<Cause> rebalance_storm(const Evidence& evidence) {
  if (!is_of_group(evidence)) return std::nullopt;
  constexpr std::size_t kMany = 4;
  constexpr core::Duration kGoesOn =
      6min;  // longer than max.poll.interval.ms is mostly; before that it was a deployment
  const core::Labels group = group_labels(evidence);
  std::size_t rebalances = 0;
  core::Time last{};
  for (const core::Event& event : evidence.events()) {
    if (event.kind != "group_state_changed" || !event.labels.includes(group) || evidence.now() - event.time > 10min ||
        !event.message.ends_with("to PreparingRebalance."))
      continue;
    ++rebalances;
    last = std::max(last, event.time);
  }
  std::size_t joined = 0;
  std::size_t left = 0;
  double least = 0;
  double most = 0;
  for (const core::SeriesView& series : evidence.points("kafka_consumergroup_members", group, 10min)) {
    const auto [low, high] = std::ranges::minmax(series.points, {}, &core::Point::value);
    least += low.value;
    most += high.value;
    for (std::size_t i = 1; i < series.points.size(); ++i) {
      const double by = series.points[i].value - series.points[i - 1].value;
      joined += by > 0 ? 1 : 0;
      left += by < 0 ? 1 : 0;
      if (by != 0) last = std::max(last, series.points[i].time);
    }
  }
  // Somebody scales it: each step is a rebalance, and none is taken back.
  const bool scaled = (joined == 0) != (left == 0);
  const std::size_t times = std::max(rebalances, joined + left);
  if (times < kMany || scaled || evidence.now() - last > kGoesOn) return std::nullopt;
  return Cause{
      fmt::format(
          "{} keeps rebalancing ({} times within 10 minutes{}), and reads nothing meanwhile: its consumers "
          "crash and come back, or take longer between two polls than max.poll.interval.ms.",
          group_text(evidence), times,
          most > least ? fmt::format(", with {} to {} members", number_text(least), number_text(most)) : std::string()),
      0.9};
}

std::optional<Cause> partition_skewed(const Evidence& evidence) {
  if (!is_of_group(evidence)) return std::nullopt;
  constexpr std::size_t kLeastPartitions = 4;
  const auto lag = largest_share(evidence.points("kafka_consumergroup_lag", topic_labels(evidence), 5min), false);
  if (!lag || lag->count < kLeastPartitions || lag->value < 0.7 * lag->all) return std::nullopt;
  const core::Labels topic = core::LabelsBuilder(evidence.labels({"cluster"})).set("topic", lag->topic).build();
  const auto traffic =
      largest_share(evidence.points("kafka_topic_partition_current_offset", topic, evidence.window()), true);
  const std::string head =
      fmt::format("{} % of the lag of consumer group {} in {} is on partition {} of {}",
                  number_text(std::floor(100 * lag->value / lag->all)), evidence.label("consumergroup"),
                  evidence.label("cluster"), lag->partition, lag->topic);
  // Three times its share.
  if (traffic && traffic->partition == lag->partition &&
      traffic->value * static_cast<double>(traffic->count) > 3 * traffic->all) {
    return Cause{
        fmt::format("{}, which takes {} % of the traffic of {} partitions: the messages' keys are skewed, so that "
                    "more consumers would not help.",
                    head, number_text(std::floor(100 * traffic->value / traffic->all)), traffic->count),
        0.89};
  }
  return Cause{head + ", which takes no more traffic than the others: its consumer is slower than the others or hangs.",
               0.7};
}

std::optional<Cause> retention_reaches_group(const Evidence& evidence) {
  if (!is_of_group(evidence) || evidence.label("topic").empty()) return std::nullopt;
  const core::Labels of_topic = evidence.labels({"cluster", "topic"});
  const auto margins = evidence.points("kafka_consumergroup_retention_margin_seconds", topic_labels(evidence), 5min);
  if (margins.empty() || margins.front().points.back().value >= 6 * 3600) return std::nullopt;
  const double margin = margins.front().points.back().value;
  const auto retention = evidence.newest("kafka_topic_retention_seconds", of_topic);
  const core::Event* changed = evidence.newest_event("topic_config_changed", of_topic);
  if (changed != nullptr && changed->message.find("retention") != std::string::npos &&
      evidence.alert().active_at - changed->time <= 1h) {
    return Cause{fmt::format("{} That was {}; now retention deletes in {} what consumer group {} has not read.",
                             changed->message, ago_text(evidence, changed->time), span_text(margin),
                             evidence.label("consumergroup")),
                 0.89};
  }
  return Cause{fmt::format("{} is so far behind on {} that retention{} begins to delete what it has not read in {}.",
                           group_text(evidence), evidence.label("topic"),
                           retention && std::isfinite(*retention) ? " (" + span_text(*retention) + ")" : std::string(),
                           span_text(margin)),
               0.57};
}

std::optional<Cause> random_group_names(const Evidence& evidence) {
  if (evidence.label("cluster").empty() || is_of_group(evidence) || !evidence.label("topic").empty())
    return std::nullopt;
  const core::Labels cluster = evidence.labels({"cluster"});
  const auto listed = evidence.newest("kafka_consumergroups_listed", cluster);
  const auto over = evidence.newest("kafka_consumergroups_over_cap", cluster);
  const auto before = evidence.points("kafka_consumergroups_listed", cluster, 61min);
  const bool exploded = listed && !before.empty() && *listed >= 2 * before.front().points.front().value;
  if (!listed || (!exploded && over.value_or(0) <= 0)) return std::nullopt;
  std::map<std::string, double, std::less<>> stems;
  double seen = 0;
  for (const core::SeriesView& series : evidence.points("kafka_consumergroup_state", cluster, 2min)) {
    ++seen;
    const std::string_view name = stem(series.labels.get("consumergroup"));
    if (!name.empty()) ++stems[std::string(name)];
  }
  const auto most = std::ranges::max_element(stems, {}, [](const auto& entry) { return entry.second; });
  if (most != stems.end() && most->second >= 10 && most->second * 2 > seen) {
    return Cause{
        fmt::format("{} of the {} consumer groups of {} that are read are called \"{}…\": a client most likely "
                    "takes a new random group.id at each start.",
                    number_text(most->second), number_text(seen), evidence.label("cluster"), most->first),
        0.88};
  }
  if (over.value_or(0) <= 0) return std::nullopt;
  return Cause{fmt::format("{} has {} consumer groups, {} more than groups.max lets Weir read.",
                           evidence.label("cluster"), number_text(*listed), number_text(*over)),
               0.55};
}

}  // namespace weir::incidents
