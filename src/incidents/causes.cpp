#include "incidents/causes.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "incidents/subject.h"

namespace weir::incidents {
namespace {

constexpr std::size_t kExamined = 20;  // alerts of one incident; more of the same kind teach nothing new

constexpr std::array kHypotheses{
    Hypothesis{"consumer down", consumer_down},
    Hypothesis{"consumer stuck", consumer_stuck},
    Hypothesis{"consumer too slow", consumer_too_slow},
    Hypothesis{"traffic surge", traffic_surge},
    Hypothesis{"messages deleted unread", messages_deleted_unread},
    Hypothesis{"poison messages", poison_messages},
    Hypothesis{"broker gone", broker_gone},
    Hypothesis{"partitions unassigned", partitions_unassigned},
    Hypothesis{"message fails", message_fails},
    Hypothesis{"group rewound", group_rewound},
    Hypothesis{"topic renewed", topic_renewed},
    Hypothesis{"rebalance storm", rebalance_storm},
    Hypothesis{"partition skewed", partition_skewed},
    Hypothesis{"retention reaches group", retention_reaches_group},
    Hypothesis{"random group names", random_group_names},
    Hypothesis{"log directory offline", log_directory_offline},
    Hypothesis{"replicas lag", replicas_lag},
    Hypothesis{"transaction hangs", transaction_hangs},
    Hypothesis{"canaries lost", canaries_lost},
    Hypothesis{"canaries slow", canaries_slow},
    Hypothesis{"canaries refused", canaries_refused},
    Hypothesis{"schema incompatible", schema_incompatible},
    Hypothesis{"schema finding", schema_finding},
    Hypothesis{"schema of topic", schema_of_topic},
    Hypothesis{"load late", load_late},
    Hypothesis{"load size", load_size},
    Hypothesis{"check outcome", check_outcome},
    Hypothesis{"check error", check_error},
    Hypothesis{"connector failed", connector_failed},
    Hypothesis{"pipeline run failed", pipeline_run_failed},
    Hypothesis{"own link down", own_link_down},
};

Cause unknown(const core::Alert& alert) {
  const std::string_view summary = alert.annotations.get("summary");
  const std::string thing = subject_of(alert.labels).text();
  return {summary.empty() ? fmt::format("Not known yet; it concerns {}.", thing)
                          : fmt::format("Not known yet; it concerns {}: {}", thing, summary),
          0};
}

}  // namespace

std::span<const Hypothesis> hypotheses() { return kHypotheses; }

Cause likely_cause(const std::vector<core::Alert>& alerts, const Surroundings& surroundings) {
  std::optional<Cause> best;
  const core::Alert* first = nullptr;
  std::size_t examined = 0;
  for (const core::Alert& alert : alerts) {
    if (alert.state != core::AlertState::firing || ++examined > kExamined) continue;
    if (first == nullptr) first = &alert;
    const Evidence evidence(alert, surroundings.series, surroundings.events, surroundings.now, surroundings.faults);
    for (const Hypothesis& hypothesis : kHypotheses) {
      auto cause = hypothesis.examine(evidence);
      if (cause && (!best || cause->score > best->score)) best = std::move(cause);
    }
  }
  if (best) return *best;
  return first == nullptr ? Cause{} : unknown(*first);
}

}  // namespace weir::incidents
