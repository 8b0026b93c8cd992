#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "quality/gate.h"
#include "quality/metric_probes.h"

namespace weir::quality {
namespace {

/// What a number is computed from: a column within a scope, or the time between two columns.
struct Operand {
  Scope scope;
  std::string since;  // `scope.column - since`, in seconds; "" for the column itself

  std::string text() const { return since.empty() ? scope.column : fmt::format("{} - {}", scope.column, since); }
  std::string sql(const sql::Dialect& dialect) const {
    const ScopeSql own(scope, dialect);
    if (since.empty()) return own.value();
    const Scope of_other{since, scope.filter, {}};
    return dialect.seconds_between(ScopeSql(of_other, dialect).filtered_column(), own.filtered_column());
  }
};

/// An aggregate over one column, of its values that are neither missing nor invalid where settings tell these apart.
/// Standard deviation and variance are those of a sample unless the word ends with _pop. A percentile is a value of the
/// column (PERCENTILE_DISC), as in Soda.
class Number final : public Probe {
 public:
  Number(std::string word, Operand operand, double p) : word_(std::move(word)), operand_(std::move(operand)), p_(p) {}

  std::string text() const override {
    return word_ == "percentile" ? fmt::format("percentile({}, {})", operand_.text(), p_)
                                 : fmt::format("{}({})", word_, operand_.text());
  }
  std::string identity() const override {
    const std::string settings = operand_.scope.identity();
    return settings.empty() ? text() : fmt::format("{} {{{}}}", text(), settings);
  }
  std::vector<std::string> columns() const override {
    return operand_.since.empty() ? std::vector{operand_.scope.column}
                                  : std::vector{operand_.scope.column, operand_.since};
  }
  Unit unit() const override { return operand_.since.empty() ? Unit::plain : Unit::duration; }
  bool may_change() const override { return true; }
  std::string_view series() const override {
    if (!operand_.since.empty() || !operand_.scope.identity().empty()) return {};
    if (word_ == "min") return "weir_dataset_column_min";
    if (word_ == "max") return "weir_dataset_column_max";
    return word_ == "avg" ? "weir_dataset_column_avg" : "";
  }

  Needs needs(const Dataset& dataset, const sql::Dialect& dialect) const override {
    Needs needs;
    const ScopeSql scope(operand_.scope, dialect);
    (void)scope.value();
    needs.impossible = scope.impossible();
    const auto aggregate = sql(dialect);
    if (aggregate || sketched(dataset)) {
      needs.aggregates = {{.sql = aggregate ? *aggregate : query(dataset, dialect),
                           .column = operand_.scope.column,
                           .ordered_set = word_ == "percentile",
                           .moves = !is_stable(operand_.scope.filter, dialect.name()),
                           .merge = sketched(dataset) ? Merge::sketch : merge(),
                           .of = of(dialect),
                           .fraction = p_,
                           .number = !operand_.since.empty(),
                           .alone = !aggregate}};
      return needs;
    }
    Statement statement;
    statement.sql = query(dataset, dialect);
    statement.own_table = is_stable(operand_.scope.filter, dialect.name());
    needs.statements = {std::move(statement)};
    return needs;
  }

  Measured measure(const Findings& findings) const override {
    const auto aggregate = sql(findings.dialect);
    if (aggregate) return measured(findings.scan.value(*aggregate), findings);
    if (sketched(findings.dataset)) {
      return measured(findings.scan.value(query(findings.dataset, findings.dialect)), findings);
    }
    const core::Result<sql::Table>& answer = findings.answers.front();
    if (!answer) return {std::nullopt, answer.error().message};
    return measured(answer->rows.empty() ? sql::Value() : answer->rows.front().front(), findings);
  }

 private:
  Measured measured(const sql::Value& value, const Findings& findings) const {
    return measure_number(value, findings.scan, operand_.text());
  }

  bool sketched(const Dataset& dataset) const {
    return word_ == "percentile" && dataset.incremental && !dataset.incremental->exact_percentiles &&
           dataset.where.empty();
  }

  /// Of a percentile in an engine without an aggregate for it.
  std::string query(const Dataset& dataset, const sql::Dialect& dialect) const {
    return dialect.percentile_query(sql::Percentile::discrete, operand_.sql(dialect), p_, dialect.table(dataset.table),
                                    dataset.where);
  }

  /// What the mean, deviation or sketch is of.
  std::string of(const sql::Dialect& dialect) const {
    const std::string value = operand_.sql(dialect);
    return word_ == "avg_length" ? dialect.length(value) : value;
  }

  Merge merge() const {
    constexpr std::array kMerges = {
        std::pair{std::string_view("sum"), Merge::sum},
        std::pair{std::string_view("avg"), Merge::mean},
        std::pair{std::string_view("avg_length"), Merge::mean},
        std::pair{std::string_view("min"), Merge::least},
        std::pair{std::string_view("min_length"), Merge::least},
        std::pair{std::string_view("max"), Merge::greatest},
        std::pair{std::string_view("max_length"), Merge::greatest},
        std::pair{std::string_view("stddev"), Merge::stddev_samp},
        std::pair{std::string_view("stddev_samp"), Merge::stddev_samp},
        std::pair{std::string_view("stddev_pop"), Merge::stddev_pop},
        std::pair{std::string_view("variance"), Merge::var_samp},
        std::pair{std::string_view("var_samp"), Merge::var_samp},
        std::pair{std::string_view("var_pop"), Merge::var_pop},
    };
    for (const auto& [word, how] : kMerges) {
      if (word_ == word) return how;
    }
    return Merge::none;
  }

  /// Nothing for a percentile that the engine has no aggregate for.
  std::optional<std::string> sql(const sql::Dialect& dialect) const {
    const std::string value = operand_.sql(dialect);
    if (word_ == "percentile") return dialect.percentile(sql::Percentile::discrete, value, p_);
    if (word_ == "avg") return dialect.average(value);
    if (word_ == "sum") return dialect.sum(value);
    if (word_ == "avg_length") return dialect.average(dialect.length(value));
    if (word_ == "min_length") return fmt::format("min({})", dialect.length(value));
    if (word_ == "max_length") return fmt::format("max({})", dialect.length(value));
    using sql::Deviation;
    constexpr std::array kDeviations = {
        std::pair{std::string_view("stddev"), Deviation::stddev_samp},
        std::pair{std::string_view("stddev_samp"), Deviation::stddev_samp},
        std::pair{std::string_view("stddev_pop"), Deviation::stddev_pop},
        std::pair{std::string_view("variance"), Deviation::var_samp},
        std::pair{std::string_view("var_samp"), Deviation::var_samp},
        std::pair{std::string_view("var_pop"), Deviation::var_pop},
    };
    for (const auto& [word, kind] : kDeviations) {
      if (word_ == word) return dialect.deviation(kind, value);
    }
    return fmt::format("{}({})", word_, value);
  }

  std::string word_;
  Operand operand_;
  double p_;
};

std::optional<double> read_fraction(const Argument& argument) {
  double number = 0;
  const std::string& text = argument.text;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool fine = failed == std::errc() && end == text.data() + text.size() && number >= 0 && number <= 1;
  return fine ? std::optional(number) : std::nullopt;
}

}  // namespace

ProbePtr parse_number(ProbeContext& context) {
  const Expression& expression = context.expression;
  double p = 0;
  if (expression.metric == "percentile") {
    if (expression.arguments.size() != 2) {
      context.error(expression.metric_offset,
                    "percentile is about one column and a fraction; write percentile(column, 0.95)");
      return nullptr;
    }
    const auto fraction = read_fraction(expression.arguments[1]);
    if (!fraction) {
      context.error(
          expression.arguments[1].offset,
          fmt::format("\"{}\" is no fraction; write one from 0 to 1, such as 0.95", expression.arguments[1].text));
      return nullptr;
    }
    p = *fraction;
  } else if (expression.arguments.size() != 1) {
    return one_column(context), nullptr;
  }
  const Argument& first = expression.arguments[0];
  Operand operand;
  operand.since = first.minus;
  if (first.minus.empty()) {
    operand.scope = context.scope(first.text);
  } else {
    if (expression.metric.find("length") != std::string::npos || expression.metric.starts_with("var")) {
      context.error(first.offset, fmt::format("{} takes no time between two columns", expression.metric));
      return nullptr;
    }
    operand.scope = context.rows(first.text);
  }
  return std::make_shared<Number>(expression.metric, std::move(operand), p);
}

const Argument* one_column(const ProbeContext& context) {
  const Expression& expression = context.expression;
  if (expression.arguments.size() == 1 && expression.arguments[0].minus.empty()) return &expression.arguments[0];
  context.error(expression.metric_offset, fmt::format("{0} is about one column; write {0}(column)", expression.metric));
  return nullptr;
}

}  // namespace weir::quality
