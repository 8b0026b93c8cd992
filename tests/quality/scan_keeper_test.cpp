#include "quality/scan_keeper.h"

#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <sqlite3.h>
#include <unistd.h>

#include "quality/check_file.h"
#include "quality/run.h"
#include "sql/sqlite.h"

#include "memory_texts.h"

namespace weir::quality {
namespace {

using testing::HasSubstr;

constexpr double kNow = 1'700'000'000;

constexpr std::string_view kFile = R"(
configurations for t:
  incremental: {column: at, lateness: 2h, reconcile: 24h}
checks for t:
  - row_count > 0
  - missing_count(n) = 0
  - sum(n) > 0
  - avg(n) > 0
  - min(n) > 0
  - max(n) > 0
  - stddev(n) > 0
  - percentile(n, 0.5) > 0
  - percentile(n, 0.95) > 0
  - invalid_count(n) = 0:
      valid min: 10
)";

/// A SQLite table that is measured again and again, and beside it in full.
class ScanKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / fmt::format("weir_keeper_{}.db", ::getpid());
    std::filesystem::remove(path_);
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database_), SQLITE_OK);
    write("CREATE TABLE t (id INTEGER PRIMARY KEY, at REAL, n REAL, note TEXT)");
    source_ = sql::make_sqlite("own", {.path = path_.string()});
    restart();
  }
  void TearDown() override {
    sqlite3_close(database_);
    std::filesystem::remove(path_);
  }

  void write(const std::string& sql) {
    char* problem = nullptr;
    EXPECT_EQ(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem << sql;
    sqlite3_free(problem);
  }
  void insert(double at, const std::string& n = "1") {
    write(fmt::format("INSERT INTO t (at, n) VALUES ({}, {})", at, n));
  }
  void restart() { keeper_ = std::make_unique<ScanKeeper>("own", &texts_); }

  RunResult run(std::string_view file, double now, bool in_full = false) {
    config::Diagnostics diagnostics;
    const auto datasets = merge_datasets(
        parse_check_file(config::parse_yaml(std::string(file), "x.yml", diagnostics), diagnostics), diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    CheckRun::Setup setup{.source = "own", .session = *source_};
    if (!in_full) setup.keeper = keeper_.get();
    auto result = CheckRun(setup).run(datasets, core::time_from_seconds(now), {});
    EXPECT_TRUE(result) << result.error().describe();
    return result.value_or(RunResult{});
  }

  static bool same(const std::optional<double>& a, const std::optional<double>& b, double relative_error) {
    if (!a || !b) return !a && !b;
    const double most = std::max(std::abs(*a), std::abs(*b));
    return std::abs(*a - *b) <= std::max(1e-9 * std::max(1.0, most), 1.01 * relative_error * most);
  }

  /// The checks whose values are not those of a full scan.
  std::string differences(const RunResult& seen, std::string_view file, double now) {
    const RunResult full = run(file, now, true);
    std::string text;
    for (std::size_t i = 0; i < full.datasets[0].checks.size(); ++i) {
      const CheckResult& a = seen.datasets[0].checks[i].result;
      const CheckResult& b = full.datasets[0].checks[i].result;
      if (!same(a.value, b.value, a.relative_error) || a.outcome != b.outcome)
        text += fmt::format("{} / {}\n", a.message, b.message);
    }
    return text;
  }

  static bool scanned(const RunResult& result, std::string_view part) {
    return std::ranges::any_of(result.statements,
                               [&](const auto& each) { return each.sql.find(part) != std::string::npos; });
  }

  std::filesystem::path path_;
  sqlite3* database_ = nullptr;
  std::unique_ptr<sql::SqlSource> source_;
  MemoryTexts texts_;
  std::unique_ptr<ScanKeeper> keeper_;
};

constexpr std::string_view kPlain = "checks for t:\n  - row_count = 1\n  - max(n) < 5\n";

TEST_F(ScanKeeperTest, AColumnThatIsRenamedIsNoLongerReported) {
  insert(kNow);
  EXPECT_EQ(run(kPlain, kNow).datasets[0].checks[1].result.outcome, Outcome::pass);
  write("ALTER TABLE t RENAME COLUMN n TO m");
  const RunResult after = run(kPlain, kNow + 60);
  EXPECT_FALSE(after.datasets[0].reused);
  EXPECT_EQ(after.datasets[0].checks[1].result.outcome, Outcome::error);
}

TEST_F(ScanKeeperTest, ReadsNothingWhileNothingIsWritten) {
  insert(kNow);
  EXPECT_FALSE(run(kPlain, kNow).datasets[0].reused);
  const RunResult again = run(kPlain, kNow + 60);
  EXPECT_EQ(again.datasets[0].reused, core::time_from_seconds(kNow));
  EXPECT_TRUE(again.datasets[0].checks[0].result.reused);
  EXPECT_EQ(again.datasets[0].checks[1].result.value, 1);
  EXPECT_FALSE(scanned(again, "FROM \"t\""));
  insert(kNow, "7");
  const RunResult after = run(kPlain, kNow + 120);
  EXPECT_FALSE(after.datasets[0].reused);
  EXPECT_EQ(after.datasets[0].checks[1].result.outcome, Outcome::fail);
}

TEST_F(ScanKeeperTest, ReadsAgainAfterAnHour) {
  insert(kNow);
  run(kPlain, kNow);
  EXPECT_TRUE(run(kPlain, kNow + 3599).datasets[0].reused);
  EXPECT_FALSE(run(kPlain, kNow + 3600).datasets[0].reused);
  EXPECT_FALSE(run(kPlain, kNow - 3600).datasets[0].reused) << "nor when the clock went back";
}

TEST_F(ScanKeeperTest, ReadsAgainForOtherChecksAndFiltersThatMove) {
  insert(kNow);
  run(kPlain, kNow);
  EXPECT_FALSE(run("checks for t:\n  - row_count = 1\n  - min(n) < 5\n", kNow + 1).datasets[0].reused);
  const std::string moving =
      "filter t [new]:\n  where: at > unixepoch() - 60\nchecks for t [new]:\n  - row_count >= 0\n";
  run(moving, kNow);
  EXPECT_FALSE(run(moving, kNow + 1).datasets[0].reused);
}

TEST_F(ScanKeeperTest, KeepsNothingThatCouldNotBeMeasured) {
  insert(kNow);
  const std::string file = "checks for t:\n  - row_count = 1\n  - max(nope) < 5\n";
  run(file, kNow);
  EXPECT_FALSE(run(file, kNow + 1).datasets[0].reused);
}

TEST_F(ScanKeeperTest, IncrementalReadsOnlyTheNewRows) {
  for (int i = 0; i < 50; ++i) insert(kNow - 100'000 + i * 1000, fmt::format("{}", i));
  const RunResult first = run(kFile, kNow);
  EXPECT_TRUE(scanned(first, "GROUP BY"));
  EXPECT_EQ(differences(first, kFile, kNow), "");
  insert(kNow + 10, "99");
  const RunResult second = run(kFile, kNow + 60);
  EXPECT_EQ(differences(second, kFile, kNow + 60), "");
  EXPECT_TRUE(scanned(second, "IS NULL) GROUP BY"));
  EXPECT_FALSE(second.datasets[0].not_incremental);
}

TEST_F(ScanKeeperTest, IncrementalGoesOnAfterARestart) {
  for (int i = 0; i < 20; ++i) insert(kNow - 100'000 + i * 1000, fmt::format("{}", i));
  run(kFile, kNow);
  restart();
  insert(kNow + 10, "50");
  const RunResult next = run(kFile, kNow + 60);
  EXPECT_TRUE(scanned(next, "IS NULL) GROUP BY"));
  EXPECT_FALSE(scanned(next, "FROM \"t\" GROUP BY")) << "no full scan";
  EXPECT_EQ(differences(next, kFile, kNow + 60), "");
}

TEST_F(ScanKeeperTest, IncrementalBeginsAnewWithDamagedText) {
  insert(kNow);
  run(kFile, kNow);
  ASSERT_EQ(texts_.kept.size(), 1U);
  texts_.kept.begin()->second.resize(20);
  restart();
  insert(kNow);
  const RunResult next = run(kFile, kNow + 60);
  EXPECT_TRUE(scanned(next, "FROM \"t\" GROUP BY"));
  EXPECT_EQ(differences(next, kFile, kNow + 60), "");
}

TEST_F(ScanKeeperTest, IncrementalFindsRowsThatCameTooLateOrWent) {
  for (int i = 0; i < 20; ++i) insert(kNow - 100'000 + i * 1000, "3");
  run(kFile, kNow);
  insert(kNow - 90'000, "7");
  const RunResult late = run(kFile, kNow + 60);
  EXPECT_TRUE(scanned(late, "FROM \"t\" GROUP BY")) << "in full";
  EXPECT_EQ(differences(late, kFile, kNow + 60), "");
  write("DELETE FROM t WHERE n = 7");
  EXPECT_EQ(differences(run(kFile, kNow + 120), kFile, kNow + 120), "");
}

const CheckResult& percentile(const RunResult& run) { return run.datasets.at(0).checks.at(0).result; }

constexpr std::string_view kPercentile =
    "configurations for t:\n  incremental: {column: at}\nchecks for t:\n  - percentile(n, 0.5) > 0\n";

TEST_F(ScanKeeperTest, IncrementalPercentilesAreApproximateAndSaySo) {
  for (int i = 0; i < 200; ++i) insert(kNow - 100'000 + i * 100, fmt::format("{}", i + 1));
  const RunResult first = run(kPercentile, kNow);
  EXPECT_NEAR(*percentile(first).value, 100, 0.51);
  EXPECT_EQ(percentile(first).relative_error, 0.005);
  EXPECT_THAT(percentile(first).message, HasSubstr("; approximate, within 0.5%"));
  insert(kNow, "1000");
  const RunResult next = run(kPercentile, kNow + 60);
  EXPECT_FALSE(scanned(next, "weir_percentile")) << "the table is not sorted";
  EXPECT_TRUE(scanned(next, "weir_bins"));
  EXPECT_NEAR(*percentile(next).value, 101, 0.51);
}

TEST_F(ScanKeeperTest, IncrementalPercentilesNearAThresholdAreJudgedExactly) {
  for (int i = 0; i < 200; ++i) insert(kNow - 100'000 + i * 100, fmt::format("{}", i + 1));
  const auto judged = [&](const std::string& threshold, double now) {
    return run(
        "configurations for t:\n  incremental: {column: at}\nchecks for t:\n  - percentile(n, 0.5) " + threshold + "\n",
        now);
  };
  double now = kNow;
  for (const auto& [threshold, outcome] : {std::pair{"< 100", Outcome::fail},
                                           {"<= 100", Outcome::pass},
                                           {"= 100", Outcome::pass},
                                           {"> 99.8", Outcome::pass},
                                           {"between 50 and 100.1", Outcome::pass},
                                           {"not between 99.9 and 300", Outcome::fail}}) {
    const RunResult seen = judged(threshold, now += 1);
    EXPECT_EQ(percentile(seen).outcome, outcome) << percentile(seen).message;
    EXPECT_EQ(percentile(seen).value, 100) << threshold;
    EXPECT_EQ(percentile(seen).relative_error, 0);
    EXPECT_THAT(percentile(seen).message, HasSubstr("read in full, since a threshold is near"));
  }
  const RunResult again = judged("not between 99.9 and 300", now + 1);
  ASSERT_TRUE(again.datasets[0].reused);
  EXPECT_EQ(percentile(again).value, 100);
  EXPECT_FALSE(scanned(again, "FROM \"t\"")) << "what was read exactly is reused, too";
  EXPECT_GT(percentile(judged("< 102", now + 2)).relative_error, 0) << "far enough";
}

TEST_F(ScanKeeperTest, IncrementalPercentilesAreExactWhereThatIsAskedFor) {
  for (int i = 0; i < 20; ++i) insert(kNow - i * 1000, fmt::format("{}.25", i + 1));
  const RunResult seen = run(
      "configurations for t:\n  incremental: {column: at, percentiles: exact}\nchecks for t:\n  - percentile(n, 0.5) > "
      "0\n",
      kNow);
  EXPECT_EQ(percentile(seen).value, 10.25);
  EXPECT_EQ(percentile(seen).relative_error, 0);
  EXPECT_FALSE(scanned(seen, "weir_bins"));
}

TEST_F(ScanKeeperTest, IncrementalPercentilesOfWhatIsNoNumberAreReadInFull) {
  insert(kNow - 50'000, "3");
  insert(kNow - 40'000, "9e999");  // infinite
  const RunResult infinite = run(kPercentile, kNow);
  EXPECT_EQ(percentile(infinite).value, 3);
  EXPECT_EQ(percentile(infinite).relative_error, 0);
  EXPECT_THAT(percentile(infinite).message, HasSubstr("read in full, since n holds infinity"));
  insert(kNow, "4");
  const RunResult next = run(kPercentile, kNow + 60);
  EXPECT_EQ(percentile(next).value, 4);
  EXPECT_FALSE(scanned(next, "weir_bins")) << "not tried again before the next reconcile";
  write("UPDATE t SET note = '5'");
  const RunResult text =
      run("configurations for t:\n  incremental: {column: at}\nchecks for t:\n  - percentile(note, 0.5) > 0\n", kNow);
  EXPECT_EQ(percentile(text).outcome, Outcome::error);
  EXPECT_THAT(percentile(text).message, HasSubstr("read in full, since note is of type TEXT"));
}

TEST_F(ScanKeeperTest, IncrementalPercentilesAmongTextAreReadInFull) {
  insert(kNow - 50'000, "3");
  run(kPercentile, kNow);
  insert(kNow - 40'000, "'abc'");
  const RunResult text = run(kPercentile, kNow + 60);
  EXPECT_EQ(percentile(text).outcome, Outcome::error);
}

TEST_F(ScanKeeperTest, IncrementalReadsAllForFiltersThatMove) {
  constexpr std::string_view file =
      "configurations for t:\n  incremental: {column: at}\nchecks for t:\n  - row_count < 9:\n      filter: "
      "at > unixepoch() - 1e12\n";
  insert(kNow - 50'000);
  const RunResult seen = run(file, kNow);
  EXPECT_TRUE(scanned(seen, "SELECT count(*) FILTER"));
  EXPECT_EQ(percentile(seen).value, 1);
}

TEST_F(ScanKeeperTest, IncrementalSaysWhyItCannot) {
  insert(kNow);
  const RunResult gone =
      run("configurations for t:\n  incremental: {column: nope}\nchecks for t:\n  - row_count = 1\n", kNow);
  ASSERT_TRUE(gone.datasets[0].not_incremental);
  EXPECT_THAT(gone.datasets[0].not_incremental->message, HasSubstr("nope"));
  EXPECT_EQ(gone.datasets[0].checks[0].result.outcome, Outcome::pass) << "measured in full";
  write("UPDATE t SET note = 'a'; INSERT INTO t (at, note) VALUES (1, 'b')");
  const RunResult text =
      run("configurations for t:\n  incremental: {column: at}\nchecks for t:\n  - min(note) != 1:\n      name: text\n"
          "  - row_count = 2\n",
          kNow);
  ASSERT_TRUE(text.datasets[0].not_incremental);
  EXPECT_THAT(text.datasets[0].not_incremental->message, HasSubstr("text"));
}

TEST_F(ScanKeeperTest, IncrementalRefusesSettingsThatCannotBe) {
  const auto with = [](const std::string& settings) {
    config::Diagnostics diagnostics;
    parse_check_file(
        config::parse_yaml("configurations for t:\n  incremental: " + settings + "\nchecks for t:\n  - row_count > 0\n",
                           "x.yml", diagnostics),
        diagnostics);
    return diagnostics.to_string();
  };
  EXPECT_THAT(with("{lateness: 2h}"), HasSubstr("\"column\" is missing"));
  EXPECT_THAT(with("{column: at, lateness: 1s}"), HasSubstr("from 1m"));
  EXPECT_THAT(with("{column: at, reconcile: 90d}"), HasSubstr("to 31d"));
  EXPECT_THAT(with("{colum: at}"), HasSubstr("did you mean \"column\""));
}

/// Whatever happens to the table: rows in time, late, without a time, of the future, deleted and updated. After a
/// reconcile the values are those of a full scan; without updates of old rows and swaps, they always are.
class RandomChanges : public ScanKeeperTest, public testing::WithParamInterface<unsigned> {};

TEST_P(RandomChanges, EndWithTheValuesOfAFullScan) {
  std::mt19937 random(GetParam());
  const auto upto = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
  double now = kNow;
  for (int i = 0; i < 30; ++i) insert(now - upto(200'000), upto(5) == 0 ? "NULL" : fmt::format("{}", upto(100)));
  double reconciled = -1;
  for (int step = 0; step < 40; ++step) {
    bool hidden = false;
    for (int change = upto(4); change > 0; --change) {
      const int kind = upto(10);
      const std::string n = upto(5) == 0 ? "NULL" : fmt::format("{}.5", upto(1000));
      if (kind < 5) insert(now - upto(7000), n);
      if (kind == 5) insert(now - 8000 - upto(300'000), n);
      if (kind == 6) write(fmt::format("INSERT INTO t (at, n) VALUES (NULL, {})", n));
      if (kind == 7) insert(now + upto(100'000), n);
      if (kind == 8) write(fmt::format("DELETE FROM t WHERE id = (SELECT id FROM t LIMIT 1 OFFSET {})", upto(30)));
      if (kind == 9)
        write(fmt::format("UPDATE t SET n = {} WHERE id = (SELECT id FROM t LIMIT 1 OFFSET {})", n, upto(30)));
      hidden = hidden || kind == 5 || kind >= 8;  // a deletion and a late row may hide each other, an update always
    }
    if (upto(8) == 0) restart();
    const RunResult seen = run(kFile, now);
    const bool full = scanned(seen, "FROM \"t\" GROUP BY");
    if (full) reconciled = now;
    if (hidden && !full) reconciled = std::min(reconciled, kNow - 1);
    if (reconciled >= kNow) {
      EXPECT_EQ(differences(seen, kFile, now), "") << "seed " << GetParam() << " step " << step;
    }
    now += upto(5000);
  }
  now += 24 * 3600;
  insert(now);
  EXPECT_EQ(differences(run(kFile, now), kFile, now), "") << "after the reconcile, seed " << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomChanges, testing::Range(0U, 12U));

}  // namespace
}  // namespace weir::quality
