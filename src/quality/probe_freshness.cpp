#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "core/clock_skew.h"
#include "quality/gate.h"
#include "quality/metric_probes.h"
#include "sql/postgres_values.h"

namespace weir::quality {
namespace {

constexpr double kEndOfDay = 86399.999999;  // of a column of dates, as Soda reads them

/// now − max(column), in seconds; `now` may be a time of the user's own. A date is fresh until its day ends. Nothing in
/// the column fails, since nothing is not fresh. A newest time over 5 minutes ahead is a problem: it would hide every
/// later stall.
class Freshness final : public Probe {
 public:
  Freshness(Scope scope, std::string variable, std::optional<core::Time> at)
      : scope_(std::move(scope)), variable_(std::move(variable)), at_(at) {}

  std::string text() const override {
    return variable_.empty() ? fmt::format("freshness({})", scope_.column)
                             : fmt::format("freshness({}, {})", scope_.column, variable_);
  }
  std::string identity() const override {
    return scope_.filter.empty() ? text() : fmt::format("{} {{{}}}", text(), scope_.identity());
  }
  std::vector<std::string> columns() const override { return {scope_.column}; }
  Unit unit() const override { return Unit::duration; }
  std::string_view series() const override {
    return scope_.filter.empty() && variable_.empty() ? "weir_dataset_freshness_seconds" : "";
  }

  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    const bool moves = !is_stable(scope_.filter, dialect.name());
    return {
        .aggregates = {{.sql = newest_sql(dialect), .column = scope_.column, .moves = moves, .merge = Merge::greatest},
                       {.sql = kind_sql(dialect), .column = scope_.column, .moves = moves, .merge = Merge::least}}};
  }

  Measured measure(const Findings& findings) const override {
    const sql::Value& newest = findings.scan.value(newest_sql(findings.dialect));
    if (std::holds_alternative<std::monostate>(newest)) return {std::nullopt, absence(findings.scan, scope_.column)};
    const auto seconds = seconds_of(newest);
    if (!seconds) return {std::nullopt, fmt::format("the newest {} is no point in time", scope_.column)};
    const bool date = kind(findings) == Kind::date;
    const double age = core::to_seconds(at_.value_or(findings.now)) - *seconds - (date ? kEndOfDay : 0);
    const double least = date ? -kEndOfDay : 0;
    if (at_ || age >= least - core::to_seconds(core::kMostAhead)) return {age};
    return {std::nullopt, fmt::format("the newest {} is {} in the future: a wrong clock, time zone or row",
                                      scope_.column, show_value(-age, Unit::duration))};
  }

  Verdict verdict(const Check& check, const Findings& findings) const override {
    Verdict verdict = judge(check, measure(findings));
    if (kind(findings) != Kind::nothing) return verdict;
    verdict.outcome = Outcome::fail;
    verdict.message = fmt::format("{} has no age: {}", check.measure(), verdict.problem);
    return verdict;
  }

  /// A time in the future is none: it would make every later load look old.
  std::optional<core::Time> newest(const Findings& findings) const override {
    if (!scope_.filter.empty()) return std::nullopt;
    const auto seconds = seconds_of(findings.scan.value(newest_sql(findings.dialect)));
    if (!seconds) return std::nullopt;
    const core::Time time = core::time_from_seconds(*seconds);
    return core::is_ahead(time, findings.now) ? std::nullopt : std::optional(time);
  }

 private:
  std::string max_sql(const sql::Dialect& dialect) const {
    return fmt::format("max({})", ScopeSql(scope_, dialect).filtered_column());
  }
  std::string newest_sql(const sql::Dialect& dialect) const { return dialect.epoch_seconds(max_sql(dialect)); }
  /// What the newest value is: text that is no time is something, though it has no seconds.
  enum class Kind { time = 0, date = 1, nothing = 2 };
  std::string kind_sql(const sql::Dialect& dialect) const {
    const std::string newest = max_sql(dialect);
    return fmt::format("CASE WHEN {} IS NULL THEN 2 WHEN {} THEN 1 ELSE 0 END", newest, dialect.is_date(newest));
  }
  Kind kind(const Findings& findings) const {
    const auto kind = to_number(findings.scan.value(kind_sql(findings.dialect)));
    return kind ? static_cast<Kind>(static_cast<int>(*kind)) : Kind::time;
  }

  static std::optional<double> seconds_of(const sql::Value& value) {
    const auto seconds = to_number(value);
    if (!seconds || !std::isfinite(*seconds) || std::abs(*seconds) > 1e12) return std::nullopt;
    return seconds;
  }

  Scope scope_;
  std::string variable_;  // "" for the present time
  std::optional<core::Time> at_;
};

/// "2026-01-02T03:04:05+02:00", with or without the zone.
std::optional<core::Time> read_time(std::string text) {
  core::Duration offset{0};
  const std::size_t at = text.size() >= 6 ? text.size() - 6 : 0;
  if (text.size() > 16 && (text[at] == '+' || text[at] == '-') && text[at + 3] == ':') {
    int hours = 0, minutes = 0;
    std::from_chars(&text[at + 1], &text[at + 3], hours);
    std::from_chars(&text[at + 4], text.data() + text.size(), minutes);
    offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    if (text[at] == '-') offset = -offset;
    text.resize(at);
  }
  const auto time = sql::parse_iso_time(text);
  if (!time) return std::nullopt;
  return *time - offset;
}

}  // namespace

ProbePtr parse_freshness(ProbeContext& context) {
  using Op = Condition::Op;
  const Expression& expression = context.expression;
  const Check& check = context.check;
  const auto& arguments = expression.arguments;
  if (arguments.empty() || arguments.size() > 2 || !arguments[0].minus.empty()) return one_column(context), nullptr;
  std::string variable = arguments.size() > 1 ? arguments[1].text : "";
  std::optional<core::Time> at;
  if (!variable.empty()) {
    const auto known = context.around.variables.find(variable);
    if (known != context.around.variables.end()) {
      at = read_time(known->second);
      if (!at) {
        context.error(arguments[1].offset, fmt::format("variable \"{}\" is \"{}\", and no time such as "
                                                       "2026-01-02T03:04:05+00:00",
                                                       variable, known->second));
        return nullptr;
      }
    } else if (variable == "NOW") {
      variable.clear();
    } else {
      context.error(arguments[1].offset, fmt::format("variable \"{}\" is not set; set it under variables: or with "
                                                     "-v {}=<time>, or write freshness({})",
                                                     variable, variable, arguments[0].text));
      return nullptr;
    }
  }
  const auto is = [](const std::optional<Condition>& condition, Op strict, Op loose) {
    return !condition || condition->op == strict || condition->op == loose;
  };
  if (!is(check.expected, Op::less, Op::less_equal)) {
    context.error(expression.condition_offset, "freshness is expected to be below a bound: freshness(column) < 1h30m");
  }
  if (!is(check.warn_when, Op::greater, Op::greater_equal) || !is(check.fail_when, Op::greater, Op::greater_equal)) {
    context.error(expression.condition_offset, "freshness warns and fails above a bound: \"when > 1h30m\"");
  }
  return std::make_shared<Freshness>(context.rows(arguments[0].text), variable, at);
}

}  // namespace weir::quality
