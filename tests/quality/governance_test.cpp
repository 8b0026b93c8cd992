#include "quality/governance.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <sqlite3.h>
#include <unistd.h>

#include "quality/check_file.h"
#include "quality/governance_collector.h"
#include "sql/sqlite.h"

namespace weir::quality {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const core::Time kNow = core::time_from_seconds(1'700'000'000);

std::vector<GovernanceSettings> parse(const std::string& yaml, config::Diagnostics& diagnostics) {
  const std::vector<std::string> sources{"warehouse"};
  const std::vector<std::string> clusters{"prod", "warehouse"};
  return parse_governance_section(config::parse_yaml(yaml, "weir.yml", diagnostics), sources, clusters, diagnostics);
}

TEST(Governance, IsReadWithItsDefaults) {
  config::Diagnostics diagnostics;
  const auto entries = parse(R"(
- {source: warehouse, pii: true, owners: true}
- {kafka: warehouse, interval: 1d, pii: {sample: 10, topics: {allow: ["orders*"]}, accepted: ["orders.id"]}}
)",
                             diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "governance/warehouse");
  EXPECT_EQ(entries[0].pii->sample, 1000U);
  EXPECT_TRUE(entries[0].owners);
  EXPECT_FALSE(entries[0].contracts);
  EXPECT_EQ(entries[1].name, "governance/warehouse-topics");
  EXPECT_EQ(entries[1].pii->sample, 10U);
  EXPECT_TRUE(entries[1].pii->names.admits("orders.eu"));
  EXPECT_FALSE(entries[1].pii->names.admits("clicks"));
  EXPECT_FALSE(entries[1].pii->names.admits("__consumer_offsets"));
}

TEST(Governance, EveryMistakeIsNamed) {
  config::Diagnostics diagnostics;
  parse(R"(
- {source: warehous, pii: true}
- {source: warehouse, kafka: prod, pii: true}
- {source: warehouse}
- {kafka: prod, contracts: true}
- {kafka: prod, pii: {sample: 0, tables: {}}, interval: 1ms}
)",
        diagnostics);
  const std::string text = diagnostics.to_string();
  for (const char* words : {"did you mean \"warehouse\"", "give either source:", "says nothing to look for",
                            "contracts and owners are of a source's tables", "\"sample\"", "unknown key \"tables\"",
                            "from 1s to 1w", "another entry of"}) {
    EXPECT_THAT(text, HasSubstr(words));
  }
}

TEST(Governance, PatternsAreOfTheWholeName) {
  EXPECT_TRUE(fits_pattern("a*c", "abbc"));
  EXPECT_TRUE(fits_pattern("*", ""));
  EXPECT_TRUE(fits_pattern("*.email", "public.users.email"));
  EXPECT_TRUE(fits_pattern("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(fits_pattern("a*c", "abcd"));
  EXPECT_FALSE(fits_pattern("", "a"));
  EXPECT_FALSE(fits_pattern("abc", "ab"));
}

class GovernanceCollectorTest : public testing::Test {
 protected:
  GovernanceCollectorTest()
      : path_(std::filesystem::path(testing::TempDir()) / ("weir-governance-" + std::to_string(::getpid()) + ".db")) {
    std::filesystem::remove(path_);
    sqlite3_open(path_.c_str(), &database_);
  }
  ~GovernanceCollectorTest() override {
    sqlite3_close(database_);
    std::filesystem::remove(path_);
  }
  void write(const std::string& sql) {
    char* message = nullptr;
    ASSERT_EQ(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message << "\n" << sql;
  }
  void use(GovernanceSettings settings, const std::string& checks = "") {
    config::Diagnostics diagnostics;
    std::vector<Dataset> checked;
    if (!checks.empty()) {
      checked =
          merge_datasets(parse_check_file(config::parse_yaml(checks, "x.yml", diagnostics), diagnostics), diagnostics);
    }
    ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    settings.name = "governance/local";
    settings.source = "local";
    sql::SqliteSettings source;
    source.path = path_;
    collector_ = std::make_unique<GovernanceCollector>(settings, sql::make_sqlite("local", source), checked);
  }
  core::Batch collect() {
    auto batch = collector_->collect({kNow, std::chrono::steady_clock::now() + std::chrono::seconds(20), {}});
    EXPECT_TRUE(batch) << (batch ? "" : batch.error().describe());
    return batch ? std::move(*batch) : core::Batch{};
  }
  static std::map<std::string, double> values(const core::Batch& batch) {
    std::map<std::string, double> found;
    for (const core::Sample& sample : batch.samples) found[sample.labels.to_string()] = sample.value;
    return found;
  }
  static std::vector<std::string> told(const core::Batch& batch) {
    std::vector<std::string> messages;
    for (const core::Event& event : batch.events) messages.push_back(event.message);
    return messages;
  }

  const std::filesystem::path path_;
  sqlite3* database_ = nullptr;
  std::unique_ptr<GovernanceCollector> collector_;
};

TEST_F(GovernanceCollectorTest, PersonalDataIsToldOnceAndCountedUntilItIsGone) {
  write(
      "CREATE TABLE t (id int, last_name text, note text); INSERT INTO t VALUES (1, NULL, 'ann@example.com'), (2, 'x', "
      "NULL)");
  write("CREATE VIEW v AS SELECT note FROM t");
  GovernanceSettings settings;
  settings.pii.emplace();
  use(settings);
  const core::Batch first = collect();
  EXPECT_THAT(told(first),
              ElementsAre("Column last_name of t in local seems to hold personal data (name), by its name",
                          "Column note of t in local seems to hold personal data (email), in 1 of 1 values"));
  EXPECT_EQ(values(first), (std::map<std::string, double>{
                               {R"(weir_pii_columns{dataset="t",found_by="name",kind="name",source="local"})", 1},
                               {R"(weir_pii_columns{dataset="t",found_by="values",kind="email",source="local"})", 1},
                               {R"(weir_governance_tables{source="local"})", 2},
                               {R"(weir_governance_tables_looked_at{source="local"})", 2}}));
  const core::Batch second = collect();
  EXPECT_THAT(second.events, IsEmpty());
  EXPECT_EQ(values(second).size(), 4U);
  write("UPDATE t SET note = NULL");
  EXPECT_EQ(values(collect()).size(), 3U);
}

TEST_F(GovernanceCollectorTest, AcceptedColumnsAndTablesThatAreNotMeantAreLeftAlone) {
  write("CREATE TABLE users (email text, phone text); CREATE TABLE logs (email text)");
  GovernanceSettings settings;
  settings.pii = PiiSettings{.sample = 10, .names = {{}, {"log*"}}, .accepted = {"users.em*"}};
  use(settings);
  EXPECT_THAT(told(collect()),
              ElementsAre("Column phone of users in local seems to hold personal data (phone), by its name"));
}

TEST_F(GovernanceCollectorTest, LongValuesAndManyColumnsAreBoundedAndStrangeNamesQuoted) {
  std::string columns;
  std::string fields;
  for (int i = 0; i < 100; ++i) {
    columns += (i == 0 ? "" : ", ") + std::string("\"c") + std::to_string(i) + "'x\" text";
    fields += std::string(i == 0 ? "" : ", ") + "'a@b.de'";
  }
  write("CREATE TABLE \"wide table\" (" + columns + "); INSERT INTO \"wide table\" VALUES (" + fields + ")");
  write("CREATE TABLE long (note text); INSERT INTO long VALUES ('a@b.de ' || hex(zeroblob(5000)))");
  GovernanceSettings settings;
  settings.pii.emplace();
  use(settings);
  const auto seen = values(collect());
  EXPECT_EQ(seen.at(R"(weir_pii_columns{dataset="wide table",found_by="values",kind="email",source="local"})"), 50);
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(GovernanceCollectorTest, TablesWithoutChecksColumnsOrOwnerAreCounted) {
  write("CREATE TABLE a (id int, x int, y int); CREATE TABLE b (id int); CREATE TABLE c (id int)");
  GovernanceSettings settings;
  settings.contracts = settings.owners = true;
  use(settings, R"(
checks for a:
  - missing_count(id) = 0:
      attributes: {owner: sales}
  - schema:
      fail:
        when wrong column type: {x: int}
for each dataset D:
  datasets: [b]
  checks:
    - row_count > 0
)");
  const auto seen = values(collect());
  const auto of = [&](const char* metric, const char* table) {
    return seen.at(std::string("weir_governance_") + metric + "{dataset=\"" + table + "\",source=\"local\"}");
  };
  EXPECT_EQ(of("owned", "a"), 1);
  EXPECT_EQ(of("owned", "b"), 0);
  EXPECT_EQ(of("covered", "b"), 1);
  EXPECT_EQ(of("covered", "c"), 0);
  EXPECT_EQ(of("uncovered_columns", "a"), 1);
  EXPECT_EQ(of("uncovered_columns", "b"), 1);
  EXPECT_EQ(seen.size(), 3U + 3U + 2U + 2U);
}

TEST_F(GovernanceCollectorTest, ASourceThatIsGoneIsAnErrorAndATableThatIsTellsNothingAnew) {
  write("CREATE TABLE t (email text)");
  GovernanceSettings settings;
  settings.pii.emplace();
  use(settings);
  EXPECT_EQ(collect().events.size(), 1U);
  write("DROP TABLE t");
  const core::Batch batch = collect();
  EXPECT_THAT(batch.faults, IsEmpty());
  EXPECT_EQ(values(batch).size(), 2U);
  sql::SqliteSettings nowhere;
  nowhere.path = "/nowhere/at/all.db";
  GovernanceCollector other(settings, sql::make_sqlite("gone", nowhere), {});
  EXPECT_FALSE(other.collect({kNow, std::chrono::steady_clock::now() + std::chrono::seconds(5), {}}));
}

TEST(Retention, IsReadAndItsMistakesAreNamed) {
  config::Diagnostics diagnostics;
  const auto datasets = parse_check_file(
      config::parse_yaml("checks for t:\n  - retention:\n      column: created_at\n      max_age: 30d\n", "x.yml",
                         diagnostics),
      diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  const Check& check = datasets.at(0).checks.at(0);
  EXPECT_EQ(check.measure(), "retention(created_at)");
  ASSERT_TRUE(check.fail_when);
  EXPECT_TRUE(check.fail_when->holds(1));
  EXPECT_FALSE(check.fail_when->holds(0));
  config::Diagnostics wrong;
  parse_check_file(
      config::parse_yaml("checks for t:\n  - retention\n  - retention:\n      column: a\n      max_age: soon\n"
                         "  - retention:\n      column: a\n      max_age: 1s\n  - retention:\n      column: a\n      "
                         "max_age: 30d\n      colum: b\n",
                         "x.yml", wrong),
      wrong);
  for (const char* words : {"needs column: and max_age:", "\"max_age\"", "at least 1m", "unknown key \"colum\""}) {
    EXPECT_THAT(wrong.to_string(), HasSubstr(words));
  }
}

}  // namespace
}  // namespace weir::quality
