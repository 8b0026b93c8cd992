#include "incidents/planner.h"

#include <gmock/gmock.h>
#include <random>

#include "incidents/subject.h"
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

core::Transition change(const std::string& rule, AlertState from, AlertState to, double seconds, Labels labels,
                        const std::string& reason = "") {
  core::Transition transition;
  transition.alert.rule = rule;
  transition.alert.labels = labels.with("alertname", rule);
  transition.alert.annotations = Labels{{"summary", "summary of " + rule}};
  transition.alert.fingerprint = transition.alert.labels.hash();
  transition.alert.state = to;
  transition.alert.active_at = at(seconds);
  transition.from = from;
  transition.to = to;
  transition.at = at(seconds);
  transition.reason = reason;
  return transition;
}

core::Transition fire(const std::string& rule, double seconds, Labels labels) {
  return change(rule, AlertState::pending, AlertState::firing, seconds, std::move(labels));
}
core::Transition end(const std::string& rule, double seconds, Labels labels, const std::string& reason = "") {
  return change(rule, AlertState::firing, AlertState::inactive, seconds, std::move(labels), reason);
}

const Labels kBilling{{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"severity", "critical"}};
const Labels kSearch{{"cluster", "prod"}, {"consumergroup", "search"}, {"topic", "orders"}, {"severity", "warning"}};

class PlannerTest : public testing::Test {
 protected:
  IncidentPlan step(double seconds, std::vector<core::Transition> transitions) {
    IncidentPlan planned = plan(std::move(open_), transitions, events_, source_, at(seconds), {}, nullptr, {}, began_);
    open_ = planned.open;
    return planned;
  }
  static std::vector<std::string> kinds(const core::Incident& incident) {
    std::vector<std::string> kinds;
    for (const core::TimelineEntry& entry : incident.timeline) kinds.push_back(entry.kind);
    return kinds;
  }

  test::MemorySource source_;
  std::vector<core::Event> events_;
  std::vector<core::Incident> open_;
  core::Time began_;
};

TEST_F(PlannerTest, AtFirstItIsTheOwnersOfThePipeline) {
  core::Transition owned = fire("LagHigh", 9, kBilling);
  owned.alert.annotations = Labels{{"pipeline_owner", "shop-team"}};
  step(10, {owned});
  EXPECT_EQ(open_.at(0).handling.owner, "shop-team");
  open_[0].handling.owner.clear();  // assigned to nobody
  step(20, {fire("Lost", 19, kBilling)});
  EXPECT_EQ(open_.at(0).handling.owner, "");
  EXPECT_EQ(step(30, {fire("LagHigh", 29, kSearch)}).changes.at(0).incident.handling.owner, "");
}

TEST_F(PlannerTest, AFiringAlertOpensAnIncident) {
  const auto planned = step(10, {fire("LagHigh", 9, kBilling)});
  ASSERT_THAT(planned.changes, SizeIs(1));
  const core::Incident& incident = planned.changes[0].incident;
  EXPECT_TRUE(incident.open());
  EXPECT_EQ(incident.opened_at, at(9));
  EXPECT_EQ(incident.title, "Consumer group billing in prod: LagHigh");
  EXPECT_EQ(incident.severity, "critical");
  EXPECT_EQ(incident.labels, (Labels{{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}}));
  EXPECT_THAT(incident.cause, HasSubstr("consumer group billing"));
  EXPECT_THAT(kinds(incident), ElementsAre("opened"));
  EXPECT_EQ(incident.timeline[0].text, "LagHigh: summary of LagHigh");
  EXPECT_THAT(planned.changes[0].fired, SizeIs(1));
  EXPECT_EQ(incident.id, incident_id(incident.key, at(9)));
  EXPECT_EQ(incident.id.size(), 16U);
}

TEST_F(PlannerTest, PendingAlertsOpenNothing) {
  const auto planned = step(10, {change("LagHigh", AlertState::inactive, AlertState::pending, 10, kBilling),
                                 change("LagHigh", AlertState::pending, AlertState::inactive, 11, kBilling)});
  EXPECT_THAT(planned.changes, IsEmpty());
  EXPECT_THAT(planned.open, IsEmpty());
}

TEST_F(PlannerTest, AlertsOfOneThingShareAnIncidentUntilAllHaveResolved) {
  step(10, {fire("LagHigh", 10, kBilling)});
  const Labels lost = kBilling.without("topic").with("severity", "warning");
  auto planned = step(20, {fire("MessagesLost", 20, lost)});
  ASSERT_THAT(planned.open, SizeIs(1));
  EXPECT_EQ(planned.changes[0].incident.title, "Consumer group billing in prod: LagHigh, MessagesLost");
  EXPECT_EQ(planned.changes[0].incident.labels, (Labels{{"cluster", "prod"}, {"consumergroup", "billing"}}));
  planned = step(30, {end("LagHigh", 30, kBilling)});
  ASSERT_THAT(planned.open, SizeIs(1));
  EXPECT_THAT(planned.changes[0].resolved, SizeIs(1));
  EXPECT_THAT(planned.changes[0].incident.cause, HasSubstr("summary of MessagesLost"))
      << "what told the cause before is over";
  planned = step(70, {end("MessagesLost", 70, lost)});
  EXPECT_THAT(planned.open, IsEmpty());
  ASSERT_THAT(planned.changes, SizeIs(1));
  EXPECT_EQ(planned.changes[0].incident.resolved_at, at(70));
  EXPECT_THAT(kinds(planned.changes[0].incident), ElementsAre("opened", "grew", "recovered", "recovered", "resolved"));
  EXPECT_EQ(planned.changes[0].incident.timeline.back().text, "resolved after 1m");
  EXPECT_EQ(planned.changes[0].incident.severity, "critical") << "as bad as it ever was";
}

TEST_F(PlannerTest, TheTimelineTellsWhatRecovered) {
  const auto check = [](const char* name) {
    return Labels{{"source", "w"}, {"dataset", "t"}, {"check", name}, {"severity", "warning"}};
  };
  step(10, {fire("TableCheckError", 10, check("max(a) < 5")), fire("TableCheckError", 10, check("row_count > 0")),
            fire("Odd", 10, {{"x", "y"}}), fire("GroupDown", 10, kBilling.without("topic"))});
  const auto planned =
      step(20, {end("TableCheckError", 20, check("max(a) < 5")), end("TableCheckError", 20, check("row_count > 0")),
                end("Odd", 20, {{"x", "y"}}), end("GroupDown", 20, kBilling.without("topic"), "deleted")});
  std::vector<std::string> texts;
  for (const IncidentChange& each : planned.changes) {
    for (const core::TimelineEntry& entry : each.incident.timeline) {
      if (entry.kind == "recovered") texts.push_back(entry.text);
    }
  }
  EXPECT_THAT(texts, testing::UnorderedElementsAre("TableCheckError of check \"max(a) < 5\", table t in w recovered",
                                                   "TableCheckError of check \"row_count > 0\", table t in w recovered",
                                                   "Odd recovered",
                                                   "GroupDown of consumer group billing in prod ended: deleted"));
}

TEST_F(PlannerTest, AlertsOfDifferentThingsDoNot) {
  const auto planned = step(10, {fire("LagHigh", 10, kBilling), fire("LagHigh", 10, kSearch)});
  EXPECT_THAT(planned.changes, SizeIs(2));
  EXPECT_NE(planned.open[0].id, planned.open[1].id);
}

TEST_F(PlannerTest, TheNextTimeIsAnotherIncident) {
  const std::string first = step(10, {fire("LagHigh", 10, kBilling)}).open[0].id;
  step(20, {end("LagHigh", 20, kBilling)});
  const auto planned = step(30, {fire("LagHigh", 30, kBilling)});
  ASSERT_THAT(planned.open, SizeIs(1));
  EXPECT_NE(planned.open[0].id, first);
}

TEST_F(PlannerTest, AnAlertThatReturnsWhileTheIncidentIsOpenGrowsItAgain) {
  const Labels other = kBilling.with("topic", "payments");
  step(10, {fire("LagHigh", 10, kBilling), fire("LagHigh", 10, other)});
  step(20, {end("LagHigh", 20, kBilling)});
  const auto planned = step(30, {fire("LagHigh", 30, kBilling)});
  const core::Incident& incident = planned.changes.at(0).incident;
  EXPECT_THAT(incident.alerts, SizeIs(2));
  EXPECT_THAT(incident.timeline.back().text, HasSubstr("fires again"));
}

TEST_F(PlannerTest, ResolvingAndFiringInOneStepKeepsItOpen) {
  step(10, {fire("LagHigh", 10, kBilling)});
  const auto planned = step(20, {end("LagHigh", 20, kBilling), fire("Other", 20, kBilling)});
  EXPECT_THAT(planned.open, SizeIs(1));
}

TEST_F(PlannerTest, TheSameTransitionsAgainChangeNothing) {
  step(10, {fire("LagHigh", 10, kBilling)});
  EXPECT_THAT(step(11, {fire("LagHigh", 10, kBilling)}).changes, IsEmpty());
  EXPECT_THAT(step(12, {end("Unknown", 12, kBilling)}).changes, IsEmpty());
  EXPECT_THAT(step(13, {}).changes, IsEmpty());
  EXPECT_THAT(open_, SizeIs(1));
}

TEST_F(PlannerTest, AnIncidentOpenSinceBeforeARestartGoesOn) {
  step(10, {fire("LagHigh", 10, kBilling)});
  // All that storage gives back is the incident itself.
  const auto planned = step(20, {end("LagHigh", 20, kBilling, "deleted")});
  ASSERT_THAT(planned.changes, SizeIs(1));
  EXPECT_FALSE(planned.changes[0].incident.open());
  EXPECT_EQ(planned.changes[0].incident.timeline.at(1).text,
            "LagHigh of topic orders, consumer group billing in prod ended: deleted");
}

TEST_F(PlannerTest, EventsAboutTheThingEnterTheTimelineOnceAndInOrder) {
  events_.push_back(
      {at(5), "group_rebalanced", Labels{{"cluster", "prod"}, {"consumergroup", "billing"}}, "rebalanced"});
  events_.push_back({at(6), "group_rebalanced", Labels{{"cluster", "prod"}, {"consumergroup", "search"}}, "another's"});
  events_.push_back(
      {at(-700), "group_rebalanced", Labels{{"cluster", "prod"}, {"consumergroup", "billing"}}, "long ago"});
  auto planned = step(10, {fire("LagHigh", 10, kBilling)});
  EXPECT_THAT(kinds(planned.changes.at(0).incident), ElementsAre("event", "opened"));
  EXPECT_THAT(step(11, {}).changes, IsEmpty());
  events_.push_back({at(12), "x", Labels{{"cluster", "prod"}, {"consumergroup", "billing"}, {"more", "1"}}, "later"});
  planned = step(12, {});
  EXPECT_THAT(kinds(planned.changes.at(0).incident), ElementsAre("event", "opened", "event"));
}

TEST_F(PlannerTest, WhatAProcessBeforeSawAndThisOneSeesAgainIsNoSecondEntry) {
  const Labels about{{"cluster", "prod"}, {"consumergroup", "billing"}};
  events_ = {{at(5), "task_failed", about, "task 0 failed"}};
  step(10, {fire("LagHigh", 10, kBilling)});
  events_ = {{at(8), "task_failed", about, "task 0 failed"}};  // as the one that stood by saw it
  began_ = at(100);
  EXPECT_THAT(step(100, {}).changes, IsEmpty());
  events_.push_back({at(103), "task_failed", about, "task 0 failed"});  // of its first cycle
  EXPECT_THAT(step(103, {}).changes, IsEmpty());
  step(110, {fire("Other", 110, kBilling)});
  EXPECT_THAT(kinds(open_.at(0)), ElementsAre("event", "opened", "grew")) << "nor once other things have happened";
  events_.push_back({at(120), "task_failed", about, "task 0 failed"});
  step(120, {});
  EXPECT_THAT(kinds(open_.at(0)), ElementsAre("event", "opened", "grew", "event")) << "it has failed anew";
}

TEST_F(PlannerTest, WhatHappensAgainLongAfterAStartIsAnEntryThoughNothingElseHasHappened) {
  const Labels about{{"cluster", "prod"}, {"consumergroup", "billing"}};
  events_ = {{at(5), "task_failed", about, "task 0 failed"}};
  step(10, {fire("LagHigh", 10, kBilling)});
  began_ = at(100);
  events_.push_back({at(7'000), "task_failed", about, "task 0 failed"});
  step(7'000, {});
  EXPECT_THAT(kinds(open_.at(0)), ElementsAre("event", "opened", "event"));
}

TEST_F(PlannerTest, ATimelineIsBoundedButItsEndIsKept) {
  step(0, {fire("Base", 0, kBilling), fire("LagHigh", 0, kBilling)});
  for (int i = 1; i < 600; ++i) {
    step(i, {end("LagHigh", i, kBilling)});
    step(i, {fire("LagHigh", i, kBilling)});
  }
  const auto planned = step(700, {end("LagHigh", 700, kBilling), end("Base", 700, kBilling)});
  const core::Incident& incident = planned.changes.at(0).incident;
  EXPECT_LE(incident.timeline.size(), 501U);
  EXPECT_EQ(incident.timeline.back().kind, "resolved");
  EXPECT_EQ(incident.timeline.front().kind, "opened");
}

TEST_F(PlannerTest, AlertsPastTheBoundGiveWayOnlyWhenTheyHaveEnded) {
  std::vector<core::Transition> storm;
  for (int i = 0; i < 1500; ++i) storm.push_back(fire("P", 0, kBilling.with("partition", std::to_string(i))));
  auto planned = step(0, storm);
  EXPECT_THAT(planned.open.at(0).alerts, SizeIs(1500)) << "all of them fire";
  for (core::Transition& t : storm) t = end("P", 1, t.alert.labels.without("alertname"));
  planned = step(1, storm);
  EXPECT_THAT(planned.open, IsEmpty());
}

/// An incident is open exactly while one of its alerts fires, whatever comes in whatever order.
TEST_F(PlannerTest, IsOpenExactlyWhileSomethingFires) {
  std::mt19937 random(7);
  const std::vector<Labels> things{kBilling, kBilling.with("topic", "payments"), kSearch,
                                   Labels{{"source", "w"}, {"dataset", "t"}, {"check", "c"}}, Labels{{"odd", "1"}}};
  std::set<std::pair<std::string, std::string>> firing;  // key, labels
  for (int i = 0; i < 2000; ++i) {
    std::vector<core::Transition> transitions;
    for (unsigned n = random() % 4; n > 0; --n) {
      const Labels& labels = things[random() % things.size()];
      const std::pair<std::string, std::string> id{subject_of(labels.with("alertname", "A")).key(), labels.to_string()};
      const bool on = !firing.contains(id);
      transitions.push_back(on ? fire("A", i, labels) : end("A", i, labels));
      if (on) {
        firing.insert(id);
      } else {
        firing.erase(id);
      }
    }
    step(i, transitions);
    std::set<std::string> expected;
    for (const auto& [key, labels] : firing) expected.insert(key);
    std::set<std::string> keys;
    for (const core::Incident& incident : open_) {
      EXPECT_TRUE(keys.insert(incident.key).second) << "two open incidents of one thing";
      EXPECT_TRUE(std::ranges::any_of(incident.alerts, [](const auto& a) { return a.state == AlertState::firing; }));
    }
    ASSERT_EQ(keys, expected) << "step " << i;
  }
}

TEST(SubjectOf, TheThingIsToldByTheLabels) {
  EXPECT_EQ(subject_of(kBilling).text(), "consumer group billing in prod");
  EXPECT_EQ(subject_of({{"cluster", "prod"}, {"topic", "orders"}}).text(), "topic orders in prod");
  EXPECT_EQ(subject_of({{"cluster", "prod"}, {"consumergroup", " "}}).text(), "consumer group \" \" in prod");
  EXPECT_EQ(subject_of({{"registry", "main"}, {"subject", "S"}}).text(), "subject S in main");
  EXPECT_EQ(subject_of({{"source", "w"}, {"dataset", "t"}, {"check", "c"}}).text(), "table t in w");
  EXPECT_EQ(subject_of({{"collector", "kafka/prod"}}).text(), "collector kafka/prod");
  EXPECT_EQ(subject_of({{"cluster", "prod"}}).text(), "cluster prod");
  EXPECT_EQ(subject_of({{"alertname", "Odd"}, {"x", "y"}}).text(), "alert Odd");
}

TEST(SubjectOf, KeysCannotBeConfusedByLabelValues) {
  EXPECT_NE(subject_of({{"cluster", "a"}, {"topic", "b\",c=\"d"}}).key(),
            subject_of({{"cluster", "a\",c=\"b"}, {"topic", "d"}}).key());
  EXPECT_NE(subject_of({{"cluster", "a"}, {"topic", "b"}}).key(), subject_of({{"cluster", "b"}, {"topic", "a"}}).key());
}

TEST(Severity, OtherSitesWordsAreUnderstood) {
  EXPECT_EQ(severity_name(severity_rank("critical")), "critical");
  EXPECT_EQ(severity_name(severity_rank("page")), "critical");
  EXPECT_EQ(severity_name(severity_rank("ticket")), "warning");
  EXPECT_EQ(severity_name(severity_rank("info")), "info");
  EXPECT_EQ(severity_name(severity_rank("")), "info");
}

TEST(IncidentId, DependsOnKeyAndMomentOnly) {
  EXPECT_EQ(incident_id("a", at(1)), incident_id("a", at(1)));
  EXPECT_NE(incident_id("a", at(1)), incident_id("a", at(2)));
  EXPECT_NE(incident_id("a", at(1)), incident_id("b", at(1)));
}

}  // namespace
}  // namespace weir::incidents
