#include "app/judge_fixture.h"

namespace weir::app {
namespace {

TEST_F(JudgeTest, WhatCannotBeStoredIsKeptAndStoredLater) {
  cycle(20);
  cycle(20);
  storage_.broken = true;
  EXPECT_TRUE(cycle(20).storage);
  EXPECT_TRUE(cycle(5).storage);
  EXPECT_TRUE(stored().empty());
  storage_.broken = false;
  EXPECT_FALSE(cycle(5).storage);
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_FALSE(stored()[0].open());
  EXPECT_EQ(storage_.pending_messages().value(), 2U);
  EXPECT_TRUE(storage_.active_alerts()->empty());
}

TEST_F(JudgeTest, WhatSaysThatStorageFailsIsToldWithoutStorage) {
  reload(
      "groups: [{name: h, rules: [{alert: Other, expr: 'lag > 5'}]}, "
      "{name: g, rules: [{alert: WeirStorageFailing, expr: 'lag > 10'}]}]");
  storage_.broken = true;
  EXPECT_TRUE(cycle(7).urgent.empty()) << "that the other waits is no news";
  const JudgeStep step = cycle(20);
  ASSERT_EQ(step.urgent.size(), 1U);
  ASSERT_EQ(step.urgent[0].notification.alerts.size(), 1U) << "without the other of its group";
  EXPECT_EQ(step.urgent[0].notification.alerts[0].rule, "WeirStorageFailing");
  EXPECT_EQ(step.urgent[0].notification.cause, "Weir's own storage does not take what happens: the disk is full.");
  EXPECT_TRUE(step.urgent[0].idempotency_key.ends_with("-urgent"));
  EXPECT_GT(step.unwritten.rows, 0U);
  storage_.broken = false;
  EXPECT_EQ(cycle(20).unwritten.rows, 0U);
  const std::size_t waiting = storage_.pending_messages().value();
  EXPECT_EQ(waiting, 2U) << "that of the other, and that of both";
  EXPECT_FALSE(judge_->give_back(step.urgent).storage);
  EXPECT_EQ(storage_.pending_messages().value(), waiting + 1) << "one that nobody could be told in time";
}

TEST_F(JudgeTest, ThatStorageFailsIsNotToldAgainBecauseOthersOfItsGroupBegin) {
  reload(
      "groups: [{name: h, rules: [{alert: Other, expr: 'lag > 5'}, {alert: Third, expr: 'lag > 30'}]}, "
      "{name: g, rules: [{alert: WeirStorageFailing, expr: 'lag > 10'}]}]");
  storage_.broken = true;
  cycle(7);
  EXPECT_EQ(cycle(20).urgent.size(), 1U);
  std::size_t told = 0;
  for (int i = 0; i < 40; ++i) {
    const JudgeStep more = cycle(40);
    EXPECT_TRUE(more.urgent.empty());
    told += more.messages;
  }
  EXPECT_EQ(told, 1U) << "that of the third, which waits for storage";
  std::size_t ends = 0;
  for (int i = 0; i < 40; ++i) ends += cycle(1).urgent.size();
  EXPECT_EQ(ends, 1U) << "its end is news";
}

TEST_F(JudgeTest, WhyStorageFailedIsStillKnownWhenThatFiresWhileOneStepIsWritten) {
  reload(
      "groups: [{name: h, rules: [{alert: Other, expr: 'lag > 5'}]}, "
      "{name: g, rules: [{alert: WeirStorageFailing, expr: 'lag > 10'}]}]");
  storage_.broken = true;
  EXPECT_TRUE(cycle(7).storage);
  storage_.broken = false;
  EXPECT_FALSE(cycle(7).storage);
  cycle(20);
  const auto incidents = judge_->view()->incidents;
  const bool told = std::ranges::any_of(incidents, [](const core::Incident& incident) {
    return incident.cause == "Weir's own storage does not take what happens: the disk is full.";
  });
  EXPECT_TRUE(told) << incidents.at(0).cause;
}

TEST_F(JudgeTest, WhatWasSeenBeforeStorageCouldBeReadIsJoinedToItAsOfWhenItHappened) {
  fire();
  ASSERT_EQ(stored().size(), 1U);
  const core::Incident before = stored()[0];
  begin_without_storage();
  for (const double lag : {20, 20, 20}) cycle(lag);
  EXPECT_TRUE(cycle(20).storage);
  EXPECT_EQ(judge_->view()->incidents.size(), 1U) << "it is shown";
  const JudgeStep ended = cycle(5);
  EXPECT_EQ(ended.transitions, 1U);
  const core::Time end = now_;
  EXPECT_TRUE(stored().at(0).open()) << "nothing is written before it is known what was there";
  now_ += 1h;
  const auto joined = judge_->restore(now_);
  ASSERT_TRUE(joined) << joined.error().describe();
  EXPECT_FALSE(joined->storage);
  ASSERT_EQ(stored().size(), 1U) << "the same incident";
  EXPECT_EQ(stored()[0].id, before.id);
  EXPECT_EQ(stored()[0].resolved_at, end);
  EXPECT_TRUE(storage_.active_alerts()->empty());
  EXPECT_EQ(storage_.pending_messages().value(), 2U) << "its beginning, of before, and its end";
  EXPECT_EQ(cycle(5).messages, 0U);
}

TEST_F(JudgeTest, WhatWasOnlySeenBeforeStorageCouldBeReadIsInHistory) {
  begin_without_storage();
  for (const double lag : {20, 20, 20}) cycle(lag);
  const core::Time fired = now_;
  cycle(5);
  ASSERT_TRUE(judge_->restore(now_ += 1min));
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_EQ(stored()[0].opened_at, fired);
  EXPECT_FALSE(stored()[0].open());
  EXPECT_EQ(storage_.transitions({.limit = 10})->size(), 3U) << "pending, firing, and not";
  EXPECT_EQ(storage_.pending_messages().value(), 2U);
}

TEST_F(JudgeTest, OneThatFiresFromBeforeAndIsNotSeenEndsWithTheNextEvaluation) {
  fire();
  begin_without_storage();
  cycle(5);
  ASSERT_TRUE(judge_->restore(now_ += 1min));
  EXPECT_EQ(judge_->view()->alerts.size(), 1U);
  cycle(5);
  EXPECT_TRUE(judge_->view()->alerts.empty());
  EXPECT_FALSE(stored().at(0).open());
}

TEST_F(JudgeTest, WhatSaysThatStorageIsAwayIsToldOnce) {
  rules_text_ = "groups: [{name: g, rules: [{alert: WeirStorageFailing, expr: 'lag > 10'}]}]";
  begin_without_storage();
  const JudgeStep away = cycle(20);
  ASSERT_EQ(away.urgent.size(), 1U);
  ASSERT_TRUE(judge_->restore(now_ += 1s));
  EXPECT_EQ(storage_.pending_messages().value(), 0U) << "they were told";
  EXPECT_EQ(stored().size(), 1U);
  cycle(5);
  now_ += 10s;
  judge_->tick(now_);
  EXPECT_EQ(storage_.pending_messages().value(), 1U) << "its end";
}

TEST_F(JudgeTest, WhileAnotherWeirJudgesNothingIsJudgedAndItsWordCounts) {
  fire();
  judge_->stand_by();
  EXPECT_TRUE(judge_->view()->alerts.empty());
  EXPECT_TRUE(judge_->view()->incidents.empty());
  const JudgeStep idle = cycle(5);
  EXPECT_TRUE(idle.standby);
  EXPECT_EQ(idle.transitions, 0U);
  EXPECT_TRUE(stored().at(0).open()) << "the other one may have seen otherwise";
  ASSERT_TRUE(judge_->restore(now_));
  EXPECT_EQ(judge_->view()->alerts.size(), 1U);
  cycle(5);
  EXPECT_FALSE(stored().at(0).open());
  EXPECT_EQ(storage_.pending_messages().value(), 2U);
}

TEST_F(JudgeTest, AStorageThatIsAnotherOneGetsAllThatGoesOn) {
  fire();
  const std::string before = stored().at(0).id;
  storage_.replace(std::move(*storage::open_sqlite(":memory:")));
  EXPECT_FALSE(cycle(20).rewritten) << "nothing was to be written";
  reload(std::string(kRules) + "\n  - {name: h, rules: [{alert: Other, expr: lag > 1}]}\n");
  const JudgeStep step = cycle(20);
  EXPECT_TRUE(step.rewritten);
  EXPECT_FALSE(step.storage);
  EXPECT_EQ(storage_.active_alerts()->size(), 2U);
  EXPECT_FALSE(storage_.notification_groups()->empty());
  EXPECT_THAT(stored(), testing::Contains(testing::Field(&core::Incident::id, before)));
  EXPECT_FALSE(cycle(1).rewritten);
}

TEST_F(JudgeTest, AfterARestartItIsStillSeenThatStorageIsAnotherOne) {
  fire();
  restart();
  storage_.replace(std::move(*storage::open_sqlite(":memory:")));
  EXPECT_TRUE(cycle(5).rewritten) << "before this process had written anything";
  EXPECT_EQ(stored().size(), 1U);
}

TEST_F(JudgeTest, AStorageThatWasOpenedAnewGetsAllAtOnce) {
  fire();
  storage_.replace(std::move(*storage::open_sqlite(":memory:")));
  const JudgeStep step = judge_->write_again();
  EXPECT_TRUE(step.rewritten);
  EXPECT_FALSE(step.storage);
  EXPECT_EQ(storage_.active_alerts()->size(), 1U);
  EXPECT_TRUE(stored().at(0).open());
}

}  // namespace
}  // namespace weir::app
