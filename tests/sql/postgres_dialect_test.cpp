#include <cstdlib>
#include <gtest/gtest.h>
#include <pqxx/pqxx>
#include <unistd.h>

#include "sql/postgres.h"
#include "sql/postgres_url.h"

namespace weir::sql {
namespace {

/// What the dialect writes, asked of the server that WEIR_TEST_POSTGRES names.
class PostgresDialectTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* url = std::getenv("WEIR_TEST_POSTGRES");
    ASSERT_NE(url, nullptr) << "WEIR_TEST_POSTGRES is not set: run these tests with ./tests/run";
    schema_ = "weir_dialect_" + std::to_string(::getpid());
    admin_ = std::make_unique<pqxx::connection>(url);
    write("DROP SCHEMA IF EXISTS " + schema_ + " CASCADE; CREATE SCHEMA " + schema_);
    PostgresSettings settings;
    settings.url = core::Secret(with_parameters(url, {{"options", "-csearch_path=" + schema_}}));
    source_ = make_postgres("warehouse", settings);
  }
  void TearDown() override {
    if (admin_) write("DROP SCHEMA IF EXISTS " + schema_ + " CASCADE");
  }

  void write(const std::string& sql) const {
    pqxx::nontransaction work(*admin_);
    work.exec("SET client_min_messages = error; SET search_path = " + schema_ + ", public;" + sql);
  }
  std::vector<Row> rows(const std::string& sql) const {
    const auto table = source_->query(sql, {}, {});
    EXPECT_TRUE(table) << sql << ": " << table.error().describe();
    return table ? table->rows : std::vector<Row>();
  }
  /// The counters once the server has counted what this test committed.
  std::vector<Row> counters(const std::string& table) const {
    write("SELECT pg_stat_force_next_flush()");
    return rows(*dialect_.change_counters(std::vector<std::string>{table}));
  }

  const Dialect& dialect_ = postgres_dialect();
  std::string schema_;
  std::unique_ptr<pqxx::connection> admin_;
  std::unique_ptr<SqlSource> source_;
};

TEST_F(PostgresDialectTest, ListsTablesViewsAndForeignTables) {
  write(
      "CREATE TABLE t (a int); CREATE VIEW v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;"
      "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)");
  std::vector<Row> found;
  for (const Row& row : rows(dialect_.tables())) {
    if (row[0] == Value(schema_)) found.push_back({row[1], row[2], row[3]});
  }
  const auto row = [](const char* name, const char* kind) {
    return Row{std::string(name), std::string(kind), std::int64_t{1}};
  };
  EXPECT_EQ(found, (std::vector<Row>{row("m", "view"), row("p", "table"), row("t", "table"), row("v", "view")}));
  EXPECT_EQ(rows(dialect_.kind_of(std::vector<std::string>{"v"})), (std::vector<Row>{{std::string("view")}}));
  EXPECT_TRUE(rows(dialect_.kind_of(std::vector<std::string>{"nope"})).empty());
}

TEST_F(PostgresDialectTest, ListsOnlyUniqueIndexesThatProveSomething) {
  write(
      "CREATE TABLE t (id int PRIMARY KEY, a int, b int NOT NULL, c int UNIQUE DEFERRABLE INITIALLY DEFERRED);"
      "CREATE UNIQUE INDEX ab ON t (b, a) INCLUDE (c); CREATE UNIQUE INDEX part ON t (a) WHERE a > 1;"
      "CREATE UNIQUE INDEX expr ON t ((a + 1)); CREATE INDEX plain ON t (a);"
      "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent)");
  const auto row = [](const char* index, const char* column, int place, int not_null) {
    return Row{std::string(index), std::string(column), std::int64_t{place}, std::int64_t{not_null}};
  };
  EXPECT_EQ(rows(*dialect_.unique_indexes_of(std::vector<std::string>{"t"})),
            (std::vector<Row>{row("ab", "b", 1, 1), row("ab", "a", 2, 0), row("t_pkey", "id", 1, 1)}));
  EXPECT_TRUE(rows(*dialect_.unique_indexes_of(std::vector<std::string>{"parent"})).empty());
  EXPECT_TRUE(rows(*dialect_.unique_indexes_of(std::vector<std::string>{"nope"})).empty());
}

TEST_F(PostgresDialectTest, EstimatesRowsOnceTheServerHasCounted) {
  write(
      "CREATE TABLE t (a int); CREATE TABLE p (a int) PARTITION BY LIST (a);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO t VALUES (1), (2), (3); INSERT INTO p VALUES (1)");
  EXPECT_EQ(rows(*dialect_.row_estimate(std::vector<std::string>{"t"})), (std::vector<Row>{{std::monostate{}}}));
  write("ANALYZE t; ANALYZE p");
  EXPECT_EQ(rows(*dialect_.row_estimate(std::vector<std::string>{"t"})), (std::vector<Row>{{3.0}}));
  EXPECT_EQ(rows(*dialect_.row_estimate(std::vector<std::string>{"p"})), (std::vector<Row>{{1.0}}));
}

TEST_F(PostgresDialectTest, CountersChangeWithEveryKindOfWrite) {
  write("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)");
  auto before = counters("t");
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(counters("t"), before) << "nothing was written";
  for (const char* sql :
       {"INSERT INTO t VALUES (3)", "UPDATE t SET a = 4 WHERE a = 3", "DELETE FROM t WHERE a = 4",
        "ALTER TABLE t ADD COLUMN b int DEFAULT 7", "ALTER TABLE t RENAME COLUMN b TO c", "ALTER TABLE t DROP COLUMN c",
        "ALTER TABLE t ADD COLUMN d int", "REVOKE SELECT ON t FROM PUBLIC", "GRANT SELECT (d) ON t TO PUBLIC",
        "TRUNCATE t", "DROP TABLE t; CREATE TABLE t (a int)"}) {
    write(sql);
    const auto after = counters("t");
    EXPECT_NE(after, before) << sql;
    before = after;
  }
}

TEST_F(PostgresDialectTest, CountersSeeWritesToPartitionsAndNoneOfViews) {
  write(
      "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
      "CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent); CREATE VIEW v AS SELECT 1 AS a");
  for (const auto& [table, sql] :
       {std::pair("p", "INSERT INTO p1 VALUES (1)"), std::pair("parent", "INSERT INTO child VALUES (1)")}) {
    const auto before = counters(table);
    ASSERT_EQ(before.size(), 1U);
    write(sql);
    EXPECT_NE(counters(table), before) << table;
  }
  EXPECT_TRUE(counters("v").empty());
  EXPECT_TRUE(counters("nope").empty());
}

TEST_F(PostgresDialectTest, ComputesWhatTheServerComputes) {
  write(
      "CREATE TABLE t (n int, s text, at timestamp); INSERT INTO t VALUES (15, 'Ab_é%', '1969-12-31 23:59:59'),"
      "(20, 'x', '1970-01-01 00:59:59.5'), (35, NULL, '1970-01-01 01:00'), (40, 'x', NULL), (50, 'Ab!', NULL), (NULL, "
      "NULL, NULL)");
  const auto ask = [&](const std::string& expression) { return rows("SELECT " + expression + " FROM t").at(0).at(0); };
  EXPECT_EQ(ask(dialect_.count_distinct("s")), Value(std::int64_t{3}));
  EXPECT_EQ(ask(dialect_.sum("n")), Value(std::int64_t{160}));
  EXPECT_EQ(ask(dialect_.deviation(Deviation::var_samp, "n")), Value(207.5));
  EXPECT_EQ(ask(dialect_.deviation(Deviation::var_pop, "n")), Value(166.0));
  for (const double p : {0.0, 0.3, 0.4, 0.95, 1.0}) {
    for (const Percentile method : {Percentile::continuous, Percentile::discrete}) {
      const auto query = rows(dialect_.percentile_query(method, "n", p, "t", "s IS DISTINCT FROM 'y'"));
      const auto aggregate = ask(dialect_.cast_number(*dialect_.percentile(method, "n", p)));
      EXPECT_NEAR(std::get<double>(query.at(0).at(0)), std::get<double>(aggregate), 1e-9) << p;
    }
  }
  EXPECT_EQ(ask("max(" + dialect_.length("s") + ")"), Value(std::int64_t{5}));
  EXPECT_EQ(ask(dialect_.count_if(*dialect_.matches("s", "^A\\w"))), Value(std::int64_t{2}));
  EXPECT_EQ(ask(dialect_.count_if(*dialect_.matches("n", "^[0-9]+$"))), Value(std::int64_t{5}));
  EXPECT_EQ(ask(dialect_.count_if(dialect_.like("s", Dialect::like_literal("Ab_é%")))), Value(std::int64_t{1}));
  EXPECT_EQ(ask(dialect_.count_if(dialect_.like("s", "%!!"))), Value(std::int64_t{1}));
  EXPECT_EQ(ask("string_agg(" + dialect_.cast_text(dialect_.time_bucket("at", 3600)) + ", ' ' ORDER BY at)"),
            Value(std::string("-3600 0 3600")));
  EXPECT_EQ(ask("max(" + dialect_.seconds_between("at", "timestamp '1970-01-01 01:00:00.25'") + ")"), Value(3601.25));
  EXPECT_EQ(ask(dialect_.count_if(dialect_.at_or_after("at", core::time_from_seconds(3599.5)))),
            Value(std::int64_t{2}));
  EXPECT_EQ(ask(dialect_.count_if(dialect_.before("at", core::time_from_seconds(3600)))), Value(std::int64_t{2}));
}

TEST_F(PostgresDialectTest, TheServerSeesWhatAQueryIsFor) {
  QueryLimits limits;
  limits.tag = "dataset=orders */";
  const auto seen = source_->query("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()", {}, limits);
  ASSERT_TRUE(seen) << seen.error().describe();
  EXPECT_TRUE(std::get<std::string>(seen->rows.at(0).at(0)).starts_with("/* weir dataset=orders __ */ SELECT query"));
}

}  // namespace
}  // namespace weir::sql
