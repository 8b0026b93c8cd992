#include "core/retry_note.h"

#include <gtest/gtest.h>

namespace weir::core {
namespace {

TEST(RetryNoteTest, IsSaidBehindTheErrorAndIsNoNews) {
  const std::string first = with_retry_note("cannot connect", "3 failed, the next in 5s");
  EXPECT_EQ(first, "cannot connect [retries: 3 failed, the next in 5s]");
  EXPECT_EQ(without_retry_notes("wh: " + first + " (and 2 more)"), "wh: cannot connect (and 2 more)");
  EXPECT_EQ(without_retry_notes(first + "; " + first), "cannot connect; cannot connect");
  EXPECT_EQ(without_retry_notes("cannot connect"), "cannot connect");
  EXPECT_EQ(without_retry_notes("cut off [retries: 3 fai"), "cut off");
}

}  // namespace
}  // namespace weir::core
