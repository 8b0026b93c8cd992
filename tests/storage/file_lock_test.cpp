#include "storage/file_lock.h"

#include <chrono>
#include <filesystem>
#include <future>
#include <gtest/gtest.h>
#include <unistd.h>

namespace weir::storage {
namespace {

class FileLockTest : public testing::Test {
 protected:
  ~FileLockTest() override { std::filesystem::remove(path_ + ".lock"); }
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("weir-lock-" + std::to_string(::getpid()))).string();
};

TEST_F(FileLockTest, OneHoldsItAndTheOtherIsToldWhoDoes) {
  const auto held = FileLock::take(path_);
  ASSERT_TRUE(held);
  const auto refused = FileLock::take(path_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("process " + std::to_string(::getpid())), std::string::npos);
}

TEST_F(FileLockTest, WaitsUntilItIsFree) {
  auto held = FileLock::take(path_);
  ASSERT_TRUE(held);
  auto waiting = std::async(std::launch::async, [this] { return FileLock::take(path_, std::chrono::minutes(1)); });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  held->reset();
  EXPECT_TRUE(waiting.get());
}

TEST_F(FileLockTest, WaitsNoLongerThanItIsTold) {
  const auto held = FileLock::take(path_);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(FileLock::take(path_, std::chrono::milliseconds(150)));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(150));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
}

}  // namespace
}  // namespace weir::storage
