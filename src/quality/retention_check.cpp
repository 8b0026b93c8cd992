#include "quality/retention_check.h"

#include <fmt/format.h>

#include "quality/gate.h"

namespace weir::quality {
namespace {

class Retention final : public Probe {
 public:
  Retention(core::Duration max_age, Scope scope) : max_age_(max_age), scope_(std::move(scope)) {}

  std::string text() const override { return fmt::format("retention({})", scope_.column); }
  std::string identity() const override {
    return fmt::format("{} {{max_age {}, {}}}", text(), core::format_duration(max_age_), scope_.identity());
  }
  std::vector<std::string> columns() const override { return {scope_.column}; }

  /// By the database's clock; so the answer changes though nothing is written.
  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    return {.aggregates = {{.sql = count_sql(dialect), .column = scope_.column, .moves = true, .merge = Merge::count}}};
  }

  Measured measure(const Findings& findings) const override {
    return measure_number(findings.scan.value(count_sql(findings.dialect)), findings.scan, scope_.column);
  }

  Verdict verdict(const Check& check, const Findings& findings) const override {
    Verdict verdict = Probe::verdict(check, findings);
    if (!verdict.value) return verdict;
    verdict.message = *verdict.value > 0
                          ? fmt::format("{} rows are older than {} ({}), though they should be gone",
                                        show_number(*verdict.value), core::format_duration(max_age_), scope_.column)
                          : fmt::format("no row is older than {} ({})", core::format_duration(max_age_), scope_.column);
    return verdict;
  }

 private:
  std::string count_sql(const sql::Dialect& dialect) const {
    return ScopeSql(scope_, dialect)
        .count(fmt::format("{} < {} - {}", dialect.epoch_seconds(dialect.identifier(scope_.column)),
                           dialect.epoch_seconds("CURRENT_TIMESTAMP"),
                           dialect.number_literal(core::to_seconds(max_age_))));
  }

  core::Duration max_age_;
  Scope scope_;
};

}  // namespace

bool is_retention(const config::Node& line, const config::Node&) { return line.text() == "retention"; }

ProbePtr parse_retention(ProbeContext& context) {
  const std::size_t errors = context.diagnostics.errors().size();
  const std::string column = context.setting("column");
  const std::string age = context.setting("max_age");
  if (column.empty() || age.empty()) {
    if (context.diagnostics.errors().size() == errors) {
      context.error(context.line, "needs column: and max_age:, such as column: created_at, max_age: 365d");
    }
    return nullptr;
  }
  const auto span = core::parse_duration(age);
  if (!span || *span < std::chrono::minutes(1)) {
    context.error(*context.reader.child("max_age"),
                  fmt::format("\"max_age\": {}", span ? "must be at least 1m" : span.error().message));
    return nullptr;
  }
  Check& check = context.check;
  if (!check.warn_when && !check.fail_when) check.fail_when = Condition{.op = Condition::Op::greater};
  return std::make_shared<Retention>(*span, context.rows(column));
}

}  // namespace weir::quality
