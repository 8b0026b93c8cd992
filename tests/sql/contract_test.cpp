#include <atomic>
#include <cmath>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <thread>

#include "support/engines/engines.h"

namespace weir::sql {
namespace {

using core::ErrorKind;
using std::chrono::milliseconds;
using testing::AnyOf;
using testing::Eq;

/// What every source promises, whatever engine and driver it has.
class SqlContract : public testing::TestWithParam<EngineKind> {
 protected:
  void SetUp() override {
    try {
      engine_ = GetParam().make();
    } catch (const std::exception& problem) {
      FAIL() << problem.what();
    }
    source_ = engine_->open();
  }

  const Dialect& dialect() const { return source_->dialect(); }

  std::vector<Row> rows(const std::string& sql, const std::vector<Value>& parameters = {}) const {
    const auto table = source_->query(sql, parameters, {});
    EXPECT_TRUE(table) << sql << ": " << table.error().describe();
    return table ? table->rows : std::vector<Row>();
  }
  Value ask(const std::string& expression) const {
    const auto found = rows("SELECT " + expression + " AS answer FROM t");
    return found.size() == 1 ? found[0].at(0) : Value(std::string("not one row"));
  }
  static double as_number(const Value& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    const auto* number = std::get_if<double>(&value);
    return number == nullptr ? std::nan("") : *number;
  }
  double number(const std::string& expression) const { return as_number(ask(expression)); }
  core::Error error_of(const std::string& sql) const {
    const auto table = source_->query(sql, {}, {});
    EXPECT_FALSE(table) << sql;
    return table ? core::Error{} : table.error();
  }
  double count(const std::string& condition) const { return number(dialect().count_if(condition)); }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<SqlSource> source_;
};

TEST_P(SqlContract, GivesTypedValues) {
  engine_->write(fmt::format(
      "CREATE TABLE t (a bigint, b {}, c varchar(20), d varchar(20), e {}, f bigint);"
      "INSERT INTO t VALUES (9223372036854775807, 0.1, 'é\xF0\x9F\x98\x80', NULL, 2.50, -9223372036854775808)",
      engine_->number_type(), engine_->decimal_type()));
  const auto table = source_->query("SELECT a, b, c, d, e, f FROM t", {}, {});
  ASSERT_TRUE(table) << table.error().describe();
  EXPECT_EQ(table->columns, (std::vector<std::string>{"a", "b", "c", "d", "e", "f"}));
  ASSERT_EQ(table->rows.size(), 1U);
  EXPECT_EQ(table->rows[0], (Row{std::numeric_limits<std::int64_t>::max(), 0.1, std::string("é\xF0\x9F\x98\x80"),
                                 std::monostate{}, 2.5, std::numeric_limits<std::int64_t>::min()}));
}

TEST_P(SqlContract, BindsParametersOfEveryType) {
  engine_->write(
      fmt::format("CREATE TABLE t (a bigint, b {}, c varchar(40), at {});"
                  "INSERT INTO t VALUES (7, 0.5, 'it''s; -- \\', '2026-01-02 03:04:05.678')",
                  engine_->number_type(), engine_->time_type()));
  const auto found = [&](const std::string& column, const Value& value) {
    return as_number(
        rows(fmt::format("SELECT count(*) FROM t WHERE {} = {}", column, dialect().parameter(1)), {value}).at(0).at(0));
  };
  EXPECT_EQ(found("a", std::int64_t{7}), 1);
  EXPECT_EQ(found("b", 0.5), 1);
  EXPECT_EQ(found("c", std::string("it's; -- \\")), 1);
  EXPECT_EQ(found("c", std::string("' OR 1 = 1 --")), 0);
  EXPECT_EQ(found("a", std::monostate{}), 0);
}

TEST_P(SqlContract, QuotesTextsAndNamesSoThatTheyCannotEnd) {
  engine_->write("CREATE TABLE t (a int);INSERT INTO t VALUES (1)");
  for (const std::string text : {"it's",      "\\", "\\'", "a\\' OR 1=1 -- ",
                                 "''",        "\"", "`",   "%_!",
                                 "$1",        "?",  ":x",  "é\xF0\x9F\x98\x80",
                                 "a\nb\r\t",  "/*", "*/",  "--",
                                 "",          " ",  "[x]", "${a}",
                                 "{fn now()}"}) {
    EXPECT_EQ(ask(dialect().text_literal(text)), Value(text)) << text;
    EXPECT_EQ(count(fmt::format("{} = {}", dialect().text_literal(text), dialect().text_literal(text + "x"))), 0);
  }
  for (const std::string name : {"a b", "it's", "we\"ird", "b`tick", "select", "größe", "x; DROP TABLE t; --", "[x]"}) {
    const auto table = source_->query(fmt::format("SELECT a AS {} FROM t", dialect().identifier(name)), {}, {});
    ASSERT_TRUE(table) << name << ": " << table.error().describe();
    EXPECT_EQ(table->columns[0], name);
  }
}

TEST_P(SqlContract, ChangesNothing) {
  engine_->write("CREATE TABLE t (a int);INSERT INTO t VALUES (1)");
  for (const char* sql :
       {"DELETE FROM t", "INSERT INTO t VALUES (2)", "DROP TABLE t", "CREATE TABLE u (a int)", "UPDATE t SET a = 2",
        "TRUNCATE TABLE t", "SELECT 1; DELETE FROM t", "COMMIT; DELETE FROM t",
        "SELECT 1; COMMIT; BEGIN; DELETE FROM t", "WITH x AS (SELECT 1) DELETE FROM t", "/* SELECT */ DELETE FROM t",
        "SELECT ';' ; DELETE FROM t", "SELECT '\\'; DELETE FROM t; -- '"}) {
    const auto result = source_->query(sql, {}, {});
    ASSERT_FALSE(result) << sql;
    EXPECT_THAT(result.error().kind, AnyOf(ErrorKind::denied, ErrorKind::invalid))
        << sql << ": " << result.error().describe();
  }
  for (const char* sql : {"COMMIT", "ROLLBACK", "BEGIN", "SET autocommit = 1"}) (void)source_->query(sql, {}, {});
  EXPECT_FALSE(source_->query("DELETE FROM t", {}, {}));
  EXPECT_EQ(number("count(*)"), 1);
  EXPECT_EQ(number("max(a)"), 1);
}

TEST_P(SqlContract, NamesWhatIsMissing) {
  engine_->write("CREATE TABLE t (a int)");
  const core::Error table = error_of("SELECT 1 FROM nope");
  EXPECT_EQ(table.kind, ErrorKind::not_found) << table.describe();
  EXPECT_THAT(table.message, testing::HasSubstr("nope"));
  EXPECT_EQ(table.where, "contract");
  const core::Error column = error_of("SELECT nope FROM t");
  EXPECT_EQ(column.kind, ErrorKind::not_found) << column.describe();
  EXPECT_THAT(column.message, testing::HasSubstr("nope"));
  EXPECT_EQ(error_of("SELECT FROM WHERE").kind, ErrorKind::invalid);
  EXPECT_TRUE(source_->query("SELECT count(*) FROM t", {}, {})) << "the session is usable afterwards";
}

TEST_P(SqlContract, StopsAStatementAtItsTimeout) {
  const auto source = engine_->open(milliseconds(300));
  ASSERT_TRUE(source->connect({}));
  const auto start = std::chrono::steady_clock::now();
  const auto result = source->query(engine_->slow(), {}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::timeout) << result.error().describe();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_TRUE(source->query("SELECT 1", {}, {})) << "the session is usable afterwards";
}

TEST_P(SqlContract, StopsAStatementAtTheDeadlineOfTheCaller) {
  ASSERT_TRUE(source_->connect({}));
  QueryLimits limits;
  limits.deadline = std::chrono::steady_clock::now() + milliseconds(300);
  EXPECT_EQ(source_->query(engine_->slow(), {}, limits).error().kind, ErrorKind::timeout);
  EXPECT_EQ(source_->query("SELECT 1", {}, limits).error().kind, ErrorKind::timeout);
}

TEST_P(SqlContract, EndsAQueryWhenShuttingDown) {
  std::stop_source stop;
  QueryLimits limits;
  limits.stop = stop.get_token();
  ASSERT_TRUE(source_->connect(limits));
  const auto start = std::chrono::steady_clock::now();
  std::jthread stopper([&] {
    // Long enough that mostly the query runs by then; the answer is the same when it does not.
    std::this_thread::sleep_for(milliseconds(200));
    stop.request_stop();
  });
  const auto result = source_->query(engine_->slow(), {}, limits);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::cancelled) << result.error().describe();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8));
}

TEST_P(SqlContract, HoldsUpNoOtherSession) {
  const auto other = engine_->open();
  ASSERT_TRUE(source_->connect({}));
  ASSERT_TRUE(other->connect({}));
  std::stop_source stop;
  std::atomic<bool> over = false;
  std::jthread slow([&] {
    QueryLimits limits;
    limits.stop = stop.get_token();
    (void)source_->query(engine_->slow(), {}, limits);
    over = true;
  });
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(other->query("SELECT 1", {}, {}));
  EXPECT_FALSE(over);
  stop.request_stop();
}

TEST_P(SqlContract, RefusesAResultOfTooManyRows) {
  engine_->write("CREATE TABLE t (a int);INSERT INTO t VALUES (1), (2), (3)");
  QueryLimits limits;
  limits.rows = 2;
  EXPECT_EQ(source_->query("SELECT a FROM t", {}, limits).error().kind, ErrorKind::limit);
  limits.rows = 3;
  EXPECT_EQ(source_->query("SELECT a FROM t", {}, limits)->rows.size(), 3U);
}

TEST_P(SqlContract, CutsOrEmptiesAResult) {
  engine_->write("CREATE TABLE t (a int);INSERT INTO t VALUES (1), (2), (3)");
  EXPECT_EQ(rows(dialect().limited("SELECT a FROM t", 2)).size(), 2U);
  const auto none = source_->query(dialect().without_rows("SELECT a, count(*) AS n FROM t GROUP BY a"), {}, {});
  ASSERT_TRUE(none) << none.error().describe();
  EXPECT_EQ(none->columns, (std::vector<std::string>{"a", "n"}));
  EXPECT_TRUE(none->rows.empty());
  EXPECT_EQ(error_of(dialect().without_rows("SELECT nope FROM t")).kind, ErrorKind::not_found);
}

TEST_P(SqlContract, ComputesAggregates) {
  engine_->write(
      "CREATE TABLE t (n int, s varchar(20));INSERT INTO t VALUES (15, 'a'), (20, 'a'), (35, 'b'), (40, NULL), (50, "
      "'c'), (NULL, 'c')");
  EXPECT_EQ(number(dialect().count_distinct("s")), 3);
  EXPECT_EQ(number(dialect().approximate_count_distinct("s")), 3);
  EXPECT_EQ(number(dialect().sum("n")), 160);
  EXPECT_NEAR(number(dialect().average("n")), 32, 1e-9);
  EXPECT_NEAR(number(dialect().deviation(Deviation::var_samp, "n")), 207.5, 1e-9);
  EXPECT_NEAR(number(dialect().deviation(Deviation::var_pop, "n")), 166, 1e-9);
  EXPECT_NEAR(number(dialect().deviation(Deviation::stddev_samp, "n")), std::sqrt(207.5), 1e-9);
  EXPECT_NEAR(number(dialect().deviation(Deviation::stddev_pop, "n")), std::sqrt(166), 1e-9);
  const std::vector<double> edges = {15, 40, 45.5};
  std::vector<double> bins;
  for (const std::string& bin : dialect().histogram("n", edges)) bins.push_back(number(bin));
  EXPECT_EQ(bins, (std::vector<double>{0, 3, 1, 1}));
}

TEST_P(SqlContract, ComputesPercentiles) {
  engine_->write("CREATE TABLE t (n int);INSERT INTO t VALUES (15), (20), (35), (40), (50), (NULL), (99)");
  struct Case {
    Percentile method;
    double p;
    double expected;
  };
  for (const Case& c :
       {Case{Percentile::continuous, 0.4, 29}, Case{Percentile::discrete, 0.4, 20}, Case{Percentile::continuous, 0, 15},
        Case{Percentile::discrete, 0, 15}, Case{Percentile::continuous, 1, 50}, Case{Percentile::discrete, 1, 50},
        Case{Percentile::continuous, 0.95, 48}, Case{Percentile::discrete, 0.95, 50}}) {
    const auto answer =
        rows(dialect().percentile_query(c.method, "n", c.p, dialect().table(std::vector<std::string>{"t"}), "n < 99"));
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_NEAR(as_number(answer[0][0]), c.expected, 1e-9) << c.p;
    const auto aggregate = dialect().percentile(c.method, "CASE WHEN n < 99 THEN n END", c.p);
    if (aggregate) {
      EXPECT_NEAR(number(*aggregate), c.expected, 1e-9) << *aggregate;
    }
  }
  EXPECT_EQ(rows(dialect().percentile_query(Percentile::continuous, "n", 0.5, "t", "n < 0")).at(0).at(0), Value());
}

TEST_P(SqlContract, AggregatesOfNothingAreNull) {
  engine_->write("CREATE TABLE t (n int)");
  const auto nothing = [&] {
    EXPECT_EQ(ask(dialect().sum("n")), Value());
    EXPECT_EQ(ask(dialect().average("n")), Value());
    for (const Deviation kind :
         {Deviation::stddev_pop, Deviation::stddev_samp, Deviation::var_pop, Deviation::var_samp}) {
      EXPECT_EQ(ask(dialect().deviation(kind, "n")), Value());
    }
    EXPECT_EQ(count("n > 0"), 0);
    EXPECT_EQ(number(dialect().count_distinct("n")), 0);
  };
  nothing();
  engine_->write("INSERT INTO t VALUES (NULL)");
  nothing();
  engine_->write("INSERT INTO t VALUES (5)");
  EXPECT_EQ(ask(dialect().deviation(Deviation::stddev_samp, "n")), Value());
  EXPECT_EQ(number(dialect().deviation(Deviation::stddev_pop, "n")), 0);
}

TEST_P(SqlContract, DoesNotMeasureText) {
  engine_->write("CREATE TABLE t (s varchar(20));INSERT INTO t VALUES ('12abc'), ('x')");
  for (const std::string& sql :
       {dialect().sum("s"), dialect().average("s"), dialect().deviation(Deviation::stddev_pop, "s")}) {
    const auto answer = source_->query("SELECT " + sql + " FROM t", {}, {});
    if (answer) {
      EXPECT_TRUE(std::holds_alternative<std::string>(answer->rows.at(0).at(0))) << sql;
    } else {
      EXPECT_EQ(answer.error().kind, ErrorKind::invalid) << sql << ": " << answer.error().describe();
    }
  }
}

TEST_P(SqlContract, JudgesText) {
  engine_->write(
      "CREATE TABLE t (s varchar(40));INSERT INTO t VALUES ('Ab_é%'), ('x'), ('a@b.org'), ('Ab!'), (''), (NULL)");
  EXPECT_EQ(number("max(" + dialect().length("s") + ")"), 7);
  EXPECT_EQ(count(dialect().length("s") + " = 5"), 1);
  EXPECT_EQ(count(dialect().length("s") + " = 0"), 1);
  EXPECT_EQ(count(dialect().upper("s") + " = 'X'"), 1);
  EXPECT_EQ(count(dialect().lower("s") + " = 'ab!'"), 1);
  EXPECT_EQ(count(dialect().like("s", Dialect::like_literal("Ab_é%"))), 1);
  EXPECT_EQ(count(dialect().like("s", Dialect::like_literal("b_"))), 0);
  EXPECT_EQ(count(dialect().like("s", "%!!")), 1);
  EXPECT_EQ(count(dialect().like("s", "Ab%")), 2);
  if (!dialect().matches("s", "x")) return;
  EXPECT_EQ(count(*dialect().matches("s", "^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+[.][A-Za-z]{2,}$")), 1);
  EXPECT_EQ(count(*dialect().matches("s", "b")), 3);
  EXPECT_EQ(count(*dialect().matches("s", "^AB")), 0);
  EXPECT_EQ(count(*dialect().matches("s", "\\.org$")), 1);
  EXPECT_EQ(count("NOT " + ("(" + *dialect().matches("s", "^x$") + ")")), 4);
  EXPECT_EQ(error_of("SELECT " + dialect().count_if(*dialect().matches("s", "(")) + " FROM t").kind,
            ErrorKind::invalid);
}

TEST_P(SqlContract, Casts) {
  engine_->write("CREATE TABLE t (s varchar(20), n int);INSERT INTO t VALUES ('2.5', 7)");
  EXPECT_EQ(ask(dialect().cast_number("s")), Value(2.5));
  EXPECT_EQ(ask(dialect().cast_text("n")), Value(std::string("7")));
  EXPECT_EQ(ask(dialect().number_literal(0.1)), Value(0.1));
  EXPECT_EQ(number(dialect().number_literal(-5)), -5);
}

TEST_P(SqlContract, TellsTimes) {
  engine_->write(
      fmt::format("CREATE TABLE t (k int, at {0}, later {0});INSERT INTO t VALUES "
                  "(1, '1969-12-31 23:59:59', '1970-01-01 00:00:00.250'), (2, '1970-01-01 00:59:59.500', NULL), (3, "
                  "'1970-01-01 01:00:00', '1970-01-01 01:00:00')",
                  engine_->time_type()));
  const auto at = [&](const std::string& expression) {
    std::vector<double> found;
    for (const Row& row : rows(fmt::format("SELECT {} FROM t ORDER BY k", expression)))
      found.push_back(as_number(row[0]));
    return found;
  };
  const auto seconds = at(dialect().epoch_seconds("at"));
  ASSERT_EQ(seconds.size(), 3U);
  EXPECT_NEAR(seconds[0], -1, 1e-3);
  EXPECT_NEAR(seconds[1], 3599.5, 1e-3);
  EXPECT_EQ(at(dialect().time_bucket("at", 3600)), (std::vector<double>{-3600, 0, 3600}));
  EXPECT_NEAR(at(dialect().seconds_between("at", "later"))[0], 1.25, 1e-3);
  EXPECT_EQ(ask("max(" + dialect().seconds_between("at", "NULL") + ")"), Value());
  EXPECT_EQ(count(dialect().at_or_after("at", core::time_from_seconds(3599.5))), 2);
  EXPECT_EQ(count(dialect().before("at", core::time_from_seconds(3600))), 2);
  EXPECT_EQ(count(dialect().at_or_after("at", core::time_from_seconds(-1))), 3);
  EXPECT_NEAR(number("max(" + dialect().epoch_seconds(dialect().timestamp_literal(core::time_from_seconds(1.5))) + ")"),
              1.5, 1e-3);
}

TEST_P(SqlContract, ReadsTheCatalog) {
  engine_->write(
      "CREATE TABLE t (id int PRIMARY KEY, a varchar(20) NOT NULL, b int);\nCREATE UNIQUE INDEX t_ab ON t (b, "
      "a);\nCREATE INDEX t_b ON t (b);\nCREATE VIEW v AS SELECT a FROM t;\nINSERT INTO t VALUES (1, 'x', NULL)");
  std::set<std::string> found;
  for (const Row& row : rows(dialect().tables())) {
    if (row.at(0) == Value(engine_->schema()))
      found.insert(std::get<std::string>(row.at(1)) + " " + std::get<std::string>(row.at(2)) + " " +
                   std::to_string(std::get<std::int64_t>(row.at(3))));
  }
  EXPECT_EQ(found, (std::set<std::string>{"t table 1", "v view 1"}));
  for (const std::vector<std::string>& parts :
       {std::vector<std::string>{"t"}, std::vector<std::string>{engine_->schema(), "t"}}) {
    const auto columns = rows(dialect().columns_of(parts));
    ASSERT_EQ(columns.size(), 3U);
    EXPECT_EQ(columns[0][0], Value(std::string("id")));
    EXPECT_EQ(columns[1][0], Value(std::string("a")));
    EXPECT_EQ(columns[2][0], Value(std::string("b")));
    EXPECT_THAT(std::get<std::string>(columns[1][1]), testing::HasSubstr("char"));
    EXPECT_EQ(rows(dialect().kind_of(parts)), (std::vector<Row>{{std::string("table")}}));
  }
  EXPECT_EQ(rows(dialect().kind_of(std::vector<std::string>{"v"})), (std::vector<Row>{{std::string("view")}}));
  const std::vector<std::string> nope = {"no'pe"};
  EXPECT_TRUE(rows(dialect().kind_of(nope)).empty());
  EXPECT_TRUE(rows(dialect().columns_of(nope)).empty());
  std::set<std::string> unique;
  for (const Row& row : rows(dialect().unique_indexes_of(std::vector<std::string>{"t"}).value())) {
    unique.insert(fmt::format("{} {}", std::get<std::string>(row.at(1)), as_number(row.at(2))));
  }
  EXPECT_EQ(unique, (std::set<std::string>{"id 1", "b 1", "a 2"}));
  if (const auto counters = dialect().change_counters(std::vector<std::string>{"t"})) {
    EXPECT_EQ(rows(*counters).size(), 1U);
  }
  if (const auto estimate = dialect().row_estimate(std::vector<std::string>{"t"})) {
    EXPECT_EQ(rows(*estimate).size(), 1U);
  }
}

TEST_P(SqlContract, GivesBytesAsTheyAre) {
  engine_->write(fmt::format("CREATE TABLE t (b {})", engine_->blob_type()));
  const bool postgres = dialect().name() == "postgres";
  engine_->write(postgres ? "INSERT INTO t VALUES ('\\x00ff410a')" : "INSERT INTO t VALUES (X'00FF410A')");
  EXPECT_EQ(ask("b"), Value(std::string("\0\xff\x41\n", 4)));
}

TEST_P(SqlContract, TakesLongTexts) {
  engine_->write("CREATE TABLE t (a int);INSERT INTO t VALUES (1)");
  const std::string text(3'000'000, 'x');
  const auto answer = rows("SELECT " + dialect().text_literal(text) + " FROM t");
  ASSERT_EQ(answer.size(), 1U);
  EXPECT_EQ(std::get<std::string>(answer[0][0]).size(), text.size());
}

TEST_P(SqlContract, OutlivesTenThousandColumns) {
  engine_->write("CREATE TABLE t (a int);INSERT INTO t VALUES (1)");
  const auto select = [](std::size_t columns) {
    std::string list = "SELECT a";
    for (std::size_t i = 1; i < columns; ++i) list += ", a AS c" + std::to_string(i);
    return list + " FROM t";
  };
  const auto result = source_->query(select(10'000), {}, {});
  if (result) {
    EXPECT_EQ(result->rows.at(0).size(), 10'000U) << "an engine that can do it";
  } else {
    EXPECT_THAT(result.error().kind, AnyOf(ErrorKind::invalid, ErrorKind::limit)) << result.error().describe();
  }
  const auto most = source_->query(select(dialect().bounds().columns), {}, {});
  ASSERT_TRUE(most) << most.error().describe();
  EXPECT_EQ(most->rows.at(0).size(), dialect().bounds().columns);
}

TEST_P(SqlContract, TakesATagThatIsNoSql) {
  QueryLimits limits;
  limits.tag = "dataset=t check=*/ ; DROP TABLE t -- '";
  const auto answer = source_->query("SELECT 1", {}, limits);
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(as_number(answer->rows.at(0).at(0)), 1);
}

INSTANTIATE_TEST_SUITE_P(Engines, SqlContract, testing::ValuesIn(engines()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace weir::sql
