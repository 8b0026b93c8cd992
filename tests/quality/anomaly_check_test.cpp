#include "quality/anomaly_check.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "quality/anomaly_settings.h"
#include "quality/check_file.h"
#include "quality/collector.h"
#include "sql/sqlite.h"

#include "memory_history.h"

namespace weir::quality {
namespace {

using core::Labels;
using core::Mark;
using ::testing::AllOf;
using ::testing::HasSubstr;

const core::Time kMonday = core::Time(std::chrono::sys_days(std::chrono::year(2025) / 9 / 1)) + std::chrono::hours(6);

std::vector<Dataset> parse(const std::string& yaml, config::Diagnostics& diagnostics) {
  return merge_datasets(parse_check_file(config::parse_yaml(yaml, "x.yml", diagnostics), diagnostics), diagnostics);
}

std::string mistakes(const std::string& check) {
  config::Diagnostics diagnostics;
  parse("checks for orders:\n  - " + check + "\n", diagnostics);
  return diagnostics.to_string();
}

/// A table that is loaded once a day, and the daemon's collector over it.
class AnomalyCheck : public testing::Test {
 protected:
  AnomalyCheck()
      : path_(std::filesystem::path(testing::TempDir()) / ("weir-anomaly-" + std::to_string(::getpid()) + ".db")) {
    std::filesystem::remove(path_);
    sqlite3_open(path_.c_str(), &database_);
    write("CREATE TABLE orders (amount REAL)");
  }
  ~AnomalyCheck() override {
    sqlite3_close(database_);
    std::filesystem::remove(path_);
  }

  void write(const std::string& sql) {
    ASSERT_EQ(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database_);
  }
  void load(int rows, double amount = 10) {
    write("DELETE FROM orders");
    write("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(rows) +
          ") INSERT INTO orders SELECT " + std::to_string(amount) + " FROM n WHERE " + std::to_string(rows) + " > 0");
  }

  /// A new process, too.
  void use(const std::string& checks) {
    config::Diagnostics diagnostics;
    ChecksSettings settings;
    settings.name = "checks/local";
    settings.source = "local";
    settings.datasets = parse(checks, diagnostics);
    ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    sql::SqliteSettings source;
    source.path = path_;
    collector_ = std::make_unique<CheckCollector>(std::move(settings), sql::make_sqlite("local", source), history_);
  }

  core::Batch collect(core::Time now) {
    core::CollectContext context;
    context.now = now;
    context.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    auto batch = collector_->collect(context);
    EXPECT_TRUE(batch) << batch.error().describe();
    return batch.value_or(core::Batch{});
  }
  core::Batch day(int number) { return collect(kMonday + std::chrono::days(number)); }

  /// 200 rows on weekdays, 80 on weekends, up to 5 % more or less.
  static int usual(int day) {
    const int level = day % 7 >= 5 ? 80 : 200;
    return level + level * ((day * day) % 11 - 5) / 100;
  }
  void learn(int days = 28) {
    for (int i = 0; i < days; ++i) {
      load(usual(i));
      day(i);
    }
  }

  static std::optional<double> sample(const core::Batch& batch, std::string_view metric, std::string_view state = "") {
    for (const core::Sample& each : batch.samples) {
      if (each.labels.get(core::kMetricName) != metric) continue;
      if (state.empty() || each.labels.get("state") == state) return each.value;
    }
    return std::nullopt;
  }
  const std::vector<core::Measurement>& kept() { return history_.kept["local/orders/anomaly detection for row_count"]; }

  const std::string checks_ = "checks for orders:\n  - anomaly detection for row_count\n";
  std::string path_;
  sqlite3* database_ = nullptr;
  MemoryHistory history_;
  std::unique_ptr<CheckCollector> collector_;
};

TEST_F(AnomalyCheck, PassesWhileItLearnsAndShowsNoRange) {
  use(checks_);
  learn(12);
  load(0);
  const core::Batch batch = day(12);
  EXPECT_EQ(sample(batch, "weir_check_status"), 0);
  EXPECT_EQ(sample(batch, "weir_check_value"), 0);
  EXPECT_EQ(sample(batch, "weir_check_anomaly_state", "learning"), 1);
  EXPECT_EQ(sample(batch, "weir_check_expected"), std::nullopt);
  EXPECT_EQ(kept().size(), 13U);
}

TEST_F(AnomalyCheck, FailsOutsideOfWhatTheWeekdayIsUsedTo) {
  use(checks_);
  learn();
  load(80);
  const core::Batch batch = day(28);
  EXPECT_EQ(sample(batch, "weir_check_status"), 2);
  EXPECT_EQ(sample(batch, "weir_check_anomaly_state", "anomalous"), 1);
  EXPECT_LT(sample(batch, "weir_check_anomaly_score").value(), -4.5);
  EXPECT_NEAR(sample(batch, "weir_check_expected").value(), 200, 8);
  EXPECT_GT(sample(batch, "weir_check_expected_low").value(), 150);
  EXPECT_LT(sample(batch, "weir_check_expected_high").value(), 250);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_THAT(batch.events[0].message, AllOf(HasSubstr("80 rows, expected 1"), HasSubstr(" for a Monday")));
  EXPECT_EQ(kept().back().mark, Mark::anomalous);
  load(198);
  EXPECT_EQ(sample(day(29), "weir_check_anomaly_state", "recovered"), 1);
  load(80);
  EXPECT_EQ(sample(day(33), "weir_check_status"), 0) << "a Saturday";
}

TEST_F(AnomalyCheck, WhatWasAnomalousIsNotLearnedAfterARestartEither) {
  use(checks_);
  learn();
  load(0);
  day(28);
  use(checks_);
  for (int i = 29; i < 32; ++i) EXPECT_EQ(sample(day(i), "weir_check_status"), 2) << i;
  load(201);
  EXPECT_EQ(sample(day(32), "weir_check_status"), 0);
  EXPECT_NEAR(sample(day(32), "weir_check_expected").value(), 200, 8);
}

TEST_F(AnomalyCheck, ANewLevelWarnsOnceAndPassesThen) {
  use(checks_);
  learn();
  std::vector<double> statuses;
  for (int i = 28; i < 38; ++i) {
    load(2 * usual(i));
    statuses.push_back(sample(day(i), "weir_check_status").value());
  }
  EXPECT_EQ(statuses, (std::vector<double>{2, 2, 2, 2, 1, 0, 0, 0, 0, 0}));
}

TEST_F(AnomalyCheck, OneMeasurementABucketIsKeptTheLast) {
  use("checks for orders:\n  - anomaly detection for row_count:\n      training_dataset_parameters: {frequency: D}\n");
  learn();
  for (int minute = 0; minute < 30; ++minute) {
    load(minute);
    collect(kMonday + std::chrono::days(28) + std::chrono::minutes(minute));
  }
  const core::Time bucket = kMonday + std::chrono::days(28) - std::chrono::hours(6);
  for (std::size_t i = 28; i < kept().size(); ++i) EXPECT_EQ(kept()[i].time, bucket);
  load(200);
  const core::Batch evening = collect(kMonday + std::chrono::days(28) + std::chrono::hours(12));
  EXPECT_EQ(sample(evening, "weir_check_anomaly_state", "normal"), 1) << "no entry of the same bucket is before it";
}

TEST_F(AnomalyCheck, WarningRatioAndWarnOnlySayWhenItFails) {
  const std::string more = "checks for orders:\n  - anomaly detection for row_count:\n      ";
  use(checks_);
  learn();
  load(120);
  for (const auto& [settings, status] : {std::pair{"warn_only: true", 1.0},
                                         {"severity_level_parameters: {warning_ratio: 9}", 1.0},
                                         {"severity_level_parameters: {warning_ratio: 0}", 2.0},
                                         {"alert_directionality: upper_bound", 0.0},
                                         {"alert_directionality: lower_bound", 2.0},
                                         {"severity_level_parameters: {min_confidence_interval_ratio: 0.9}", 0.0}}) {
    use(more + settings + "\n");
    EXPECT_EQ(sample(day(28), "weir_check_status"), status) << settings;
  }
}

TEST_F(AnomalyCheck, AnyNumericMetricCanBeWatchedBesideOtherChecks) {
  use("checks for orders:\n  - row_count > 0\n  - anomaly detection for avg(amount)\n  - avg(amount) < 1000\n");
  for (int i = 0; i < 28; ++i) {
    load(20, 10 + (i * i) % 11 / 10.0);
    day(i);
  }
  load(20, 30);
  const core::Batch batch = day(28);
  EXPECT_EQ(sample(batch, "weir_check_anomaly_state", "anomalous"), 1);
  EXPECT_EQ(sample(batch, "weir_dataset_column_avg"), 30);
  EXPECT_EQ(history_.kept.count("local/orders/anomaly detection for avg(amount)"), 1U);
}

TEST_F(AnomalyCheck, NoValueIsAnErrorAndKeepsWhatWasForeseen) {
  use("checks for orders:\n  - anomaly detection for avg(amount)\n");
  load(0);
  const core::Batch batch = day(0);
  EXPECT_EQ(sample(batch, "weir_check_status"), 3);
  std::size_t covered = 0;
  for (const core::Fault& fault : batch.faults) {
    if (fault.scope.get(core::kMetricName) == "weir_check_anomaly_score") ++covered;
  }
  EXPECT_EQ(covered, 1U);
  EXPECT_TRUE(history_.kept.empty());
}

TEST_F(AnomalyCheck, AHistoryThatCannotBeReadLeavesTheStateAsItWas) {
  use(checks_);
  history_.failure = core::Error{core::ErrorKind::storage, "disk full", true};
  const core::Batch batch = day(0);
  EXPECT_EQ(sample(batch, "weir_check_status"), std::nullopt);
  ASSERT_FALSE(batch.faults.empty());
  EXPECT_THAT(batch.faults[0].error.message, HasSubstr("disk full"));
}

TEST(AnomalyCheckFile, WhatSodaHasAndWeirDoesWithoutIsNamedWithAHint) {
  const std::string check = "anomaly detection for row_count:\n      ";
  EXPECT_THAT(mistakes(check + "model: {hyperparameters: {}}"), HasSubstr("x.yml:3:"));
  EXPECT_THAT(mistakes(check + "model: {hyperparameters: {}}"), HasSubstr("Prophet's"));
  EXPECT_THAT(mistakes(check + "warn: when < 10"), HasSubstr("the range comes from the history"));
  EXPECT_THAT(mistakes(check + "training_dataset_parameters: {aggregation_function: max}"),
              HasSubstr("can only be last"));
  EXPECT_THAT(mistakes(check + "training_dataset_parameters: {auto_exclude_anomalies: False}"),
              HasSubstr("never learned from"));
  EXPECT_THAT(mistakes(check + "training_dataset_parameters: {frequency: fortnightly}"),
              HasSubstr("expected auto, D, H"));
  EXPECT_THAT(mistakes(check + "training_dataset_parameters: {window_length: 5}"), HasSubstr("window_length"));
  EXPECT_THAT(mistakes(check + "training_dataset_parameters: {exclude_dates: [2026-02-30]}"), HasSubstr("2026-12-24"));
  EXPECT_THAT(mistakes(check + "training_dataset_parameters: {time_zone: Mars/Olympus}"), HasSubstr("Mars/Olympus"));
  EXPECT_THAT(mistakes(check + "training_dataset_parameters: {saeson: weekly}"), HasSubstr("season"));
  EXPECT_THAT(mistakes(check + "sensitivity: 0"), HasSubstr("from 1 to 20"));
  EXPECT_THAT(mistakes(check + "alert_directionality: sideways"), HasSubstr("upper_bound"));
  EXPECT_THAT(mistakes("anomaly score for row_count < default"), HasSubstr("write \"anomaly detection for"));
  EXPECT_THAT(mistakes("anomaly detection for row_count > 5"), HasSubstr("write just the metric"));
  EXPECT_THAT(mistakes("anomaly detection for change for row_count"), HasSubstr("write just the metric"));
  EXPECT_THAT(mistakes("anomaly detection for rowcount"), HasSubstr("did you mean \"row_count\""));
  EXPECT_FALSE(mistakes("anomaly detection for").empty());
  EXPECT_FALSE(mistakes("anomaly detection for avg").empty());
}

TEST(AnomalyCheckFile, SodasFormsAreRead) {
  EXPECT_EQ(mistakes("anomaly detection for row_count"), "");
  EXPECT_EQ(mistakes("anomaly detection for missing_percent(amount)"), "");
  EXPECT_EQ(mistakes("anomaly detection for row_count:\n"
                     "      name: Rows\n"
                     "      severity_level_parameters:\n"
                     "        warning_ratio: 0.1\n"
                     "        min_confidence_interval_ratio: 0.001\n"
                     "      training_dataset_parameters:\n"
                     "        frequency: auto\n"
                     "        window_length: 1000\n"
                     "        aggregation_function: last\n"
                     "        auto_exclude_anomalies: True\n"
                     "        exclude_dates: [2026-12-24..2027-01-01, 2026-05-01]\n"
                     "      alert_directionality: upper_and_lower_bounds"),
            "");
}

TEST(AnomalyCheckFile, DaysAreThoseOfTheCalendar) {
  EXPECT_EQ(parse_day("1970-01-02"), 1);
  EXPECT_EQ(parse_day("2024-02-29"), 19782);
  for (const char* wrong : {"", "2025-02-29", "2025-13-01", "2025-1-1", "20250101", "2025-01-0x", "-025-01-01"}) {
    EXPECT_EQ(parse_day(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace weir::quality
