#include <cmath>
#include <fmt/format.h>

#include "quality/gate.h"
#include "quality/metric_probes.h"

namespace weir::quality {
namespace {

/// How many rows, or what share of them, have a missing, invalid or valid value in a column. A share of no rows is 0,
/// as in Soda: that there are none is for row_count to say.
class ValidityProbe final : public Probe {
 public:
  enum class Counted { missing, invalid, valid };

  ValidityProbe(std::string word, Counted counted, bool percent, Scope scope)
      : word_(std::move(word)), counted_(counted), percent_(percent), scope_(std::move(scope)) {}

  std::string text() const override { return fmt::format("{}({})", word_, scope_.column); }
  std::string identity() const override {
    const std::string settings = scope_.identity();
    return settings.empty() ? text() : fmt::format("{} {{{}}}", text(), settings);
  }
  std::vector<std::string> columns() const override { return {scope_.column}; }
  Unit unit() const override { return percent_ ? Unit::percent : Unit::plain; }
  bool may_change() const override { return true; }
  std::string_view series() const override {
    return counted_ == Counted::missing && scope_.identity().empty() ? "weir_dataset_missing_count" : "";
  }

  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    const ScopeSql sql(scope_, dialect);
    Needs needs;
    const bool moves = !is_stable(scope_.filter, dialect.name());
    needs.aggregates = {
        {.sql = sql.rows(), .moves = moves, .merge = Merge::count},
        {.sql = count_sql(sql, dialect), .column = scope_.column, .moves = moves, .merge = Merge::count}};
    needs.impossible = sql.impossible();
    return needs;
  }

  Measured measure(const Findings& findings) const override {
    const ScopeSql sql(scope_, findings.dialect);
    Measured count =
        measure_number(findings.scan.value(count_sql(sql, findings.dialect)), findings.scan, scope_.column);
    if (!percent_ || !count.value) return count;
    const double rows = to_number(findings.scan.value(sql.rows())).value_or(0);
    *count.value = rows > 0 ? *count.value * 100 / rows : 0;
    return count;
  }

  std::optional<double> series_value(const Findings& findings) const override {
    return to_number(findings.scan.value(count_sql(ScopeSql(scope_, findings.dialect), findings.dialect)));
  }

  std::optional<FailingRows> failing_rows(const Dataset& dataset, const sql::Dialect& dialect) const override {
    if (counted_ == Counted::valid) return std::nullopt;
    const ScopeSql sql(scope_, dialect);
    const std::string where = sql.filtered(counted_ == Counted::missing ? sql.missing() : sql.invalid());
    return FailingRows{dialect.table(dataset.table),
                       dataset.where.empty() ? where : fmt::format("({}\n) AND ({})", dataset.where, where)};
  }

 private:
  std::string count_sql(const ScopeSql& sql, const sql::Dialect& dialect) const {
    const bool plain = counted_ == Counted::missing && scope_.identity().empty();
    if (plain) return fmt::format("count(*) - count({})", dialect.identifier(scope_.column));
    return sql.count(counted_ == Counted::missing   ? sql.missing()
                     : counted_ == Counted::invalid ? sql.invalid()
                                                    : sql.valid());
  }

  std::string word_;
  Counted counted_;
  bool percent_;
  Scope scope_;
};

}  // namespace

ProbePtr parse_validity(ProbeContext& context) {
  const Argument* column = one_column(context);
  if (column == nullptr) return nullptr;
  using Counted = ValidityProbe::Counted;
  const std::string& word = context.expression.metric;
  const Counted counted = word.starts_with("missing")   ? Counted::missing
                          : word.starts_with("invalid") ? Counted::invalid
                                                        : Counted::valid;
  const std::size_t errors = context.diagnostics.errors().size();
  Scope scope = context.scope(column->text);
  if (context.diagnostics.errors().size() != errors) return nullptr;
  if (counted == Counted::invalid && !scope.validity.judges()) {
    context.error(context.expression.metric_offset,
                  "nothing says which values are valid; add a setting such as \"valid values: [a, b]\", \"valid "
                  "format: email\" or \"valid min: 0\"");
    return nullptr;
  }
  return std::make_shared<ValidityProbe>(word, counted, word.ends_with("percent"), std::move(scope));
}

}  // namespace weir::quality
