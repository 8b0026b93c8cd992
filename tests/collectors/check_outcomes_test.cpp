#include "collectors/check_outcomes.h"

#include <gtest/gtest.h>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

core::Labels check(const std::string& metric, const std::string& name) {
  return core::Labels::metric(metric, {{"source", "w"}, {"dataset", "orders"}, {"check", name}});
}

core::Batch batch(double a, double b) {
  core::Batch made;
  made.samples = {{check("weir_check_status", "a"), at_second(0), a},
                  {check("weir_check_status", "b"), at_second(0), b},
                  {check("weir_check_value", "a"), at_second(0), 7},
                  {check("weir_check_info", "a").with("owner", "finance"), at_second(0), 1},
                  {check("weir_check_value", "other"), at_second(0), 9}};
  return made;
}

TEST(CheckOutcomesTest, OnlyTheCheckThatChangedIsDueBeforeAllAre) {
  CheckOutcomes outcomes(std::chrono::hours(1));
  const auto first = outcomes.take("checks/w", batch(0, 0), at_second(0));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_TRUE(first[0].all);
  EXPECT_EQ(first[0].node, (core::Node{"table", "w", "orders"}));
  EXPECT_EQ(first[0].checks.at("a").value, 7);
  EXPECT_EQ(first[0].checks.at("a").attributes.at("owner"), "finance");
  EXPECT_EQ(first[0].checks.size(), 2U) << "a value without an outcome is no check";
  EXPECT_TRUE(outcomes.take("checks/w", batch(0, 0), at_second(60)).empty());
  const auto changed = outcomes.take("checks/w", batch(2, 0), at_second(120));
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_FALSE(changed[0].all);
  EXPECT_TRUE(changed[0].checks.at("a").due);
  EXPECT_FALSE(changed[0].checks.at("a").fresh);
  EXPECT_FALSE(changed[0].checks.at("b").due);
  EXPECT_TRUE(outcomes.take("checks/w", batch(2, 0), at_second(3600)).at(0).checks.at("b").due);
}

TEST(CheckOutcomesTest, ACheckThatIsNewIsFreshAndOneThatIsGoneMakesNothingElseDue) {
  CheckOutcomes outcomes(std::chrono::hours(1));
  core::Batch one = batch(0, 0);
  std::erase_if(one.samples, [](const core::Sample& sample) { return sample.labels.get("check") == "b"; });
  outcomes.take("checks/w", one, at_second(0));
  const auto more = outcomes.take("checks/w", batch(0, 0), at_second(1));
  EXPECT_TRUE(more.at(0).checks.at("b").fresh);
  EXPECT_FALSE(more.at(0).checks.at("a").due);
  const auto less = outcomes.take("checks/w", one, at_second(2));
  EXPECT_FALSE(less.at(0).checks.at("a").due);
}

TEST(CheckOutcomesTest, WhereTheWholeIsToldAllChecksAreDueAndTheHourBeginsAnew) {
  CheckOutcomes outcomes(std::chrono::hours(1), true);
  outcomes.take("checks/w", batch(0, 0), at_second(0));
  const auto changed = outcomes.take("checks/w", batch(2, 0), at_second(120));
  EXPECT_TRUE(changed.at(0).all);
  EXPECT_TRUE(changed.at(0).checks.at("b").due);
  EXPECT_TRUE(outcomes.take("checks/w", batch(2, 0), at_second(3600)).empty());
  EXPECT_EQ(outcomes.take("checks/w", batch(2, 0), at_second(3720)).size(), 1U);
}

TEST(CheckOutcomesTest, WhatIsNoOutcomeIsLeftOut) {
  CheckOutcomes outcomes(std::chrono::hours(1));
  EXPECT_EQ(outcomes.take("checks/w", batch(-1, 4), at_second(0)).size(), 0U);
  EXPECT_EQ(outcomes.take("checks/w", batch(std::nan(""), 3), at_second(0)).at(0).checks.size(), 1U);
}

}  // namespace
}  // namespace weir::collectors
