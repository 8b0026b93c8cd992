#include "rules/evaluator.h"

#include <gmock/gmock.h>

#include "config/diagnostics.h"
#include "rules/loader.h"
#include "rules/memory_source.h"

namespace weir::rules {
namespace {

using core::AlertState;
using core::Labels;
using test::at;
using test::MemorySource;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Group> groups_of(const std::string& text) {
  config::Diagnostics diagnostics;
  auto groups = load_text(text, "r.yml", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return groups;
}

constexpr const char* kLag =
    "groups: [{name: kafka, rules: [{alert: LagHigh, expr: 'sum by (cluster, group) (lag) > 10', for: 1m, labels: "
    "{severity: critical}, annotations: {summary: '{{ $labels.group }}: {{ $value }}'}}]}]";

Labels lag(std::string_view group, std::string_view partition = "0") {
  return Labels::metric("lag", {{"cluster", "prod"}, {"group", group}, {"partition", partition}});
}
Labels alerts(std::string_view state) {
  return Labels::metric(
      "ALERTS",
      {{"alertname", "LagHigh"}, {"alertstate", state}, {"cluster", "prod"}, {"group", "a"}, {"severity", "critical"}});
}

class EvaluatorTest : public testing::Test {
 protected:
  void fill(const Labels& labels, double from, double to, double value) {
    for (double time = from; time <= to; time += 15) source_.add(labels, at(time), value);
  }
  /// Evaluates the first group and stores what it gives, as the judge does.
  Evaluation run(Evaluator& evaluator, double seconds, std::size_t group = 0) {
    Evaluation evaluation = evaluator.evaluate(group, source_, at(seconds));
    source_.take(evaluation.batch.samples);
    return evaluation;
  }
  std::vector<std::string> changes(Evaluator& evaluator, double from, double to) {
    std::vector<std::string> found;
    for (double seconds = from; seconds <= to; seconds += 15) {
      for (const core::Transition& t : run(evaluator, seconds).transitions) {
        if (t.alert.rule == "DataAbsent") continue;  // has tests of its own
        found.push_back(std::to_string(static_cast<int>(seconds)) + " " + std::string(to_string(t.to)) +
                        (t.reason.empty() ? "" : " " + t.reason));
      }
    }
    return found;
  }

  MemorySource source_;
};

TEST_F(EvaluatorTest, FiresAndResolvesOnRealExpressions) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 300, 6);
  fill(lag("a", "1"), 0, 300, 6);
  fill(lag("a"), 315, 600, 1);
  fill(lag("a", "1"), 315, 600, 1);
  EXPECT_THAT(changes(evaluator, 0, 600), ElementsAre("0 pending", "60 firing", "315 inactive"));
  EXPECT_THAT(evaluator.active(), IsEmpty());
  const auto generated = evaluator.generated();
  ASSERT_THAT(generated, SizeIs(1));
  EXPECT_TRUE(generated[0].alert.resolved_at);
  EXPECT_EQ(generated[0].alert.annotations.get("summary"), "a: 12");
}

TEST_F(EvaluatorTest, ACollectorThatStopsResolvesNothing) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 300, 12);
  EXPECT_THAT(changes(evaluator, 0, 4 * 3600), ElementsAre("0 pending", "60 firing"));
  EXPECT_THAT(run(evaluator, 5 * 3600).absent, SizeIs(1));
  fill(lag("a"), 6 * 3600, 6 * 3600, 1);
  EXPECT_THAT(changes(evaluator, 6 * 3600, 6 * 3600), ElementsAre("21600 inactive"));
}

TEST_F(EvaluatorTest, AnAlertThatIsOnlyKeptGetsADataAbsentAlertBesideIt) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 300, 12);
  std::vector<core::Transition> absent;
  const auto run_to = [&](Evaluator& on, double from, double to) {
    absent.clear();
    for (double seconds = from; seconds <= to; seconds += 15) {
      for (const core::Transition& t : run(on, seconds).transitions)
        if (t.alert.rule == "DataAbsent") absent.push_back(t);
    }
  };
  run_to(evaluator, 0, 885);
  EXPECT_THAT(absent, IsEmpty()) << "the look-back holds for 5 min, absence counts from there";
  run_to(evaluator, 900, 1200);
  ASSERT_THAT(absent, SizeIs(1)) << "told once";
  EXPECT_EQ(absent[0].at, at(900));
  EXPECT_EQ(absent[0].to, AlertState::firing);
  EXPECT_EQ(absent[0].alert.active_at, at(600));
  EXPECT_EQ(absent[0].alert.labels, (Labels{{"alertname", "DataAbsent"},
                                            {"absent_alert", "LagHigh"},
                                            {"absent_severity", "critical"},
                                            {"cluster", "prod"},
                                            {"group", "a"},
                                            {"severity", "warning"}}));
  ASSERT_THAT(evaluator.active(), SizeIs(2));

  Evaluator after(groups_of(kLag));
  EXPECT_THAT(after.restore(evaluator.active(), at(1200)), IsEmpty());
  run_to(after, 1215, 1800);
  EXPECT_THAT(absent, IsEmpty()) << "a restart neither ends nor repeats it";
  fill(lag("a"), 1815, 1815, 12);
  run_to(after, 1815, 1815);
  ASSERT_THAT(absent, SizeIs(1));
  EXPECT_EQ(absent[0].reason, "data are back");
  EXPECT_THAT(after.active(), SizeIs(1)) << "the original goes on";

  Evaluator without(groups_of("groups: []"));
  EXPECT_THAT(without.restore(evaluator.active(), at(1200)), SizeIs(2)) << "both end with their rule";
}

TEST_F(EvaluatorTest, ADataAbsentAlertEndsWithItsOriginal) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 300, 12);
  for (double seconds = 0; seconds <= 900; seconds += 15) run(evaluator, seconds);
  source_.end(lag("a"), at(915));
  const auto ends = run(evaluator, 915).transitions;
  ASSERT_THAT(ends, SizeIs(2));
  EXPECT_EQ(ends[1].reason, "the alert ended");
  EXPECT_THAT(evaluator.active(), IsEmpty());
}

TEST_F(EvaluatorTest, OnErrorSaysWhatBecomesOfTheAlertsOfARuleThatFails) {
  const auto outcome = [&](const std::string& choice) {
    source_ = {};
    Evaluator evaluator(
        groups_of("groups: [{name: g, rules: [{alert: A, expr: 'lag * on () m > 1', for: 1m, "
                  "annotations: {weir_on_error: " +
                  choice + "}}]}]"));
    fill(lag("a"), 0, 300, 12);
    fill(Labels::metric("m", {{"n", "1"}}), 0, 300, 1);
    fill(Labels::metric("m", {{"n", "2"}}), 15, 300, 1);
    EXPECT_THAT(run(evaluator, 0).errors, IsEmpty());
    EXPECT_THAT(run(evaluator, 30).errors, SizeIs(1));
    run(evaluator, 75);
    return evaluator.active().empty() ? std::string("none") : std::string(to_string(evaluator.active()[0].state));
  };
  EXPECT_EQ(outcome("keep"), "pending");
  EXPECT_EQ(outcome("alert"), "firing");
  EXPECT_EQ(outcome("resolve"), "none");
}

TEST_F(EvaluatorTest, KeepFiringForGoesOnAfterARestart) {
  const char* rules = "groups: [{name: g, rules: [{alert: A, expr: 'm > 1', keep_firing_for: 1m}]}]";
  const Labels m = Labels::metric("m", {});
  Evaluator before(groups_of(rules));
  fill(m, 0, 0, 5);
  fill(m, 15, 300, 0);
  EXPECT_THAT(changes(before, 0, 45), ElementsAre("0 firing"));
  Evaluator after(groups_of(rules));
  EXPECT_THAT(after.restore(before.active(), at(50)), IsEmpty());
  EXPECT_THAT(changes(after, 60, 300), ElementsAre("75 inactive")) << "it counts from 15 s on";
}

TEST_F(EvaluatorTest, KnowsWhichGroupsShareNoInput) {
  const Evaluator evaluator(
      groups_of("groups: [{name: a, rules: [{record: r, expr: m}]}, {name: b, rules: [{alert: B, expr: m > 1}]}, "
                "{name: c, rules: [{alert: C, expr: r > 1}]}, {name: d, rules: [{alert: D, expr: 'count(ALERTS)'}]}, "
                "{name: e, rules: [{alert: E, expr: m, annotations: {t: '{{ query \"r\" | first | value }}'}}]}, "
                "{name: f, rules: [{alert: F, expr: '{job=\"x\"}'}]}]"));
  const auto together = [&](std::vector<std::size_t> groups) { return evaluator.independent(groups); };
  EXPECT_EQ(together({}), 0U);
  EXPECT_EQ(together({0, 1, 2}), 2U) << "c reads what a records";
  EXPECT_EQ(together({2, 1, 0}), 3U) << "c came before a in any case";
  EXPECT_EQ(together({0, 3}), 2U);
  EXPECT_EQ(together({1, 3}), 1U) << "d reads the alerts of b";
  EXPECT_EQ(together({0, 4}), 1U) << "a text may ask for anything";
  EXPECT_EQ(together({0, 5}), 1U) << "so may a selector without a name";
  EXPECT_EQ(together({4, 0, 1}), 3U);
}

TEST_F(EvaluatorTest, TextsAskAtTheTimeOfTheEvaluation) {
  const auto text = [&](const std::string& query) {
    Evaluator evaluator(
        groups_of("groups: [{name: g, query_offset: 10s, rules: [{record: r, expr: 'm * 2'}, {alert: A, expr: 'm > 1', "
                  "annotations: {text: '{{ query \"" +
                  query + "\" | first | value }}'}}]}]"));
    run(evaluator, 30);
    return std::string(evaluator.active().at(0).annotations.get("text"));
  };
  fill(Labels::metric("m", {}), 0, 300, 5);
  EXPECT_EQ(text("r"), "10") << "what rules before it recorded";
  EXPECT_EQ(text("time() - 1700000000"), "30") << "as in Prometheus, the offset is the expression's alone";
  EXPECT_THAT(text("m("), testing::StartsWith("<error expanding template: error calling query: "));
  EXPECT_EQ(text("none"), "<error expanding template: error calling first: first() called on vector with no elements>");
}

TEST_F(EvaluatorTest, PartOfASumThatStopsResolvesNothing) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 3600, 6);
  fill(lag("a", "1"), 0, 300, 6);
  EXPECT_THAT(changes(evaluator, 0, 3600), ElementsAre("0 pending", "60 firing"));
}

TEST_F(EvaluatorTest, ADeletedGroupClosesItsAlertTheSameCycle) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 300, 12);
  fill(lag("b"), 0, 600, 1);
  source_.end(lag("a"), at(315));
  EXPECT_THAT(changes(evaluator, 0, 600), ElementsAre("0 pending", "60 firing", "315 inactive deleted"));
}

TEST_F(EvaluatorTest, AlertsSurviveARestartWithAnEmptyStore) {
  std::vector<core::Alert> stored;
  {
    Evaluator before(groups_of(kLag));
    fill(lag("a"), 0, 60, 12);
    changes(before, 0, 60);
    stored = before.active();
  }
  ASSERT_THAT(stored, SizeIs(1));
  MemorySource empty;
  std::swap(empty, source_);
  Evaluator after(groups_of(kLag));
  EXPECT_THAT(after.restore(stored, at(90)), IsEmpty());
  EXPECT_THAT(changes(after, 90, 3600), IsEmpty()) << "nothing is known: nothing changes";
  EXPECT_EQ(after.active().at(0).fired_at, at(60));
  source_.add(lag("a"), at(3615), 12);
  EXPECT_THAT(changes(after, 3615, 3615), IsEmpty()) << "it still holds: no second firing";
  source_.add(lag("a"), at(3630), 1);
  EXPECT_THAT(changes(after, 3630, 3630), ElementsAre("3630 inactive"));
}

TEST_F(EvaluatorTest, ARestoredAlertOfWhatNoSourceHasAnyMoreIsOver) {
  Evaluator before(groups_of(kLag));
  fill(lag("a"), 0, 60, 12);
  changes(before, 0, 60);
  MemorySource empty;
  std::swap(empty, source_);
  Evaluator after(groups_of(kLag));
  EXPECT_THAT(after.restore(before.active(), at(90)), IsEmpty());
  EXPECT_THAT(after.evaluate(0, source_, at(105)).transitions, IsEmpty());
  const Observed not_yet = [](const Labels&) { return false; };
  EXPECT_THAT(after.evaluate(0, source_, at(120), not_yet).transitions, IsEmpty());
  const Observed all = [](const Labels&) { return true; };
  const auto over = after.evaluate(0, source_, at(135), all).transitions;
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_EQ(over[0].reason, "no longer observed");
  EXPECT_EQ(over[0].to, AlertState::inactive);
}

TEST_F(EvaluatorTest, OnceSeenAgainARestoredAlertIsLikeAnyOther) {
  Evaluator before(groups_of(kLag));
  fill(lag("a"), 0, 60, 12);
  changes(before, 0, 60);
  Evaluator after(groups_of(kLag));
  EXPECT_THAT(after.restore(before.active(), at(60)), IsEmpty());
  const Observed all = [](const Labels&) { return true; };
  EXPECT_THAT(after.evaluate(0, source_, at(75), all).transitions, IsEmpty());
  MemorySource empty;
  std::swap(empty, source_);
  EXPECT_THAT(after.evaluate(0, source_, at(90), all).transitions, IsEmpty()) << "its data stopped coming";
}

TEST_F(EvaluatorTest, TheHoldDurationGoesOnAfterARestart) {
  Evaluator before(groups_of(kLag));
  fill(lag("a"), 0, 600, 12);
  changes(before, 0, 30);
  Evaluator after(groups_of(kLag));
  EXPECT_THAT(after.restore(before.active(), at(40)), IsEmpty());
  EXPECT_THAT(changes(after, 45, 90), ElementsAre("60 firing"));
}

TEST_F(EvaluatorTest, ARestoredAlertWithoutItsRuleEnds) {
  Evaluator before(groups_of(kLag));
  fill(lag("a"), 0, 60, 12);
  changes(before, 0, 60);
  Evaluator after(groups_of("groups: [{name: other, rules: []}]"));
  const auto ends = after.restore(before.active(), at(70));
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].from, AlertState::firing);
  EXPECT_EQ(ends[0].reason, "rule removed");
  EXPECT_EQ(ends[0].alert.resolved_at, at(70));
}

TEST_F(EvaluatorTest, ARestoredAlertFindsItsRuleAmongThoseOfTheSameName) {
  const char* text =
      "groups: [{name: g, rules: [{alert: A, expr: lag > 5, labels: {severity: warning}}, {alert: A, expr: lag > 10, "
      "labels: {severity: critical}}]}]";
  Evaluator before(groups_of(text));
  fill(lag("a"), 0, 30, 12);
  changes(before, 0, 0);
  Evaluator after(groups_of(text));
  EXPECT_THAT(after.restore(before.active(), at(10)), IsEmpty());
  EXPECT_THAT(changes(after, 15, 15), IsEmpty()) << "each went back to its own rule";
  EXPECT_THAT(after.active(), SizeIs(2));
}

TEST_F(EvaluatorTest, WritesAlertsSeriesAndEndsThem) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 90, 12);
  fill(lag("a"), 105, 200, 1);
  changes(evaluator, 0, 105);
  const auto& pending = source_.points(alerts("pending"));
  ASSERT_THAT(pending, SizeIs(5));
  EXPECT_EQ(pending[3].value, 1);
  EXPECT_EQ(pending[4].time, at(60));
  EXPECT_TRUE(core::is_stale_marker(pending[4].value));
  const auto& firing = source_.points(alerts("firing"));
  EXPECT_EQ(firing.front().time, at(60));
  EXPECT_TRUE(core::is_stale_marker(firing.back().value));
  const auto& since = source_.points(alerts("").with(core::kMetricName, "ALERTS_FOR_STATE"));
  ASSERT_FALSE(since.empty());
  EXPECT_EQ(since.front().value, 1'700'000'000);
}

TEST_F(EvaluatorTest, ARuleSeesWhatAnEarlierOneRecorded) {
  Evaluator evaluator(groups_of(
      "groups: [{name: g, rules: [{record: 'g:lag:sum', expr: sum by (group) (lag), labels: {by: weir}}, {alert: A, "
      "expr: 'g:lag:sum{by=~\"we.r\"} > 10'}]}]"));
  fill(lag("a"), 0, 15, 12);
  EXPECT_THAT(changes(evaluator, 0, 0), ElementsAre("0 firing"));
  source_.add(lag("a"), at(16), 1);
  EXPECT_THAT(run(evaluator, 16).transitions, SizeIs(1)) << "the value of now, not the stored one";
}

TEST_F(EvaluatorTest, ARecordedSeriesThatIsFalseEndsWithAMarker) {
  Evaluator evaluator(groups_of("groups: [{name: g, rules: [{record: 'x', expr: lag > 10}]}]"));
  fill(lag("a"), 0, 0, 12);
  fill(lag("a"), 15, 30, 1);
  run(evaluator, 0);
  const Evaluation second = run(evaluator, 15);
  ASSERT_THAT(second.batch.samples, SizeIs(1));
  EXPECT_TRUE(core::is_stale_marker(second.batch.samples[0].value));
  EXPECT_THAT(run(evaluator, 30).batch.samples, IsEmpty()) << "once";
}

TEST_F(EvaluatorTest, ARecordedSeriesWithoutDataIsNotMarkedAndHoldsTheAlertOnIt) {
  Evaluator evaluator(
      groups_of("groups: [{name: g, rules: [{record: 'x', expr: sum by (group) (lag)}, {alert: A, expr: 'x > 10'}]}]"));
  fill(lag("a"), 0, 60, 12);
  EXPECT_THAT(changes(evaluator, 0, 3600), ElementsAre("0 firing"));
  const Evaluation late = run(evaluator, 3615);
  ASSERT_THAT(late.batch.faults, SizeIs(1)) << "tells the store that it has not ended";
  EXPECT_EQ(late.batch.faults[0].scope, Labels::metric("x", {{"group", "a"}}));
  source_.end(lag("a"), at(3700));
  EXPECT_THAT(changes(evaluator, 3700, 3700), ElementsAre("3700 inactive deleted"));
}

TEST_F(EvaluatorTest, AnErrorKeepsTheStateAndNamesTheRule) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 60, 12);
  changes(evaluator, 0, 60);
  source_.broken = true;
  const Evaluation failed = run(evaluator, 75);
  EXPECT_THAT(failed.transitions, IsEmpty());
  ASSERT_THAT(failed.errors, SizeIs(1));
  EXPECT_EQ(failed.errors[0].message, "rule \"LagHigh\": too many series");
  EXPECT_EQ(failed.errors[0].where, "r.yml:1:32");
  EXPECT_EQ(evaluator.active().at(0).state, AlertState::firing);
  EXPECT_THAT(failed.batch.samples, SizeIs(2)) << "its ALERTS series go on";
}

TEST_F(EvaluatorTest, OneRuleThatFailsLeavesTheOthersAlone) {
  Evaluator evaluator(groups_of(
      "groups: [{name: g, limit: 1, rules: [{alert: Many, expr: lag > 0}, {record: x, expr: lag}, {alert: One, expr: "
      "'lag > 10'}]}]"));
  fill(lag("a"), 0, 0, 12);
  fill(lag("b"), 0, 0, 1);
  const Evaluation evaluation = run(evaluator, 0);
  EXPECT_THAT(evaluation.errors, SizeIs(2));
  EXPECT_EQ(evaluation.errors[0].kind, core::ErrorKind::limit);
  ASSERT_THAT(evaluation.transitions, SizeIs(1));
  EXPECT_EQ(evaluation.transitions[0].alert.rule, "One");
}

TEST_F(EvaluatorTest, ARecordingThatGivesOneSeriesTwiceFails) {
  Evaluator evaluator(groups_of("groups: [{name: g, rules: [{record: x, expr: lag, labels: {group: all}}]}]"));
  fill(lag("a"), 0, 0, 12);
  fill(lag("b"), 0, 0, 1);
  EXPECT_THAT(run(evaluator, 0).errors, SizeIs(1));
}

TEST_F(EvaluatorTest, AScalarIsOneElementWithoutLabels) {
  Evaluator evaluator(groups_of("groups: [{name: g, rules: [{record: x, expr: 2 + 3}]}]"));
  const Evaluation evaluation = run(evaluator, 0);
  ASSERT_THAT(evaluation.batch.samples, SizeIs(1));
  EXPECT_EQ(evaluation.batch.samples[0].labels, Labels::metric("x", {}));
  EXPECT_EQ(evaluation.batch.samples[0].value, 5);
}

TEST_F(EvaluatorTest, QueryOffsetLooksBack) {
  Evaluator evaluator(groups_of("groups: [{name: g, query_offset: 1m, rules: [{alert: A, expr: lag > 10}]}]"));
  fill(lag("a"), 60, 120, 12);
  EXPECT_THAT(run(evaluator, 119).transitions, IsEmpty());
  const Evaluation evaluation = run(evaluator, 120);
  ASSERT_THAT(evaluation.transitions, SizeIs(1));
  EXPECT_EQ(evaluation.transitions[0].at, at(120));
  EXPECT_EQ(evaluation.batch.samples[0].time, at(60));
}

TEST_F(EvaluatorTest, KnowsWhichGroupsReadWhat) {
  const Evaluator evaluator(
      groups_of("groups: [{name: a, rules: [{alert: A, expr: lag > 1}]}, {name: b, rules: [{alert: B, expr: "
                "'rate(offset_total[1m]) "
                "> 1 and on () ALERTS'}]}, {name: c, rules: [{alert: C, expr: '{__name__=~\"k.*\"} > 1'}]}]"));
  const auto reading = [&](std::vector<std::string> names) { return evaluator.groups_reading(names); };
  EXPECT_THAT(reading({"lag"}), ElementsAre(0U, 2U));
  EXPECT_THAT(reading({"offset_total", "other"}), ElementsAre(1U, 2U));
  EXPECT_THAT(reading({"ALERTS"}), ElementsAre(2U)) << "what rules say of alerts starts no rule by name";
  EXPECT_THAT(reading({}), IsEmpty());
}

TEST_F(EvaluatorTest, AReloadKeepsTheAlertsOfRulesThatStay) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 300, 12);
  changes(evaluator, 0, 60);
  std::string changed = kLag;
  changed.replace(changed.find("> 10"), 4, "> 11");
  EXPECT_THAT(evaluator.reload(groups_of(changed), at(70)), IsEmpty());
  EXPECT_THAT(changes(evaluator, 75, 90), IsEmpty());
  EXPECT_EQ(evaluator.active().at(0).fired_at, at(60));
}

TEST_F(EvaluatorTest, AReloadEndsTheAlertsOfRulesThatWent) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 300, 12);
  changes(evaluator, 0, 60);
  const auto ends = evaluator.reload(groups_of("groups: [{name: other, rules: []}]"), at(70));
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].alert.rule, "LagHigh");
  EXPECT_EQ(ends[0].reason, "rule removed");
  EXPECT_THAT(evaluator.active(), IsEmpty());
  run(evaluator, 75);
  EXPECT_TRUE(core::is_stale_marker(source_.points(alerts("firing")).back().value));
}

TEST_F(EvaluatorTest, ARuleMayHoldItsOwnAlertThroughAlertsAlsoAfterARestart) {
  const char* text =
      "groups: [{name: g, rules: [{alert: Failed, expr: 'status == 2 or (status == 3 and on (check) "
      "ALERTS{alertname=\"Failed\",alertstate=\"firing\"})'}]}]";
  const Labels status = Labels::metric("status", {{"check", "c"}});
  Evaluator before(groups_of(text));
  source_.add(status, at(0), 2);
  source_.add(status, at(15), 3);
  EXPECT_THAT(changes(before, 0, 15), ElementsAre("0 firing"));
  MemorySource empty;
  std::swap(empty, source_);
  Evaluator after(groups_of(text));
  EXPECT_THAT(after.restore(before.active(), at(20)), IsEmpty());
  source_.add(status, at(30), 3);
  source_.add(status, at(45), 3);
  source_.add(status, at(60), 0);
  EXPECT_THAT(changes(after, 30, 60), ElementsAre("60 inactive"));
}

TEST_F(EvaluatorTest, WhatIsMissingIsFalseWhereThatIsAskedFor) {
  Evaluator evaluator(groups_of("groups: [{name: g, rules: [{record: r, expr: m}, {alert: A, expr: r > 0, "
                                "keep_firing_for: 1m}]}]"),
                      {.missing_is_false = true});
  source_.add(Labels::metric("m", {}), at(0), 1);
  EXPECT_THAT(changes(evaluator, 0, 420), ElementsAre("0 firing", "360 inactive"))
      << "the series lapses at 300, then the alert is kept firing";
  EXPECT_TRUE(core::is_stale_marker(source_.points(Labels::metric("r", {})).back().value));
}

TEST_F(EvaluatorTest, TheEndOfASeriesInOneRuleDoesNotHideItsValueInAnother) {
  Evaluator evaluator(
      groups_of("groups: [{name: g, rules: [{record: r, expr: a}, {record: r, expr: b}, "
                "{record: copy, expr: r}]}]"));
  source_.add(Labels::metric("b", {}), at(0), 1);
  run(evaluator, 0);
  source_.end(Labels::metric("b", {}), at(15));
  source_.add(Labels::metric("a", {}), at(15), 2);
  const Evaluation evaluation = run(evaluator, 15);
  EXPECT_THAT(evaluation.errors, IsEmpty());
  EXPECT_EQ(source_.points(Labels::metric("copy", {})).back().value, 2);
}

TEST_F(EvaluatorTest, ShowsTheAlertsOfOneRule) {
  Evaluator evaluator(groups_of(kLag));
  fill(lag("a"), 0, 15, 50);
  run(evaluator, 0);
  ASSERT_THAT(evaluator.alerts(0, 0), SizeIs(1));
  EXPECT_EQ(evaluator.alerts(0, 0).begin()->second.alert.state, AlertState::pending);
}

}  // namespace
}  // namespace weir::rules
