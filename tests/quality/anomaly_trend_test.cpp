#include "quality/anomaly_trend.h"

#include <gtest/gtest.h>
#include <vector>

namespace weir::quality::anomaly {
namespace {

TEST(AnomalyTrend, MedianAndQuantiles) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(quantile({1, 2, 3, 4, 5}, 0), 1);
  EXPECT_EQ(quantile({5, 4, 3, 2, 1}, 1), 5);
  EXPECT_DOUBLE_EQ(quantile({1, 2, 3, 4, 5}, 0.9), 4.6);
}

TEST(AnomalyTrend, ScaleIsTheLargestOfTheTails) {
  EXPECT_EQ(pooled_scale(std::vector<double>{}), 0);
  EXPECT_DOUBLE_EQ(pooled_scale(std::vector<double>{1, -1, 1, -1}), 1.4826);
  // A tenth of large errors is a tail, one of forty is an outlier.
  std::vector<double> errors(40, 1.0);
  errors[7] = 1000;
  EXPECT_LT(pooled_scale(errors), 2);
  for (std::size_t i = 0; i < 8; ++i) errors[i] = 30;
  EXPECT_GT(pooled_scale(errors), 15);
}

TEST(AnomalyTrend, ASlopeInSpiteOfOutliers) {
  std::vector<TrendPoint> points;
  for (int i = 0; i < 40; ++i) points.push_back({static_cast<double>(i), 2.0 * i + i % 3, 0});
  points[5].y = 900;
  points[30].y = -900;
  EXPECT_NEAR(trend(points), 2, 0.05);
}

TEST(AnomalyTrend, AWeeklyPatternIsNoSlope) {
  std::vector<TrendPoint> points;
  for (int i = 0; i < 26; ++i) points.push_back({static_cast<double>(i), i % 7 >= 5 ? 10.0 : 100.0 + i % 4, 0});
  EXPECT_EQ(trend(points), 0);
}

TEST(AnomalyTrend, AShiftOfTheLevelIsNoSlope) {
  std::vector<TrendPoint> points;
  for (int i = 0; i < 60; ++i)
    points.push_back({static_cast<double>(i), (i < 30 ? 0 : 50) + (i * i) % 11 - 5.0, i / 30});
  EXPECT_EQ(trend(points), 0);
}

TEST(AnomalyTrend, TooFewPointsHaveNone) {
  EXPECT_EQ(trend(std::vector<TrendPoint>{}), 0);
  EXPECT_EQ(trend(std::vector<TrendPoint>{{0, 1, 0}, {1, 2, 0}, {2, 3, 0}}), 0);
  EXPECT_EQ(trend(std::vector<TrendPoint>(300, {1, 5, 0})), 0) << "all at one time";
}

}  // namespace
}  // namespace weir::quality::anomaly
