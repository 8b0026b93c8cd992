#include "rules/presence.h"

#include <gtest/gtest.h>

#include "config/diagnostics.h"
#include "rules/loader.h"
#include "rules/memory_source.h"

namespace weir::rules {
namespace {

using core::Labels;
using test::at;
using test::MemorySource;
using namespace std::chrono_literals;

SelectorEvidence evidence(std::size_t fresh, std::size_t lapsed, std::size_t deleted) {
  return {.fresh = fresh, .lapsed = lapsed, .deleted = deleted};
}

Presence of(std::vector<SelectorEvidence> selectors) { return classify(selectors); }

TEST(Classify, FreshDataMeanThatTheConditionIsFalse) { EXPECT_EQ(of({evidence(3, 0, 0)}), Presence::present); }

TEST(Classify, OneLapsedSeriesIsEnoughToKnowNothing) { EXPECT_EQ(of({evidence(3, 1, 0)}), Presence::absent); }

TEST(Classify, OnlyMarkersMeanDeleted) { EXPECT_EQ(of({evidence(0, 0, 2)}), Presence::deleted); }

TEST(Classify, AMarkerBesideFreshSeriesIsAPartThatWent) { EXPECT_EQ(of({evidence(1, 0, 2)}), Presence::present); }

TEST(Classify, ARequiredSelectorWhoseSeriesAreGoneDecides) {
  EXPECT_EQ(of({evidence(1, 0, 0), evidence(0, 0, 1)}), Presence::deleted) << "a group's members outlive its topic";
  EXPECT_EQ(of({evidence(1, 1, 0), evidence(0, 0, 1)}), Presence::absent) << "yet what lapsed says nothing";
  EXPECT_EQ(of({evidence(0, 0, 1), evidence(0, 0, 0)}), Presence::absent);
}

TEST(Classify, WhatIsRuledOutIsGoneButWasNotSeenToGo) {
  SelectorEvidence none = evidence(0, 0, 0);
  none.ruled_out = true;
  EXPECT_EQ(of({none}), Presence::unseen);
  EXPECT_EQ(of({evidence(1, 0, 0), none}), Presence::unseen);
  EXPECT_EQ(of({evidence(0, 0, 1), none}), Presence::deleted);
  EXPECT_EQ(of({none, evidence(0, 1, 0)}), Presence::absent);
  EXPECT_EQ(of({none, evidence(0, 0, 0)}), Presence::absent);
  SelectorEvidence side = none;
  side.role = SelectorRole::alternative;
  SelectorEvidence alive = evidence(1, 0, 0);
  alive.role = SelectorRole::alternative;
  EXPECT_EQ(of({side, alive}), Presence::present);
  EXPECT_EQ(of({side, side}), Presence::unseen);
}

TEST(Classify, NothingKnownOfARequiredSelectorIsAbsence) {
  EXPECT_EQ(of({evidence(0, 0, 0)}), Presence::absent);
  EXPECT_EQ(of({evidence(2, 0, 0), evidence(0, 0, 0)}), Presence::absent);
}

TEST(Classify, ASeriesThatOthersOfItsMetricOutlivedIsACondition) {
  SelectorEvidence sibling = evidence(0, 0, 0);
  sibling.collected = true;
  EXPECT_EQ(of({sibling}), Presence::present);
}

TEST(Classify, OneSideOfAnOrMaySayNothing) {
  SelectorEvidence side = evidence(0, 0, 0);
  side.role = SelectorRole::alternative;
  SelectorEvidence other = evidence(1, 0, 0);
  other.role = SelectorRole::alternative;
  EXPECT_EQ(of({side, other}), Presence::present);
  EXPECT_EQ(of({side, side}), Presence::absent);
}

TEST(Classify, WhatUnlessTakesAwayIsNoEvidence) {
  SelectorEvidence right = evidence(0, 5, 0);
  right.role = SelectorRole::irrelevant;
  EXPECT_EQ(of({evidence(1, 0, 0), right}), Presence::present);
  EXPECT_EQ(of({evidence(0, 0, 1), right}), Presence::deleted);
}

TEST(Classify, AnExpressionWithoutSeriesIsSimplyFalse) { EXPECT_EQ(of({}), Presence::present); }

Rule rule_of(const std::string& expression, const std::string& more = "") {
  config::Diagnostics diagnostics;
  const std::string text = "groups: [{name: g, rules: [{alert: A, expr: '" + expression + "'" + more + "}]}]";
  auto groups = load_text(text, "rules.yml", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return groups.at(0).rules.at(0);
}

Labels lag(std::string_view group, std::string_view partition) {
  return Labels::metric("lag", {{"cluster", "prod"}, {"group", group}, {"partition", partition}});
}

class Probe : public testing::Test {
 protected:
  void fill(const Labels& labels, double from, double to, double step = 15) {
    for (double time = from; time <= to; time += step) source_.add(labels, at(time), 1);
  }
  Presence ask(const Rule& rule, const Labels& alert, double now) {
    return PresenceProbe(rule, source_, at(now))(alert);
  }

  MemorySource source_;
  const Labels alert_{{"alertname", "A"}, {"cluster", "prod"}, {"group", "a"}};
};

TEST_F(Probe, SeesDataThatStillCome) {
  fill(lag("a", "0"), 0, 600);
  EXPECT_EQ(ask(rule_of("sum by (cluster, group) (lag) > 5"), alert_, 600), Presence::present);
}

TEST_F(Probe, ASeriesWithoutMarkerThatIsOlderThanTheLookBackIsAbsent) {
  fill(lag("a", "0"), 0, 600);
  const Rule rule = rule_of("sum by (cluster, group) (lag) > 5");
  EXPECT_EQ(ask(rule, alert_, 899.9), Presence::present);
  EXPECT_EQ(ask(rule, alert_, 900), Presence::absent);
  EXPECT_EQ(ask(rule, alert_, 3 * 3600), Presence::absent);
  EXPECT_EQ(ask(rule, alert_, 30 * 3600), Presence::absent) << "forgotten is not false";
}

TEST_F(Probe, OnePartitionThatStoppedIsEnough) {
  fill(lag("a", "0"), 0, 1200);
  fill(lag("a", "1"), 0, 600);
  EXPECT_EQ(ask(rule_of("sum by (cluster, group) (lag) > 5"), alert_, 1200), Presence::absent);
}

TEST_F(Probe, AMarkerMeansDeleted) {
  fill(lag("a", "0"), 0, 600);
  source_.end(lag("a", "0"), at(615));
  EXPECT_EQ(ask(rule_of("sum by (cluster, group) (lag) > 5"), alert_, 615), Presence::deleted);
}

TEST_F(Probe, SeriesOfOthersSayNothing) {
  fill(lag("b", "0"), 0, 600);
  source_.end(lag("b", "1"), at(600));
  EXPECT_EQ(ask(rule_of("sum by (cluster, group) (lag) > 5"), alert_, 600), Presence::absent);
}

TEST_F(Probe, LabelsOfTheRuleDoNotHideTheSeries) {
  fill(lag("a", "0"), 0, 600);
  const Labels alert = alert_.with("partition", "all").with("severity", "page");
  const Rule rule = rule_of("sum by (cluster, group) (lag) > 5", ", labels: {partition: all, severity: page}");
  EXPECT_EQ(ask(rule, alert, 600), Presence::present);
}

TEST_F(Probe, AStateThatGaveWayToAnotherIsFalseNotDeleted) {
  const auto state = [](std::string_view name) {
    return Labels::metric("state", {{"cluster", "prod"}, {"group", "a"}, {"state", name}});
  };
  fill(state("Empty"), 0, 600);
  source_.end(state("Empty"), at(615));
  const Rule rule = rule_of("state{state=\"Empty\"} == 1");
  const Labels alert = alert_.with("state", "Empty");
  EXPECT_EQ(ask(rule, alert, 615), Presence::deleted);
  source_.add(state("Stable"), at(615), 1);
  EXPECT_EQ(ask(rule, alert, 615), Presence::present);
}

TEST_F(Probe, AFreshSeriesOfAnotherClusterIsNoSibling) {
  const Rule rule = rule_of("lag{cluster=\"prod\"} > 5");
  fill(Labels::metric("lag", {{"cluster", "staging"}, {"group", "a"}}), 0, 600);
  EXPECT_EQ(ask(rule, alert_, 600), Presence::absent);
}

TEST_F(Probe, ARateWhoseDataStopHasNotFallen) {
  const Rule rule = rule_of("rate(lag[5m]) > 5");
  const Labels alert = alert_.with("partition", "0");
  fill(lag("a", "0"), 0, 600);
  EXPECT_EQ(ask(rule, alert, 600), Presence::present);
  EXPECT_EQ(ask(rule, alert, 645), Presence::present) << "three missed cycles are within reason";
  EXPECT_EQ(ask(rule, alert, 646), Presence::absent);
  EXPECT_EQ(ask(rule, alert, 1200), Presence::absent);
}

TEST_F(Probe, ARateNeedsTwoPoints) {
  const Labels alert = alert_.with("partition", "0");
  source_.add(lag("a", "0"), at(600), 1);
  EXPECT_EQ(ask(rule_of("rate(lag[5m]) > 5"), alert, 600), Presence::absent);
  EXPECT_EQ(ask(rule_of("max_over_time(lag[5m]) > 5"), alert, 600), Presence::present);
}

TEST_F(Probe, AnOffsetLooksAtTheDataOfThen) {
  fill(lag("a", "0"), 0, 600);
  EXPECT_EQ(ask(rule_of("lag offset 1h > 5"), alert_.with("partition", "0"), 4200), Presence::present);
}

TEST_F(Probe, ASourceThatFailsIsNoEvidence) {
  fill(lag("a", "0"), 0, 600);
  source_.broken = true;
  EXPECT_EQ(ask(rule_of("lag > 5"), alert_, 600), Presence::absent);
}

TEST_F(Probe, WhatLabelReplaceWroteIsNotLookedFor) {
  fill(lag("a", "0"), 0, 600);
  const Rule rule = rule_of("label_replace(lag, \"group\", \"team-$1\", \"group\", \"(.*)\") > 5");
  EXPECT_EQ(ask(rule, alert_.with("group", "team-a"), 600), Presence::present);
}

/// What is asked of an alert that the last run left, once every source has delivered.
class RulingOut : public Probe {
 protected:
  Presence ask(const std::string& expression, double now, bool observed = true) {
    const Rule rule = rule_of(expression);
    PresenceProbe probe(rule, source_, at(now));
    probe.rule_out([observed](const Labels&) { return observed; }, recorders_);
    return probe(alert_.with("partition", "0"));
  }
  void record(const std::string& name, const std::string& expression) {
    config::Diagnostics diagnostics;
    const std::string text = "groups: [{name: g, rules: [{record: '" + name + "', expr: '" + expression + "'}]}]";
    recorded_.push_back(load_text(text, "rules.yml", diagnostics).at(0).rules.at(0));
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    recorders_.clear();
    for (const Rule& rule : recorded_) recorders_.emplace(rule.name, &rule);
  }

  std::vector<Rule> recorded_;
  Recorders recorders_;
};

TEST_F(RulingOut, TakesAllSourcesAndNoSeriesOfTheAlert) {
  EXPECT_EQ(ask("lag > 5", 600), Presence::unseen);
  EXPECT_EQ(ask("lag > 5", 600, false), Presence::absent);
  fill(lag("b", "0"), 0, 600);
  EXPECT_EQ(ask("lag > 5", 600), Presence::unseen) << "another's";
  source_.add(lag("a", "0"), at(30), 1);
  EXPECT_EQ(ask("lag > 5", 600), Presence::absent) << "it lapsed";
}

TEST_F(RulingOut, AskForALabelThatTheSourcesCannotVouchForIsInVain) {
  const Rule rule = rule_of("lag > 5", ", labels: {team: data}");
  PresenceProbe probe(rule, source_, at(600));
  std::vector<Labels> asked;
  probe.rule_out(
      [&](const Labels& labels) {
        asked.push_back(labels);
        return false;
      },
      recorders_);
  EXPECT_EQ(probe(alert_.with("team", "data")), Presence::absent);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0], alert_.without("alertname").with(core::kMetricName, "lag"))
      << "labels of the rule name no series";
}

TEST_F(RulingOut, ARateThatHasOnePointYetIsNotOver) {
  source_.add(lag("a", "0"), at(600), 1);
  EXPECT_EQ(ask("rate(lag[5m]) > 5", 600), Presence::absent);
}

TEST_F(RulingOut, AnOffsetThatDoesNotReachTheDataYetIsNotOver) {
  fill(lag("a", "0"), 500, 600);
  EXPECT_EQ(ask("lag offset 1h > 5", 600), Presence::absent);
  EXPECT_EQ(ask("lag offset 1h > 5 and lag > 5", 600), Presence::absent);
}

TEST_F(RulingOut, AnAbsenceThatEndedIsFalse) {
  fill(lag("a", "0"), 0, 600);
  EXPECT_EQ(ask("absent(lag)", 600), Presence::present);
  source_.add(lag("a", "0"), at(615), core::stale_marker());
  EXPECT_EQ(ask("absent(lag)", 630), Presence::deleted) << "asked only where the expression gives nothing";
}

TEST_F(RulingOut, WhatIsRecordedIsOutOnlyWithWhatItIsMadeOf) {
  record("worst", "max by (cluster, group) (rate(lag[1h]))");
  EXPECT_EQ(ask("worst > 5", 600), Presence::unseen);
  source_.add(lag("a", "0"), at(590), 1);
  EXPECT_EQ(ask("worst > 5", 600), Presence::absent) << "a rate will come with the second point";
  record("worst:offset", "worst offset 1d");
  EXPECT_EQ(ask("worst:offset > 5", 600), Presence::absent);
}

TEST_F(RulingOut, ARecorderOfItselfIsNotFollowedForEver) {
  record("again", "again offset 1m");
  EXPECT_EQ(ask("again > 5", 600), Presence::absent);
}

TEST_F(RulingOut, ASourceThatFailsRulesNothingOut) {
  source_.broken = true;
  EXPECT_EQ(ask("lag > 5", 600), Presence::absent);
}

TEST_F(Probe, AlertsAreNoData) {
  fill(Labels::metric("ALERTS", {{"alertname", "A"}, {"cluster", "prod"}, {"group", "a"}}), 0, 600);
  fill(lag("a", "0"), 0, 585);
  source_.end(lag("a", "0"), at(600));
  EXPECT_EQ(ask(rule_of("lag > 5 or (lag > 1 and on (group) ALERTS)"), alert_, 600), Presence::deleted);
}

}  // namespace
}  // namespace weir::rules
