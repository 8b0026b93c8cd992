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
  EXPECT_EQ(eval("first_over_time(edge[5m])"), "edge 6");
}

TEST_F(Prometheus3Test, TimesOfTheSamplesOfARange) {
  source_.add(metric("wave", {}), kAt - 4min, 1min, {std::nan(""), 5, 1, 5, 1});
  EXPECT_EQ(eval("ts_of_first_over_time(wave[5m])"), "{} 760");
  EXPECT_EQ(eval("ts_of_last_over_time(wave[5m])"), "{} 1000");
  EXPECT_EQ(eval("ts_of_max_over_time(wave[5m])"), "{} 940");
  EXPECT_EQ(eval("ts_of_min_over_time(wave[5m])"), "{} 1000");
  EXPECT_EQ(eval("ts_of_min_over_time(wave[5m] offset 4m)"), "{} 760");
}

TEST_F(Prometheus3Test, SortsByLabelsWithTheirDigitsAsNumbers) {
  for (const auto& [partition, topic] : {std::pair("10", "b"), {"2", "b"}, {"1", "a"}, {"b3", "a"}, {"", "c"}})
    source_.add(metric("lag", {{"partition", partition}, {"topic", topic}}), kAt, 1min, {1});
  const auto order = [&](const std::string& text) {
    const auto value = evaluate(*parse(text), source_, kAt);
    std::string found;
    for (const VectorSample& sample : std::get<Vector>(*value)) {
      found += std::string(sample.labels.get("topic")) + std::string(sample.labels.get("partition")) + " ";
    }
    return found;
  };
  EXPECT_EQ(order("sort_by_label(lag, \"partition\")"), "c a1 b2 b10 ab3 ");
  EXPECT_EQ(order("sort_by_label_desc(lag, \"partition\")"), "ab3 b10 b2 a1 c ");
  EXPECT_EQ(order("sort_by_label(lag, \"topic\", \"partition\")"), "a1 ab3 b2 b10 c ");
}

TEST_F(Prometheus3Test, ARatioOfTheSeriesAndItsComplementAreAll) {
  for (int i = 0; i < 1000; ++i) source_.add(metric("many", {{"i", std::to_string(i)}}), kAt, 1min, {1});
  EXPECT_EQ(eval("count(limit_ratio(0.3, many) or limit_ratio(-0.7, many))"), "{} 1000");
  EXPECT_EQ(eval("limit_ratio(0.3, many) and limit_ratio(-0.7, many)"), "");
  EXPECT_EQ(eval("count(limit_ratio(0.3, many)) > 250 < 350"), eval("count(limit_ratio(0.3, many))"));
  EXPECT_EQ(eval("limit_ratio(0, many)"), "");
  EXPECT_EQ(eval("count(limit_ratio(-2, many))"), "{} 1000");
  EXPECT_THAT(eval("limit_ratio(NaN, many)"), HasSubstr("Ratio value NaN is NaN"));
}

TEST_F(Prometheus3Test, FractionsOfClassicHistograms) {
  for (const auto& [le, count] : {std::pair("1", 2.0), {"3", 6.0}, {"+Inf", 8.0}})
    source_.add(metric("size_bucket", {{"le", le}}), kAt, 1min, {count});
  EXPECT_EQ(eval("histogram_fraction(0, 3, size_bucket)"), "{} 0.75");
  EXPECT_EQ(eval("histogram_fraction(0.5, 2, size_bucket)"), "{} 0.375");
  EXPECT_EQ(eval("histogram_fraction(2, +Inf, size_bucket)"), "{} 0.5");
  EXPECT_EQ(eval("histogram_fraction(3, 2, size_bucket)"), "{} 0");
  EXPECT_EQ(eval("histogram_fraction(0, 3, size_bucket{le!=\"+Inf\"})"), "{} NaN");
}

}  // namespace
}  // namespace weir::promql
