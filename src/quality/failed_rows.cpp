#include "quality/failed_rows.h"

#include <fmt/format.h>

#include "quality/check_file.h"
#include "quality/gate.h"
#include "quality/user_sql.h"

namespace weir::quality {
namespace {

Measured counted(const sql::Value& value) {
  if (const auto count = to_number(value)) return {count, ""};
  return {std::nullopt, "the rows could not be counted"};
}

class FailCondition final : public Probe {
 public:
  explicit FailCondition(std::string condition) : condition_(std::move(condition)) {}

  std::string text() const override { return "failed rows"; }
  std::string identity() const override { return "failed rows " + condition_; }
  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    return {.aggregates = {{.sql = dialect.count_if(condition_),
                            .column = "",
                            .user_sql = true,
                            .moves = !is_stable(condition_, dialect.name()),
                            .merge = Merge::count}}};
  }
  Measured measure(const Findings& findings) const override {
    return counted(findings.scan.value(findings.dialect.count_if(condition_)));
  }
  std::optional<FailingRows> failing_rows(const Dataset& dataset, const sql::Dialect& dialect) const override {
    FailingRows rows{.from = dialect.table(dataset.table), .where = fmt::format("({}\n)", condition_)};
    if (!dataset.where.empty()) rows.where += fmt::format(" AND ({}\n)", dataset.where);
    return rows;
  }

 private:
  std::string condition_;
};

class FailQuery final : public Probe {
 public:
  explicit FailQuery(std::string query) : query_(std::move(query)) {}

  std::string text() const override { return "failed rows"; }
  std::string identity() const override { return "failed rows " + query_; }
  Needs needs(const Dataset&, const sql::Dialect&) const override {
    return {.statements = {{.sql = "SELECT count(*) FROM " + derived_table(query_, "weir_rows")}}};
  }
  Measured measure(const Findings& findings) const override {
    const core::Result<sql::Table>& answer = findings.answers.front();
    if (!answer || answer->rows.empty()) return {std::nullopt, "the query gave no answer"};
    return counted(answer->rows[0].at(0));
  }
  std::optional<FailingRows> failing_rows(const Dataset&, const sql::Dialect&) const override {
    return FailingRows{.from = derived_table(query_, "weir_rows")};
  }

 private:
  std::string query_;
};

/// A scalar with text under the key; null with a note where it is something else.
const config::Node* sql_under(ProbeContext& context, std::string_view key) {
  const config::Node* node = context.reader.child(key);
  if (node == nullptr) return nullptr;
  if (node->is_scalar() && !bare_query(node->text()).empty()) return node;
  context.error(*node, fmt::format("\"{}\": expected SQL", key));
  return nullptr;
}

}  // namespace

bool is_failed_rows(const config::Node& line, const config::Node&) { return line.text() == "failed rows"; }

ProbePtr parse_failed_rows(ProbeContext& context) {
  constexpr std::string_view kCondition = "fail condition";
  constexpr std::string_view kQuery = "fail query";
  const config::Node* condition = sql_under(context, kCondition);
  const config::Node* query = sql_under(context, kQuery);
  if (condition != nullptr && query != nullptr) {
    context.error(*query, "give either \"fail condition\" or \"fail query\", not both");
    return nullptr;
  }
  if (condition == nullptr && query == nullptr) {
    if (!context.reader.has(kCondition) && !context.reader.has(kQuery)) {
      context.error(context.line, "needs \"fail condition\" or \"fail query\" under it");
    }
    return nullptr;
  }
  Check& check = context.check;
  if (!check.warn_when && !check.fail_when) check.fail_when = Condition{.op = Condition::Op::greater};
  const config::Node& given = condition != nullptr ? *condition : *query;
  const std::string sql = bare_query(given.text());
  const std::string mistake = condition != nullptr ? condition_mistake(sql) : query_mistake(sql);
  if (!mistake.empty()) {
    context.error(given, fmt::format("\"{}\": {}", condition != nullptr ? kCondition : kQuery, mistake));
    return nullptr;
  }
  if (condition != nullptr) return std::make_shared<FailCondition>(sql);
  return std::make_shared<FailQuery>(sql);
}

}  // namespace weir::quality
