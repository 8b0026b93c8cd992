#include "app/backtest_run.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "rules/loader.h"

namespace weir::app {
namespace {

using std::chrono::minutes;
using testing::HasSubstr;

core::Time at(int minute) { return core::Time(minutes(minute)); }

std::vector<rules::Group> load(const std::string& text) {
  config::Diagnostics diagnostics;
  auto groups = rules::load_text(text, "r.yml", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return groups;
}

const std::vector<rules::Group>& groups() {
  static const auto kGroups =
      load("groups: [{name: g, interval: 1m, rules: [{record: r, expr: x}, {alert: A, expr: m > 0, for: 1m}]}]");
  return kGroups;
}

/// m{n="a"} holds in minutes 3 to 6.
core::Result<promql::Matrix> answer(const rules::Rule&, core::Time start, core::Time end, core::Duration step) {
  core::SeriesView series{core::Labels::metric("m", {{"n", "a"}}), {}};
  for (core::Time now = start; now <= end; now += step) {
    if (now >= at(3) && now <= at(6)) series.points.push_back({now, 1});
  }
  return promql::Matrix{series};
}

TEST(BacktestRun, ShowsHowOftenHowLongAndOnWhat) {
  const BacktestPlan plan{at(0), at(10), {}};
  const auto found = run_backtest(groups(), plan, answer);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U) << "recording rules do not fire";
  const std::string text = format_backtest(*found, plan);
  EXPECT_THAT(text, HasSubstr("A (g): would have fired once, for 3m in all"));
  EXPECT_THAT(text, HasSubstr("{alertname=\"A\",n=\"a\"}  1      3m   3m       1970-01-01T00:04:00.000Z"));
  const auto json = nlohmann::json::parse(backtest_json(*found, plan));
  EXPECT_EQ(json["rules"][0]["alerts"][0]["spans"][0], nlohmann::json::parse(R"({"from": 240.0, "to": 420.0})"));
  EXPECT_EQ(json["rules"][0]["fired"], 1);
}

TEST(BacktestRun, ALongTimeIsAskedForInPieces) {
  std::vector<std::pair<core::Time, core::Time>> asked;
  const RangeQuery query = [&](const rules::Rule&, core::Time start, core::Time end, core::Duration) {
    asked.emplace_back(start, end);
    return core::Result<promql::Matrix>(promql::Matrix{});
  };
  ASSERT_TRUE(run_backtest(groups(), {at(0), at(12'000), {}}, query));
  EXPECT_THAT(asked, testing::ElementsAre(std::pair(at(0), at(4'999)), std::pair(at(5'000), at(9'999)),
                                          std::pair(at(10'000), at(12'000))));
}

TEST(BacktestRun, AQueryThatFailsIsTheErrorOfItsRule) {
  const RangeQuery query = [](const rules::Rule&, core::Time, core::Time, core::Duration) {
    return core::Result<promql::Matrix>(core::fail(core::ErrorKind::invalid, "no such thing"));
  };
  const BacktestPlan plan{at(0), at(10), minutes(5)};
  const auto found = run_backtest(groups(), plan, query);
  ASSERT_TRUE(found);
  EXPECT_THAT(format_backtest(*found, plan), HasSubstr("A (g): no such thing"));
  EXPECT_EQ(nlohmann::json::parse(backtest_json(*found, plan))["rules"][0]["error"], "no such thing");
}

TEST(BacktestRun, TooManyStepsAreRefused) {
  const auto found = run_backtest(groups(), {at(0), at(10'000'000), {}}, answer);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("raise --step"));
}

}  // namespace
}  // namespace weir::app
