#include "sql/statement.h"

#include <gtest/gtest.h>

namespace weir::sql {
namespace {

using core::ErrorKind;

bool reads(std::string_view statement, Quoting quoting = {}) {
  return check_reads_only(statement, quoting, "wh").has_value();
}

TEST(ReadsOnly, LetsQueriesPass) {
  for (const char* sql :
       {"SELECT 1", " \n select a FROM t; ", "WITH x AS (SELECT 1) SELECT * FROM x", "(SELECT 1) UNION ALL (SELECT 2)",
        "VALUES (1)", "/* weir dataset=t check=x */ SELECT 1", "-- first\nSELECT 1",
        "SELECT 'DELETE; DROP TABLE t --' FROM t", "SELECT \"update\", `drop`, t.set FROM t",
        "SELECT replace(a, 'x', 'y'), truncate(n, 2) FROM t", "SELECT a - -1 FROM t", "EXPLAIN SELECT 1",
        "SELECT updated_at, created, deleted FROM inserts", "SELECT 'it''s'", "SELECT 'a\\\\b'"}) {
    EXPECT_TRUE(reads(sql)) << sql << ": " << check_reads_only(sql, {}, "wh").error().describe();
  }
}

TEST(ReadsOnly, RefusesWhatMayWrite) {
  for (const char* sql : {"",
                          ";",
                          "DELETE FROM t",
                          "DROP TABLE t",
                          "WITH x AS (SELECT 1) DELETE FROM t",
                          "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x",
                          "SELECT 1; DELETE FROM t",
                          "SELECT a INTO u FROM t",
                          "SELECT a FROM t FOR UPDATE",
                          "EXPLAIN ANALYZE DELETE FROM t",
                          "CALL p()",
                          "EXEC p",
                          "SET a = 1",
                          "COMMIT",
                          "BEGIN",
                          "SELECT 1 /*! ; DELETE FROM t */",
                          "SELECT 1 /*M! INTO @x */",
                          "/* a /* b */ DELETE */ SELECT 1",
                          "SELECT $$ ' $$; DELETE FROM t; --'",
                          "SELECT 1 # 2 \n; DELETE FROM t",
                          "SELECT q'[']'; DELETE FROM t --'",
                          "SELECT 1 --1; DELETE FROM t",
                          "SELECT '\\'; DELETE FROM t; --'",
                          "SELECT 'a\\' ; DELETE FROM t --",
                          "SELECT 'open",
                          "1"}) {
    EXPECT_FALSE(reads(sql)) << sql;
  }
}

TEST(ReadsOnly, KnowsHowAnEngineQuotes) {
  EXPECT_TRUE(reads("SELECT '\\'", {.backslash_escapes = false}));
  EXPECT_FALSE(reads("SELECT '\\'", {}));
  EXPECT_FALSE(reads("SELECT [a'b]; DELETE FROM t --'", {.brackets = true, .backslash_escapes = false}));
  EXPECT_FALSE(reads("SELECT [a'] FROM t; DELETE FROM t WHERE 'x' = '", {.brackets = true}));
  EXPECT_TRUE(reads("SELECT [drop; table] FROM t", {.brackets = true}));
}

TEST(ReadsOnly, SaysWhy) {
  EXPECT_EQ(check_reads_only("DELETE FROM t", {}, "wh").error().kind, ErrorKind::denied);
  EXPECT_EQ(check_reads_only("DELETE FROM t", {}, "wh").error().describe(),
            "wh: the statement may do more than read: it begins with delete");
  EXPECT_EQ(check_reads_only("SELECT 1; SELECT 2", {}, "wh").error().kind, ErrorKind::invalid);
}

TEST(TimeLeft, IsTheSoonestOfTheBounds) {
  QueryLimits limits;
  EXPECT_EQ(time_left(limits, std::chrono::seconds(5), "wh").value(), std::chrono::seconds(5));
  limits.timeout = std::chrono::seconds(2);
  EXPECT_EQ(time_left(limits, std::chrono::seconds(5), "wh").value(), std::chrono::seconds(2));
  limits.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(time_left(limits, std::chrono::seconds(5), "wh").error().kind, ErrorKind::timeout);
  std::stop_source stop;
  stop.request_stop();
  limits.stop = stop.get_token();
  EXPECT_EQ(time_left(limits, std::chrono::seconds(5), "wh").error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace weir::sql
