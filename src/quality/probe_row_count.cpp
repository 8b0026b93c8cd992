#include "quality/gate.h"
#include "quality/metric_probes.h"

namespace weir::quality {
namespace {

class RowCount final : public Probe {
 public:
  explicit RowCount(Scope scope) : scope_(std::move(scope)) {}

  std::string text() const override { return "row_count"; }
  std::string identity() const override {
    return scope_.filter.empty() ? text() : text() + " {" + scope_.identity() + "}";
  }
  bool may_change() const override { return true; }

  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    return {.aggregates = {{.sql = ScopeSql(scope_, dialect).rows(),
                            .moves = !is_stable(scope_.filter, dialect.name()),
                            .merge = Merge::count}}};
  }
  Measured measure(const Findings& findings) const override {
    const auto rows = to_number(findings.scan.value(ScopeSql(scope_, findings.dialect).rows()));
    if (!rows) return {std::nullopt, "the table gave no row count"};
    return {rows};
  }

 private:
  Scope scope_;
};

}  // namespace

ProbePtr parse_row_count(ProbeContext& context) {
  if (context.expression.arguments.empty()) return std::make_shared<RowCount>(context.rows(""));
  context.error(context.expression.metric_offset, "row_count takes no column; write just row_count");
  return nullptr;
}

}  // namespace weir::quality
