#include "collectors/series_budget.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>

namespace weir::collectors {
namespace {

using testing::ElementsAre;

class SeriesBudget : public testing::Test {
 protected:
  /// Two samples by partition with this lag; they carry `name` as value.
  void partition(double name, std::int64_t lag) {
    ranges_.push_back({static_cast<std::uint32_t>(batch_.samples.size()), 2, lag, &kept_[static_cast<int>(name)]});
    other(name);
    other(name);
  }
  void other(double name) { batch_.samples.push_back({core::Labels{{"a", "b"}}, core::Time(), name}); }
  std::vector<double> values() const {
    std::vector<double> all;
    for (const core::Sample& sample : batch_.samples) all.push_back(sample.value);
    return all;
  }
  std::size_t keep(std::size_t most) {
    return keep_within_budget(
        ranges_, most, [this](const core::Labels&) { return each_; }, batch_);
  }
  void next_cycle() {
    batch_ = {};
    ranges_.clear();
  }

  core::Batch batch_;
  std::vector<SeriesRange> ranges_;
  std::array<bool, 100> kept_{};
  std::size_t each_ = 1;
};

TEST_F(SeriesBudget, WithinItEverythingStays) {
  partition(1, 5);
  other(90);
  EXPECT_EQ(keep(3), 0U);
  EXPECT_THAT(values(), ElementsAre(1, 1, 90));
  EXPECT_TRUE(kept_[1]);
}

TEST_F(SeriesBudget, TheLargestLagsAndAllThatIsNotByPartitionStayInPlace) {
  other(90);
  partition(1, 5);
  partition(2, 500);
  other(91);
  partition(3, 0);
  partition(4, 70);
  other(92);
  EXPECT_EQ(keep(7), 4U);
  EXPECT_THAT(values(), ElementsAre(90, 2, 2, 91, 4, 4, 92));
}

TEST_F(SeriesBudget, ATopicsOwnSeriesGoBeforeAnyGroups) {
  partition(1, -1);
  kept_[1] = true;
  partition(2, 0);
  keep(2);
  EXPECT_THAT(values(), ElementsAre(2, 2));
}

TEST_F(SeriesBudget, WhatIsNotByPartitionStaysEvenBeyondTheBudget) {
  for (int i = 0; i < 5; ++i) other(90 + i);
  partition(1, 5);
  EXPECT_EQ(keep(3), 2U);
  EXPECT_EQ(values().size(), 5U);
}

TEST_F(SeriesBudget, ASampleMayStandForSeveralSeries) {
  each_ = 3;
  other(90);
  partition(1, 5);
  partition(2, 6);
  EXPECT_EQ(keep(9), 6U);
  EXPECT_THAT(values(), ElementsAre(90, 2, 2));
}

TEST_F(SeriesBudget, TwoOfASizeDoNotTakeTurns) {
  partition(1, 100);
  partition(2, 99);
  keep(2);
  EXPECT_THAT(values(), ElementsAre(1, 1));
  next_cycle();
  partition(1, 99);
  partition(2, 110);
  keep(2);
  EXPECT_THAT(values(), ElementsAre(1, 1));
  next_cycle();
  partition(1, 99);
  partition(2, 200);
  keep(2);
  EXPECT_THAT(values(), ElementsAre(2, 2));
}

}  // namespace
}  // namespace weir::collectors
