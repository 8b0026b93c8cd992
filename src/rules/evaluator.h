#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/alert.h"
#include "core/batch.h"
#include "core/error.h"
#include "core/series_source.h"
#include "promql/engine.h"
#include "rules/group.h"
#include "rules/presence.h"
#include "rules/state.h"

namespace weir::rules {

struct EvaluatorOptions {
  promql::Limits limits = {};
  PresenceOptions presence = {};
  core::Labels external_labels = {};
  std::string external_url = {};
  /// Prometheus's way: what is not in the result is false, whether its data stopped coming or not.
  bool missing_is_false = false;
  /// An alert that was found without data for so long gets a DataAbsent alert beside it.
  core::Duration absent_after = std::chrono::minutes(5);
  std::function<std::chrono::nanoseconds()> stopwatch = {};  // since any moment; without it rules take no time
};

/// What one evaluation of one group brought.
struct Evaluation {
  std::vector<core::Transition> transitions;
  /// Recorded series, ALERTS and ALERTS_FOR_STATE, with staleness markers for those that ended; for the series store,
  /// under one source a group. Its faults name series that are not in it and yet have not ended.
  core::Batch batch;
  /// Rules that could not be evaluated and so kept their alerts; `where` is the rule's place in its file.
  std::vector<core::Error> errors;
  /// Active alerts that are only kept because their data stopped coming.
  std::vector<core::Alert> absent;
  /// How long each rule took, one a rule.
  std::vector<std::chrono::nanoseconds> took = {};
};

/// The rule groups and the state of their alerts. Owned by the judge and called by its thread only, but
/// for evaluate() as independent() says; reads no clock.
class Evaluator {
 public:
  explicit Evaluator(std::vector<Group> groups, EvaluatorOptions options = {});

  const std::vector<Group>& groups() const { return groups_; }

  /// Evaluates the rules of one group in order; each sees what those before it recorded. Samples carry the time
  /// now − query_offset, as Prometheus's do. An alert that was restored and of which nothing is seen ends ("no longer
  /// observed") once `observed` says that everything was looked at; without it, never.
  Evaluation evaluate(std::size_t group, const core::SeriesSource& source, core::Time now,
                      const Observed& observed = {});

  /// How many of these groups, from the first on, share no input: none of them reads what one before it writes, so that
  /// their evaluate() may run at the same time, with the results stored afterwards in the order given. At least 1 of a
  /// list that is not empty.
  std::size_t independent(std::span<const std::size_t> groups) const;

  /// Groups whose rules read one of these metrics, in order. Recording rules feed other groups: ask again with the
  /// names in Evaluation::batch.
  std::vector<std::size_t> groups_reading(std::span<const std::string> metric_names) const;

  /// Takes up the alerts of the last run, so that `for`, firing and keep_firing_for go on. Returned are the ends of
  /// those whose rule no longer exists (reason "rule removed").
  [[nodiscard]] std::vector<core::Transition> restore(std::vector<core::Alert> alerts, core::Time now);

  /// Forgets all alerts, without an end of any: somebody else goes on with them.
  void forget();

  /// Replaces the rules. A rule with the same group, name and labels keeps its alerts; returned are the ends of the
  /// others (reason "rule removed").
  [[nodiscard]] std::vector<core::Transition> reload(std::vector<Group> groups, core::Time now);

  /// Pending and firing alerts, those that tell of absent data among them.
  std::vector<core::Alert> active() const;
  /// The alerts of one rule, resolved ones among them.
  const AlertMap& alerts(std::size_t group, std::size_t rule) const { return states_[group][rule].alerts; }
  /// All of these, and those resolved in the last 15 minutes, for who is told them again and again.
  std::vector<core::GeneratedAlert> generated() const;

 private:
  struct RuleState {
    AlertMap alerts;
    AlertMap absences;                         // DataAbsent alerts of those
    std::unordered_set<core::Labels> emitted;  // series of the last evaluation that gave some
  };
  struct GroupReads {
    std::set<std::string, std::less<>> names;
    bool anything = false;  // a selector that names no metric
    bool alerts = false;    // one that names ALERTS or ALERTS_FOR_STATE
    bool asks = false;      // texts that query whatever they like
    bool alerting = false;  // has rules that write ALERTS
    std::set<std::string, std::less<>> records;
  };
  struct Run;

  static bool feeds(const GroupReads& before, const GroupReads& after);
  void set_groups(std::vector<Group> groups);
  RuleState* find_rule(const core::Alert& alert);
  core::Result<void> evaluate_alert(const Rule& rule, RuleState& state, Run& run);
  core::Result<void> evaluate_record(const Rule& rule, RuleState& state, Run& run);
  void note_absences(const Rule& rule, RuleState& state, Run& run) const;
  void fail_alerts(const Rule& rule, RuleState& state, Run& run) const;
  static void note_error(const Rule& rule, const RuleState& state, core::Error error, Run& run);
  /// Rules that read ALERTS find what was restored: the series themselves were lost with the last run.
  static void lay_restored(const RuleState& state, Run& run);
  static void show_alerts(RuleState& state, Run& run);
  core::Result<std::vector<Element>> query(const promql::Expr& expr, const Run& run, core::Time at) const;
  TemplateQuery template_query(const Run& run) const;

  EvaluatorOptions options_;
  std::vector<Group> groups_;
  std::vector<std::vector<RuleState>> states_;  // one a rule of a group
  std::vector<GroupReads> reads_;
  Recorders recorders_;
  std::vector<core::Labels> orphans_;  // series of rules that a reload removed, to be marked as ended
};

}  // namespace weir::rules
