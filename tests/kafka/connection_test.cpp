#include "kafka/connection.h"

#include <gtest/gtest.h>

namespace weir::kafka {
namespace {

using std::chrono::steady_clock;

TEST(BudgetTest, APauseEndsWhenStopped) {
  std::stop_source source;
  source.request_stop();
  const auto began = steady_clock::now();
  Budget{began + std::chrono::hours(2), source.get_token()}.pause(std::chrono::hours(1));
  EXPECT_LT(steady_clock::now() - began, std::chrono::minutes(1));
}

TEST(BudgetTest, APauseIsNotLongerThanWhatIsLeft) {
  const auto began = steady_clock::now();
  Budget{began - std::chrono::seconds(1), {}}.pause(std::chrono::hours(1));
  EXPECT_LT(steady_clock::now() - began, std::chrono::minutes(1));
}

}  // namespace
}  // namespace weir::kafka
