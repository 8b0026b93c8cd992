#include "incidents/causes.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>

#include "incidents/subject.h"

namespace weir::incidents {
namespace {

constexpr std::size_t kRunnersUp = 3;
constexpr std::size_t kExamined = 20;  // alerts of one incident; more of the same kind teach nothing new

constexpr std::array kHypotheses{
    Hypothesis{"consumer_down", consumer_down, Harm::missing, Harm::unavailable | Harm::wrong},
    Hypothesis{"consumer_stuck", consumer_stuck, Harm::missing, Harm::unavailable | Harm::wrong},
    Hypothesis{"consumer_too_slow", consumer_too_slow, Harm::missing, Harm::unavailable | Harm::excess},
    Hypothesis{"traffic_surge", traffic_surge, Harm::excess, Harm::excess},
    Hypothesis{"messages_deleted_unread", messages_deleted_unread, Harm::missing, Harm::none},
    Hypothesis{"poison_messages", poison_messages, Harm::wrong | Harm::missing, Harm::wrong},
    Hypothesis{"deserialization_errors", deserialization_errors, Harm::wrong | Harm::missing, Harm::wrong},
    Hypothesis{"source_stopped", source_stopped, Harm::missing, Harm::missing | Harm::unavailable},
    Hypothesis{"settings_changed", settings_changed, Harm::none, Harm::none},
    Hypothesis{"broker_gone", broker_gone, Harm::unavailable, Harm::unavailable},
    Hypothesis{"partitions_unassigned", partitions_unassigned, Harm::missing, Harm::unavailable},
    Hypothesis{"message_fails", message_fails, Harm::missing, Harm::wrong},
    Hypothesis{"group_rewound", group_rewound, Harm::excess, Harm::none},
    Hypothesis{"topic_deleted", topic_deleted, Harm::missing | Harm::unavailable, Harm::none},
    Hypothesis{"topic_renewed", topic_renewed, Harm::missing | Harm::unavailable, Harm::none},
    Hypothesis{"rebalance_storm", rebalance_storm, Harm::missing, Harm::unavailable},
    Hypothesis{"partition_skewed", partition_skewed, Harm::missing, Harm::excess},
    Hypothesis{"retention_reaches_group", retention_reaches_group, Harm::missing,
               Harm::unavailable | Harm::excess | Harm::wrong},
    Hypothesis{"random_group_names", random_group_names, Harm::none, Harm::none},
    Hypothesis{"disk_near_full", disk_near_full, Harm::unavailable, Harm::none},
    Hypothesis{"log_directory_offline", log_directory_offline, Harm::unavailable, Harm::unavailable},
    Hypothesis{"replicas_lag", replicas_lag, Harm::unavailable, Harm::unavailable},
    Hypothesis{"transaction_hangs", transaction_hangs, Harm::missing | Harm::unavailable, Harm::unavailable},
    Hypothesis{"canaries_lost", canaries_lost, Harm::unavailable, Harm::unavailable},
    Hypothesis{"canaries_slow", canaries_slow, Harm::unavailable, Harm::unavailable},
    Hypothesis{"canaries_refused", canaries_refused, Harm::unavailable, Harm::unavailable},
    // What is not registered harms nothing that runs.
    Hypothesis{"candidate_incompatible", candidate_incompatible, Harm::none, Harm::none},
    Hypothesis{"schema_incompatible", schema_incompatible, Harm::wrong, Harm::wrong},
    Hypothesis{"schema_finding", schema_finding, Harm::wrong, Harm::wrong},
    Hypothesis{"schema_of_topic", schema_of_topic, Harm::wrong, Harm::wrong},
    Hypothesis{"load_late", load_late, Harm::missing, Harm::missing | Harm::unavailable | Harm::wrong},
    Hypothesis{"load_partial", load_size, Harm::missing, Harm::missing | Harm::unavailable | Harm::wrong},
    Hypothesis{"load_duplicated", load_duplicated, Harm::excess | Harm::wrong, Harm::excess | Harm::wrong},
    Hypothesis{"distribution_shift", distribution_shift, Harm::wrong, Harm::wrong | Harm::missing | Harm::excess},
    Hypothesis{"schema_changed", schema_changed, Harm::wrong | Harm::missing, Harm::wrong},
    Hypothesis{"check_outcome", check_outcome, Harm::wrong, Harm::missing | Harm::wrong | Harm::excess},
    Hypothesis{"check_error", check_error, Harm::wrong, Harm::wrong | Harm::missing | Harm::unavailable | Harm::unseen},
    Hypothesis{"connector_failed", connector_failed, Harm::missing, Harm::wrong | Harm::unavailable},
    Hypothesis{"connector_stopped", connector_stopped, Harm::missing, Harm::none},
    Hypothesis{"pipeline_late", pipeline_late, Harm::missing,
               Harm::missing | Harm::wrong | Harm::excess | Harm::unavailable | Harm::unseen},
    Hypothesis{"pipeline_run_failed", pipeline_run_failed, Harm::missing,
               Harm::missing | Harm::wrong | Harm::excess | Harm::unavailable},
    Hypothesis{"finding_told", finding_told, Harm::none, Harm::none},
    Hypothesis{"checks_unseen", checks_unseen, Harm::none, Harm::wrong | Harm::unseen},
    Hypothesis{"own_part_fails", own_part_fails, Harm::none, Harm::none},
    Hypothesis{"own_outbox_waits", own_outbox_waits, Harm::none, Harm::none},
    Hypothesis{"own_series_refused", own_series_refused, Harm::none, Harm::none},
    Hypothesis{"own_network_gone", own_network_gone, Harm::unseen, Harm::none},
    Hypothesis{"own_link_down", own_link_down, Harm::unseen, Harm::unseen | Harm::unavailable},
};

Cause unknown(const core::Alert& alert) {
  const std::string_view summary = alert.annotations.get("summary");
  const std::string thing = subject_of(alert.labels).text();
  return {summary.empty() ? fmt::format("Not known yet; it concerns {}.", thing)
                          : fmt::format("Not known yet; it concerns {}: {}", thing, summary),
          0,
          {},
          {},
          {},
          alert.labels};
}

}  // namespace

std::span<const Hypothesis> hypotheses() { return kHypotheses; }

Hypothesis hypothesis(std::string_view name) {
  const auto found = std::ranges::find(kHypotheses, name, &Hypothesis::name);
  if (found != kHypotheses.end()) return *found;
  constexpr Harm kAny = Harm::missing | Harm::wrong | Harm::excess | Harm::unavailable | Harm::unseen;
  return {"", nullptr, Harm::missing | Harm::wrong, kAny};
}

Cause likely_cause(const std::vector<core::Alert>& alerts, const Surroundings& surroundings,
                   const std::function<bool(const Cause&)>& preferred) {
  struct Found {
    Cause cause;
    const Hypothesis* hypothesis = nullptr;
    const core::Alert* alert = nullptr;
  };
  std::vector<Found> found;  // of each hypothesis the best
  const core::Alert* first = nullptr;
  std::size_t examined = 0;
  const auto look = [&](const core::Alert& alert) {
    return Evidence(alert, surroundings.series, surroundings.events, surroundings.now, surroundings.faults);
  };
  for (const core::Alert& alert : alerts) {
    if (alert.state != core::AlertState::firing || ++examined > kExamined) continue;
    if (first == nullptr) first = &alert;
    const Evidence evidence = look(alert);
    for (const Hypothesis& hypothesis : kHypotheses) {
      auto cause = hypothesis.examine(evidence);
      if (!cause) continue;
      const auto known = std::ranges::find(found, &hypothesis, &Found::hypothesis);
      if (known == found.end()) {
        found.push_back({std::move(*cause), &hypothesis, &alert});
      } else if (cause->score > known->cause.score) {
        *known = {std::move(*cause), &hypothesis, &alert};
      }
    }
  }
  if (found.empty()) return first == nullptr ? Cause{} : unknown(*first);
  std::ranges::stable_sort(found, std::greater(), [&](const Found& each) {
    return std::pair(preferred && preferred(each.cause), each.cause.score);
  });
  Cause best = std::move(found.front().cause);
  best.hypothesis = found.front().hypothesis->name;
  best.about = found.front().alert->labels;
  const Evidence evidence = look(*found.front().alert);
  best.evidence = evidence.notes_of([&] { found.front().hypothesis->examine(evidence); });
  for (std::size_t i = 1; i < std::min(found.size(), 1 + kRunnersUp); ++i)
    best.evidence.push_back(fmt::format("less likely: {}", found[i].cause.sentence));
  return best;
}

}  // namespace weir::incidents
