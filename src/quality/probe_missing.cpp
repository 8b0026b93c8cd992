#include <fmt/format.h>

#include "quality/metric_probes.h"

namespace weir::quality {
namespace {

class Missing final : public Probe {
 public:
  Missing(std::string column, bool percent) : column_(std::move(column)), percent_(percent) {}

  std::string text() const override {
    return fmt::format("{}({})", percent_ ? "missing_percent" : "missing_count", column_);
  }
  std::vector<std::string> columns() const override { return {column_}; }
  Unit unit() const override { return percent_ ? Unit::percent : Unit::plain; }
  bool may_change() const override { return true; }
  std::string_view series() const override { return "weir_dataset_missing_count"; }

  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    return {.aggregates = {{count_sql(dialect), column_}}};
  }

  Measured measure(const Findings& findings) const override {
    Measured missing = measure_number(findings.scan.value(count_sql(findings.dialect)), findings.scan, column_);
    if (!percent_) return missing;
    const double rows = findings.scan.row_count();
    if (rows <= 0) return {std::nullopt, absence(findings.scan, column_)};
    if (missing.value) *missing.value *= 100 / rows;
    return missing;
  }

  std::optional<double> series_value(const Findings& findings) const override {
    return to_number(findings.scan.value(count_sql(findings.dialect)));
  }

 private:
  std::string count_sql(const sql::Dialect& dialect) const {
    return fmt::format("count(*) - count({})", dialect.identifier(column_));
  }

  std::string column_;
  bool percent_;
};

}  // namespace

ProbePtr parse_missing(ProbeContext& context) {
  const Argument* column = one_column(context);
  if (column == nullptr) return nullptr;
  return std::make_shared<Missing>(column->text, context.expression.metric == "missing_percent");
}

}  // namespace weir::quality
