#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "sql/dialect.h"

#include "support/source_dir.h"

namespace weir::sql {
namespace {

/// Every statement that a dialect writes, each after a comment with its name. They are kept in golden/<dialect>.sql,
/// which test_golden.py parses in that dialect. To write the files anew:
///
///     WEIR_UPDATE_GOLDEN=1 build/ci/bin/sql_tests --gtest_filter='*Golden*'
class Script {
 public:
  explicit Script(const Dialect& dialect) : dialect_(dialect) {}

  void add(std::string_view name, const std::optional<std::string>& statement) {
    if (statement) text_ += fmt::format("-- {}\n{};\n", name, *statement);
  }
  /// An expression over the table.
  void expression(std::string_view name, const std::optional<std::string>& expression) {
    if (expression) add(name, fmt::format("SELECT {} FROM {}", *expression, from_));
  }
  void condition(std::string_view name, const std::optional<std::string>& condition) {
    if (condition) expression(name, dialect_.count_if(*condition));
  }
  const std::string& text() const { return text_; }

  const Dialect& dialect_;
  const std::vector<std::string> parts_ = {"sales", "fct_orders"};
  const std::string from_ = dialect_.table(parts_);
  const std::string amount_ = dialect_.identifier("amount");
  const std::string email_ = dialect_.identifier("e-mail");
  const std::string at_ = dialect_.identifier("ordered_at");

 private:
  std::string text_;
};

void add_aggregates(Script& s) {
  const Dialect& d = s.dialect_;
  s.expression("count_distinct", d.count_distinct(s.email_));
  s.expression("approximate_count_distinct", d.approximate_count_distinct(s.email_));
  s.expression("sum", d.sum(s.amount_));
  s.expression("average", d.average(s.amount_));
  s.expression("stddev_pop", d.deviation(Deviation::stddev_pop, s.amount_));
  s.expression("stddev_samp", d.deviation(Deviation::stddev_samp, s.amount_));
  s.expression("var_pop", d.deviation(Deviation::var_pop, s.amount_));
  s.expression("var_samp", d.deviation(Deviation::var_samp, s.amount_));
  s.expression("percentile_cont", d.percentile(Percentile::continuous, s.amount_, 0.95));
  s.expression("percentile_disc", d.percentile(Percentile::discrete, s.amount_, 0.95));
  s.add("log_bin",
        fmt::format("SELECT bin, count(*) FROM (SELECT CASE WHEN {0} <> 0 THEN {1} ELSE 0 END AS bin FROM {2}) "
                    "bins GROUP BY bin",
                    s.amount_, d.log_bin(s.amount_, 0.01), s.from_));
  s.add("percentile_query continuous", d.percentile_query(Percentile::continuous, s.amount_, 0.95, s.from_, ""));
  s.add("percentile_query discrete",
        d.percentile_query(Percentile::discrete, s.amount_, 0.5, s.from_, s.amount_ + " > 0"));
  const std::vector<double> edges = {0, 9.99, 1e6};
  std::string bins;
  for (const std::string& bin : d.histogram(s.amount_, edges)) bins += (bins.empty() ? "" : ", ") + bin;
  s.expression("histogram", bins);
}

void add_texts(Script& s) {
  const Dialect& d = s.dialect_;
  s.expression("length", fmt::format("max({})", d.length(s.email_)));
  s.condition("lower", fmt::format("{} = {}", d.lower(s.email_), d.text_literal("it's \\ a 'text'\n")));
  s.condition("upper", fmt::format("{} = {}", d.upper(s.email_), d.text_literal("GRÖẞE")));
  s.condition("matches", d.matches(s.email_, "^[^@\\s]+@it's\\.org$"));
  s.condition("like", d.like(s.email_, Dialect::like_literal("100%_[a]!\\") + "%"));
  s.expression("cast_text", fmt::format("min({})", d.cast_text(s.amount_)));
  s.expression("cast_number", fmt::format("min({})", d.cast_number(s.email_)));
  s.condition("odd names", fmt::format("{} IS NULL", d.identifier("größe in € `a` [b] 'c' d")));
}

void add_times(Script& s) {
  const Dialect& d = s.dialect_;
  const core::Time time = core::time_from_seconds(1767323045.678);
  s.expression("epoch_seconds", fmt::format("max({})", d.epoch_seconds(s.at_)));
  s.expression("seconds_between", fmt::format("max({})", d.seconds_between(s.at_, d.identifier("loaded_at"))));
  s.add("time_bucket",
        fmt::format("SELECT {0} AS bucket, count(*) AS n FROM {1} GROUP BY {0}", d.time_bucket(s.at_, 3600), s.from_));
  s.condition("at_or_after", d.at_or_after(s.at_, time));
  s.condition("before", d.before(s.at_, time));
  s.condition("timestamp_literal", fmt::format("{} = {}", s.at_, d.timestamp_literal(time)));
}

void add_statements(Script& s) {
  const Dialect& d = s.dialect_;
  const std::string select = fmt::format("SELECT {} FROM {}", s.amount_, s.from_);
  s.add("limited", d.limited(select, 5));
  s.add("limited distinct", d.limited(fmt::format("SELECT DISTINCT {} FROM {}", s.amount_, s.from_), 5));
  s.add("without_rows", d.without_rows(select));
  s.add("explain", d.explain(select));
  s.add("parameter", fmt::format("{} WHERE {} = {}", select, s.amount_, d.parameter(1)));
  s.add("tables", d.tables());
  for (const std::vector<std::string>& parts : {std::vector<std::string>{"it's"}, s.parts_}) {
    s.add("columns_of", d.columns_of(parts));
    s.add("kind_of", d.kind_of(parts));
    s.add("unique_indexes_of", d.unique_indexes_of(parts));
    s.add("row_estimate", d.row_estimate(parts));
    s.add("change_counters", d.change_counters(parts));
  }
}

struct Golden {
  std::string_view name;
  const Dialect* dialect;
};

std::vector<Golden> all() {
  std::vector<Golden> found = {{"postgres", &postgres_dialect()}, {"sqlite", &sqlite_dialect()}};
  for (const OdbcDialect& odbc : odbc_dialects()) {
    if (odbc.name != "postgres") found.push_back({odbc.name == "sqlite" ? "sqlite_odbc" : odbc.name, odbc.dialect});
  }
  return found;
}

class GoldenSql : public testing::TestWithParam<Golden> {};

TEST_P(GoldenSql, IsAsItWas) {
  Script script(*GetParam().dialect);
  add_aggregates(script);
  add_texts(script);
  add_times(script);
  add_statements(script);
  const auto path =
      std::filesystem::path(test::source_dir()) / "tests/sql/golden" / fmt::format("{}.sql", GetParam().name);
  if (std::getenv("WEIR_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << script.text();
  std::ifstream file(path);
  const std::string kept((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(script.text(), kept) << "if it is meant to be so: WEIR_UPDATE_GOLDEN=1 build/ci/bin/sql_tests "
                                    "--gtest_filter='*Golden*'";
}

INSTANTIATE_TEST_SUITE_P(Dialects, GoldenSql, testing::ValuesIn(all()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace weir::sql
