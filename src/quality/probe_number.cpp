#include <fmt/format.h>

#include "quality/metric_probes.h"

namespace weir::quality {
namespace {

/// An aggregate function over one column.
class Number final : public Probe {
 public:
  Number(std::string word, std::string column) : word_(std::move(word)), column_(std::move(column)) {}

  std::string text() const override { return fmt::format("{}({})", word_, column_); }
  std::vector<std::string> columns() const override { return {column_}; }
  bool may_change() const override { return true; }
  std::string_view series() const override {
    if (word_ == "min") return "weir_dataset_column_min";
    if (word_ == "max") return "weir_dataset_column_max";
    return "weir_dataset_column_avg";
  }

  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    return {.aggregates = {{sql(dialect), column_}}};
  }
  Measured measure(const Findings& findings) const override {
    return measure_number(findings.scan.value(sql(findings.dialect)), findings.scan, column_);
  }

 private:
  std::string sql(const sql::Dialect& dialect) const {
    const std::string column = dialect.identifier(column_);
    return word_ == "avg" ? dialect.average(column) : fmt::format("{}({})", word_, column);
  }

  std::string word_;
  std::string column_;
};

}  // namespace

ProbePtr parse_number(ProbeContext& context) {
  const Argument* column = one_column(context);
  if (column == nullptr) return nullptr;
  return std::make_shared<Number>(context.expression.metric, column->text);
}

const Argument* one_column(const ProbeContext& context) {
  const Expression& expression = context.expression;
  if (expression.arguments.size() == 1) return &expression.arguments[0];
  context.error(expression.metric_offset, fmt::format("{0} is about one column; write {0}(column)", expression.metric));
  return nullptr;
}

}  // namespace weir::quality
