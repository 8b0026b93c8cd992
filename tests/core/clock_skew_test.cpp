#include "core/clock_skew.h"

#include <gtest/gtest.h>

namespace weir::core {
namespace {

using namespace std::chrono_literals;

TEST(ClockSkewTest, ATimeIsAheadPastWhatClocksDiffer) {
  const Time now(1'000'000s);
  EXPECT_FALSE(is_ahead(now - 24h, now));
  EXPECT_FALSE(is_ahead(now + 5min, now));
  EXPECT_TRUE(is_ahead(now + 5min + 1ms, now));
}

TEST(ClockSkewTest, IsToldAsAPersonWould) {
  const Time now(1'000'000s);
  EXPECT_EQ(off_by(now + 2h + 1234ms, now), "2h ahead of this machine's clock");
  EXPECT_EQ(off_by(now - 20s - 400ms, now), "20s behind this machine's clock");
  EXPECT_EQ(rounded(7min + 40s), "8m");
}

}  // namespace
}  // namespace weir::core
