#include "quality/user_metric.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "quality/check_file.h"
#include "quality/expression.h"
#include "quality/user_sql.h"

namespace weir::quality {
namespace {

constexpr std::string_view kExpression = " expression";
constexpr std::string_view kQuery = " query";
constexpr std::string_view kFile = " sql_file";

/// Soda also takes text that reads as a number.
std::optional<double> number_of(const sql::Value& value) {
  if (const auto number = to_number(value)) return number;
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return std::nullopt;
  double number = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  return failed == std::errc() && end == text->data() + text->size() ? std::optional(number) : std::nullopt;
}

Measured measured(const std::string& name, const sql::Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return {std::nullopt, fmt::format("{} is NULL", name)};
  const auto number = number_of(value);
  if (!number) return {std::nullopt, fmt::format("{} is not a number", name)};
  if (*number != *number) return {std::nullopt, fmt::format("{} is NaN, which no threshold can judge", name)};
  return {number, ""};
}

class ByExpression final : public Probe {
 public:
  ByExpression(std::string name, const std::string& expression)
      : name_(std::move(name)), sql_(fmt::format("({}\n)", expression)) {}

  std::string text() const override { return name_; }
  std::string identity() const override { return fmt::format("{} expression {}", name_, sql_); }
  bool may_change() const override { return true; }
  Needs needs(const Dataset&, const sql::Dialect&) const override {
    return {.aggregates = {{.sql = sql_, .column = "", .user_sql = true}}};
  }
  Measured measure(const Findings& findings) const override { return measured(name_, findings.scan.value(sql_)); }

 private:
  std::string name_;
  std::string sql_;
};

class ByQuery final : public Probe {
 public:
  ByQuery(std::string name, std::string query) : name_(std::move(name)), query_(std::move(query)) {}

  std::string text() const override { return name_; }
  std::string identity() const override { return fmt::format("{} query {}", name_, query_); }
  bool may_change() const override { return true; }
  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    return {.statements = {{.sql = dialect.limited("SELECT * FROM " + derived_table(query_, "weir_rows"), 1)}}};
  }
  Measured measure(const Findings& findings) const override {
    const core::Result<sql::Table>& answer = findings.answers.front();
    if (!answer || answer->rows.empty()) return {std::nullopt, fmt::format("the query of {} gave no row", name_)};
    const sql::Row& row = answer->rows.front();
    const auto last = std::find_if(
        row.rbegin(), row.rend(), [](const sql::Value& each) { return !std::holds_alternative<std::monostate>(each); });
    return measured(name_, last == row.rend() ? sql::Value() : *last);
  }

 private:
  std::string name_;
  std::string query_;
};

/// The SQL under one of the three keys, or in the file it names; "" with a note.
std::string sql_of(ProbeContext& context, const std::string& key, const config::Node& node, bool is_file) {
  if (!node.is_scalar() || bare_query(node.text()).empty()) {
    context.error(node, fmt::format("\"{}\": expected {}", key, is_file ? "the path of a file" : "SQL"));
    return {};
  }
  if (!is_file) return bare_query(node.text());
  const std::string path = context.beside(bare_query(node.text()));
  if (!path.ends_with(".sql")) {
    context.error(node, fmt::format("\"{}\": the file's name must end with .sql", key));
    return {};
  }
  const auto content = config::read_file(path, 100'000);
  if (!content) context.error(node, fmt::format("\"{}\": \"{}\" {}", key, path, content.error().message));
  if (!content) return {};
  if (bare_query(*content).empty()) context.error(node, fmt::format("\"{}\": \"{}\" is empty", key, path));
  return bare_query(*content);
}

}  // namespace

bool is_user_metric(const config::Node& line, const config::Node& settings) {
  const auto expression = parse_expression(line.text());
  if (!expression || !expression->arguments.empty()) return false;
  const std::string& name = expression->metric;
  return std::ranges::any_of(std::array{kExpression, kQuery, kFile}, [&](std::string_view key) {
    return settings.find(fmt::format("{}{}", name, key)) != nullptr;
  });
}

ProbePtr parse_user_metric(ProbeContext& context) {
  const auto expression = parse_expression(context.line.text());
  if (!expression) return nullptr;
  context.check.change = expression->change;
  context.check.expected = expression->condition;
  const std::string& name = expression->metric;
  const config::Node* given = nullptr;
  std::string key;
  for (const std::string_view ending : {kExpression, kQuery, kFile}) {
    const std::string each = fmt::format("{}{}", name, ending);
    const config::Node* node = context.reader.child(each);
    if (node == nullptr) continue;
    if (given != nullptr) {
      context.error(*node, fmt::format("give either \"{}\" or \"{}\", not both", key, each));
      return nullptr;
    }
    given = node;
    key = each;
  }
  const std::string sql = sql_of(context, key, *given, key.ends_with(kFile));
  if (sql.empty()) return nullptr;
  const bool is_expression = key.ends_with(kExpression);
  std::string mistake = is_expression ? condition_mistake(sql) : query_mistake(sql);
  // Nothing of a file that may be no query is shown.
  if (key.ends_with(kFile)) mistake = mistake.substr(0, mistake.find(", not with"));
  if (!mistake.empty()) {
    context.error(*given, fmt::format("\"{}\": {}", key, mistake));
    return nullptr;
  }
  if (is_expression) return std::make_shared<ByExpression>(name, sql);
  return std::make_shared<ByQuery>(name, sql);
}

}  // namespace weir::quality
