#include "kafka/group_tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::kafka {
namespace {

using testing::ElementsAre;

class GroupTrackerTest : public testing::Test {
 protected:
  static ListedGroup listed(const std::string& id, GroupState state = GroupState::stable,
                            GroupKind kind = GroupKind::unknown, std::int32_t broker = 1) {
    return {.id = id, .state = state, .kind = kind, .broker = broker};
  }

  static Member member(const std::string& id) {
    return {.id = id, .client_id = "app", .host = "10.0.0.1", .assignment = {}};
  }

  static GroupAnswer described(GroupState state, GroupKind kind, std::optional<std::vector<Member>> members) {
    GroupAnswer answer = committed();
    answer.description = GroupDescription{state, kind, std::move(members)};
    return answer;
  }

  static GroupAnswer committed() {
    GroupAnswer answer;
    answer.broker = 1;
    answer.commits = {{0, 0, Committed::at(5)}};
    return answer;
  }

  GroupTracker& tracker() {
    if (!tracker_) tracker_.emplace(settings_);
    return *tracker_;
  }

  GroupPlan plan(std::vector<ListedGroup> groups, bool all_brokers_listed = true) {
    return tracker().plan_listed({.groups = std::move(groups), .errors = {}, .silent = {}}, {1, 2, 3},
                                 all_brokers_listed);
  }

  /// One cycle in which each group asked for has commits, and `description` where it is to be described.
  std::vector<ReadGroup> cycle(std::vector<ListedGroup> groups, const std::optional<GroupAnswer>& description = {}) {
    GroupPlan made = plan(std::move(groups));
    std::vector<GroupAnswer> answers;
    asked_.clear();
    for (const GroupQuery& query : made.queries) {
      answers.push_back(query.describe && description ? *description : committed());
      if (query.describe) asked_.push_back(query.id);
    }
    return tracker().finish(std::move(made.groups), std::move(answers));
  }

  static std::vector<std::string> ids(const GroupPlan& plan) {
    std::vector<std::string> found;
    for (const GroupQuery& query : plan.queries) found.push_back(query.id);
    return found;
  }

  ClusterSettings settings_;
  std::optional<GroupTracker> tracker_;
  std::vector<std::string> asked_;  // to be described in the last cycle
};

TEST_F(GroupTrackerTest, AGroupThatIsListedAliveAndDescribedAsDeadIsOfTheNewProtocol) {
  const auto dead = described(GroupState::dead, GroupKind::consumer, std::nullopt);
  const auto groups = cycle({listed("billing")}, dead);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].kind, GroupKind::consumer);
  EXPECT_EQ(groups[0].state, GroupState::stable);
  EXPECT_FALSE(groups[0].members);
  EXPECT_FALSE(groups[0].member_list);
  const auto empty = cycle({listed("billing", GroupState::empty)}, dead);
  EXPECT_EQ(empty[0].kind, GroupKind::consumer);
  EXPECT_EQ(empty[0].members, 0);
}

TEST_F(GroupTrackerTest, AnEmptyGroupIsDescribedOnceForItsKind) {
  const auto classic = described(GroupState::empty, GroupKind::classic, std::vector<Member>{});
  EXPECT_EQ(cycle({listed("billing", GroupState::empty)}, classic)[0].kind, GroupKind::classic);
  EXPECT_THAT(asked_, ElementsAre("billing"));
  EXPECT_EQ(cycle({listed("billing", GroupState::empty)}, classic)[0].kind, GroupKind::classic);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(GroupTrackerTest, AnAssignOnlyConsumerIsNeverDescribed) {
  const auto groups = cycle({listed("batch", GroupState::empty, GroupKind::simple)});
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(groups[0].kind, GroupKind::simple);
  EXPECT_EQ(groups[0].members, 0);
}

TEST_F(GroupTrackerTest, AGroupKeepsTheKindThatItsMembersTold) {
  const auto streams = described(GroupState::stable, GroupKind::streams, std::vector{member("a")});
  EXPECT_EQ(cycle({listed("app")}, streams)[0].kind, GroupKind::streams);
  const auto gone = described(GroupState::empty, GroupKind::classic, std::vector<Member>{});
  EXPECT_EQ(cycle({listed("app", GroupState::empty)}, gone)[0].kind, GroupKind::streams);
  const auto other = described(GroupState::stable, GroupKind::classic, std::vector{member("b")});
  EXPECT_EQ(cycle({listed("app")}, other)[0].kind, GroupKind::classic);
}

TEST_F(GroupTrackerTest, WhatAListingSaysOfTheKindCountsWhereDescriptionsSayNoMore) {
  const auto streams = described(GroupState::stable, GroupKind::streams, std::vector{member("a")});
  EXPECT_EQ(cycle({listed("app", GroupState::stable, GroupKind::classic)}, streams)[0].kind, GroupKind::streams);
  EXPECT_EQ(cycle({listed("app", GroupState::stable, GroupKind::classic)})[0].kind, GroupKind::streams);
  EXPECT_EQ(cycle({listed("app", GroupState::empty, GroupKind::consumer)})[0].kind, GroupKind::consumer);
}

TEST_F(GroupTrackerTest, MembersThatAreTheSameKeepTheirList) {
  const auto one = described(GroupState::stable, GroupKind::classic, std::vector{member("a")});
  const auto first = cycle({listed("app")}, one)[0].member_list;
  ASSERT_TRUE(first);
  EXPECT_EQ(cycle({listed("app")}, one)[0].member_list, first);
  const auto two = described(GroupState::stable, GroupKind::classic, std::vector{member("a"), member("b")});
  const auto groups = cycle({listed("app")}, two);
  EXPECT_EQ(groups[0].members, 2);
  EXPECT_EQ(groups[0].member_list->at(1).id, "b");
  EXPECT_TRUE(cycle({listed("app", GroupState::empty)})[0].member_list->empty());
}

TEST_F(GroupTrackerTest, SteadyGroupsAreDescribedByTurns) {
  const auto one = described(GroupState::stable, GroupKind::classic, std::vector{member("a")});
  std::vector<ListedGroup> many;
  for (int i = 0; i < 400; ++i) many.push_back(listed("group-" + std::to_string(1000 + i)));
  cycle(many, one);
  EXPECT_EQ(asked_.size(), 400U);  // all are new
  std::size_t turns = 0;
  for (int i = 0; i < 4; ++i) {
    cycle(many, one);
    EXPECT_LE(asked_.size(), 101U);
    turns += asked_.size();
  }
  EXPECT_EQ(turns, 400U);
}

TEST_F(GroupTrackerTest, AGroupInTroubleIsDescribedEachCycle) {
  std::vector<ListedGroup> many;
  for (int i = 0; i < 400; ++i) many.push_back(listed("group-" + std::to_string(1000 + i)));
  const auto one = described(GroupState::stable, GroupKind::classic, std::vector{member("a")});
  cycle(many, one);
  many[7].state = GroupState::preparing_rebalance;
  for (int i = 0; i < 3; ++i) {
    cycle(many, one);
    EXPECT_THAT(asked_, testing::Contains("group-1007"));
  }
}

TEST_F(GroupTrackerTest, AGroupThatTwoBrokersListIsAskedOfTheOneThatHasItAlive) {
  const GroupPlan made = plan({listed("billing", GroupState::dead, GroupKind::unknown, 1),
                               listed("billing", GroupState::stable, GroupKind::unknown, 3),
                               listed("audit", GroupState::stable, GroupKind::unknown, 2)});
  EXPECT_EQ(made.listed, 2U);
  EXPECT_THAT(ids(made), ElementsAre("audit", "billing"));
  EXPECT_THAT(made.queries[1].brokers, ElementsAre(3, 1));
  EXPECT_TRUE(made.queries[1].describe);
}

TEST_F(GroupTrackerTest, OverTheCapKnownGroupsAreKeptAndTheOthersCounted) {
  settings_.groups.max = 2;
  EXPECT_EQ(cycle({listed("m"), listed("n")}).size(), 2U);
  const GroupPlan made = plan({listed("a"), listed("b"), listed("m"), listed("n"), listed("z")});
  EXPECT_THAT(ids(made), ElementsAre("m", "n"));
  EXPECT_EQ(made.listed, 5U);
  EXPECT_EQ(made.over_cap, 3U);
}

TEST_F(GroupTrackerTest, ACapIsFilledByNameOnceThereIsRoom) {
  settings_.groups.max = 2;
  cycle({listed("m")});
  const GroupPlan made = plan({listed("b"), listed("a"), listed("m")});
  EXPECT_THAT(ids(made), ElementsAre("a", "m"));
  EXPECT_EQ(made.over_cap, 1U);
}

TEST_F(GroupTrackerTest, GroupsThatTheFilterRefusesDoNotCountAgainstTheCap) {
  settings_.groups.max = 1;
  settings_.groups.filter.deny = *Patterns::compile({"^console-"});
  const GroupPlan made = plan({listed("console-1"), listed("console-2"), listed("orders")});
  EXPECT_THAT(ids(made), ElementsAre("orders"));
  EXPECT_EQ(made.listed, 1U);
  EXPECT_EQ(made.over_cap, 0U);
}

TEST_F(GroupTrackerTest, AGroupListedNoMoreIsAskedForAndGoneWhenItHasNoCommits) {
  cycle({listed("billing"), listed("audit")});
  GroupPlan made = plan({listed("audit")});
  EXPECT_THAT(ids(made), ElementsAre("audit", "billing"));
  EXPECT_THAT(made.queries[1].brokers, ElementsAre(1, 2, 3));
  const auto left = tracker().finish(std::move(made.groups), {committed(), GroupAnswer{}});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_THAT(ids(plan({listed("audit")})), ElementsAre("audit"));
}

TEST_F(GroupTrackerTest, WhileABrokerIsSilentNoGroupIsTakenForGone) {
  cycle({listed("billing"), listed("audit")});
  GroupPlan made = plan({listed("audit")}, false);
  EXPECT_THAT(ids(made), ElementsAre("audit"));
  (void)tracker().finish(std::move(made.groups), {committed()});
  EXPECT_THAT(ids(plan({listed("audit")})), ElementsAre("audit", "billing"));
}

TEST_F(GroupTrackerTest, NamedGroupsAskSilentBrokersLast) {
  settings_.groups.named = {{"billing", {}}};
  const GroupPlan made = tracker().plan_named({1, 2, 3}, {1}, {});
  EXPECT_THAT(made.queries.at(0).brokers, ElementsAre(2, 3, 1));
}

TEST_F(GroupTrackerTest, ANamedGroupThatIsDeadIsOfTheNewProtocolOnlyIfItHasCommits) {
  settings_.groups.named = {{"billing", {}}};
  for (const bool exists : {true, false}) {
    GroupPlan made = tracker().plan_named({1}, {}, {});
    GroupAnswer dead = described(GroupState::dead, GroupKind::consumer, std::nullopt);
    if (!exists) dead.commits.clear();
    const auto groups = tracker().finish(std::move(made.groups), {dead});
    ASSERT_EQ(groups.size(), exists ? 1U : 0U);
    if (!exists) continue;
    EXPECT_EQ(groups[0].kind, GroupKind::consumer);
  }
}

TEST_F(GroupTrackerTest, ANamedGroupThatDoesNotExistIsToldOnceUntilItDoes) {
  settings_.groups.named = {{"billing", {}}};
  const auto missing_when = [&](bool exists) {
    GroupPlan made = tracker().plan_named({1}, {}, {});
    GroupAnswer answer = described(GroupState::dead, GroupKind::consumer, std::nullopt);
    if (!exists) answer.commits.clear();
    tracker().finish(std::move(made.groups), {answer});
    return tracker().take_missing();
  };
  EXPECT_THAT(missing_when(false), ElementsAre("billing"));
  EXPECT_THAT(missing_when(false), ElementsAre());
  EXPECT_THAT(missing_when(true), ElementsAre());
  EXPECT_THAT(missing_when(false), ElementsAre("billing"));
}

TEST_F(GroupTrackerTest, ANamedGroupOfConnectsWorkersIsTold) {
  settings_.groups.named = {{"connect-cluster", {}}};
  GroupPlan made = tracker().plan_named({1}, {}, {});
  const auto groups =
      tracker().finish(std::move(made.groups), {described(GroupState::unknown, GroupKind::connect, std::nullopt)});
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].kind, GroupKind::connect);
  EXPECT_EQ(groups[0].state, GroupState::unknown);
}

TEST_F(GroupTrackerTest, GroupsAreReadCommittedByTheirName) {
  settings_.groups.read_committed = *Patterns::compile({"^payments"});
  const auto groups = cycle({listed("payments-1"), listed("search")});
  EXPECT_TRUE(groups.at(0).read_committed);
  EXPECT_FALSE(groups.at(1).read_committed);
}

TEST_F(GroupTrackerTest, AGroupInTroubleIsDescribedOutOfItsTurn) {
  std::vector<ListedGroup> groups;
  for (int i = 0; i < 1000; ++i) groups.push_back(listed("group-" + std::to_string(1000 + i)));
  const GroupAnswer stable = described(GroupState::stable, GroupKind::classic, std::vector<Member>{member("a")});
  cycle(groups, stable);
  EXPECT_EQ(asked_.size(), 1000U);
  cycle(groups, stable);
  const auto not_asked = std::ranges::find_if(
      groups, [&](const ListedGroup& group) { return std::ranges::find(asked_, group.id) == asked_.end(); });
  ASSERT_NE(not_asked, groups.end());
  tracker().describe_soon(not_asked->id);
  tracker().describe_soon("gone");
  cycle(groups, stable);
  EXPECT_THAT(asked_, testing::Contains(not_asked->id));
  EXPECT_EQ(asked_.size(), 101U);
  cycle(groups, stable);
  EXPECT_EQ(asked_.size(), 100U) << "once";
}

}  // namespace
}  // namespace weir::kafka
