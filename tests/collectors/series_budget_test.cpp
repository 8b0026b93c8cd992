#include "collectors/series_budget.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::collectors {
namespace {

using testing::ElementsAre;

class Budget : public testing::Test {
 protected:
  void start(std::size_t most, std::size_t each = 1) {
    budget_.emplace(most, [each](const core::Labels&) { return each; });
    kept_.fill(true);
    next_cycle();
  }
  void next_cycle() {
    batch_ = {};
    budget_->begin_cycle();
  }
  /// Two samples by partition with this lag, unless it need not be built; they carry `name` as value.
  void partition(double name, std::int64_t lag) {
    bool& kept = kept_[static_cast<std::size_t>(name)];
    if (budget_->leaves_out(lag, kept, 2)) return;
    const std::size_t first = batch_.samples.size();
    other(name);
    other(name);
    budget_->note(first, batch_, lag, kept);
  }
  void other(double name) { batch_.samples.push_back({core::Labels{{"a", "b"}}, core::Time(), name}); }
  std::vector<double> values() const {
    std::vector<double> all;
    for (const core::Sample& sample : batch_.samples) all.push_back(sample.value);
    return all;
  }

  std::optional<SeriesBudget> budget_;
  core::Batch batch_;
  std::array<bool, 100> kept_{};
};

TEST_F(Budget, WithinItEverythingStays) {
  start(3);
  partition(1, 5);
  other(90);
  EXPECT_EQ(budget_->enforce(batch_), 0U);
  EXPECT_THAT(values(), ElementsAre(1, 1, 90));
}

TEST_F(Budget, TheLargestLagsAndAllThatIsNotByPartitionStayInPlace) {
  start(7);
  other(90);
  partition(1, 5);
  partition(2, 500);
  other(91);
  partition(3, 0);
  partition(4, 70);
  other(92);
  EXPECT_EQ(budget_->enforce(batch_), 4U);
  EXPECT_THAT(values(), ElementsAre(90, 2, 2, 91, 4, 4, 92));
}

TEST_F(Budget, ATopicsOwnSeriesGoBeforeAnyGroups) {
  start(2);
  partition(1, -1);
  partition(2, 0);
  budget_->enforce(batch_);
  EXPECT_THAT(values(), ElementsAre(2, 2));
}

TEST_F(Budget, WhatIsNotByPartitionStaysEvenBeyondTheBudget) {
  start(3);
  for (int i = 0; i < 5; ++i) other(90 + i);
  partition(1, 5);
  EXPECT_EQ(budget_->enforce(batch_), 2U);
  EXPECT_EQ(values().size(), 5U);
  next_cycle();
  partition(1, 1000);
  EXPECT_TRUE(values().empty()) << "no lag finds room";
}

TEST_F(Budget, ASampleMayStandForSeveralSeries) {
  start(9, 3);
  other(90);
  partition(1, 5);
  partition(2, 6);
  EXPECT_EQ(budget_->enforce(batch_), 6U);
  EXPECT_THAT(values(), ElementsAre(90, 2, 2));
}

TEST_F(Budget, TwoOfASizeDoNotTakeTurns) {
  start(2);
  partition(1, 100);
  partition(2, 99);
  budget_->enforce(batch_);
  EXPECT_THAT(values(), ElementsAre(1, 1));
  next_cycle();
  partition(1, 99);
  partition(2, 110);
  EXPECT_EQ(budget_->enforce(batch_), 2U);
  EXPECT_THAT(values(), ElementsAre(1, 1));
  next_cycle();
  partition(1, 99);
  partition(2, 200);
  budget_->enforce(batch_);
  EXPECT_THAT(values(), ElementsAre(2, 2));
}

TEST_F(Budget, WhatIsLeftOutIsNotBuiltAgainAndStillCounted) {
  start(2);
  partition(1, 100);
  partition(2, 50);
  budget_->enforce(batch_);
  next_cycle();
  partition(1, 100);
  partition(2, 60);
  EXPECT_EQ(values().size(), 2U);
  EXPECT_EQ(budget_->enforce(batch_), 2U);
}

TEST_F(Budget, RoomThatIsFreeAgainIsUsed) {
  start(4);
  partition(1, 100);
  partition(2, 50);
  partition(3, 40);
  budget_->enforce(batch_);
  next_cycle();
  partition(1, 100);  // the second is gone
  partition(3, 40);
  EXPECT_EQ(budget_->enforce(batch_), 2U);
  next_cycle();
  partition(1, 100);
  partition(3, 40);
  EXPECT_EQ(budget_->enforce(batch_), 0U);
  EXPECT_THAT(values(), ElementsAre(1, 1, 3, 3));
}

}  // namespace
}  // namespace weir::collectors
