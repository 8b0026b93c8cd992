#include "core/error.h"

#include <gtest/gtest.h>

#include "core/alert.h"
#include "core/secret.h"
#include "core/series_source.h"

namespace weir::core {
namespace {

TEST(ErrorTest, SaysWhereAndWhat) {
  EXPECT_EQ(fail(ErrorKind::invalid, "bad", "weir.yml:1:2").error().describe(), "weir.yml:1:2: bad");
  EXPECT_EQ(fail(ErrorKind::invalid, "bad").error().describe(), "bad");
}

TEST(ErrorTest, OnlyOutagesAndTimeoutsAreWorthAnotherTry) {
  for (const ErrorKind kind : {ErrorKind::invalid, ErrorKind::not_found, ErrorKind::denied, ErrorKind::protocol,
                               ErrorKind::limit, ErrorKind::storage, ErrorKind::cancelled, ErrorKind::internal}) {
    EXPECT_FALSE(fail(kind, "").error().retryable) << to_string(kind);
  }
  EXPECT_TRUE(fail(ErrorKind::unavailable, "").error().retryable);
  EXPECT_TRUE(fail(ErrorKind::timeout, "").error().retryable);
}

TEST(AlertStateTest, NamesReadBack) {
  for (const AlertState state : {AlertState::inactive, AlertState::pending, AlertState::firing}) {
    EXPECT_EQ(parse_alert_state(to_string(state)), state);
  }
  EXPECT_EQ(parse_alert_state("Firing"), std::nullopt);
}

TEST(StaleMarkerTest, IsToldFromOrdinaryNaN) {
  EXPECT_TRUE(is_stale_marker(stale_marker()));
  EXPECT_FALSE(is_stale_marker(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(is_stale_marker(0));
}

}  // namespace
}  // namespace weir::core
