#include "quality/collector.h"

#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "quality/check_file.h"
#include "sql/sqlite.h"

#include "memory_history.h"
#include "support/source_dir.h"

namespace weir::quality {
namespace {

using core::Labels;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const core::Time kNow = core::time_from_seconds(1'700'000'000);

/// A check collector over a SQLite file that the test writes.
class CheckCollectorTest : public testing::Test {
 protected:
  CheckCollectorTest()
      : path_(std::filesystem::path(testing::TempDir()) / ("weir-collector-" + std::to_string(::getpid()) + ".db")) {
    std::filesystem::remove(path_);
    sqlite3_open(path_.c_str(), &database_);
  }
  ~CheckCollectorTest() override {
    sqlite3_close(database_);
    std::filesystem::remove(path_);
  }

  void write(const std::string& sql) {
    char* message = nullptr;
    ASSERT_EQ(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message << "\n" << sql;
  }

  /// A restart, too: a new collector knows nothing but what `past` holds.
  void use(const std::string& yaml, core::Duration statement_timeout = std::chrono::seconds(5),
           const core::SeriesSource* past = nullptr) {
    config::Diagnostics diagnostics;
    ChecksSettings settings;
    settings.name = "checks/local";
    settings.source = "local";
    settings.datasets =
        merge_datasets(parse_check_file(config::parse_yaml(yaml, "x.yml", diagnostics), diagnostics), diagnostics);
    ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    sql::SqliteSettings source;
    source.path = path_;
    source.busy_timeout = std::chrono::milliseconds(20);
    source.statement_timeout = statement_timeout;
    collector_ =
        std::make_unique<CheckCollector>(std::move(settings), sql::make_sqlite("local", source), history_, past);
  }

  core::Result<core::Batch> collect() {
    core::CollectContext context;
    context.now = now_;
    context.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    return collector_->collect(context);
  }

  core::Batch batch() {
    auto result = collect();
    EXPECT_TRUE(result) << result.error().describe();
    return result.value_or(core::Batch{});
  }

  static std::optional<double> sample(const core::Batch& batch, std::string_view metric,
                                      std::initializer_list<Labels::Pair> labels) {
    Labels wanted = Labels(labels).with(core::kMetricName, metric).with("source", "local");
    const auto found = std::ranges::find(batch.samples, wanted, &core::Sample::labels);
    if (found == batch.samples.end()) return std::nullopt;
    return found->value;
  }

  static std::optional<double> status(const core::Batch& batch, std::string_view check) {
    for (const core::Sample& each : batch.samples) {
      if (each.labels.name() == "weir_check_status" && each.labels.get("check") == check) return each.value;
    }
    return std::nullopt;
  }

  static std::vector<std::string> events(const core::Batch& batch) {
    std::vector<std::string> texts;
    for (const core::Event& event : batch.events) texts.push_back(event.kind + " " + event.message);
    return texts;
  }

  /// Whether what happened to this series is covered by a fault.
  static bool kept(const core::Batch& batch, const Labels& series) {
    return std::ranges::any_of(batch.faults, [&](const core::Fault& fault) { return series.includes(fault.scope); });
  }

  std::filesystem::path path_;
  sqlite3* database_ = nullptr;
  MemoryHistory history_;
  std::unique_ptr<CheckCollector> collector_;
  core::Time now_ = kNow;
};

constexpr const char* kOrders = R"(
checks for fct_orders:
  - row_count > 0
  - freshness(loaded_at) < 1h
  - missing_count(customer_id) = 0
  - missing_percent(customer_id) < 50%
  - avg(amount) between 10 and 100:
      name: amounts
  - max(amount):
      warn: when > 50
      fail: when > 500
)";

constexpr const char* kTable =
    "CREATE TABLE fct_orders (order_id INTEGER, customer_id INTEGER, amount REAL, loaded_at TEXT);";
constexpr const char* kRows =
    "INSERT INTO fct_orders VALUES (1, 7, 10, '2023-11-14T22:13:10Z'), (2, NULL, 60, '2023-11-14T22:12:20.000Z'),"
    "(3, 8, 20, '2023-11-14T22:00:00Z'), (4, 9, 30, NULL);";

TEST_F(CheckCollectorTest, EmitsWhatItMeasuredAndJudged) {
  write(std::string(kTable) + kRows);
  use(kOrders);
  const core::Batch result = batch();
  EXPECT_EQ(sample(result, "weir_dataset_row_count", {{"dataset", "fct_orders"}}), 4);
  EXPECT_NEAR(*sample(result, "weir_dataset_freshness_seconds", {{"dataset", "fct_orders"}, {"column", "loaded_at"}}),
              10, 0.01);
  EXPECT_EQ(sample(result, "weir_dataset_missing_count", {{"dataset", "fct_orders"}, {"column", "customer_id"}}), 1);
  EXPECT_EQ(sample(result, "weir_dataset_column_avg", {{"dataset", "fct_orders"}, {"column", "amount"}}), 30);
  EXPECT_EQ(sample(result, "weir_dataset_column_max", {{"dataset", "fct_orders"}, {"column", "amount"}}), 60);
  EXPECT_EQ(status(result, "row_count > 0"), 0);
  EXPECT_EQ(status(result, "freshness(loaded_at) < 1h"), 0);
  EXPECT_EQ(status(result, "missing_count(customer_id) = 0"), 2);
  EXPECT_EQ(status(result, "missing_percent(customer_id) < 50%"), 0);
  EXPECT_EQ(status(result, "amounts"), 0);
  EXPECT_EQ(status(result, "max(amount) warn when > 50 fail when > 500"), 1);
  EXPECT_EQ(
      sample(result, "weir_check_value", {{"dataset", "fct_orders"}, {"check", "missing_percent(customer_id) < 50%"}}),
      25);
  EXPECT_THAT(result.faults, IsEmpty());
  for (const core::Sample& each : result.samples) EXPECT_EQ(each.time, kNow);
}

TEST_F(CheckCollectorTest, EmitsNoSeriesTwiceAndNoneUnannounced) {
  write(std::string(kTable) + kRows);
  use(kOrders);
  std::set<Labels> seen;
  for (const core::Sample& each : batch().samples) {
    EXPECT_TRUE(seen.insert(each.labels).second) << each.labels.to_string();
    const auto announced = [&](const core::MetricInfo& info) { return info.name == each.labels.name(); };
    EXPECT_TRUE(std::ranges::any_of(collector_->metrics(), announced)) << each.labels.to_string();
  }
}

TEST_F(CheckCollectorTest, TellsAChangeOfOutcomeOnceInASentence) {
  write(std::string(kTable) + kRows);
  use("checks for fct_orders:\n  - row_count > 4");
  EXPECT_THAT(events(batch()),
              ElementsAre("check_failed fct_orders: check \"row_count > 4\" failed: row_count is 4, expected > 4"));
  EXPECT_THAT(events(batch()), IsEmpty());
  write("INSERT INTO fct_orders VALUES (5, 5, 5, NULL)");
  EXPECT_THAT(
      events(batch()),
      ElementsAre("check_recovered fct_orders: check \"row_count > 4\" passes again: row_count is 5, expected > 4"));
  EXPECT_THAT(events(batch()), IsEmpty());
}

TEST_F(CheckCollectorTest, NeverPassesAnEmptyTableForFresh) {
  write(kTable);
  use(kOrders);
  const core::Batch result = batch();
  EXPECT_EQ(status(result, "row_count > 0"), 2);
  EXPECT_EQ(status(result, "freshness(loaded_at) < 1h"), 2) << "nothing is not fresh";
  EXPECT_EQ(status(result, "missing_percent(customer_id) < 50%"), 0) << "as in Soda, 0 % of nothing";
  EXPECT_EQ(status(result, "amounts"), 3);
  EXPECT_THAT(events(result), testing::Contains("check_failed fct_orders: check \"freshness(loaded_at) < 1h\" failed: "
                                                "freshness(loaded_at) has no age: the table is empty"));
}

/// What the collector could not see: this makes it red.
std::vector<core::Fault> unseen(const core::Batch& batch) {
  std::vector<core::Fault> faults = batch.faults;
  std::erase_if(faults, [](const core::Fault& fault) { return fault.no_value; });
  return faults;
}

TEST_F(CheckCollectorTest, MeansTheSameByAnEmptyTableBeforeAndAfterARestart) {
  write(std::string(kTable) + kRows);
  use(kOrders);
  EXPECT_THAT(batch().faults, IsEmpty());
  write("DELETE FROM fct_orders");
  const core::Batch emptied = batch();
  use(kOrders);
  const core::Batch restarted = batch();
  for (const core::Batch& each : {emptied, restarted}) {
    EXPECT_THAT(unseen(each), IsEmpty()) << "Weir looked, and the table is empty: no failure of the collector";
    EXPECT_EQ(status(each, "freshness(loaded_at) < 1h"), 2);
    EXPECT_EQ(status(each, "amounts"), 3);
    EXPECT_EQ(status(each, "row_count > 0"), 2);
    EXPECT_TRUE(kept(each, Labels{{"source", "local"},
                                  {"dataset", "fct_orders"},
                                  {"column", "loaded_at"},
                                  {"__name__", "weir_dataset_freshness_seconds"}}));
    EXPECT_TRUE(kept(
        each,
        Labels{
            {"source", "local"}, {"dataset", "fct_orders"}, {"check", "amounts"}, {"__name__", "weir_check_value"}}));
  }
  EXPECT_EQ(emptied.samples.size(), restarted.samples.size());
}

TEST_F(CheckCollectorTest, IsNotAtFaultForAColumnOfNaN) {
  write("CREATE TABLE t (n REAL, note TEXT); INSERT INTO t VALUES (NULL, 'x')");
  use("checks for t:\n  - max(n) > 0\n  - freshness(note) < 1h\n");
  const core::Batch result = batch();
  EXPECT_EQ(status(result, "max(n) > 0"), 3);
  EXPECT_EQ(status(result, "freshness(note) < 1h"), 3);
  EXPECT_THAT(unseen(result), IsEmpty());
}

TEST_F(CheckCollectorTest, IsAtFaultForWhatItCouldNotLookAt) {
  write(kTable);
  use("checks for fct_orders:\n  - missing_count(custmer_id) = 0\nchecks for gone:\n  - row_count > 0\n");
  EXPECT_THAT(unseen(batch()), SizeIs(3)) << "the column's two series, and the table";
}

/// The outcomes that the last run left.
class Past final : public core::SeriesSource {
 public:
  explicit Past(const core::Batch& batch) : batch_(batch) {}
  core::Result<std::vector<core::SeriesView>> select(const core::Selection& selection) const override {
    std::vector<core::SeriesView> views;
    for (const core::Sample& sample : batch_.samples) {
      const bool wanted = std::ranges::all_of(selection.matchers, [&](const core::Matcher& matcher) {
        return sample.labels.get(matcher.name) == matcher.value;
      });
      if (wanted && sample.time >= selection.from) views.push_back({sample.labels, {{sample.time, sample.value}}});
    }
    return views;
  }

 private:
  core::Batch batch_;
};

TEST_F(CheckCollectorTest, TellsNothingAnewAfterARestart) {
  write(kTable);
  use(kOrders);
  const core::Batch before = batch();
  ASSERT_THAT(events(before), SizeIs(4));
  const Past past(before);
  use(kOrders, std::chrono::seconds(5), &past);
  EXPECT_THAT(events(batch()), IsEmpty()) << "the same as before the restart";
  use(kOrders, std::chrono::seconds(5), &past);
  write(kRows);
  EXPECT_THAT(events(batch()), testing::Contains(HasSubstr("\"amounts\" passes again"))) << "while Weir was off";
  now_ += std::chrono::hours(48);
  use(kOrders, std::chrono::seconds(5), &past);
  write("DELETE FROM fct_orders");
  EXPECT_THAT(events(batch()), SizeIs(4)) << "what was two days ago is not known any more";
}

TEST_F(CheckCollectorTest, TellsAnotherReasonOnce) {
  write(kTable);
  use("checks for fct_orders:\n  - max(amount) < 5\n");
  EXPECT_THAT(events(batch()), ElementsAre(HasSubstr("the table is empty")));
  write("DROP TABLE fct_orders");
  EXPECT_THAT(events(batch()), ElementsAre(HasSubstr("no such table")));
  EXPECT_THAT(events(batch()), IsEmpty());
}

TEST_F(CheckCollectorTest, TellsATimeInTheFutureOnceThoughItComesNearer) {
  write(std::string(kTable) + "INSERT INTO fct_orders VALUES (1, 1, 1, '2023-11-15T22:13:10Z')");
  use("checks for fct_orders:\n  - freshness(loaded_at) < 1h\n");
  EXPECT_THAT(events(batch()), ElementsAre(HasSubstr("in the future")));
  now_ += std::chrono::hours(3);
  EXPECT_THAT(events(batch()), IsEmpty());
}

TEST_F(CheckCollectorTest, KeepsTheSeriesOfATableThatWasEmptied) {
  write(std::string(kTable) + kRows);
  use(kOrders);
  batch();
  write("DELETE FROM fct_orders");
  const core::Batch result = batch();
  EXPECT_TRUE(kept(result, Labels{{"source", "local"},
                                  {"dataset", "fct_orders"},
                                  {"column", "loaded_at"},
                                  {"__name__", "weir_dataset_freshness_seconds"}}));
  EXPECT_TRUE(kept(
      result,
      Labels{{"source", "local"}, {"dataset", "fct_orders"}, {"check", "amounts"}, {"__name__", "weir_check_value"}}));
  EXPECT_FALSE(kept(result, Labels{{"source", "local"}, {"dataset", "other"}}));
}

TEST_F(CheckCollectorTest, NeverPassesAColumnOfNulls) {
  write(std::string(kTable) + "INSERT INTO fct_orders VALUES (1, NULL, NULL, NULL)");
  use(kOrders);
  const core::Batch result = batch();
  EXPECT_EQ(status(result, "freshness(loaded_at) < 1h"), 2);
  EXPECT_EQ(status(result, "amounts"), 3);
  EXPECT_EQ(status(result, "missing_count(customer_id) = 0"), 2);
}

TEST_F(CheckCollectorTest, KeepsFailingChecksAlertedWhenTheTableIsDropped) {
  write(std::string(kTable) + kRows);
  use(std::string(kOrders) + "checks for other:\n  - row_count > 0\n");
  write("CREATE TABLE other (a); INSERT INTO other VALUES (1)");
  EXPECT_EQ(status(batch(), "missing_count(customer_id) = 0"), 2);
  write("DROP TABLE fct_orders");
  const core::Batch result = batch();
  EXPECT_EQ(status(result, "missing_count(customer_id) = 0"), 3);
  EXPECT_EQ(sample(result, "weir_check_status", {{"dataset", "other"}, {"check", "row_count > 0"}}), 0)
      << "the other table is fine";
  EXPECT_TRUE(kept(result, Labels{{"source", "local"},
                                  {"dataset", "fct_orders"},
                                  {"column", "loaded_at"},
                                  {"__name__", "weir_dataset_freshness_seconds"}}));
  EXPECT_FALSE(kept(result, Labels{{"source", "local"}, {"dataset", "other"}}));
  EXPECT_THAT(result.faults.at(0).error.message, HasSubstr("fct_orders"));
  write(std::string(kTable) + kRows);
  EXPECT_THAT(events(batch()), SizeIs(6)) << "each check changes from could-not-be-evaluated";
}

TEST_F(CheckCollectorTest, LetsAMissingColumnSpoilItsOwnChecksOnly) {
  write(std::string(kTable) + kRows);
  use("checks for fct_orders:\n  - row_count > 0\n  - missing_count(custmer_id) = 0\n  - max(amount) < 100\n");
  const core::Batch result = batch();
  EXPECT_EQ(status(result, "row_count > 0"), 0);
  EXPECT_EQ(status(result, "max(amount) < 100"), 0);
  EXPECT_EQ(status(result, "missing_count(custmer_id) = 0"), 3);
  EXPECT_THAT(
      events(result),
      ElementsAre(HasSubstr("column \"custmer_id\" does not exist in fct_orders (did you mean \"customer_id\"?)")));
  EXPECT_TRUE(kept(result, Labels{{"source", "local"},
                                  {"dataset", "fct_orders"},
                                  {"column", "custmer_id"},
                                  {"__name__", "weir_dataset_missing_count"}}));
  EXPECT_FALSE(kept(result, Labels{{"source", "local"}, {"dataset", "fct_orders"}, {"column", "amount"}}));
}

TEST_F(CheckCollectorTest, SeesAColumnDroppedBetweenProbes) {
  write(std::string(kTable) + kRows);
  use(kOrders);
  batch();
  write("ALTER TABLE fct_orders DROP COLUMN amount");
  const core::Batch result = batch();
  EXPECT_EQ(status(result, "row_count > 0"), 0);
  EXPECT_EQ(status(result, "amounts"), 3);
}

TEST_F(CheckCollectorTest, ReadsOddNames) {
  write(
      "CREATE TABLE \"Fct Orders; --\" (\"Größe \"\"x\"\"\" REAL, \"select\" TEXT); INSERT INTO \"Fct Orders; --\" "
      "VALUES (5, NULL)");
  use("checks for \"Fct Orders; --\":\n  - 'max(\"Größe \"\"x\"\"\") < 10'\n  - missing_count(select) = 1\n");
  const core::Batch result = batch();
  EXPECT_EQ(status(result, "max(\"Größe \"\"x\"\"\") < 10"), 0);
  EXPECT_EQ(status(result, "missing_count(select) = 1"), 0);
}

TEST_F(CheckCollectorTest, TakesAnInjectionForAnOddName) {
  write(std::string(kTable) + kRows);
  use("checks for fct_orders:\n  - row_count > 0\n  - 'max(\"amount\"\"); DROP TABLE fct_orders; --\") < 1'\n");
  const core::Batch result = batch();
  EXPECT_EQ(status(result, "row_count > 0"), 0);
  EXPECT_EQ(sample(batch(), "weir_dataset_row_count", {{"dataset", "fct_orders"}}), 4) << "the table is still there";
}

TEST_F(CheckCollectorTest, MeasuresAFilteredDatasetApart) {
  write(std::string(kTable) + kRows);
  use("checks for fct_orders [large]:\n  - row_count = 1\nchecks for fct_orders:\n  - row_count = 4\n"
      "filter fct_orders [large]:\n  where: amount > 50");
  const core::Batch result = batch();
  EXPECT_EQ(sample(result, "weir_dataset_row_count", {{"dataset", "fct_orders [large]"}}), 1);
  EXPECT_EQ(sample(result, "weir_dataset_row_count", {{"dataset", "fct_orders"}}), 4);
}

TEST_F(CheckCollectorTest, IsAnErrorWhenTheSourceCannotBeReached) {
  use(kOrders);
  sqlite3_close(std::exchange(database_, nullptr));
  std::filesystem::remove(path_);
  const auto result = collect();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, core::ErrorKind::unavailable);
}

TEST_F(CheckCollectorTest, KeepsTheStateOfADatasetThatTimesOut) {
  write(std::string(kTable) + kRows +
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;");
  use("checks for endless:\n  - row_count > 0\nchecks for fct_orders:\n  - row_count > 0\n",
      std::chrono::milliseconds(30));
  const core::Batch result = batch();
  ASSERT_THAT(result.faults, SizeIs(1));
  EXPECT_EQ(result.faults[0].error.kind, core::ErrorKind::timeout);
  EXPECT_EQ(result.faults[0].scope, (Labels{{"source", "local"}, {"dataset", "endless"}}));
  EXPECT_EQ(sample(result, "weir_check_status", {{"dataset", "endless"}, {"check", "row_count > 0"}}), std::nullopt);
  EXPECT_EQ(sample(result, "weir_check_status", {{"dataset", "fct_orders"}, {"check", "row_count > 0"}}), 0);
}

TEST_F(CheckCollectorTest, JudgesNothingOnceStopped) {
  write(std::string(kTable) + kRows);
  use(kOrders);
  std::stop_source stop;
  stop.request_stop();
  core::CollectContext context;
  context.now = now_;
  context.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  context.stop = stop.get_token();
  const auto result = collector_->collect(context);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, core::ErrorKind::cancelled);
}

class LoadHistoryTest : public CheckCollectorTest {
 protected:
  void SetUp() override { write("CREATE TABLE revenue (day TEXT, loaded_at TEXT)"); }

  /// Rewrites the table as a load at the present time would.
  void load(int rows) {
    write("DELETE FROM revenue");
    for (int i = 0; i < rows; ++i) write("INSERT INTO revenue VALUES ('d', '" + core::format_rfc3339(now_) + "')");
  }

  std::vector<double> remembered() {
    std::vector<double> values;
    for (const auto& [check, measurements] : history_.kept) {
      for (const auto& each : measurements) {
        if (each.mark == core::Mark::none) values.push_back(each.value);
      }
    }
    return values;
  }

  void next_hour() { now_ += std::chrono::hours(1); }
};

constexpr const char* kMarked = R"(
checks for revenue:
  - freshness(loaded_at) < 2d
  - change avg last 3 percent for row_count > -30%:
      name: volume
)";

TEST_F(LoadHistoryTest, LearnsThenFailsAHalfLoadUntilAWholeOneComes) {
  use(kMarked);
  for (int i = 0; i < 3; ++i, next_hour()) {
    load(10);
    EXPECT_EQ(status(batch(), "volume"), 0);
    EXPECT_EQ(sample(batch(), "weir_check_value", {{"dataset", "revenue"}, {"check", "volume"}}), std::nullopt)
        << "learning";
  }
  EXPECT_THAT(remembered(), ElementsAre(10, 10, 10));
  load(4);
  for (int poll = 0; poll < 20; ++poll) EXPECT_EQ(status(batch(), "volume"), 2) << "poll " << poll;
  EXPECT_EQ(sample(batch(), "weir_check_value", {{"dataset", "revenue"}, {"check", "volume"}}), -60);
  EXPECT_THAT(remembered(), ElementsAre(10, 10, 10)) << "a failing load is no yardstick";
  next_hour();
  load(9);
  EXPECT_EQ(status(batch(), "volume"), 0);
  EXPECT_THAT(remembered(), ElementsAre(10, 10, 10, 9));
}

TEST_F(LoadHistoryTest, IsNotWashedOutByPollingOneLoad) {
  use(kMarked);
  load(10);
  for (int poll = 0; poll < 50; ++poll) batch();
  EXPECT_THAT(remembered(), ElementsAre(10));
}

TEST_F(LoadHistoryTest, TellsUnmarkedLoadsByTheirValue) {
  use("checks for revenue:\n  - change for row_count > -3:\n      name: volume\n");
  for (const int rows : {10, 10, 9, 9, 8}) {
    load(rows);
    EXPECT_EQ(status(batch(), "volume"), 0);
    next_hour();
  }
  EXPECT_THAT(remembered(), ElementsAre(10, 9, 8));
  load(4);
  EXPECT_EQ(status(batch(), "volume"), 2);
}

TEST_F(LoadHistoryTest, DoesNotTrainOnALoadThatAnotherCheckOfTheMetricFails) {
  use(std::string(kMarked) + "  - row_count > 5\n");
  load(2);
  const core::Batch result = batch();
  EXPECT_EQ(status(result, "volume"), 0) << "learning";
  EXPECT_EQ(status(result, "row_count > 5"), 2);
  EXPECT_THAT(remembered(), IsEmpty());
}

constexpr const char* kStrictAndLoose = R"(
checks for revenue:
  - freshness(loaded_at) < 2d
  - change percent for row_count:
      name: strict
      warn: when < -5%
  - change avg last 2 percent for row_count > -50%:
      name: loose
)";

TEST_F(LoadHistoryTest, OneCheckThatWarnsFreezesNoOthersBaseline) {
  use(kStrictAndLoose);
  for (const int rows : {20, 20, 18, 16, 14, 12, 10, 8, 7, 6}) {
    load(rows);
    EXPECT_EQ(status(batch(), "loose"), 0) << rows << " rows: only a little less than the loads before";
    next_hour();
  }
  EXPECT_EQ(status(batch(), "strict"), 1);
}

TEST_F(LoadHistoryTest, AStepThatAPersonAcceptsBeginsANewLevel) {
  use(kMarked);
  for (int i = 0; i < 4; ++i, next_hour()) {
    load(20);
    batch();
  }
  load(6);
  EXPECT_EQ(status(batch(), "volume"), 2);
  EXPECT_EQ(status(batch(), "volume"), 2);
  auto& kept = history_.kept.at("local/revenue/change avg last 3 percent for row_count");
  ASSERT_EQ(kept.size(), 5U) << "a failing load is kept once";
  kept.back().feedback = core::Feedback::fine;
  EXPECT_EQ(status(batch(), "volume"), 0) << "the accepted load itself";
  next_hour();
  load(6);
  EXPECT_EQ(status(batch(), "volume"), 0);
  next_hour();
  load(2);
  EXPECT_EQ(status(batch(), "volume"), 2) << "compared with the new level, without learning again";
}

TEST_F(LoadHistoryTest, ALongFailureIsNeverTakenForLearning) {
  use("checks for revenue:\n  - change percent for row_count > -30%:\n      name: volume\n");
  load(100);
  batch();
  for (int rows = 60; rows > 0; --rows) {
    next_hour();
    load(rows);
    EXPECT_EQ(status(batch(), "volume"), 2) << rows;
  }
}

TEST_F(LoadHistoryTest, SurvivesARestart) {
  use(kMarked);
  for (int i = 0; i < 3; ++i, next_hour()) {
    load(10);
    batch();
  }
  use(kMarked);
  load(4);
  EXPECT_EQ(status(batch(), "volume"), 2);
}

TEST_F(LoadHistoryTest, SaysNothingOfACheckWhoseHistoryCannotBeRead) {
  use(kMarked);
  load(10);
  history_.failure = core::Error{core::ErrorKind::storage, "disk full", false, "weir.db"};
  const core::Batch result = batch();
  EXPECT_EQ(status(result, "volume"), std::nullopt);
  EXPECT_EQ(status(result, "freshness(loaded_at) < 2d"), 0);
  EXPECT_TRUE(kept(result, Labels{{"source", "local"}, {"dataset", "revenue"}, {"check", "volume"}}));
  history_.failure.reset();
  EXPECT_EQ(status(batch(), "volume"), 0);
  EXPECT_THAT(remembered(), ElementsAre(10));
}

TEST_F(CheckCollectorTest, ChecksTheShopsTablesAsShipped) {
  write(
      "CREATE TABLE fct_orders (order_id INTEGER, customer_id INTEGER, amount REAL, status TEXT, created_at TEXT, "
      "loaded_at TEXT);"
      "CREATE TABLE fct_daily_revenue (day TEXT, region TEXT, revenue REAL, orders INTEGER, loaded_at TEXT);"
      "INSERT INTO fct_daily_revenue VALUES ('2023-11-14', 'north', 1, 1, '2023-11-14T22:13:00Z');"
      "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 2000) INSERT INTO fct_orders "
      "SELECT id, 1 + id % 50, 5 + (id * 7919) % 4500 / 100.0 + CASE WHEN id % 17 = 0 THEN 120 ELSE 0 END, 'paid', "
      "'2023-11-14T22:13:00Z', '2023-11-14T22:13:00Z' FROM n");
  config::Diagnostics diagnostics;
  const std::vector<std::string> sources = {"local"};
  const auto section =
      config::parse_yaml("[{source: local, files: checks/*.yml}]", test::source_dir() + "/weir.yml", diagnostics);
  auto entries = parse_checks_section(section, sources, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  sql::SqliteSettings source;
  source.path = path_;
  collector_ = std::make_unique<CheckCollector>(std::move(entries.at(0)), sql::make_sqlite("local", source), history_);
  const core::Batch result = batch();
  EXPECT_THAT(events(result), IsEmpty());
  EXPECT_THAT(unseen(result), IsEmpty());
  EXPECT_LT(*sample(result, "weir_dataset_distribution_psi", {{"dataset", "fct_orders"}, {"column", "amount"}}), 0.05);
}

}  // namespace
}  // namespace weir::quality
