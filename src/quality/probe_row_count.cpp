#include "quality/metric_probes.h"

namespace weir::quality {
namespace {

class RowCount final : public Probe {
 public:
  std::string text() const override { return "row_count"; }
  bool may_change() const override { return true; }
  Needs needs(const Dataset&, const sql::Dialect&) const override { return {}; }
  Measured measure(const Findings& findings) const override {
    const auto rows = to_number(findings.scan.value("count(*)"));
    if (!rows) return {std::nullopt, "the table gave no row count"};
    return {rows, ""};
  }
};

}  // namespace

ProbePtr parse_row_count(ProbeContext& context) {
  if (context.expression.arguments.empty()) return std::make_shared<RowCount>();
  context.error(context.expression.metric_offset, "row_count takes no column; write just row_count");
  return nullptr;
}

}  // namespace weir::quality
