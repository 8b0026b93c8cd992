#include "incidents/lifecycle.h"

#include <gmock/gmock.h>

#include "incidents/planner.h"
#include "rules/memory_source.h"

namespace weir::incidents {
namespace {

using core::AlertState;
using core::Labels;
using test::at;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Labels kBilling{{"cluster", "prod"}, {"consumergroup", "billing"}, {"severity", "critical"}};
const Labels kSearch{{"cluster", "prod"}, {"consumergroup", "search"}, {"severity", "warning"}};

core::Alert alert(const std::string& rule, double seconds, const Labels& labels, AlertState state) {
  core::Alert made;
  made.rule = rule;
  made.labels = labels.with("alertname", rule);
  made.fingerprint = made.labels.hash();
  made.state = state;
  made.active_at = at(seconds);
  if (state == AlertState::firing) made.fired_at = at(seconds);
  return made;
}

core::Transition fire(const std::string& rule, double seconds, const Labels& labels) {
  return {.alert = alert(rule, seconds, labels, AlertState::firing),
          .from = AlertState::pending,
          .to = AlertState::firing,
          .at = at(seconds),
          .reason = ""};
}
core::Transition end(const std::string& rule, double seconds, const Labels& labels) {
  return {.alert = alert(rule, seconds, labels, AlertState::inactive),
          .from = AlertState::firing,
          .to = AlertState::inactive,
          .at = at(seconds),
          .reason = ""};
}

/// Alerts and people, one after the other, as the judge has them.
class LifecycleTest : public testing::Test {
 protected:
  std::vector<core::Incident> step(double seconds, const std::vector<core::Transition>& transitions) {
    IncidentPlan planned =
        plan(std::move(open_), transitions, {}, source_, at(seconds), {}, nullptr, {std::move(ended_), within_});
    open_ = std::move(planned.open);
    ended_ = std::move(planned.ended);
    std::vector<core::Incident> changed;
    for (IncidentChange& change : planned.changes) changed.push_back(std::move(change.incident));
    return changed;
  }
  core::Incident opened(const std::string& rule, double seconds, const Labels& labels) {
    return step(seconds, {fire(rule, seconds, labels)}).at(0);
  }
  void place(const core::Incident& incident) {
    const auto same = [&](const core::Incident& other) { return other.id == incident.id; };
    std::erase_if(open_, same);
    std::erase_if(ended_, same);
    (incident.open() ? open_ : ended_).push_back(incident);
  }
  static std::vector<std::string> kinds(const core::Incident& incident) {
    std::vector<std::string> kinds;
    for (const core::TimelineEntry& entry : incident.timeline) kinds.push_back(entry.kind);
    return kinds;
  }
  template <class T>
  static std::string refused(const core::Result<T>& result) {
    return result ? "" : result.error().message;
  }

  test::MemorySource source_;
  core::Duration within_ = std::chrono::minutes(30);
  std::vector<core::Incident> open_;
  std::vector<core::Incident> ended_;
};

TEST_F(LifecycleTest, AnAcknowledgementSaysWhoAndWhen) {
  const core::Incident incident = opened("Lag", 10, kBilling);
  const auto done = acknowledge(incident, " ann ", at(70));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->handling.acknowledged_by, "ann");
  EXPECT_EQ(done->handling.acknowledged_at, at(70));
  EXPECT_EQ(done->timeline.back().kind, "acknowledged");
  EXPECT_EQ(core::times_of(*done).to_acknowledge, std::chrono::minutes(1));
  const auto twice = acknowledge(*done, "ann", at(80));
  EXPECT_EQ(twice->timeline.size(), done->timeline.size()) << "said twice";
  const auto other = acknowledge(*done, "bob", at(90));
  EXPECT_EQ(other->handling.acknowledged_by, "bob");
  EXPECT_EQ(other->handling.acknowledged_at, at(70)) << "the first counts";
  EXPECT_EQ(other->timeline.back().text, "acknowledged by bob, after ann");
}

TEST_F(LifecycleTest, TextsAreBoundedAndNamed) {
  const core::Incident incident = opened("Lag", 10, kBilling);
  EXPECT_EQ(refused(acknowledge(incident, " \n", at(20))), "by: must not be empty");
  EXPECT_EQ(refused(acknowledge(incident, std::string(101, 'a'), at(20))), "by: has 101 bytes, at most 100 are kept");
  EXPECT_EQ(refused(acknowledge(incident, "a\nb", at(20))), "by: must be one line");
  EXPECT_EQ(refused(assign(incident, "ann", "\xff", at(20))), "owner: is not UTF-8");
  EXPECT_EQ(refused(comment(incident, "ann", "", at(20))), "text: must not be empty");
  EXPECT_EQ(refused(comment(incident, "ann", std::string(4001, 'x'), at(20))),
            "text: has 4001 bytes, at most 4000 are kept");
  EXPECT_EQ(refused(comment(incident, "ann", std::string("a\0b", 3), at(20))), "text: has control characters");
  EXPECT_EQ(refused(resolve(incident, "ann", std::string(1001, 'x'), at(20))),
            "reason: has 1001 bytes, at most 1000 are kept");
  EXPECT_TRUE(comment(incident, "ann", "two\nlines, ümläut", at(20)));
}

TEST_F(LifecycleTest, ATimelineThatIsFullTakesNoMoreWords) {
  core::Incident incident = opened("Lag", 10, kBilling);
  while (incident.timeline.size() < kMostEntries) incident.timeline.push_back({at(11), "event", "x"});
  const auto done = comment(incident, "ann", "more", at(20));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, core::ErrorKind::limit);
}

TEST_F(LifecycleTest, AnOwnerMayBeNobody) {
  core::Incident incident = *assign(opened("Lag", 10, kBilling), "ann", "bob", at(20));
  EXPECT_EQ(incident.handling.owner, "bob");
  EXPECT_EQ(incident.timeline.back().text, "assigned to bob by ann");
  incident = *assign(incident, "ann", "", at(30));
  EXPECT_EQ(incident.handling.owner, "");
  EXPECT_EQ(incident.timeline.back().text, "assigned to nobody by ann");
}

TEST_F(LifecycleTest, ResolvedByHandItStaysSoWhileTheSameAlertFires) {
  const core::Incident incident = opened("Lag", 10, kBilling);
  const auto done = resolve(incident, "ann", "known", at(100));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->timeline.back().text, "resolved by ann: known (1 alert fires still)");
  place(*done);
  EXPECT_THAT(step(200, {}), IsEmpty());
  EXPECT_THAT(step(210, {fire("Lag", 210, kBilling)}), IsEmpty()) << "the same firing, told again";
  EXPECT_THAT(open_, IsEmpty());
  const auto over = step(300, {end("Lag", 300, kBilling)});
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_EQ(over[0].resolved_at, at(100)) << "as the person said";
  EXPECT_THAT(kinds(over[0]), ElementsAre("opened", "resolved", "recovered"));
}

TEST_F(LifecycleTest, ResolvedByHandItIsReopenedByAnotherFiringHoweverLate) {
  place(*resolve(*acknowledge(opened("Lag", 10, kBilling), "ann", at(20)), "ann", "", at(100)));
  const auto again = step(9000, {fire("Lost", 9000, kBilling)});
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_TRUE(again[0].open());
  EXPECT_EQ(again[0].handling.acknowledged_by, "");
  EXPECT_FALSE(again[0].handling.acknowledged_at);
  EXPECT_EQ(again[0].timeline.back().kind, "reopened");
  EXPECT_THAT(open_, SizeIs(1));
}

TEST_F(LifecycleTest, WhatFiresAgainWithinTheWindowGoesOnInTheSameIncident) {
  const core::Incident first = opened("Lag", 10, kBilling);
  step(60, {end("Lag", 60, kBilling)});
  ASSERT_THAT(ended_, SizeIs(1));
  const auto again = step(60 + 1800, {fire("Lag", 60 + 1800, kBilling)});
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].id, first.id);
  EXPECT_THAT(kinds(again[0]), ElementsAre("opened", "recovered", "resolved", "reopened"));
  EXPECT_EQ(again[0].began_at, at(10)) << "it began when it first began";
  EXPECT_THAT(ended_, IsEmpty());
}

TEST_F(LifecycleTest, WhatIsReopenedIsAboutWhatFiresNow) {
  // One incident of two, as a person made it: the group that is down is its origin.
  source_.add(kBilling.without("severity").with(core::kMetricName, "kafka_consumergroup_members"), at(100), 0);
  opened("KafkaConsumerLagHigh", 100, kBilling);
  const core::Incident second = opened("KafkaConsumerLagSeconds", 110, kSearch);
  const auto merged = merge(second, open_[0].id == second.id ? open_[1] : open_[0], "ann", at(120));
  ASSERT_TRUE(merged);
  place(merged->from);
  place(merged->into);
  step(200, {end("KafkaConsumerLagHigh", 200, kBilling), end("KafkaConsumerLagSeconds", 200, kSearch)});
  ASSERT_THAT(open_, IsEmpty());
  const auto again = step(300, {fire("KafkaConsumerLagSeconds", 300, kSearch)});
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].id, merged->into.id);
  EXPECT_EQ(again[0].title, "Consumer group search in prod: KafkaConsumerLagSeconds");
  EXPECT_EQ(again[0].severity, "warning");
  EXPECT_EQ(again[0].labels, kSearch.without("severity"));
  EXPECT_THAT(again[0].cause, testing::Not(HasSubstr("billing")));
  for (const std::string& each : again[0].reasons.evidence) EXPECT_THAT(each, testing::Not(HasSubstr("billing")));
  EXPECT_THAT(kinds(again[0]), ElementsAre("opened", "cause", "opened", "merged", "recovered", "recovered", "resolved",
                                           "reopened", "cause"));
  EXPECT_THAT(again[0].timeline[1].text, HasSubstr("Consumer group billing in prod has no members"));
}

TEST_F(LifecycleTest, TheSameThingReopenedForAnotherReasonSaysThatReason) {
  source_.add(kBilling.without("severity").with(core::kMetricName, "kafka_consumergroup_members"), at(100), 0);
  EXPECT_EQ(opened("KafkaConsumerLagHigh", 100, kBilling).reasons.hypothesis, "consumer_down");
  step(200, {end("KafkaConsumerLagHigh", 200, kBilling)});
  source_.add(kBilling.without("severity").with(core::kMetricName, "kafka_consumergroup_members"), at(400), 2);
  const auto again = step(500, {fire("KafkaConsumerLagHigh", 500, kBilling)});
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].reasons.hypothesis, "") << "its consumers are there";
  EXPECT_THAT(again[0].cause, testing::Not(HasSubstr("no members")));
}

TEST_F(LifecycleTest, AfterTheWindowOrWithoutOneANewIncidentOpens) {
  const core::Incident first = opened("Lag", 10, kBilling);
  step(60, {end("Lag", 60, kBilling)});
  const auto late = step(1861, {fire("Lag", 1861, kBilling)});
  ASSERT_THAT(late, SizeIs(1));
  EXPECT_NE(late[0].id, first.id);
  step(1900, {end("Lag", 1900, kBilling)});
  within_ = core::Duration(0);
  EXPECT_NE(step(1901, {fire("Lag", 1901, kBilling)}).at(0).id, late[0].id);
}

TEST_F(LifecycleTest, OfSeveralThatEndedTheLatestGoesOn) {
  opened("Lag", 10, kBilling);
  step(20, {end("Lag", 20, kBilling)});
  within_ = core::Duration(0);
  const core::Incident second = opened("Lag", 30, kBilling);
  step(40, {end("Lag", 40, kBilling)});
  within_ = std::chrono::minutes(30);
  EXPECT_EQ(step(50, {fire("Lag", 50, kBilling)}).at(0).id, second.id);
}

TEST_F(LifecycleTest, MergedAlertsGoOnInTheOther) {
  const core::Incident from = opened("Lag", 10, kSearch);
  const core::Incident into = opened("Down", 20, kBilling);
  const auto merged = merge(from, into, "ann", at(30));
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->from.handling.merged_into, into.id);
  EXPECT_EQ(merged->from.resolved_at, at(30));
  EXPECT_EQ(merged->into.began_at, at(10));
  EXPECT_THAT(merged->into.alerts, SizeIs(2));
  EXPECT_THAT(kinds(merged->into), ElementsAre("opened", "opened", "merged"));
  EXPECT_EQ(merged->into.labels, kBilling.without("severity")) << "as its title says";
  place(merged->from);
  place(merged->into);
  auto changed = step(40, {end("Lag", 40, kSearch)});
  ASSERT_THAT(changed, SizeIs(1));
  EXPECT_EQ(changed[0].id, into.id);
  EXPECT_EQ(changed[0].timeline.back().kind, "recovered");
  changed = step(50, {fire("Lost", 50, kSearch)});
  ASSERT_THAT(changed, SizeIs(1));
  EXPECT_EQ(changed[0].id, into.id) << "what is new about the same thing goes there too";
  changed = step(60, {end("Lost", 60, kSearch), end("Down", 60, kBilling)});
  EXPECT_FALSE(changed.at(0).open());
}

TEST_F(LifecycleTest, AMergedIncidentIsNoPlaceToWork) {
  const core::Incident from = opened("Lag", 10, kSearch);
  const core::Incident into = opened("Down", 20, kBilling);
  const auto merged = *merge(from, into, "ann", at(30));
  for (const auto& done : {acknowledge(merged.from, "a", at(40)), assign(merged.from, "a", "b", at(40)),
                           resolve(merged.from, "a", "", at(40)), reopen(merged.from, "a", "", at(40))})
    EXPECT_EQ(refused(done), "incident " + from.id + " was merged into " + into.id + ": work there");
  EXPECT_TRUE(comment(merged.from, "ann", "why", at(40)));
  EXPECT_THAT(refused(merge(merged.from, into, "ann", at(40))), HasSubstr("was merged into"));
  EXPECT_THAT(refused(merge(into, into, "ann", at(40))), HasSubstr("into itself"));
  const core::Incident over = *resolve(merged.into, "ann", "", at(50));
  EXPECT_THAT(refused(merge(opened("Odd", 60, {{"x", "y"}}), over, "ann", at(60))), HasSubstr("reopen it first"));
}

TEST_F(LifecycleTest, WhatCannotBeDoneSaysWhatToDo) {
  const core::Incident open = opened("Lag", 10, kBilling);
  EXPECT_EQ(refused(reopen(open, "ann", "", at(20))), "incident " + open.id + " is open");
  const core::Incident over = *resolve(open, "ann", "", at(20));
  EXPECT_EQ(refused(acknowledge(over, "ann", at(30))), "incident " + open.id + " is resolved: reopen it first");
  EXPECT_EQ(refused(resolve(over, "ann", "", at(30))), "incident " + open.id + " is resolved already");
  const core::Incident again = *reopen(over, "ann", "too early", at(30));
  EXPECT_TRUE(again.open());
  EXPECT_EQ(again.timeline.back().text, "reopened by ann: too early");
  const auto clash =
      carry_out({.kind = core::DeedKind::reopen, .incident = over.id, .by = "ann"}, {over, open}, at(40));
  EXPECT_THAT(refused(clash), HasSubstr("of the same thing is open"));
}

TEST_F(LifecycleTest, ASilenceNamesItsAlertsAndNoMore) {
  const core::Incident from = opened("Lag", 10, kSearch);
  const core::Incident into = merge(from, opened("Down|x", 20, kBilling), "ann", at(30))->into;
  const auto silences = silences_for(into, "ann", "", std::chrono::hours(2), at(40));
  ASSERT_TRUE(silences);
  std::vector<std::vector<std::string>> matchers;
  for (const core::Silence& silence : *silences) {
    EXPECT_EQ(silence.ends_at, at(7240));
    auto& texts = matchers.emplace_back();
    for (const core::Matcher& matcher : silence.matchers)
      texts.push_back(matcher.name + (matcher.op == core::MatchOp::regex ? "=~" : "=") + matcher.value);
  }
  EXPECT_THAT(matchers, ElementsAre(ElementsAre("alertname=Down|x", "cluster=prod", "consumergroup=billing"),
                                    ElementsAre("alertname=Lag", "cluster=prod", "consumergroup=search")))
      << "a group that joins neither is told of";
  EXPECT_THAT(refused(silences_for(into, "ann", "", core::Duration(1), at(40))), HasSubstr("duration: "));
  EXPECT_THAT(refused(silences_for(core::Incident(), "ann", "", std::chrono::hours(2), at(40))),
              HasSubstr("no alerts"));
}

}  // namespace
}  // namespace weir::incidents
