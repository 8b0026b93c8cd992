#include <fmt/format.h>
#include <fmt/ranges.h>

#include "quality/gate.h"
#include "quality/metric_probes.h"

namespace weir::quality {
namespace {

/// How many values, or combinations of values of several columns, are there more than once; a combination with a NULL
/// is none. duplicate_percent is that number as a share of the rows. It needs a sort or a hash table of its own, and
/// so a statement of its own, unless a unique index says that there are none.
class Duplicates final : public Probe {
 public:
  Duplicates(std::string word, std::vector<std::string> columns, Scope scope)
      : word_(std::move(word)), columns_(std::move(columns)), scope_(std::move(scope)) {}

  std::string text() const override { return fmt::format("{}({})", word_, fmt::join(columns_, ", ")); }
  std::string identity() const override {
    return scope_.filter.empty() ? text() : fmt::format("{} {{{}}}", text(), scope_.identity());
  }
  std::vector<std::string> columns() const override { return columns_; }
  Unit unit() const override { return percent() ? Unit::percent : Unit::plain; }
  bool may_change() const override { return true; }

  Needs needs(const Dataset& dataset, const sql::Dialect& dialect) const override {
    Statement statement;
    statement.sql =
        fmt::format("SELECT count(*) FROM (SELECT 1 AS one FROM {}) weir_groups", repeated(dataset, dialect));
    statement.unless_unique = columns_;
    statement.own_table = is_stable(scope_.filter, dialect.name());
    Needs needs;
    needs.aggregates = {{.sql = ScopeSql(scope_, dialect).rows(),
                         .moves = !is_stable(scope_.filter, dialect.name()),
                         .merge = Merge::count}};
    needs.statements = {std::move(statement)};
    return needs;
  }

  Measured measure(const Findings& findings) const override {
    const core::Result<sql::Table>& answer = findings.answers.front();
    if (!answer) return {std::nullopt, answer.error().message};
    if (answer->columns.empty()) return {0.0, "", "a unique index sees to that"};
    const auto count = answer->rows.empty() ? std::nullopt : to_number(answer->rows.front().front());
    if (!count) return {std::nullopt, "duplicates could not be counted"};
    const double rows = to_number(findings.scan.value(ScopeSql(scope_, findings.dialect).rows())).value_or(0);
    if (percent()) return {rows > 0 ? *count * 100 / rows : 0};
    return {count};
  }

  std::optional<FailingRows> failing_rows(const Dataset& dataset, const sql::Dialect& dialect) const override {
    std::vector<std::string> names, same;
    for (const std::string& column : columns_) {
      names.push_back(dialect.identifier(column));
      same.push_back(fmt::format("weir_rows.{0} = weir_groups.{0}", names.back()));
    }
    return FailingRows{
        .from = fmt::format("{} weir_rows JOIN (SELECT {} FROM {}) weir_groups ON {}", dialect.table(dataset.table),
                            fmt::join(names, ", "), repeated(dataset, dialect), fmt::join(same, " AND ")),
        .columns_of = "weir_rows."};
  }

 private:
  bool percent() const { return word_ == "duplicate_percent"; }

  std::string repeated(const Dataset& dataset, const sql::Dialect& dialect) const {
    std::vector<std::string> names, conditions;
    if (!dataset.where.empty()) conditions.push_back(fmt::format("({}\n)", dataset.where));
    if (!scope_.filter.empty()) conditions.push_back(fmt::format("({}\n)", scope_.filter));
    for (const std::string& column : columns_) {
      names.push_back(dialect.identifier(column));
      conditions.push_back(names.back() + " IS NOT NULL");
    }
    return fmt::format("{} WHERE {} GROUP BY {} HAVING count(*) > 1", dialect.table(dataset.table),
                       fmt::join(conditions, " AND "), fmt::join(names, ", "));
  }

  std::string word_;
  std::vector<std::string> columns_;
  Scope scope_;
};

}  // namespace

ProbePtr parse_duplicates(ProbeContext& context) {
  const Expression& expression = context.expression;
  if (expression.arguments.empty() || expression.arguments.size() > 32) {
    context.error(expression.metric_offset,
                  fmt::format("{0} is about one or more columns; write {0}(column) or {0}(a, b)", expression.metric));
    return nullptr;
  }
  std::vector<std::string> columns;
  for (const Argument& argument : expression.arguments) columns.push_back(argument.text);
  return std::make_shared<Duplicates>(expression.metric, std::move(columns), context.rows(""));
}

}  // namespace weir::quality
