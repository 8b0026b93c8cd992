#include "app/judge_fixture.h"

namespace weir::app {
namespace {

const core::Labels kLag = core::Labels::metric("lag", {{"cluster", "c"}, {"consumergroup", "billing"}});
const core::Labels kOther = core::Labels::metric("lag", {{"cluster", "d"}, {"consumergroup", "search"}});
constexpr const char* kDeleted = "LagHigh of consumer group billing in c ended: deleted";
constexpr const char* kUnseen = "LagHigh of consumer group billing in c ended: no longer observed";

TEST_F(JudgeTest, WhatASourceNoLongerHasAfterARestartIsDeleted) {
  fire();
  restart();
  judge_->expect({"kafka/c"});
  deliver("kafka/c", kOther);
  turn();
  EXPECT_EQ(ending(), kDeleted);
}

TEST_F(JudgeTest, ASourceThatIsNoLongerConfiguredEndsWhatItHad) {
  fire();
  restart();
  judge_->expect({"kafka/d", "kafka/e"});
  turn();
  EXPECT_EQ(ending(), "") << "another may bring it yet";
  deliver("kafka/d", kOther);
  turn();
  EXPECT_EQ(ending(), "");
  judge_->miss("kafka/e", now_);
  turn();
  EXPECT_EQ(ending(), kDeleted);
}

TEST_F(JudgeTest, ASourceThatWasRenamedEndsNothing) {
  fire();
  restart();
  judge_->expect({"kafka/c-2"});
  deliver("kafka/c-2", kLag, {}, 20);
  for (int i = 0; i < 5; ++i) turn();
  EXPECT_EQ(ending(), "");
}

TEST_F(JudgeTest, WithNothingConfiguredNothingGoesOn) {
  fire();
  restart();
  judge_->expect({});
  turn();
  turn();
  EXPECT_EQ(ending(), kDeleted);
}

TEST_F(JudgeTest, WithoutASnapshotWhatNobodyHasIsNoLongerObserved) {
  fire();
  start();
  judge_->expect({"kafka/c", "kafka/d"});
  const core::Labels orders = core::Labels::metric("rows", {{"dataset", "orders"}});
  for (int i = 0; i < 3; ++i) {
    deliver("kafka/d", kOther);
    turn();
  }
  EXPECT_EQ(ending(), "") << "one source has not been seen";
  judge_->miss("kafka/c", now_);
  turn();
  EXPECT_EQ(ending(), "") << "it failed";
  deliver("kafka/c", orders);
  turn();
  EXPECT_EQ(ending(), "") << "a rate would not be there yet";
  deliver("kafka/c", orders);
  turn();
  EXPECT_EQ(ending(), kUnseen);
}

TEST_F(JudgeTest, WithoutASnapshotAFaultKeepsWhatItMayHide) {
  fire();
  start();
  judge_->expect({"kafka/c"});
  const core::Error error{core::ErrorKind::unavailable, "no answer", true, ""};
  const core::Labels everything;
  const core::Labels cluster{{"cluster", "c"}, {"topic", "orders"}};
  const core::Labels another{{"cluster", "c"}, {"consumergroup", "search"}};
  for (const core::Labels& hidden : {everything, cluster}) {
    for (int i = 0; i < 3; ++i) {
      deliver("kafka/c", kOther, {{error, hidden}});
      turn();
    }
    EXPECT_EQ(ending(), "") << hidden.to_string();
  }
  deliver("kafka/c", kOther, {{error, another}});
  turn();
  EXPECT_EQ(ending(), "") << "it was hidden a cycle ago";
  deliver("kafka/c", kOther, {{error, another}});
  turn();
  EXPECT_EQ(ending(), kUnseen) << "another group's error hides nothing of this one";
}

TEST_F(JudgeTest, WithoutASnapshotNothingEndsThatComesBack) {
  fire();
  start();
  judge_->expect({"kafka/c"});
  deliver("kafka/c", kLag, {}, 20);
  turn();
  for (int i = 0; i < 100; ++i) {
    judge_->miss("kafka/c", now_);
    turn();
  }
  EXPECT_EQ(ending(), "");
}

TEST_F(JudgeTest, AfterAStartNobodyIsToldBeforeEverySourceHadItsTurnAndTheRulesSawIt) {
  routing_.limits.start_delay.reset();
  start();
  judge_->expect({"kafka/c", "checks/w"});
  restart(std::string(kRules) + "      - {alert: At, expr: lag > 10}\n");
  judge_->expect({"kafka/c", "checks/w"});
  cycle(20);
  EXPECT_EQ(stored().size(), 1U) << "it fires, and its incident is open";
  EXPECT_EQ(storage_.pending_messages().value(), 0U);
  deliver("self", core::Labels::metric("up", {}));
  deliver("checks/w", core::Labels::metric("up", {}));
  EXPECT_EQ(storage_.pending_messages().value(), 0U) << "the rules have not seen that yet";
  turn();
  EXPECT_EQ(storage_.pending_messages().value(), 1U);
}

TEST_F(JudgeTest, ASourceThatNeverAnswersHoldsNotificationsForHalfAMinuteOnly) {
  routing_.limits.start_delay.reset();
  restart("groups: [{name: g, interval: 15s, rules: [{alert: At, expr: lag > 10}]}]");
  judge_->expect({"kafka/c", "checks/w"});
  cycle(20);
  EXPECT_EQ(storage_.pending_messages().value(), 0U);
  cycle(20);
  EXPECT_EQ(storage_.pending_messages().value(), 1U);
}

TEST_F(JudgeTest, ARestartTellsNothingTwiceAndForgetsNothing) {
  fire();
  EXPECT_EQ(storage_.pending_messages().value(), 1U);
  start();
  cycle(20);
  cycle(20);
  EXPECT_EQ(storage_.pending_messages().value(), 1U);
  cycle(5);
  start();
  cycle(5);
  EXPECT_EQ(storage_.pending_messages().value(), 2U);
  EXPECT_TRUE(storage_.notification_groups().value().empty());
}

}  // namespace
}  // namespace weir::app
