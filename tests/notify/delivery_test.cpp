#include "notify/delivery.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

DeliveryResult refused(bool retryable, std::optional<core::Duration> retry_after = std::nullopt) {
  return std::unexpected(DeliveryError{.error = {.kind = core::ErrorKind::unavailable,
                                                 .message = "answered 503",
                                                 .retryable = retryable,
                                                 .where = "team"},
                                       .retry_after = retry_after});
}

TEST(Backoff, DoublesUpToItsCapWithHalfOfItJittered) {
  EXPECT_EQ(backoff(1, 1s, 5min, 0), 500ms);
  EXPECT_EQ(backoff(1, 1s, 5min, 1), 1s);
  EXPECT_EQ(backoff(2, 1s, 5min, 0.5), 1500ms);
  EXPECT_EQ(backoff(5, 1s, 5min, 1), 16s);
  EXPECT_EQ(backoff(9, 1s, 5min, 1), 256s);
  EXPECT_EQ(backoff(10, 1s, 5min, 1), 5min);
  EXPECT_EQ(backoff(2'000'000'000, 1s, 5min, 1), 5min);
  EXPECT_EQ(backoff(0, 1s, 5min, 1), 1s);
}

TEST(Decide, DeliveredIsDone) {
  const Decision decision = decide(message(1), Receipt{.status = 200}, at(1), 0.5);
  EXPECT_EQ(decision.outcome, Outcome::delivered);
  EXPECT_EQ(decision.error, "");
}

TEST(Decide, WhatIsNotRetryableIsDeadAtOnce) {
  const Decision decision = decide(message(1), refused(false), at(1), 0.5);
  EXPECT_EQ(decision.outcome, Outcome::dead);
  EXPECT_EQ(decision.error, "team: answered 503");
}

TEST(Decide, ARetryWaitsLongerEachTime) {
  core::OutboxMessage waiting = message(1);
  EXPECT_EQ(decide(waiting, refused(true), at(10), 1).next_attempt_at, at(11));
  waiting.attempts = 3;
  const Decision decision = decide(waiting, refused(true), at(10), 1);
  EXPECT_EQ(decision.outcome, Outcome::retried);
  EXPECT_EQ(decision.next_attempt_at, at(18));
  EXPECT_EQ(decision.error, "team: answered 503");
}

TEST(Decide, RetryAfterIsAFloorNotACeiling) {
  core::OutboxMessage waiting = message(1);
  EXPECT_EQ(decide(waiting, refused(true, 120s), at(10), 1).next_attempt_at, at(130));
  waiting.attempts = 20;
  EXPECT_EQ(decide(waiting, refused(true, 1s), at(10), 1).next_attempt_at, at(310));
}

TEST(Decide, GivesUpADayAfterTheMessageWasWrittenWithALastAttemptThen) {
  core::OutboxMessage waiting = message(1);
  waiting.attempts = 300;
  const core::Time end = at(0) + 24h;
  EXPECT_EQ(decide(waiting, refused(true), end - 10s, 1).next_attempt_at, end);
  const Decision over = decide(waiting, refused(true), end, 1);
  EXPECT_EQ(over.outcome, Outcome::dead);
  EXPECT_THAT(over.error, HasSubstr("given up 1d after it was written: team: answered 503"));
  EXPECT_EQ(decide(waiting, refused(true, 1h), end - 10s, 1).outcome, Outcome::dead)
      << "the receiver wants no attempt before the end";
  EXPECT_EQ(decide(waiting, Receipt{}, end + 1h, 1).outcome, Outcome::delivered);
}

/// An outbox in memory with the order that the real one keeps.
class FakeOutbox final : public Outbox {
 public:
  struct Row {
    core::OutboxMessage message;
    std::string state = "waiting";
  };
  core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit) override {
    ++reads;
    if (broken) return core::fail(core::ErrorKind::storage, "the disk is full");
    std::vector<core::OutboxMessage> found;
    std::map<std::string, bool> lanes;
    for (const auto& [sequence, row] : rows) {
      const auto& notification = row.message.notification;
      const std::string lane = notification.receiver + notification.integration + notification.incident_id;
      if (row.state != "waiting" || !lanes.try_emplace(lane, true).second) continue;
      if (row.message.next_attempt_at <= now && found.size() < limit) found.push_back(row.message);
    }
    return found;
  }
  core::Result<void> delivered(std::int64_t sequence, core::Time, const std::optional<std::string>&) override {
    return end(sequence, "delivered", "");
  }
  core::Result<void> retry_later(std::int64_t sequence, core::Time next, const std::string& error) override {
    if (auto done = end(sequence, "waiting", error); !done) return done;
    rows[sequence].message.next_attempt_at = next;
    return {};
  }
  core::Result<void> give_up(std::int64_t sequence, core::Time, const std::string& error) override {
    return end(sequence, "dead", error);
  }
  void add(core::OutboxMessage message) {
    const std::int64_t sequence = message.sequence;
    rows[sequence] = {.message = std::move(message)};
  }

  std::map<std::int64_t, Row> rows;
  bool broken = false;
  bool write_broken = false;
  int reads = 0;

 private:
  core::Result<void> end(std::int64_t sequence, const std::string& state, const std::string& error) {
    if (write_broken) return core::fail(core::ErrorKind::storage, "the disk is full");
    if (!rows.contains(sequence)) return core::fail(core::ErrorKind::not_found, "gone");
    Row& row = rows[sequence];
    row.state = state;
    row.message.last_error = error;
    ++row.message.attempts;
    return {};
  }
};

/// Notes what it is given and answers as told.
class FakeNotifier final : public Notifier {
 public:
  using Answer = std::function<DeliveryResult(const core::OutboxMessage&)>;
  FakeNotifier(std::vector<std::int64_t>& log, Answer answer) : log_(log), answer_(std::move(answer)) {}
  DeliveryResult deliver(const core::OutboxMessage& message, const DeliveryContext& context) override {
    EXPECT_EQ(context.timeout, 10s);
    log_.push_back(message.sequence);
    return answer_(message);
  }

 private:
  std::vector<std::int64_t>& log_;
  Answer answer_;
};

class DispatcherTest : public ::testing::Test {
 protected:
  void receiver(const std::string& name, FakeNotifier::Answer answer) {
    dispatcher_.add(name + "/webhook/0", std::make_unique<FakeNotifier>(attempts_, std::move(answer)));
  }
  void add(std::int64_t sequence, const std::string& to, const std::string& incident = "aa") {
    core::OutboxMessage waiting = message(sequence, to);
    waiting.notification.incident_id = incident;
    outbox_.add(waiting);
  }
  std::size_t run() {
    const auto done = dispatcher_.run_once();
    EXPECT_TRUE(done) << done.error().describe();
    return done.value_or(0);
  }
  const std::string& state(std::int64_t sequence) { return outbox_.rows[sequence].state; }

  core::Time now_ = at(0);
  FakeOutbox outbox_;
  std::vector<std::int64_t> attempts_;
  std::vector<std::string> reports_;
  Dispatcher dispatcher_{Dispatcher::Tools{.outbox = outbox_,
                                           .now = [this] { return now_; },
                                           .random = [] { return 1.0; },
                                           .report =
                                               [this](const Report& report) {
                                                 reports_.push_back(report.receiver + " " +
                                                                    std::string(to_string(report.outcome)));
                                               }}};
};

const FakeNotifier::Answer kTakes = [](const core::OutboxMessage&) { return Receipt{.status = 200}; };
const FakeNotifier::Answer kRefuses = [](const core::OutboxMessage&) { return refused(true); };

TEST_F(DispatcherTest, DeliversInOrderAlsoWhatBecomesDueMeanwhile) {
  receiver("team", kTakes);
  add(1, "team");
  add(2, "team");
  add(3, "team");
  EXPECT_EQ(run(), 3U);
  EXPECT_THAT(attempts_, ElementsAre(1, 2, 3));
  EXPECT_EQ(state(3), "delivered");
  EXPECT_THAT(reports_,
              ElementsAre("team/webhook/0 delivered", "team/webhook/0 delivered", "team/webhook/0 delivered"));
  EXPECT_EQ(run(), 0U);
}

TEST_F(DispatcherTest, ResolvedNeverOvertakesAFiringThatIsRetried) {
  int refusals = 2;
  receiver("team", [&](const core::OutboxMessage&) { return refusals-- > 0 ? refused(true) : Receipt{}; });
  add(1, "team");
  add(2, "team");
  for (int second = 0; second < 20; ++second) {
    now_ = at(second);
    run();
  }
  EXPECT_THAT(attempts_, ElementsAre(1, 1, 1, 2));
  EXPECT_EQ(outbox_.rows[1].message.attempts, 3);
}

TEST_F(DispatcherTest, AFailingReceiverRestsAndCostsTheOthersOneAttemptOnly) {
  receiver("down", kRefuses);
  receiver("up", kTakes);
  for (int i = 1; i <= 20; ++i) add(i, "down", "incident" + std::to_string(i));
  add(21, "up");
  EXPECT_EQ(run(), 2U);
  EXPECT_THAT(attempts_, ElementsAre(1, 21));
  EXPECT_EQ(state(21), "delivered");
  EXPECT_EQ(run(), 0U) << "nothing before the rest is over";
  now_ = at(1);
  EXPECT_EQ(run(), 1U);
  now_ = at(2);
  EXPECT_EQ(run(), 0U) << "the second rest is longer";
  now_ = at(3);
  EXPECT_EQ(run(), 1U);
}

TEST_F(DispatcherTest, AReceiverThatIsBackGetsEverything) {
  bool up = false;
  receiver("team", [&](const core::OutboxMessage&) { return up ? DeliveryResult(Receipt{}) : refused(true); });
  for (int i = 1; i <= 300; ++i) add(i, "team", "incident" + std::to_string(i));
  run();
  up = true;
  now_ = at(60);
  EXPECT_EQ(run(), 300U);
}

TEST_F(DispatcherTest, RetryAfterHoldsTheWholeReceiver) {
  receiver("team", [](const core::OutboxMessage&) { return refused(true, 120s); });
  add(1, "team", "aa");
  add(2, "team", "bb");
  run();
  now_ = at(119);
  EXPECT_EQ(run(), 0U);
  now_ = at(120);
  EXPECT_EQ(run(), 1U);
}

TEST_F(DispatcherTest, WhatIsRefusedForGoodIsDeadAndHoldsUpNobody) {
  receiver("team", [](const core::OutboxMessage& waiting) {
    return waiting.sequence == 1 ? refused(false) : DeliveryResult(Receipt{});
  });
  add(1, "team");
  add(2, "team");
  EXPECT_EQ(run(), 2U);
  EXPECT_EQ(state(1), "dead");
  EXPECT_EQ(outbox_.rows[1].message.last_error, "team: answered 503");
  EXPECT_EQ(state(2), "delivered");
  EXPECT_THAT(reports_, ElementsAre("team/webhook/0 dead", "team/webhook/0 delivered"));
}

TEST_F(DispatcherTest, AReceiverThatIsNoLongerConfiguredGivesUpItsMessages) {
  add(1, "gone");
  EXPECT_EQ(run(), 1U);
  EXPECT_EQ(state(1), "dead");
  EXPECT_THAT(outbox_.rows[1].message.last_error, HasSubstr("no longer configured"));
}

TEST_F(DispatcherTest, ADeliveredMessageIsNotSentAgainWhileItsOutcomeCannotBeWritten) {
  receiver("team", kTakes);
  add(1, "team", "aa");
  add(2, "team", "bb");
  outbox_.write_broken = true;
  EXPECT_FALSE(dispatcher_.run_once());
  EXPECT_FALSE(dispatcher_.run_once());
  EXPECT_THAT(attempts_, ElementsAre(1));
  outbox_.write_broken = false;
  EXPECT_EQ(run(), 1U);
  EXPECT_THAT(attempts_, ElementsAre(1, 2));
  EXPECT_EQ(state(1), "delivered");
  EXPECT_EQ(outbox_.rows[1].message.attempts, 1);
}

TEST_F(DispatcherTest, AMessageThatVanishedMeanwhileStopsNothing) {
  receiver("team", [&](const core::OutboxMessage& waiting) {
    if (waiting.sequence == 1) outbox_.rows.erase(1);
    return DeliveryResult(Receipt{});
  });
  add(1, "team", "aa");
  add(2, "team", "bb");
  run();
  EXPECT_EQ(state(2), "delivered");
}

TEST_F(DispatcherTest, AnOutboxThatCannotBeReadIsAnError) {
  outbox_.broken = true;
  const auto failed = dispatcher_.run_once();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "the disk is full");
}

TEST_F(DispatcherTest, StoppingLeavesTheMessageAsItWas) {
  receiver("team", [](const core::OutboxMessage&) -> DeliveryResult {
    return std::unexpected(DeliveryError{.error = {.kind = core::ErrorKind::cancelled, .message = "stopped"}});
  });
  add(1, "team");
  EXPECT_EQ(run(), 0U);
  EXPECT_EQ(outbox_.rows[1].message.attempts, 0);
  EXPECT_TRUE(reports_.empty());
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(*dispatcher_.run_once(stopped.get_token()), 0U);
  EXPECT_EQ(attempts_.size(), 1U);
}

TEST_F(DispatcherTest, ARunIsBounded) {
  receiver("team", kTakes);
  for (int i = 1; i <= 2500; ++i) add(i, "team", "incident" + std::to_string(i));
  EXPECT_EQ(run(), 1000U);
  EXPECT_EQ(run(), 1000U);
  EXPECT_EQ(run(), 500U);
}

}  // namespace
}  // namespace weir::notify
