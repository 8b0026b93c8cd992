#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "quality/metric_probes.h"

namespace weir::quality {
namespace {

constexpr core::Duration kAhead = std::chrono::minutes(5);  // clocks differ

/// now − max(column), in seconds. A newest time over 5 minutes ahead of `now` is a problem: it would hide every later
/// stall.
class Freshness final : public Probe {
 public:
  explicit Freshness(std::string column) : column_(std::move(column)) {}

  std::string text() const override { return fmt::format("freshness({})", column_); }
  std::vector<std::string> columns() const override { return {column_}; }
  Unit unit() const override { return Unit::duration; }
  std::string_view series() const override { return "weir_dataset_freshness_seconds"; }

  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    return {.aggregates = {{newest_sql(dialect), column_}}};
  }

  Measured measure(const Findings& findings) const override {
    const sql::Value& newest = findings.scan.value(newest_sql(findings.dialect));
    if (std::holds_alternative<std::monostate>(newest)) return {std::nullopt, absence(findings.scan, column_)};
    const auto seconds = seconds_of(newest);
    if (!seconds) return {std::nullopt, fmt::format("the newest {} is no point in time", column_)};
    const double age = core::to_seconds(findings.now) - *seconds;
    if (age >= -core::to_seconds(kAhead)) return {age, ""};
    return {std::nullopt, fmt::format("the newest {} is {} in the future: a wrong clock, time zone or row", column_,
                                      show_value(-age, Unit::duration))};
  }

  /// A time in the future is none: it would make every later load look old.
  std::optional<core::Time> newest(const Findings& findings) const override {
    const auto seconds = seconds_of(findings.scan.value(newest_sql(findings.dialect)));
    if (!seconds) return std::nullopt;
    const core::Time time = core::time_from_seconds(*seconds);
    return time > findings.now + kAhead ? std::nullopt : std::optional(time);
  }

 private:
  std::string newest_sql(const sql::Dialect& dialect) const {
    return dialect.epoch_seconds(fmt::format("max({})", dialect.identifier(column_)));
  }

  static std::optional<double> seconds_of(const sql::Value& value) {
    const auto seconds = to_number(value);
    if (!seconds || !std::isfinite(*seconds) || std::abs(*seconds) > 1e12) return std::nullopt;
    return seconds;
  }

  std::string column_;
};

}  // namespace

ProbePtr parse_freshness(ProbeContext& context) {
  using Op = Condition::Op;
  const Expression& expression = context.expression;
  const Check& check = context.check;
  if (expression.arguments.size() > 1) {
    context.error(expression.arguments[1].offset,
                  "a variable instead of the present time is not supported; write freshness(column)");
    return nullptr;
  }
  const Argument* column = one_column(context);
  if (column == nullptr) return nullptr;
  const auto is = [](const std::optional<Condition>& condition, Op strict, Op loose) {
    return !condition || condition->op == strict || condition->op == loose;
  };
  if (!is(check.expected, Op::less, Op::less_equal)) {
    context.error(expression.condition_offset, "freshness is expected to be below a bound: freshness(column) < 1h30m");
  }
  if (!is(check.warn_when, Op::greater, Op::greater_equal) || !is(check.fail_when, Op::greater, Op::greater_equal)) {
    context.error(expression.condition_offset, "freshness warns and fails above a bound: \"when > 1h30m\"");
  }
  return std::make_shared<Freshness>(column->text);
}

}  // namespace weir::quality
