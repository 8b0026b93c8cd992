#include "sql/breaker.h"

#include <gtest/gtest.h>

namespace weir::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Breaker::Instant kStart{};
constexpr Breaker::Settings kSettings{.failures = 3, .first = seconds(4), .longest = seconds(20)};

Breaker opened(double spread = 1) {
  Breaker breaker(kSettings);
  for (int i = 0; i < 3; ++i) breaker.failed(kStart, "down", spread);
  return breaker;
}

TEST(Breaker, StaysClosedUntilEnoughFailuresInARow) {
  Breaker breaker(kSettings);
  breaker.failed(kStart, "down", 1);
  breaker.failed(kStart, "down", 1);
  EXPECT_TRUE(breaker.allow(kStart));
  breaker.succeeded();
  breaker.failed(kStart, "down", 1);
  breaker.failed(kStart, "down", 1);
  EXPECT_EQ(breaker.state(kStart), Breaker::State::closed);
  breaker.failed(kStart, "down again", 1);
  EXPECT_EQ(breaker.state(kStart), Breaker::State::open);
  EXPECT_FALSE(breaker.allow(kStart));
  EXPECT_EQ(breaker.last_failure(), "down again");
}

TEST(Breaker, SaysWhenItTriesAgain) {
  const Breaker breaker = opened();
  EXPECT_EQ(breaker.wait(kStart), seconds(4));
  EXPECT_EQ(breaker.wait(kStart + milliseconds(3999)), milliseconds(1));
  EXPECT_EQ(breaker.wait(kStart + seconds(4)), seconds(0));
}

TEST(Breaker, LetsOneCallTryWhenTheTimeIsOver) {
  Breaker breaker = opened();
  const auto later = kStart + seconds(4);
  EXPECT_EQ(breaker.state(later), Breaker::State::half_open);
  EXPECT_TRUE(breaker.allow(later));
  EXPECT_FALSE(breaker.allow(later));
  breaker.succeeded();
  EXPECT_EQ(breaker.state(later), Breaker::State::closed);
  EXPECT_TRUE(breaker.allow(later));
  EXPECT_TRUE(breaker.allow(later));
}

TEST(Breaker, LetsAnotherTryWhenTheFirstCameToNothing) {
  Breaker breaker = opened();
  const auto later = kStart + seconds(4);
  EXPECT_TRUE(breaker.allow(later));
  breaker.abandoned();
  EXPECT_TRUE(breaker.allow(later));
}

TEST(Breaker, WaitsTwiceAsLongEachTimeUpToItsBound) {
  Breaker breaker = opened();
  auto now = kStart;
  for (const int expected : {8, 16, 20, 20}) {
    now += breaker.wait(now);
    EXPECT_TRUE(breaker.allow(now));
    breaker.failed(now, "down", 1);
    EXPECT_EQ(breaker.wait(now), seconds(expected));
  }
  for (int i = 0; i < 1000; ++i) breaker.failed(now, "down", 1);
  EXPECT_EQ(breaker.wait(now), seconds(20));
}

TEST(Breaker, SpreadsItsWaits) {
  EXPECT_EQ(opened(0).wait(kStart), seconds(2));
  EXPECT_EQ(opened(0.5).wait(kStart), seconds(3));
  EXPECT_EQ(opened(7).wait(kStart), seconds(4));
}

}  // namespace
}  // namespace weir::sql
