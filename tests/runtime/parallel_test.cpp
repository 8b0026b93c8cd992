#include "runtime/parallel.h"

#include <atomic>
#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

namespace weir::runtime {
namespace {

TEST(ParallelForTest, CallsEachNumberOnce) {
  for (const std::size_t workers : {0U, 1U, 4U}) {
    std::vector<std::atomic<int>> calls(100);
    parallel_for(calls.size(), workers, [&](std::size_t i) { ++calls[i]; });
    for (const auto& count : calls) EXPECT_EQ(count, 1);
  }
  parallel_for(0, 4, [](std::size_t) { FAIL() << "there is nothing to do"; });
}

TEST(ParallelForTest, GoesOnWithTheOthersAndThrowsTheFirstFailure) {
  std::atomic<int> done = 0;
  try {
    parallel_for(10, 4, [&](std::size_t i) {
      if (i == 3 || i == 7) throw std::runtime_error(std::to_string(i));
      ++done;
    });
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "3");
  }
  EXPECT_EQ(done, 8);
}

}  // namespace
}  // namespace weir::runtime
