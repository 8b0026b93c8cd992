#include "incidents/root.h"

#include <deque>
#include <gmock/gmock.h>
#include <map>
#include <set>

#include "incidents/lifecycle.h"
#include "incidents/planner.h"
#include "incidents/subject.h"
#include "rules/memory_source.h"

namespace weir::incidents {
namespace {

using core::AlertState;
using core::Labels;
using core::Node;
using test::at;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

/// A graph of named ways.
class Ways : public Upstream {
 public:
  void way(Node from, Node to) {
    down_[from].push_back(to);
    up_[std::move(to)].push_back(std::move(from));
  }
  Node canonical(const Node& node) const override {
    return node.name == "fct_orders" ? Node{"table", node.place, "public.fct_orders"} : node;
  }
  std::vector<Node> upstream(const Node& node) const override { return reach(up_, node); }
  std::vector<Node> downstream(const Node& node) const override { return reach(down_, node); }

 private:
  using Next = std::map<Node, std::vector<Node>>;
  static std::vector<Node> reach(const Next& next, const Node& start) {
    std::vector<Node> found;
    std::set<Node> seen{start};
    std::deque<Node> todo{start};
    while (!todo.empty()) {
      const auto after = next.find(todo.front());
      todo.pop_front();
      if (after == next.end()) continue;
      for (const Node& node : after->second) {
        if (!seen.insert(node).second) continue;
        found.push_back(node);
        todo.push_back(node);
      }
    }
    return found;
  }
  Next up_;
  Next down_;
};

core::Transition change(const std::string& rule, AlertState from, AlertState to, double seconds, const Labels& labels) {
  core::Transition transition;
  transition.alert.rule = rule;
  transition.alert.labels = labels.with("alertname", rule);
  transition.alert.fingerprint = transition.alert.labels.hash();
  transition.alert.state = to;
  transition.alert.active_at = at(seconds);
  if (to == AlertState::inactive) transition.alert.resolved_at = at(seconds);
  transition.from = from;
  transition.to = to;
  transition.at = at(seconds);
  return transition;
}
core::Transition fire(const std::string& rule, double seconds, const Labels& labels) {
  return change(rule, AlertState::pending, AlertState::firing, seconds, labels);
}
core::Transition end(const std::string& rule, double seconds, const Labels& labels) {
  return change(rule, AlertState::firing, AlertState::inactive, seconds, labels);
}

const Labels kGroup{{"cluster", "prod"}, {"consumergroup", "loader"}, {"topic", "orders"}, {"severity", "critical"}};
const Labels kTable{{"source", "w"}, {"dataset", "fct_orders"}, {"check", "row_count > 0"}, {"severity", "critical"}};
const Labels kReport{{"source", "w"}, {"dataset", "daily"}, {"check", "freshness < 1h"}, {"severity", "critical"}};
const Node kGroupNode{"consumer group", "prod", "loader"};
const Node kTableNode{"table", "w", "public.fct_orders"};
const Node kReportNode{"table", "w", "daily"};

class RootTest : public testing::Test {
 protected:
  RootTest() {
    ways_.way({"topic", "prod", "orders"}, kGroupNode);
    ways_.way(kGroupNode, kTableNode);
    ways_.way(kTableNode, kReportNode);
  }
  IncidentPlan step(double seconds, const std::vector<core::Transition>& transitions) {
    IncidentPlan planned = plan(std::move(open_), transitions, events_, source_, at(seconds), {}, &ways_);
    open_ = planned.open;
    return planned;
  }
  /// The group's consumers are gone.
  void down() {
    for (double s = 0; s < 600; s += 15)
      source_.add(Labels::metric("kafka_consumergroup_members", {{"cluster", "prod"}, {"consumergroup", "loader"}}),
                  at(s), 0);
  }
  void weak(const char* topic) {
    for (double s = 0; s < 600; s += 15) {
      source_.add(Labels::metric("kafka_topic_under_replicated_partitions", {{"cluster", "prod"}, {"topic", topic}}),
                  at(s), 2);
    }
  }
  void brokers_leave() {
    for (double s = 0; s < 600; s += 15)
      source_.add(Labels::metric("kafka_brokers", {{"cluster", "prod"}}), at(s), s < 60 ? 3 : 2);
  }
  static std::vector<std::string> rules(const core::Incident& incident) {
    std::vector<std::string> names;
    for (const core::Alert& alert : incident.alerts) names.push_back(alert.rule);
    return names;
  }
  static std::vector<std::string> kinds(const core::Incident& incident) {
    std::vector<std::string> kinds;
    for (const core::TimelineEntry& entry : incident.timeline) kinds.push_back(entry.kind);
    return kinds;
  }

  Ways ways_;
  test::MemorySource source_;
  std::vector<core::Event> events_;
  std::vector<core::Incident> open_;
};

TEST_F(RootTest, WhatIsDownstreamJoinsTheIncidentOfItsRoot) {
  down();
  step(100, {fire("LagHigh", 100, kGroup)});
  const auto planned = step(160, {fire("TableCheckFailed", 160, kTable), fire("TableCheckFailed", 160, kReport)});
  ASSERT_THAT(planned.open, SizeIs(1));
  const core::Incident& incident = planned.open[0];
  EXPECT_EQ(incident.title, "Consumer group loader in prod: LagHigh, TableCheckFailed");
  EXPECT_THAT(incident.cause, HasSubstr("has no members"));
  EXPECT_EQ(incident.reasons.hypothesis, "consumer_down");
  EXPECT_EQ(incident.reasons.origin, kGroupNode);
  EXPECT_THAT(incident.reasons.affected, ElementsAre(kTableNode, kReportNode));
  EXPECT_THAT(incident.reasons.evidence, Contains(HasSubstr("kafka_consumergroup_members{")));
  EXPECT_THAT(kinds(incident), ElementsAre("opened", "grew", "grew"));
  EXPECT_THAT(planned.changes, SizeIs(1)) << "nobody ever heard of the others";
}

TEST_F(RootTest, ARootThatIsSeenLaterTakesTheIncidentOver) {
  down();
  const auto first = step(100, {fire("TableCheckFailed", 100, kTable)});
  const std::string id = first.open.at(0).id;
  EXPECT_EQ(first.open[0].reasons.origin, kTableNode);
  const auto planned = step(160, {fire("LagHigh", 160, kGroup)});
  ASSERT_THAT(planned.open, SizeIs(1));
  const core::Incident& incident = planned.open[0];
  EXPECT_EQ(incident.id, id) << "re-rooted, not doubled";
  EXPECT_EQ(incident.reasons.origin, kGroupNode);
  EXPECT_EQ(incident.key, subject_of(kGroup).key());
  EXPECT_THAT(incident.title, HasSubstr("Consumer group loader in prod: LagHigh"));
  EXPECT_THAT(incident.cause, HasSubstr("has no members"));
  EXPECT_THAT(kinds(incident), ElementsAre("opened", "cause", "grew", "cause")) << "the first cause is kept";
  EXPECT_EQ(incident.timeline[1].text, first.open[0].cause);
  EXPECT_EQ(incident.labels.get("consumergroup"), "loader");
}

TEST_F(RootTest, TwoOpenIncidentsThatTurnOutToBeOneAreMerged) {
  step(100, {fire("TableCheckFailed", 100, kReport)});
  step(130, {fire("LagHigh", 130, kGroup.with("consumergroup", "other"))});
  ASSERT_THAT(open_, SizeIs(2));
  // Now somebody tells the graph what it did not know.
  ways_.way({"consumer group", "prod", "other"}, kReportNode);
  const auto planned = step(160, {fire("Stalled", 160, kGroup.with("consumergroup", "other"))});
  ASSERT_THAT(planned.open, SizeIs(1));
  EXPECT_THAT(rules(planned.open[0]), ElementsAre("TableCheckFailed", "LagHigh", "Stalled"));
  ASSERT_THAT(planned.changes, SizeIs(2));
  const core::Incident& over = planned.changes[1].incident;
  EXPECT_EQ(over.handling.merged_into, planned.open[0].id);
  EXPECT_EQ(over.resolved_at, at(160));
  EXPECT_EQ(over.timeline.back().kind, "resolved");
  EXPECT_EQ(planned.open[0].opened_at, at(100)) << "the older goes on";
}

TEST_F(RootTest, IndependentFaultsAtOnceStayTwo) {
  down();
  const Labels other{{"cluster", "prod"}, {"consumergroup", "search"}, {"topic", "clicks"}};
  const Labels lone{{"source", "w"}, {"dataset", "customers"}, {"check", "row_count > 0"}};
  step(100, {fire("LagHigh", 100, kGroup), fire("LagHigh", 100, other), fire("TableCheckFailed", 100, lone)});
  EXPECT_THAT(open_, SizeIs(3)) << "the same cluster and the same moment say nothing";
}

TEST_F(RootTest, SiblingsOfOneTopicAreNotEachOthersCause) {
  ways_.way({"topic", "prod", "orders"}, {"consumer group", "prod", "search"});
  step(100, {fire("LagHigh", 100, kGroup), fire("LagHigh", 100, kGroup.with("consumergroup", "search"))});
  EXPECT_THAT(open_, SizeIs(2));
}

TEST_F(RootTest, AChangedSettingOfATopicExplainsNoGroup) {
  down();
  step(100, {fire("ConfigChanged", 100, {{"cluster", "prod"}, {"topic", "orders"}}), fire("LagHigh", 100, kGroup)});
  EXPECT_THAT(open_, SizeIs(2)) << "connected, but the one does not lead to the other";
}

TEST_F(RootTest, WhatBeganLongBeforeOrMuchLaterIsAnotherFault) {
  step(100, {fire("TableCheckFailed", 100, kTable)});
  step(100 + 3600, {fire("LagHigh", 100 + 3600, kGroup)});
  EXPECT_THAT(open_, SizeIs(2)) << "an hour later";
  step(100 + 100'000, {fire("TableCheckFailed", 100 + 100'000, kReport)});
  EXPECT_THAT(open_, SizeIs(3)) << "more than a day after both";
}

TEST_F(RootTest, ABrokerThatIsGoneIsOneIncidentOfItsCluster) {
  brokers_leave();
  for (const char* topic : {"orders", "clicks", "users"}) weak(topic);
  std::vector<core::Transition> alerts;
  for (const char* topic : {"orders", "clicks", "users"})
    alerts.push_back(fire("UnderReplicated", 120, {{"cluster", "prod"}, {"topic", topic}}));
  step(120, alerts);
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].title, "Cluster prod: UnderReplicated");
  EXPECT_EQ(open_[0].reasons.hypothesis, "broker_gone");
  EXPECT_EQ(open_[0].reasons.origin, (Node{"cluster", "", "prod"}));
  EXPECT_THAT(inhibitions(open_[0], &ways_), IsEmpty()) << "each of them may be the first to be told";
  step(150, {fire("UnderReplicated", 150, {{"cluster", "staging"}, {"topic", "orders"}})});
  EXPECT_THAT(open_, SizeIs(2)) << "another cluster";
}

TEST_F(RootTest, ALagOnAWeakTopicBelongsToTheBrokerButNotAGroupThatIsDown) {
  brokers_leave();
  weak("orders");
  step(120, {fire("UnderReplicated", 120, {{"cluster", "prod"}, {"topic", "orders"}})});
  const Labels labels{{"cluster", "prod"}, {"consumergroup", "slow"}, {"topic", "orders"}};
  for (double s = 0; s < 600; s += 15) {
    source_.add(labels.with(core::kMetricName, "kafka_consumergroup_current_offset"), at(s), 500);
    source_.add(labels.with(core::kMetricName, "kafka_consumergroup_lag"), at(s), 10 * s);
  }
  step(180, {fire("LagHigh", 150, labels), fire("LagHigh", 150, labels.with("topic", "payments"))});
  ASSERT_THAT(open_, SizeIs(1)) << "one group, one incident";
  EXPECT_EQ(open_[0].title, "Cluster prod: UnderReplicated, LagHigh");
}

TEST_F(RootTest, TheOwnLinkExplainsWhatCannotBeEvaluated) {
  const Labels error{{"source", "w"}, {"dataset", "fct_orders"}, {"check", "c"}};
  for (const char* table : {"fct_orders", "daily"}) {
    source_.add(Labels::metric("weir_check_status", {{"source", "w"}, {"dataset", table}, {"check", "c"}}), at(100), 3);
  }
  source_.add(Labels::metric("weir_collector_success", {{"collector", "checks/w"}}), at(100), 0);
  step(100, {fire("WeirCollectorFailing", 100, {{"collector", "checks/w"}}), fire("TableCheckError", 100, error),
             fire("TableCheckError", 100, error.with("dataset", "daily"))});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].reasons.hypothesis, "own_link_down");
  EXPECT_EQ(open_[0].reasons.origin, (Node{"collector", "", "checks/w"}));
}

TEST_F(RootTest, ACollectorThatFailsForOneTableConnectsNoOthers) {
  const auto status = [&](const char* table, double value) {
    source_.add(Labels::metric("weir_check_status", {{"source", "w"}, {"dataset", table}, {"check", "c"}}), at(100),
                value);
  };
  const auto check = [](const char* table) { return Labels{{"source", "w"}, {"dataset", table}, {"check", "c"}}; };
  status("daily", 3);
  status("users", 2);
  source_.add(Labels::metric("weir_collector_success", {{"collector", "checks/w"}}), at(100), 0);
  step(100, {fire("TableCheckError", 100, check("daily")), fire("TableCheckFailed", 100, check("users")),
             fire("WeirCollectorFailing", 100, {{"collector", "checks/w"}})});
  ASSERT_THAT(open_, SizeIs(2));
  EXPECT_THAT(rules(open_[0]), ElementsAre("TableCheckError", "WeirCollectorFailing"));
  EXPECT_EQ(open_[0].reasons.origin, kReportNode);
  EXPECT_THAT(rules(open_[1]), ElementsAre("TableCheckFailed"));
}

TEST_F(RootTest, WhatIsDownstreamIsNotToldWhileItsRootFires) {
  down();
  step(100, {fire("LagHigh", 100, kGroup), fire("TableCheckFailed", 100, kTable)});
  const auto found = inhibitions(open_.at(0), &ways_);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].alert->rule, "TableCheckFailed");
  EXPECT_THAT(found[0].by, ElementsAre(kGroup.with("alertname", "LagHigh").hash()));
  step(200, {end("LagHigh", 200, kGroup)});
  EXPECT_THAT(inhibitions(open_.at(0), &ways_), IsEmpty());
}

TEST_F(RootTest, AWarningInhibitsNothingCritical) {
  down();
  step(100, {fire("LagHigh", 100, kGroup.with("severity", "warning")), fire("TableCheckFailed", 100, kTable)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_THAT(inhibitions(open_[0], &ways_), IsEmpty()) << "whoever is paged must hear of it";
}

TEST_F(RootTest, WhenTheRootIsOverTheIncidentIsAboutWhatIsLeft) {
  down();
  step(100, {fire("LagHigh", 100, kGroup), fire("TableCheckFailed", 100, kTable.with("severity", "warning"))});
  const std::string first = open_.at(0).cause;
  EXPECT_EQ(open_[0].severity, "critical");
  step(200, {end("LagHigh", 200, kGroup)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].reasons.origin, kTableNode);
  EXPECT_EQ(open_[0].title, "Table fct_orders in w: TableCheckFailed");
  EXPECT_EQ(open_[0].severity, "warning");
  EXPECT_EQ(open_[0].labels, kTable.without("severity"));
  EXPECT_THAT(open_[0].cause, StartsWith("Not known yet; it concerns table fct_orders in w."));
  EXPECT_THAT(open_[0].cause, HasSubstr("Until 2023-11-14T22:16:40.000Z the cause was another: " + first));
  EXPECT_THAT(kinds(open_[0]), ElementsAre("opened", "grew", "recovered")) << "it may heal";
  step(200 + 1200, {});
  EXPECT_THAT(open_[0].cause, Not(HasSubstr("Until"))) << "20 minutes later it has a reason of its own";
  ASSERT_THAT(kinds(open_[0]), ElementsAre("opened", "grew", "cause", "recovered", "cause"));
  EXPECT_EQ(open_[0].timeline[4].text, "Not known yet; it concerns table fct_orders in w.");
  EXPECT_EQ(open_[0].timeline[2].text, first) << "the root stays in the timeline";
  const auto over = step(1500, {end("TableCheckFailed", 1500, kTable.with("severity", "warning"))});
  EXPECT_THAT(over.open, IsEmpty());
  EXPECT_EQ(over.ended.at(0).severity, "critical") << "of what is over the highest that it had";
  EXPECT_EQ(over.ended[0].reasons.origin, kTableNode);
}

TEST_F(RootTest, WhatHealsAfterItsRootLeavesTheRootsCauseBehind) {
  down();
  step(100, {fire("LagHigh", 100, kGroup), fire("TableCheckFailed", 100, kTable)});
  const std::string first = open_.at(0).cause;
  step(200, {end("LagHigh", 200, kGroup)});
  EXPECT_EQ(open_.at(0).reasons.origin, kTableNode);
  const auto over = step(260, {end("TableCheckFailed", 260, kTable)});
  ASSERT_THAT(over.ended, SizeIs(1));
  EXPECT_EQ(over.ended[0].reasons.origin, kGroupNode);
  EXPECT_EQ(over.ended[0].cause, first);
  EXPECT_EQ(over.ended[0].title, "Consumer group loader in prod: LagHigh, TableCheckFailed");
}

TEST_F(RootTest, WhatIsWorseThanTheOriginAndHasNothingToDoWithItIsTheRoot) {
  const Labels letters{{"cluster", "prod"}, {"topic", "orders.dlt"}, {"severity", "warning"}};
  const Labels group = kGroup.with("severity", "warning");
  step(100, {fire("KafkaDeadLetterMessages", 100, letters)});
  down();
  step(110, {fire("LagHigh", 110, group), fire("TableCheckFailed", 111, kTable)});
  ASSERT_THAT(open_, SizeIs(2));
  auto merged = merge(open_[1], open_[0], "ann", at(120));
  ASSERT_TRUE(merged) << merged.error().describe();
  open_ = {merged->into};
  step(130, {});
  EXPECT_EQ(open_.at(0).reasons.origin, kGroupNode) << "where the critical one comes from";
  EXPECT_THAT(open_[0].title, StartsWith("Consumer group loader in prod: "));
  step(230, {end("TableCheckFailed", 230, kTable), end("LagHigh", 230, group)});
  EXPECT_EQ(open_.at(0).title, "Topic orders.dlt in prod: KafkaDeadLetterMessages");
  step(300, {fire("LagHigh", 300, group), fire("TableCheckFailed", 300, kTable)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].reasons.origin, kGroupNode) << "again";
}

TEST_F(RootTest, SoItIsWhereBothHaveTheSameCause) {
  step(100, {fire("TableCheckFailed", 100, kTable), fire("TableCheckFailed", 101, kReport)});
  ASSERT_EQ(open_.at(0).reasons.origin, kTableNode);
  step(200, {end("TableCheckFailed", 200, kTable)});
  EXPECT_EQ(open_.at(0).reasons.origin, kReportNode);
  EXPECT_EQ(step(260, {end("TableCheckFailed", 260, kReport)}).ended.at(0).reasons.origin, kTableNode);
}

TEST_F(RootTest, WhatFiresAnewAfterTheRootIsNoHealing) {
  down();
  step(100, {fire("LagHigh", 100, kGroup), fire("TableCheckFailed", 100, kTable)});
  step(200, {end("LagHigh", 200, kGroup)});
  step(230, {fire("TableCheckFailed", 230, kTable.with("check", "missing_count(id) = 0"))});
  EXPECT_THAT(open_.at(0).cause, Not(HasSubstr("Until")));
  const auto over = step(260, {end("TableCheckFailed", 260, kTable),
                               end("TableCheckFailed", 260, kTable.with("check", "missing_count(id) = 0"))});
  EXPECT_EQ(over.ended.at(0).reasons.origin, kTableNode);
}

TEST_F(RootTest, ARootThatFiresAgainIsTheRootAgain) {
  down();
  step(100, {fire("LagHigh", 100, kGroup), fire("TableCheckFailed", 100, kTable)});
  step(200, {end("LagHigh", 200, kGroup)});
  ASSERT_EQ(open_.at(0).reasons.origin, kTableNode);
  step(300, {fire("LagHigh", 290, kGroup)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].reasons.origin, kGroupNode);
  EXPECT_EQ(open_[0].title, "Consumer group loader in prod: LagHigh, TableCheckFailed");
  EXPECT_THAT(inhibitions(open_[0], &ways_), SizeIs(1));
}

TEST_F(RootTest, OfWhatIsLeftTheMostUpstreamIsTheRoot) {
  down();
  ways_.way(kTableNode, {"table", "w", "weekly"});
  const Labels weekly = kReport.with("dataset", "weekly");
  step(100,
       {fire("TableCheckFailed", 100, weekly), fire("TableCheckFailed", 101, kTable), fire("LagHigh", 102, kGroup)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].reasons.origin, kGroupNode);
  step(200, {end("LagHigh", 200, kGroup)});
  EXPECT_EQ(open_.at(0).reasons.origin, kTableNode) << "not the first of the list";
}

TEST_F(RootTest, ACauseWhoseAlertIsOverGivesWayToAnotherOfTheSameThing) {
  const Labels lost = kGroup.with("severity", "warning");
  for (double s = 0; s < 600; s += 15) {
    const Labels labels = kGroup.without("severity");
    source_.add(labels.with(core::kMetricName, "kafka_consumergroup_messages_lost"), at(s), s < 150 ? 40 : 0);
    source_.add(labels.with(core::kMetricName, "kafka_consumergroup_current_offset"), at(s), s);
    source_.add(labels.with(core::kMetricName, "kafka_consumergroup_lag"), at(s), 10 * s);
  }
  core::Transition first = fire("KafkaMessagesLost", 100, lost);
  step(140, {first, fire("LagHigh", 100, kGroup)});
  EXPECT_EQ(open_.at(0).reasons.hypothesis, "messages_deleted_unread");
  step(160, {});
  EXPECT_EQ(open_.at(0).reasons.hypothesis, "messages_deleted_unread") << "as long as its alert fires";
  step(200, {end("KafkaMessagesLost", 200, lost)});
  EXPECT_EQ(open_.at(0).reasons.hypothesis, "consumer_too_slow");
  EXPECT_EQ(open_[0].title, "Consumer group loader in prod: LagHigh");
  EXPECT_EQ(open_[0].severity, "critical");
}

TEST_F(RootTest, AnIncidentMadeOfTwoFollowsTheOneThatFires) {
  const Labels other{{"cluster", "prod"}, {"consumergroup", "search"}, {"topic", "clicks"}, {"severity", "warning"}};
  step(100, {fire("LagHigh", 100, kGroup)});
  step(110, {fire("LagHigh", 110, other)});
  ASSERT_THAT(open_, SizeIs(2));
  const auto merged = merge(open_[1], open_[0], "ann", at(120));
  ASSERT_TRUE(merged);
  open_ = {merged->into};
  step(200, {end("LagHigh", 200, kGroup)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].title, "Consumer group search in prod: LagHigh");
  EXPECT_EQ(open_[0].labels, other.without("severity"));
  EXPECT_EQ(open_[0].severity, "warning");
}

TEST_F(RootTest, WhatACauseNamedGivesWayWhenItsAlertsAreOver) {
  brokers_leave();
  weak("orders");
  const Labels topic{{"cluster", "prod"}, {"topic", "orders"}, {"severity", "critical"}};
  const Labels slow{{"cluster", "prod"}, {"consumergroup", "slow"}, {"topic", "orders"}, {"severity", "warning"}};
  for (double s = 0; s < 900; s += 15) {
    source_.add(slow.without("severity").with(core::kMetricName, "kafka_consumergroup_current_offset"), at(s), s);
    source_.add(slow.without("severity").with(core::kMetricName, "kafka_consumergroup_lag"), at(s), 10 * s);
  }
  step(120, {fire("UnderReplicated", 120, topic), fire("LagHigh", 120, slow)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].reasons.origin, (Node{"cluster", "", "prod"}));
  source_.add(Labels::metric("kafka_brokers", {{"cluster", "prod"}}), at(601), 3);
  source_.add(Labels::metric("kafka_topic_under_replicated_partitions", {{"cluster", "prod"}, {"topic", "orders"}}),
              at(601), 0);
  step(610, {end("UnderReplicated", 610, topic)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].reasons.origin, (Node{"consumer group", "prod", "slow"}));
  EXPECT_EQ(open_[0].title, "Consumer group slow in prod: LagHigh");
  EXPECT_THAT(open_[0].cause, HasSubstr("is too slow"));
}

TEST_F(RootTest, WhatComesBackDownstreamAfterwardsIsItsOwn) {
  down();
  step(100, {fire("LagHigh", 100, kGroup), fire("TableCheckFailed", 100, kTable)});
  const auto planned = step(200, {end("LagHigh", 200, kGroup), end("TableCheckFailed", 200, kTable)});
  EXPECT_THAT(planned.open, IsEmpty());
  step(300, {fire("TableCheckFailed", 300, kTable)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].reasons.origin, kTableNode);
}

TEST_F(RootTest, ABrokenPromiseOfAPipelineIsAPartOfWhatIsAtFaultInIt) {
  down();
  const Labels pipeline{{"pipeline", "orders"}, {"severity", "critical"}};
  ways_.way(kGroupNode, {"pipeline", "", "orders"});
  step(100, {fire("GroupDown", 100, kGroup.without("topic"))});
  step(4000, {fire("PipelineLatencySlaBroken", 4000, pipeline)});
  ASSERT_THAT(open_, SizeIs(1)) << "an older incident of the group";
  EXPECT_EQ(open_[0].reasons.origin, kGroupNode);
  EXPECT_THAT(open_[0].reasons.affected, Contains(Node{"pipeline", "", "orders"}));
  EXPECT_THAT(inhibitions(open_[0], &ways_), SizeIs(1));
}

TEST_F(RootTest, APipelineThatWasSeenFirstIsRerootedWhereTheFaultIs) {
  down();
  const Labels pipeline{{"pipeline", "orders"}, {"severity", "critical"}};
  ways_.way(kGroupNode, {"pipeline", "", "orders"});
  const auto first = step(100, {fire("PipelineLatencySlaBroken", 100, pipeline)});
  EXPECT_EQ(first.open.at(0).title, "Pipeline orders: PipelineLatencySlaBroken");
  step(300, {fire("GroupDown", 290, kGroup)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].id, first.open[0].id);
  EXPECT_EQ(open_[0].reasons.origin, kGroupNode);
  EXPECT_EQ(open_[0].title, "Consumer group loader in prod: GroupDown, PipelineLatencySlaBroken");
}

TEST_F(RootTest, WhatAPipelineIsBlamedOnIsOneWithItHoweverLateItsOwnAlertComes) {
  const Labels pipeline{{"pipeline", "orders"}, {"severity", "critical"}};
  for (double s = 0; s < 6000; s += 15) {
    source_.add(Labels::metric("weir_pipeline_sla_seconds", {{"pipeline", "orders"}, {"sla", "latency"}}), at(s), 60);
    source_.add(Labels::metric("weir_pipeline_latency_seconds", {{"pipeline", "orders"}}), at(s), s);
    source_.add(Labels::metric("weir_pipeline_slowest_group_seconds",
                               {{"pipeline", "orders"}, {"cluster", "prod"}, {"consumergroup", "loader"}}),
                at(s), s);
  }
  step(100, {fire("PipelineLatencySlaBroken", 100, pipeline)});
  EXPECT_EQ(open_.at(0).title, "Consumer group loader in prod: PipelineLatencySlaBroken");
  step(5000, {fire("LagHigh", 5000, kGroup)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].title, "Consumer group loader in prod: LagHigh, PipelineLatencySlaBroken");
}

TEST_F(RootTest, AGraphThatGoesInACircleHasItsRootWhereItBegan) {
  ways_.way(kReportNode, kTableNode);
  step(100, {fire("TableCheckFailed", 100, kReport)});
  step(120, {fire("TableCheckFailed", 120, kTable)});
  ASSERT_THAT(open_, SizeIs(1));
  EXPECT_EQ(open_[0].reasons.origin, kReportNode);
}

TEST_F(RootTest, NumbersOfTheCauseFollowTheData) {
  const Labels letters{{"cluster", "prod"}, {"topic", "orders.dlt"}};
  source_.add(letters.with(core::kMetricName, "kafka_dead_letter_messages"), at(100), 2);
  step(100, {fire("DeadLetters", 100, letters)});
  EXPECT_THAT(open_.at(0).cause, HasSubstr("now holds 2."));
  source_.add(letters.with(core::kMetricName, "kafka_dead_letter_messages"), at(115), 6);
  const auto planned = step(120, {});
  ASSERT_THAT(planned.changes, SizeIs(1));
  EXPECT_THAT(planned.open.at(0).cause, HasSubstr("now holds 6."));
  EXPECT_THAT(kinds(planned.open[0]), ElementsAre("opened")) << "numbers are no news";
  EXPECT_THAT(step(121, {}).changes, IsEmpty());
}

TEST_F(RootTest, AStormOfOneFaultIsOneIncidentAndQuick) {
  brokers_leave();
  std::vector<core::Transition> alerts;
  for (int i = 0; i < 500; ++i) {
    const std::string topic = "t" + std::to_string(i);
    weak(topic.c_str());
    alerts.push_back(fire("UnderReplicated", 120, {{"cluster", "prod"}, {"topic", topic}}));
  }
  const auto planned = step(120, alerts);
  ASSERT_THAT(planned.open, SizeIs(1));
  EXPECT_THAT(planned.open[0].alerts, SizeIs(500));
  EXPECT_THAT(planned.open[0].reasons.affected, SizeIs(50));
}

}  // namespace
}  // namespace weir::incidents
