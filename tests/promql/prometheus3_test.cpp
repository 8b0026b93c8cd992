// Where Prometheus 3 answers otherwise than 2.42, with which the rest is compared in tests/integration/test_promql.py.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "promql/engine_fixture.h"

namespace weir::promql {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Prometheus3Test : public EngineFixture {
 protected:
  Prometheus3Test() {
    source_.add(metric("edge", {}), kAt - 10min, 1min, ramp(0, 1, 11));
    source_.add(metric("text", {{"line", "a\nb"}}), kAt, 1min, {1});
    source_.add(metric("odd", {{"is", "inf"}}), kAt, 1min, {std::numeric_limits<double>::infinity()});
    source_.add(metric("near_zero_total", {}), kAt - 3min - 30s, 1min, {1, 2, 3, 4});
  }
};

TEST_F(Prometheus3Test, RangesLeaveOutTheirLeftEnd) {
  EXPECT_EQ(eval("count_over_time(edge[5m])"), "{} 5");
  EXPECT_EQ(eval("count_over_time(edge[5m:1m])"), "{} 5");
  EXPECT_EQ(eval("edge", kAt + 5min), "");
}

TEST_F(Prometheus3Test, ADotMatchesALineFeed) { EXPECT_EQ(eval("text{line=~\"a.b\"}"), "text{line=\"a\\nb\"} 1"); }

TEST_F(Prometheus3Test, DurationsAreNumbersAndNumbersDurations) {
  EXPECT_EQ(eval("edge offset 60"), "edge 9");
  EXPECT_EQ(eval("count_over_time(edge[300])"), "{} 5");
  EXPECT_EQ(eval("5m + 1"), "301");
}

TEST_F(Prometheus3Test, AFixedRangeStaysWhereItIsInARangeQuery) {
  const auto matrix = eval_range("predict_linear(edge[10m] @ 900, 60)", kAt - 1min, kAt + 1h, 1min);
  ASSERT_TRUE(matrix);
  ASSERT_EQ(matrix->size(), 1U);
  EXPECT_EQ(matrix->at(0).points.size(), 62U);
}

TEST_F(Prometheus3Test, Atan2DropsTheName) { EXPECT_EQ(eval("edge atan2 0 > 0"), "{} 1.5707963267948966"); }

TEST_F(Prometheus3Test, TheDeviationOfAnInfiniteValueIsNaN) { EXPECT_EQ(eval("stddev(odd)"), "{} NaN"); }

TEST_F(Prometheus3Test, CountersNearZeroAreExtrapolatedByHalfAnIntervalAtMost) {
  // Zero lies 60 s before the first sample, within 1.1 intervals: 2.42 would go that far, 3 goes 30 s.
  EXPECT_EQ(eval("increase(near_zero_total[10m])"), "{} 4");
}

TEST_F(Prometheus3Test, LabelsMayHaveAnyName) {
  EXPECT_EQ(eval("label_replace(edge, \"a b\", \"c\", \"\", \"\")"), "edge{a b=\"c\"} 10");
}

TEST_F(Prometheus3Test, FunctionsThatAreNew) {
  EXPECT_EQ(eval("mad_over_time(edge[5m])"), "{} 1");
  EXPECT_EQ(eval("double_exponential_smoothing(edge[5m], 0.5, 0.5)"), "{} 10");
  EXPECT_THAT(eval("double_exponential_smoothing(edge[5m], 1.5, 0.5)"), HasSubstr("invalid smoothing factor"));
  EXPECT_EQ(eval("count(limitk(2, {__name__=~\"edge|text|odd\"}))"), "{} 2");
}

}  // namespace
}  // namespace weir::promql
