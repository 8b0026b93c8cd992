#include "quality/group_by.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/reader.h"
#include "quality/check_parser.h"
#include "quality/probe.h"
#include "quality/user_sql.h"

namespace weir::quality {
namespace {

using config::Node;

constexpr std::int64_t kMostGroups = 100'000;

struct Grouping {
  std::string query;
  std::vector<std::string> fields;
  std::size_t limit = 1000;
};

std::string show(const sql::Value& value) {
  if (const auto number = to_number(value)) return show_number(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* time = std::get_if<core::Time>(&value)) return core::format_rfc3339(*time);
  return "NULL";
}

/// One column of a grouping query, as a number for each of its rows.
class GroupProbe final : public Probe {
 public:
  GroupProbe(std::shared_ptr<const Grouping> grouping, std::string column)
      : grouping_(std::move(grouping)), column_(std::move(column)) {}

  std::string text() const override { return column_; }
  std::string identity() const override { return fmt::format("{} group by {}", column_, grouping_->query); }
  bool grouped() const override { return true; }

  Needs needs(const Dataset&, const sql::Dialect&) const override {
    return {.statements = {{.sql = grouping_->query, .rows = grouping_->limit}}};
  }
  Measured measure(const Findings&) const override { return {std::nullopt, "it has a value for each group"}; }

  std::vector<GroupValue> groups(const Findings& findings) const override {
    std::vector<GroupValue> values;
    const core::Result<sql::Table>& answer = findings.answers.front();
    if (!answer) return values;
    const auto index = [&](const std::string& name) {
      return static_cast<std::size_t>(std::ranges::find(answer->columns, name) - answer->columns.begin());
    };
    const std::size_t own = index(column_);
    for (const sql::Row& row : answer->rows) {
      std::string group;
      for (const std::string& field : grouping_->fields) {
        const std::size_t at = index(field);
        group += fmt::format("{}{}={}", group.empty() ? "" : ", ", field, at < row.size() ? show(row[at]) : "?");
      }
      values.push_back({group, own < row.size() ? measured(row[own]) : no_column(*answer)});
    }
    return values;
  }

 private:
  Measured measured(const sql::Value& value) const {
    if (std::holds_alternative<std::monostate>(value)) return {std::nullopt, column_ + " is NULL"};
    const auto number = to_number(value);
    if (!number || *number != *number) return {std::nullopt, column_ + " is not a number"};
    return {number};
  }

  Measured no_column(const sql::Table& answer) const {
    return {std::nullopt, fmt::format("the query has no column \"{}\"{}; it has {}", column_,
                                      config::did_you_mean(column_, answer.columns), fmt::join(answer.columns, ", "))};
  }

  std::shared_ptr<const Grouping> grouping_;
  std::string column_;
};

}  // namespace

std::vector<Check> parse_group_by(const Node& line, const Node& settings, const std::vector<std::string>& table,
                                  const Surroundings& around, config::Diagnostics& diagnostics) {
  const std::size_t errors = diagnostics.errors().size();
  config::MapReader reader(settings, diagnostics, "check \"group by\"");
  if (settings.is_null()) reader.error(line, "\"query\", \"fields\" and \"checks\" are missing under it");
  auto grouping = std::make_shared<Grouping>();
  if (!reader.has("query")) reader.missing("query");
  if (const Node* query = reader.child("query")) grouping->query = bare_query(query->text());
  if (const Node* query = reader.child("query"); query != nullptr && !grouping->query.empty()) {
    if (const std::string mistake = query_mistake(grouping->query); !mistake.empty()) {
      reader.error(*query, "\"query\": " + mistake);
    }
  }
  for (const Node* field : reader.list("fields")) {
    if (!field->is_scalar() || field->text().empty()) reader.error(*field, "\"fields\": expected names of columns");
    grouping->fields.push_back(field->text());
  }
  if (grouping->fields.empty()) reader.missing("fields");
  grouping->limit = static_cast<std::size_t>(reader.integer("group_limit", 1000, 1, kMostGroups));
  const Node* named = reader.child("name");
  const std::string name = named == nullptr ? "" : named->text();
  std::map<std::string, std::string> attributes;
  if (const Node* node = reader.child("attributes")) attributes = parse_attributes(*node, reader.what(), diagnostics);
  if (!reader.has("checks")) reader.missing("checks");
  std::vector<Check> checks;
  const MakeProbe make = [&](ProbeContext& context) -> ProbePtr {
    if (context.expression.arguments.empty()) return std::make_shared<GroupProbe>(grouping, context.expression.metric);
    context.error(context.expression.metric_offset, "name a column of the query, as in \"average > 10\"");
    return nullptr;
  };
  for (const Node* item : reader.list("checks")) {
    for (Check& check : parse_check(*item, table, around, diagnostics, make)) {
      if (!name.empty()) check.name = name + ": " + check.name;
      check.attributes.insert(attributes.begin(), attributes.end());
      checks.push_back(std::move(check));
    }
  }
  reader.finish();
  if (diagnostics.errors().size() != errors) return {};
  return checks;
}

}  // namespace weir::quality
