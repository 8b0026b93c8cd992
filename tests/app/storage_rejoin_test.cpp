#include "app/storage_rejoin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using core::AlertState;

core::Time at(int minutes) { return core::Time(std::chrono::hours(1)) + std::chrono::minutes(minutes); }

core::Alert alert(AlertState state, int since, std::optional<int> fired = {}) {
  core::Alert alert;
  alert.fingerprint = 7;
  alert.group = "g";
  alert.rule = "r";
  alert.labels = {{"alertname", "r"}};
  alert.state = state;
  alert.active_at = at(since);
  if (fired) alert.fired_at = at(*fired);
  return alert;
}

core::Transition change(AlertState from, AlertState to, int when) {
  return {.alert = alert(to, 100, 100), .from = from, .to = to, .at = at(when), .reason = ""};
}

constexpr auto kInactive = AlertState::inactive;
constexpr auto kPending = AlertState::pending;
constexpr auto kFiring = AlertState::firing;

TEST(Rejoin, WhatFiredAndFiresHasNotChanged) {
  const Rejoined joined = rejoin({alert(kFiring, 1, 2)}, {alert(kFiring, 100, 105)},
                                 {change(kInactive, kPending, 100), change(kPending, kFiring, 105)});
  EXPECT_TRUE(joined.transitions.empty());
  ASSERT_EQ(joined.alerts.size(), 1U);
  EXPECT_EQ(joined.alerts[0].state, kFiring);
  EXPECT_EQ(joined.alerts[0].active_at, at(1));
  EXPECT_EQ(joined.alerts[0].fired_at, at(2));
}

TEST(Rejoin, WhatFiredAndEndedMeanwhileEndsAsTheOneThatBeganBefore) {
  const Rejoined joined =
      rejoin({alert(kFiring, 1, 2)}, {}, {change(kInactive, kFiring, 100), change(kFiring, kInactive, 110)});
  ASSERT_EQ(joined.transitions.size(), 1U);
  EXPECT_EQ(joined.transitions[0].from, kFiring);
  EXPECT_EQ(joined.transitions[0].to, kInactive);
  EXPECT_EQ(joined.transitions[0].alert.fired_at, at(2));
  EXPECT_TRUE(joined.alerts.empty()) << "the rules do not hear of it again";
}

TEST(Rejoin, WhatFiresAgainAfterItsEndIsAnother) {
  const Rejoined joined =
      rejoin({alert(kFiring, 1, 2)}, {alert(kFiring, 120, 120)},
             {change(kInactive, kFiring, 100), change(kFiring, kInactive, 110), change(kInactive, kFiring, 120)});
  ASSERT_EQ(joined.transitions.size(), 2U);
  EXPECT_EQ(joined.transitions[1].to, kFiring);
  EXPECT_EQ(joined.transitions[1].alert.fired_at, at(100)) << "its own";
  EXPECT_TRUE(joined.alerts.empty()) << "the rules have it as it is";
}

TEST(Rejoin, OneThatOnlyBeganToFireAgainGoesOnFiring) {
  const Rejoined pending = rejoin({alert(kFiring, 1, 2)}, {alert(kPending, 100)}, {change(kInactive, kPending, 100)});
  EXPECT_TRUE(pending.transitions.empty());
  ASSERT_EQ(pending.alerts.size(), 1U);
  EXPECT_EQ(pending.alerts[0].state, kFiring);
  EXPECT_EQ(pending.alerts[0].fired_at, at(2));
}

TEST(Rejoin, OneThatWasNotSeenToFireIsLeftToTheRules) {
  const Rejoined unseen = rejoin({alert(kFiring, 1, 2)}, {}, {});
  EXPECT_TRUE(unseen.transitions.empty());
  EXPECT_EQ(unseen.alerts.size(), 1U);
  const Rejoined shortly =
      rejoin({alert(kFiring, 1, 2)}, {}, {change(kInactive, kPending, 100), change(kPending, kInactive, 101)});
  EXPECT_TRUE(shortly.transitions.empty()) << "keep_firing_for may hold it";
  EXPECT_EQ(shortly.alerts.size(), 1U);
}

TEST(Rejoin, APendingOneKeepsItsTimeAndMayFireMeanwhile) {
  const Rejoined waits = rejoin({alert(kPending, 1)}, {alert(kPending, 100)}, {change(kInactive, kPending, 100)});
  EXPECT_TRUE(waits.transitions.empty());
  ASSERT_EQ(waits.alerts.size(), 1U);
  EXPECT_EQ(waits.alerts[0].active_at, at(1));
  const Rejoined fires = rejoin({alert(kPending, 1)}, {alert(kFiring, 100, 105)},
                                {change(kInactive, kPending, 100), change(kPending, kFiring, 105)});
  ASSERT_EQ(fires.transitions.size(), 1U);
  EXPECT_EQ(fires.transitions[0].from, kPending);
  EXPECT_EQ(fires.transitions[0].alert.active_at, at(1));
  ASSERT_EQ(fires.alerts.size(), 1U);
  EXPECT_EQ(fires.alerts[0].state, kFiring);
  EXPECT_EQ(fires.alerts[0].fired_at, at(105)) << "its own";
}

TEST(Rejoin, WhatStorageDoesNotKnowIsNews) {
  core::Transition other = change(kInactive, kFiring, 100);
  other.alert.group = "another";
  const Rejoined joined = rejoin({alert(kFiring, 1, 2)}, {}, {other});
  EXPECT_EQ(joined.transitions.size(), 1U);
  EXPECT_EQ(joined.alerts.size(), 1U);
}

}  // namespace
}  // namespace weir::app
