#include <cstdlib>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>
#include <unistd.h>

#include "quality/check_file.h"
#include "quality/profile.h"
#include "quality/run.h"
#include "quality/scan_keeper.h"
#include "sql/postgres.h"

#include "memory_texts.h"

namespace weir::quality {
namespace {

using testing::HasSubstr;

constexpr double kNow = 1'700'000'000;

/// Bad input, the zero-scan gate and incremental measuring on the server that WEIR_TEST_POSTGRES names. In a database
/// of its own: to the gate any session in the same one may hold counts back.
class PostgresKindsTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* url = std::getenv("WEIR_TEST_POSTGRES");
    ASSERT_NE(url, nullptr)
        << "WEIR_TEST_POSTGRES is not set: these tests need a PostgreSQL server. Run them with "
           "./tests/run, which starts one, or set it to the URL of a role that may create databases.";
    server_ = url;
    schema_ = "weir_kinds_" + std::to_string(::getpid());
    on_server("DROP DATABASE IF EXISTS " + schema_ + " WITH (FORCE)");
    on_server("CREATE DATABASE " + schema_ + " TEMPLATE template0");
    const std::size_t query = std::min(server_.find('?'), server_.size());
    url_ = server_.substr(0, server_.rfind('/', query) + 1) + schema_ + server_.substr(query);
    admin_ = std::make_unique<pqxx::connection>(url_);
    write("CREATE SCHEMA " + schema_);
    write(
        "CREATE TABLE t (id int, n int, at timestamptz); INSERT INTO t SELECT i, i, '2023-11-14 20:00+00' FROM "
        "generate_series(1, 5) i");
    sql::PostgresSettings settings;
    settings.url = core::Secret(url_);
    settings.statement_timeout = std::chrono::milliseconds(1500);
    source_ = sql::make_postgres("warehouse", settings);
  }
  void TearDown() override {
    source_.reset();
    admin_.reset();
    if (!server_.empty()) on_server("DROP DATABASE IF EXISTS " + schema_ + " WITH (FORCE)");
  }

  void on_server(const std::string& sql) const {
    pqxx::connection connection(server_);
    pqxx::nontransaction(connection).exec("SET client_min_messages = error");
    pqxx::nontransaction(connection).exec(sql);
  }

  void write(const std::string& sql) { write(*admin_, sql); }
  void write(pqxx::connection& connection, const std::string& sql) const {
    pqxx::work transaction(connection);
    transaction.exec("SET LOCAL client_min_messages = error; SET LOCAL search_path = " + schema_ + ";" + sql);
    transaction.commit();
  }
  /// A session that ends has handed over its counts.
  void write_and_leave(const std::string& sql) {
    pqxx::connection connection(url_);
    write(connection, sql);
  }

  /// `S.` in the check file stands for the test's schema.
  RunResult run(std::string yaml, double now = kNow) {
    for (std::size_t at = yaml.find("S."); at != std::string::npos; at = yaml.find("S.", at))
      yaml.replace(at, 1, schema_);
    config::Diagnostics diagnostics;
    const auto datasets =
        merge_datasets(parse_check_file(config::parse_yaml(yaml, "x.yml", diagnostics), diagnostics), diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    CheckRun::Setup setup{.source = "warehouse", .session = *source_};
    setup.keeper = &keeper_;
    auto result = CheckRun(setup).run(datasets, core::time_from_seconds(now), {});
    EXPECT_TRUE(result) << result.error().describe();
    return result.value_or(RunResult{});
  }

  static bool scanned(const RunResult& result, std::string_view part) {
    return std::ranges::any_of(result.statements,
                               [&](const auto& each) { return each.sql.find(part) != std::string::npos; });
  }

  std::string server_;
  std::string url_;
  std::string schema_;
  std::unique_ptr<pqxx::connection> admin_;
  std::unique_ptr<sql::SqlSource> source_;
  MemoryTexts texts_;
  ScanKeeper keeper_{"warehouse", &texts_};
};

TEST_F(PostgresKindsTest, AMistakeCostsNoOtherCheckItsValue) {
  const RunResult result = run(R"(
checks for S.t:
  - row_count = 5
  - max(nope) > 0
  - ratio > 0:
      ratio expression: sum(n) / (count(*) - 5)
  - rows > 0:
      rows expression: generate_series(1, 3)
  - zero > 0:
      zero query: SELECT 1 / 0
  - values in (id) must exist in S.nowhere (id)
  - failed rows:
      name: gone
      fail query: SELECT * FROM S.gone
  - failed rows:
      name: type
      fail condition: n = 'x'
  - row_count same as S.t in elsewhere
  - max(n) = 5
)");
  const auto& checks = result.datasets[0].checks;
  EXPECT_EQ(checks[0].result.outcome, Outcome::pass);
  EXPECT_THAT(checks[1].result.message, HasSubstr("column \"nope\" does not exist"));
  EXPECT_THAT(checks[2].result.message, HasSubstr("division by zero"));
  EXPECT_EQ(checks[3].result.outcome, Outcome::error);
  EXPECT_THAT(checks[4].result.message, HasSubstr("division by zero"));
  EXPECT_THAT(checks[5].result.message, HasSubstr("nowhere"));
  EXPECT_THAT(checks[6].result.message, HasSubstr("gone"));
  EXPECT_EQ(checks[7].result.outcome, Outcome::error);
  EXPECT_THAT(checks[8].result.message, HasSubstr("elsewhere"));
  EXPECT_EQ(checks[9].result.outcome, Outcome::pass);
}

TEST_F(PostgresKindsTest, NamesInAnotherCaseAreHinted) {
  write("CREATE TABLE \"Mixed\" (\"Amount\" int)");
  const RunResult column = run("checks for S.\"Mixed\":\n  - max(AMOUNT) > 0\n");
  EXPECT_THAT(column.datasets[0].checks[0].result.message,
              HasSubstr("; there is a column \"Amount\": names are taken exactly as written"));
  const RunResult table = run("checks for S.mixed:\n  - row_count > 0\n");
  ASSERT_TRUE(table.datasets[0].error);
  EXPECT_THAT(table.datasets[0].error->message, HasSubstr(fmt::format("there is a table \"{}.Mixed\"", schema_)));
  const auto profile = profile_table({schema_, "mixed"}, *source_, {});
  ASSERT_FALSE(profile);
  EXPECT_THAT(profile.error().message, HasSubstr("; there is a table \"Mixed\": names are taken exactly as written"));
}

TEST_F(PostgresKindsTest, ATableThatIsNearlyNamedSoIsSuggested) {
  write("CREATE TABLE fct_orders (id int)");
  const RunResult run_of_typo = run("checks for S.fct_ordres:\n  - row_count > 0\n");
  ASSERT_TRUE(run_of_typo.datasets[0].error);
  const auto profile = profile_table({schema_, "fct_ordres"}, *source_, {});
  ASSERT_FALSE(profile);
  EXPECT_THAT(profile.error().message, HasSubstr("(did you mean \"fct_orders\"?)"));
  EXPECT_THAT(run_of_typo.datasets[0].error->message,
              HasSubstr(fmt::format("(did you mean \"{}.fct_orders\"?)", schema_)));
}

TEST_F(PostgresKindsTest, AddressesAreValidWhateverTheirType) {
  write(
      "CREATE TABLE hosts (a inet, b text, c inet); INSERT INTO hosts VALUES ('10.0.0.1', '10.0.0.1', '2001:db8::1'), "
      "('10.0.0.2/24', 'no address', '::1')");
  const RunResult result = run(R"(
checks for S.hosts:
  - invalid_count(a) = 0: {valid format: ip address}
  - invalid_count(b) = 1: {valid format: ipv4 address}
  - invalid_count(c) = 0: {valid format: ipv6 address}
)");
  for (const Observed& check : result.datasets[0].checks) {
    EXPECT_EQ(check.result.outcome, Outcome::pass) << check.result.message;
  }
}

TEST_F(PostgresKindsTest, WhatTakesTooLongIsStoppedAlone) {
  const RunResult result = run(R"(
checks for S.t:
  - slow > 0:
      slow expression: count(pg_sleep(5)::text)
  - slower > 0:
      slower query: SELECT 1 FROM pg_sleep(30)
  - max(n) = 5
)");
  const auto& checks = result.datasets[0].checks;
  EXPECT_THAT(checks[0].result.message, HasSubstr("longer than its 1s500ms timeout"));
  EXPECT_THAT(checks[1].result.message, HasSubstr("longer than its 1s500ms timeout"));
  EXPECT_EQ(checks[2].result.outcome, Outcome::pass);
}

TEST_F(PostgresKindsTest, WhatIsForbiddenIsNamed) {
  const std::string role = schema_ + "_low";
  write(
      fmt::format("CREATE ROLE {0}; GRANT USAGE ON SCHEMA {1} TO {0}; GRANT SELECT (id) ON t TO {0}; "
                  "CREATE TABLE secret (id int)",
                  role, schema_));
  sql::PostgresSettings settings;
  settings.url = core::Secret(url_ + (url_.find('?') == std::string::npos ? "?" : "&") + "options=-c%20role%3D" + role);
  source_ = sql::make_postgres("warehouse", settings);
  const RunResult result = run(R"(
checks for S.t:
  - max(n) = 5
  - max(id) = 5
  - values in (id) must exist in S.secret (id)
  - failed rows: {fail query: SELECT * FROM S.secret}
)");
  const auto& checks = result.datasets[0].checks;
  EXPECT_THAT(checks[0].result.message, HasSubstr("permission denied"));
  EXPECT_EQ(checks[1].result.outcome, Outcome::pass);
  EXPECT_THAT(checks[2].result.message, HasSubstr("permission denied"));
  EXPECT_THAT(checks[3].result.message, HasSubstr("permission denied"));
  write(fmt::format("DROP OWNED BY {0}; DROP ROLE {0}", role));
}

TEST_F(PostgresKindsTest, NoFieldOfACheckFileCanWrite) {
  const RunResult result = run(R"(
checks for S.t:
  - 'values in ("id = 1) ; DROP TABLE t; --") must exist in S."t; DROP TABLE t" (id)'
  - 'row_count same as S."t""; DROP TABLE t; --"'
  - schema:
      fail:
        when required column missing: ["id'; DROP TABLE t; --"]
        when wrong column type: {id: "int'; DROP TABLE t; --"}
  - failed rows:
      name: writes
      fail query: WITH gone AS (DELETE FROM S.t RETURNING *) SELECT * FROM gone
  - failed rows:
      name: calls
      fail condition: set_config('transaction_read_only', 'off', false) = 'off' OR lo_create(0) > 0
      samples columns: ['id" FROM S.t; DROP TABLE t; --']
  - own > 0:
      own query: SELECT nextval('S.s')
  - own2 > 0:
      own2 expression: count(*) FILTER (WHERE pg_notify('a', 'b') IS NULL)
)");
  const auto& checks = result.datasets[0].checks;
  for (const std::size_t i : {0U, 1U, 3U, 4U, 5U}) {
    EXPECT_EQ(checks[i].result.outcome, Outcome::error) << i << ": " << checks[i].result.message;
  }
  EXPECT_EQ(checks[2].result.outcome, Outcome::fail);
  pqxx::work look(*admin_);
  EXPECT_EQ(look.exec("SELECT * FROM " + schema_ + ".t").size(), 5U);
  EXPECT_EQ(look.exec("SELECT * FROM pg_largeobject_metadata").size(), 0U);
}

constexpr const char* kCounted = "checks for S.t:\n  - row_count > 0\n  - max(n) > 0\n";

/// Until no session of another test or of the statistics' own delay stands in the way.
void settle(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done() && std::chrono::steady_clock::now() < deadline) {
  }
}

TEST_F(PostgresKindsTest, TheGateSeesEveryWrite) {
  admin_.reset();  // no idle session that wrote
  double now = kNow;
  const auto reused = [&] { return run(kCounted, now += 1).datasets[0].reused.has_value(); };
  settle(reused);
  ASSERT_TRUE(reused()) << "nothing was written; is somebody else using this database?";
  for (const char* sql :
       {"INSERT INTO t VALUES (9, 9)", "UPDATE t SET n = 70 WHERE id = 1", "DELETE FROM t WHERE id = 1",
        "TRUNCATE t; INSERT INTO t VALUES (1, 1)", "ALTER TABLE t ADD COLUMN more int"}) {
    write_and_leave(sql);
    EXPECT_FALSE(reused()) << sql;
    settle(reused);
  }
}

TEST_F(PostgresKindsTest, WhatIsReusedSaysSoAndFreshnessAgesOn) {
  admin_.reset();
  double now = kNow;
  const std::string file = "checks for S.t:\n  - freshness(at) < 9h\n  - row_count = 5\n";
  const auto reused = [&] { return run(file, now += 1).datasets[0].reused.has_value(); };
  settle(reused);
  const RunResult seen = run(file, now + 600);
  ASSERT_TRUE(seen.datasets[0].reused);
  const double written = 1'699'992'000;  // 20:00
  EXPECT_EQ(seen.datasets[0].checks[0].result.value, now + 600 - written);
  const CheckResult& rows = seen.datasets[0].checks[1].result;
  EXPECT_TRUE(rows.reused);
  EXPECT_EQ(rows.message, fmt::format("row_count is 5, expected = 5; reused: nothing was written since {}",
                                      core::format_rfc3339(*seen.datasets[0].reused)));
  EXPECT_FALSE(scanned(seen, fmt::format("FROM \"{}\".\"t\"", schema_))) << "nothing but the catalog is asked";
}

TEST_F(PostgresKindsTest, TheGateDoesNotTrustSessionsThatMayHoldCountsBack) {
  pqxx::connection writer(url_);
  admin_.reset();
  double now = kNow;
  const auto reused = [&] { return run(kCounted, now += 1).datasets[0].reused.has_value(); };
  settle(reused);
  // Committed, and not yet counted: the session goes on with another transaction.
  write(writer, "INSERT INTO t VALUES (100, 100)");
  pqxx::work open(writer);
  open.exec("SELECT 1");
  const RunResult seen = run(kCounted, now + 1);
  EXPECT_FALSE(seen.datasets[0].reused);
  EXPECT_EQ(seen.datasets[0].checks[1].result.value, 100);
  open.commit();
}

TEST_F(PostgresKindsTest, TheGateIsOffForWhatIsNoTable) {
  admin_.reset();
  double now = kNow;
  settle([&] { return run(kCounted, now += 1).datasets[0].reused.has_value(); });
  write_and_leave("ALTER TABLE t RENAME TO old; CREATE VIEW t AS SELECT * FROM old WHERE n < 3");
  for (int i = 0; i < 3; ++i) {
    const RunResult seen = run(kCounted, now += 1);
    EXPECT_FALSE(seen.datasets[0].reused);
    EXPECT_EQ(seen.datasets[0].checks[1].result.value, 2);
  }
}

TEST_F(PostgresKindsTest, IncrementalSeesUpdatesOfOldRows) {
  const std::string file =
      "configurations for S.t:\n  incremental: {column: at}\nchecks for S.t:\n  - row_count > 0\n  - avg(n) > 0\n"
      "  - stddev(n) > 0\n  - freshness(at) < 9h\n";
  const std::string full = fmt::format("FROM \"{}\".\"t\" GROUP BY", schema_);
  EXPECT_TRUE(scanned(run(file), full));
  write_and_leave("INSERT INTO t VALUES (6, 60, '2023-11-14 22:10+00')");
  const RunResult next = run(file, kNow + 60);
  EXPECT_FALSE(scanned(next, full));
  EXPECT_EQ(next.datasets[0].checks[1].result.value, 12.5);
  EXPECT_NEAR(*next.datasets[0].checks[2].result.value, 23.3131, 1e-3);
  write_and_leave("UPDATE t SET n = 11 WHERE id = 1");
  const RunResult updated = run(file, kNow + 120);
  EXPECT_TRUE(scanned(updated, full));
  EXPECT_NEAR(*updated.datasets[0].checks[1].result.value, 85.0 / 6, 1e-9);
}

}  // namespace
}  // namespace weir::quality
