#include <cmath>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "quality/check_file.h"
#include "quality/run.h"
#include "quality/scan_keeper.h"

#include "support/engines/engines.h"

namespace weir::quality {
namespace {

constexpr double kNow = 1'700'000'000;

/// The same table measured incrementally and in full, on every engine there is.
class IncrementalEngines : public testing::TestWithParam<sql::EngineKind> {
 protected:
  void SetUp() override {
    engine_ = GetParam().make();
    source_ = engine_->open();
    engine_->write(fmt::format("CREATE TABLE t (at {}, d {}, f {}, i bigint);", engine_->time_type(),
                               engine_->decimal_type(), engine_->number_type()));
  }

  void insert(int rows, double from, double to) {
    std::string values;
    for (int row = 0; row < rows; ++row) {
      const double at = from + (to - from) * row / rows;
      std::string time = core::format_rfc3339(core::time_from_seconds(std::floor(at))).substr(0, 19);
      time.replace(10, 1, " ");
      const double size = std::exp(spread_(random_));
      values += fmt::format("{}('{}', {:.2f}, {}, {})", values.empty() ? "" : ", ", time, size,
                            random_() % 7 == 0 ? "NULL" : fmt::format("{}", random_() % 2 == 0 ? size : -size),
                            static_cast<int>(random_() % 5) - 2);
    }
    engine_->write("INSERT INTO t VALUES " + values + ";");
  }

  RunResult run(ScanKeeper* keeper, double now) {
    config::Diagnostics diagnostics;
    const auto datasets = merge_datasets(
        parse_check_file(config::parse_yaml(std::string(kFile), "x.yml", diagnostics), diagnostics), diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    CheckRun::Setup setup{.source = "own", .session = *source_};
    setup.keeper = keeper;
    auto result = CheckRun(setup).run(datasets, core::time_from_seconds(now), {});
    EXPECT_TRUE(result) << result.error().describe();
    return result.value_or(RunResult{});
  }

  void compare(const RunResult& seen, const RunResult& exact) {
    ASSERT_FALSE(seen.datasets.at(0).error);
    ASSERT_FALSE(seen.datasets[0].not_incremental) << seen.datasets[0].not_incremental->message;
    for (std::size_t i = 0; i < seen.datasets[0].checks.size(); ++i) {
      const CheckResult& a = seen.datasets[0].checks[i].result;
      const CheckResult& b = exact.datasets.at(0).checks.at(i).result;
      ASSERT_TRUE(a.value && b.value) << a.message << " / " << b.message;
      const bool percentile = a.check.starts_with("percentile");
      EXPECT_EQ(a.relative_error, percentile ? Sketch::kRelativeError : 0) << a.message;
      EXPECT_EQ(b.relative_error, 0);
      EXPECT_LE(std::abs(*a.value - *b.value), std::abs(*b.value) * (a.relative_error * 1.0001 + 1e-9) + 1e-6)
          << a.message << " / " << b.message;
    }
  }

  static constexpr std::string_view kFile = R"(
configurations for t:
  incremental: {column: at, lateness: 2h}
checks for t:
  - row_count > 0
  - avg(d) > 0
  - percentile(d, 0.01) > -1e9
  - percentile(d, 0.5) > -1e9
  - percentile(d, 0.95) > -1e9
  - percentile(f, 0.05) > -1e9
  - percentile(f, 0.75) > -1e9
  - percentile(i, 0.5) > -1e9
  - percentile(i, 0.9) > -1e9:
      name: percentile filtered
      filter: i <> 0
)";

  std::mt19937 random_{5};
  std::normal_distribution<double> spread_{3, 2};
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::SqlSource> source_;
};

TEST_P(IncrementalEngines, PercentilesAreWithinTheirBoundOfTheExact) {
  insert(3000, kNow - 500'000, kNow);
  ScanKeeper keeper("own", nullptr);
  compare(run(&keeper, kNow), run(nullptr, kNow));
  insert(300, kNow, kNow + 10'000);
  const RunResult next = run(&keeper, kNow + 10'000);
  compare(next, run(nullptr, kNow + 10'000));
  for (const StatementReport& each : next.statements) {
    const bool sorts =
        each.sql.find("row_number()") != std::string::npos || each.sql.find("percentile_disc") != std::string::npos;
    EXPECT_FALSE(sorts) << each.sql;
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, IncrementalEngines, testing::ValuesIn(sql::engines()), [](const auto& test) {
  std::string name(test.param.name);
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace weir::quality
