#include "rules/state.h"

#include <gmock/gmock.h>
#include <random>

#include "rules/memory_source.h"

namespace weir::rules {
namespace {

using core::AlertState;
using core::Labels;
using test::at;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TemplatedText text(const std::string& name, const std::string& value) {
  return {name, value, Template::parse(value).value()};
}

Rule lag_rule() {
  Rule rule;
  rule.name = "LagHigh";
  rule.hold = 60s;
  rule.labels = {text("severity", "critical")};
  rule.annotations = {text("summary", "{{ $labels.group }} is {{ $value }} behind")};
  return rule;
}

/// Drives one rule through time.
class Machine {
 public:
  explicit Machine(Rule rule) : rule_(std::move(rule)) {}

  Presence presence = Presence::present;
  std::size_t limit = 0;

  std::vector<core::Transition> step(double seconds, std::vector<Element> vector) {
    const StepOptions options{.group = "kafka", .limit = limit, .external_labels = {}, .external_url = {}};
    auto result = rules::step(
        rule_, alerts, vector, [this](const ActiveAlert&) { return presence; }, at(seconds), options);
    EXPECT_TRUE(result) << result.error().message;
    if (!result) return {};
    alerts = std::move(result->alerts);
    return std::move(result->transitions);
  }

  const core::Alert& only() const { return alerts.begin()->second.alert; }
  AlertMap alerts;
  Rule rule_;
};

Element lag(const char* group, double value) { return {Labels::metric("lag", {{"group", group}}), value}; }

std::string shape(const core::Transition& t) {
  return std::string(to_string(t.from)) + ">" + std::string(to_string(t.to)) + (t.reason.empty() ? "" : " " + t.reason);
}

std::vector<std::string> shapes(const std::vector<core::Transition>& transitions) {
  std::vector<std::string> out;
  for (const auto& t : transitions) out.push_back(shape(t));
  return out;
}

TEST(Step, WaitsForTheHoldDurationAndThenFires) {
  Machine machine(lag_rule());
  EXPECT_THAT(shapes(machine.step(0, {lag("a", 11)})), ElementsAre("inactive>pending"));
  EXPECT_THAT(machine.step(59.999, {lag("a", 12)}), IsEmpty());
  EXPECT_THAT(shapes(machine.step(60, {lag("a", 13)})), ElementsAre("pending>firing"));
  EXPECT_EQ(machine.only().active_at, at(0));
  EXPECT_EQ(machine.only().fired_at, at(60));
  EXPECT_EQ(machine.only().value, 13);
}

TEST(Step, FiresAtOnceWithoutAHoldDuration) {
  Rule rule = lag_rule();
  rule.hold = 0s;
  Machine machine(rule);
  EXPECT_THAT(shapes(machine.step(0, {lag("a", 11)})), ElementsAre("inactive>firing"));
}

TEST(Step, BuildsLabelsFromTheElementTheRuleAndItsName) {
  Machine machine(lag_rule());
  machine.step(0, {lag("a", 11)});
  const Labels expected{{"alertname", "LagHigh"}, {"group", "a"}, {"severity", "critical"}};
  EXPECT_EQ(machine.only().labels, expected);
  EXPECT_EQ(machine.only().fingerprint, expected.hash());
  EXPECT_EQ(machine.only().group, "kafka");
  EXPECT_EQ(machine.only().rule, "LagHigh");
}

TEST(Step, ExpandsAnnotationsAnewEachTime) {
  Machine machine(lag_rule());
  machine.step(0, {lag("a", 11)});
  machine.step(60, {lag("a", 99)});
  EXPECT_EQ(machine.only().annotations.get("summary"), "a is 99 behind");
}

TEST(Step, PutsAnErrorInTheAnnotationThatCannotBeExpanded) {
  Rule rule = lag_rule();
  rule.annotations = {text("summary", "{{ humanize $labels.group }}")};
  Machine machine(rule);
  machine.step(0, {lag("a", 11)});
  EXPECT_THAT(std::string(machine.only().annotations.get("summary")),
              testing::StartsWith("<error expanding template:"));
}

TEST(Step, ForgetsAPendingAlertWhoseConditionIsFalse) {
  Machine machine(lag_rule());
  machine.step(0, {lag("a", 11)});
  EXPECT_THAT(shapes(machine.step(15, {})), ElementsAre("pending>inactive"));
  EXPECT_THAT(machine.alerts, IsEmpty());
  machine.step(30, {lag("a", 11)});
  EXPECT_EQ(machine.only().active_at, at(30)) << "the time before must not count";
}

TEST(Step, KeepsAResolvedAlertFor15Minutes) {
  Machine machine(lag_rule());
  machine.step(0, {lag("a", 11)});
  machine.step(60, {lag("a", 11)});
  EXPECT_THAT(shapes(machine.step(90, {})), ElementsAre("firing>inactive"));
  EXPECT_EQ(machine.only().resolved_at, at(90));
  EXPECT_THAT(machine.step(90 + 900, {}), IsEmpty());
  EXPECT_THAT(machine.alerts, SizeIs(1));
  machine.step(90 + 901, {});
  EXPECT_THAT(machine.alerts, IsEmpty());
}

TEST(Step, StartsAnewWhenAResolvedAlertReturns) {
  Machine machine(lag_rule());
  machine.step(0, {lag("a", 11)});
  machine.step(60, {lag("a", 11)});
  machine.step(90, {});
  EXPECT_THAT(shapes(machine.step(100, {lag("a", 11)})), ElementsAre("inactive>pending"));
  EXPECT_EQ(machine.only().active_at, at(100));
  EXPECT_FALSE(machine.only().resolved_at);
  EXPECT_FALSE(machine.only().fired_at);
}

TEST(Step, KeepsFiringForAWhileAfterTheConditionIsFalse) {
  Rule rule = lag_rule();
  rule.keep_firing_for = 120s;
  Machine machine(rule);
  machine.step(0, {lag("a", 11)});
  machine.step(60, {lag("a", 11)});
  EXPECT_THAT(machine.step(75, {}), IsEmpty());
  EXPECT_EQ(machine.only().keep_firing_since, at(75));
  machine.step(90, {lag("a", 11)});
  EXPECT_FALSE(machine.only().keep_firing_since) << "it holds again: the wait starts over";
  machine.step(105, {});
  EXPECT_THAT(machine.step(224.9, {}), IsEmpty());
  EXPECT_THAT(shapes(machine.step(225, {})), ElementsAre("firing>inactive"));
  EXPECT_FALSE(machine.only().keep_firing_since);
}

TEST(Step, KeepFiringForDoesNotHoldAPendingAlert) {
  Rule rule = lag_rule();
  rule.keep_firing_for = 120s;
  Machine machine(rule);
  machine.step(0, {lag("a", 11)});
  EXPECT_THAT(shapes(machine.step(15, {})), ElementsAre("pending>inactive"));
}

TEST(Step, MissingDataKeepAFiringAlertForEver) {
  Machine machine(lag_rule());
  machine.step(0, {lag("a", 11)});
  machine.step(60, {lag("a", 11)});
  machine.presence = Presence::absent;
  for (double seconds = 75; seconds < 7 * 24 * 3600; seconds += 3600) EXPECT_THAT(machine.step(seconds, {}), IsEmpty());
  EXPECT_EQ(machine.only().state, AlertState::firing);
  EXPECT_EQ(machine.only().value, 11);
  EXPECT_EQ(machine.alerts.begin()->second.absent_since, at(75));
  machine.presence = Presence::present;
  EXPECT_THAT(shapes(machine.step(7 * 24 * 3600, {})), ElementsAre("firing>inactive"));
}

TEST(Step, MissingDataNeitherFireNorForgetAPendingAlert) {
  Machine machine(lag_rule());
  machine.step(0, {lag("a", 11)});
  machine.presence = Presence::absent;
  EXPECT_THAT(machine.step(600, {}), IsEmpty());
  EXPECT_EQ(machine.only().state, AlertState::pending);
}

TEST(Step, DataThatReturnEndTheAbsence) {
  Machine machine(lag_rule());
  machine.step(0, {lag("a", 11)});
  machine.presence = Presence::absent;
  machine.step(15, {});
  machine.step(30, {lag("a", 12)});
  EXPECT_FALSE(machine.alerts.begin()->second.absent_since);
}

TEST(Step, NoDataAlertTakesMissingDataForTheCondition) {
  Rule rule = lag_rule();
  rule.no_data = NoData::alert;
  Machine machine(rule);
  machine.step(0, {lag("a", 11)});
  machine.presence = Presence::absent;
  EXPECT_THAT(shapes(machine.step(60, {})), ElementsAre("pending>firing no data"));
}

TEST(Step, NoDataResolveIsPrometheusWay) {
  Rule rule = lag_rule();
  rule.no_data = NoData::resolve;
  Machine machine(rule);
  machine.step(0, {lag("a", 11)});
  machine.step(60, {lag("a", 11)});
  machine.presence = Presence::absent;
  EXPECT_THAT(shapes(machine.step(75, {})), ElementsAre("firing>inactive no data"));
}

TEST(Step, ADeletedSubjectResolvesAtOnceWithThatReason) {
  Rule rule = lag_rule();
  rule.keep_firing_for = 1h;
  Machine machine(rule);
  machine.step(0, {lag("a", 11)});
  machine.step(60, {lag("a", 11)});
  machine.presence = Presence::deleted;
  EXPECT_THAT(shapes(machine.step(75, {})), ElementsAre("firing>inactive deleted"));
}

TEST(Step, RefusesTwoElementsThatEndUpWithTheSameLabels) {
  Rule rule = lag_rule();
  rule.labels = {text("group", "same")};
  const std::vector<Element> vector{lag("a", 1), lag("b", 2)};
  const auto result = step(rule, {}, vector, [](const ActiveAlert&) { return Presence::present; }, at(0), {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, testing::HasSubstr("same labels"));
}

TEST(Step, RefusesMoreAlertsThanTheLimit) {
  const std::vector<Element> vector{lag("a", 1), lag("b", 2)};
  StepOptions options;
  options.limit = 1;
  const auto present = [](const ActiveAlert&) { return Presence::present; };
  const auto result = step(lag_rule(), {}, vector, present, at(0), options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, core::ErrorKind::limit);
  options.limit = 2;
  EXPECT_TRUE(step(lag_rule(), {}, vector, present, at(0), options));
}

TEST(Step, GivesTransitionsInTheOrderOfLabels) {
  Rule rule = lag_rule();
  rule.hold = 0s;
  Machine machine(rule);
  machine.step(0, {lag("b", 1)});
  const auto transitions = machine.step(15, {lag("c", 1), lag("a", 1)});
  ASSERT_THAT(transitions, SizeIs(3));
  EXPECT_EQ(transitions[0].alert.labels.get("group"), "a");
  EXPECT_EQ(transitions[1].alert.labels.get("group"), "b");
  EXPECT_EQ(transitions[2].alert.labels.get("group"), "c");
}

/// What Prometheus's documentation says of an alert, written down another way: from the whole history of one label set.
struct Oracle {
  double active_since = -1;  // -1 is not
  double false_since = -1;
  bool firing = false;

  void see(double now, bool holds, bool absent, const Rule& rule) {
    if (holds) {
      if (active_since < 0) active_since = now;
      false_since = -1;
      if (now - active_since >= core::to_seconds(rule.hold)) firing = true;
    } else if (!absent && active_since >= 0) {
      if (false_since < 0) false_since = now;
      const bool kept = firing && now - false_since < core::to_seconds(rule.keep_firing_for);
      if (!kept) *this = {};
    }
  }
};

TEST(Step, AgreesWithTheHistoryOverRandomRunsWithRestarts) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    Rule rule = lag_rule();
    rule.hold = std::chrono::seconds(random() % 4 * 15);
    rule.keep_firing_for = std::chrono::seconds(random() % 3 * 20);
    Machine machine(rule);
    Oracle oracle;
    for (double now = 0; now < 1500; now += 15) {
      const bool holds = random() % 3 != 0;
      const bool absent = !holds && random() % 3 == 0;
      machine.presence = absent ? Presence::absent : Presence::present;
      const AlertState before = machine.alerts.empty() ? AlertState::inactive : machine.only().state;
      const auto transitions = machine.step(now, holds ? std::vector<Element>{lag("a", 1)} : std::vector<Element>{});
      oracle.see(now, holds, absent, rule);
      const AlertState expected = oracle.firing              ? AlertState::firing
                                  : oracle.active_since >= 0 ? AlertState::pending
                                                             : AlertState::inactive;
      const AlertState state = machine.alerts.empty() ? AlertState::inactive : machine.only().state;
      ASSERT_EQ(state, expected) << "seed " << seed << " at " << now;
      ASSERT_EQ(transitions.size(), before == state ? 0U : 1U) << "seed " << seed << " at " << now;
      if (random() % 5 == 0) {
        // A restart: only the stored alerts survive.
        AlertMap restored;
        for (const auto& [labels, entry] : machine.alerts) restored.emplace(labels, ActiveAlert{entry.alert, {}, true});
        machine.alerts = std::move(restored);
      }
    }
  }
}

}  // namespace
}  // namespace weir::rules
