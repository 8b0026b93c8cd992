#include "rules/backtest.h"

#include <gmock/gmock.h>

#include "rules/loader.h"

namespace weir::rules {
namespace {

using std::chrono::minutes;
using testing::HasSubstr;

constexpr minutes kStep{1};

core::Time at(int minute) { return core::Time(minutes(minute)); }

Group load_group(const std::string& rule, const std::string& more = "") {
  config::Diagnostics diagnostics;
  auto groups = load_text("groups: [{name: g, " + more + " rules: [{alert: A, expr: m > 0, " + rule + "}]}]", "r.yml",
                          diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return groups.at(0);
}

/// A series of m{n=...} with a value at each of these minutes.
core::SeriesView series(std::string_view n, const std::vector<int>& present, double value = 1) {
  core::SeriesView view{core::Labels::metric("m", {{"n", n}}), {}};
  for (const int minute : present) view.points.push_back({at(minute), value});
  return view;
}

BacktestedRule run(const Group& group, const promql::Matrix& matrix, int last) {
  Backtest backtest(group, group.rules[0]);
  EXPECT_TRUE(backtest.feed(matrix, at(0), at(last), kStep));
  return backtest.result();
}

TEST(Backtest, EachTimeAnAlertFiresIsASpan) {
  const Group group = load_group("for: 1m");
  const BacktestedRule found = run(group, {series("x", {1, 2, 3, 6, 7, 9})}, 12);
  ASSERT_EQ(found.alerts.size(), 1U);
  EXPECT_EQ(found.alerts[0].labels.to_string(), R"({alertname="A",n="x"})");
  ASSERT_EQ(found.alerts[0].spans.size(), 2U);
  EXPECT_EQ(found.alerts[0].spans[0].from, at(2));
  EXPECT_EQ(found.alerts[0].spans[0].to, at(4));
  EXPECT_EQ(found.alerts[0].spans[1].from, at(7));
  EXPECT_EQ(found.alerts[0].firing(at(12)), minutes(3));
  EXPECT_EQ(found.fired(), 2U);
  EXPECT_EQ(found.pending_only, 1U) << "minute 9 alone was too short";
}

TEST(Backtest, WhatStillFiresHasNoEnd) {
  const Group group = load_group("labels: {s: page}");
  const BacktestedRule found = run(group, {series("x", {4, 5})}, 5);
  ASSERT_EQ(found.alerts.size(), 1U);
  EXPECT_FALSE(found.alerts[0].spans[0].to);
  EXPECT_EQ(found.alerts[0].firing(at(5)), minutes(1));
}

TEST(Backtest, KeepFiringForJoinsSpans) {
  const Group group = load_group("keep_firing_for: 3m");
  EXPECT_EQ(run(group, {series("x", {1, 3})}, 9).fired(), 1U);
  EXPECT_EQ(run(load_group("for: 0s"), {series("x", {1, 3})}, 9).fired(), 2U);
}

TEST(Backtest, AlertsAreToldApartByTheirLabels) {
  const Group group = load_group("for: 0s");
  const BacktestedRule found = run(group, {series("y", {1}), series("x", {1, 2, 3})}, 9);
  ASSERT_EQ(found.alerts.size(), 2U);
  EXPECT_EQ(found.alerts[0].labels.get("n"), "x");
  EXPECT_EQ(found.alerts[0].firing(at(9)), minutes(3));
}

TEST(Backtest, StateGoesOnFromOneFeedToTheNext) {
  const Group group = load_group("for: 4m");
  Backtest backtest(group, group.rules[0]);
  ASSERT_TRUE(backtest.feed({series("x", {0, 1, 2})}, at(0), at(2), kStep));
  ASSERT_TRUE(backtest.feed({series("x", {3, 4, 5})}, at(3), at(9), kStep));
  const BacktestedRule found = backtest.result();
  ASSERT_EQ(found.fired(), 1U);
  EXPECT_EQ(found.alerts[0].spans[0].from, at(4));
}

TEST(Backtest, StepsThatFailAreCountedAndKeepTheAlerts) {
  const Group group = load_group("for: 0s", "limit: 1,");
  const BacktestedRule found = run(group, {series("x", {0, 1, 2, 3}), series("y", {1, 2})}, 3);
  EXPECT_EQ(found.failures, 2U);
  ASSERT_TRUE(found.error);
  EXPECT_THAT(found.error->message, HasSubstr("limit of 1"));
  EXPECT_EQ(found.fired(), 1U);
}

TEST(Backtest, TooManyAlertsAreALimit) {
  const Group group = load_group("for: 0s");
  promql::Matrix matrix;
  for (std::size_t i = 0; i <= Backtest::kMostAlerts; ++i) matrix.push_back(series(std::to_string(i), {0}));
  Backtest backtest(group, group.rules[0]);
  const auto fed = backtest.feed(matrix, at(0), at(1), kStep);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().kind, core::ErrorKind::limit);
  EXPECT_FALSE(backtest.feed({}, at(0), at(1), minutes(0)));
}

}  // namespace
}  // namespace weir::rules
