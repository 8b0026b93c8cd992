#include "quality/schema_check.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <re2/re2.h>

#include "quality/logical_type.h"

namespace weir::quality {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t begin = out.find_first_not_of(kSpace);
  if (begin == std::string::npos) return {};
  return out.substr(begin, out.find_last_not_of(kSpace) - begin + 1);
}

/// "timestamp(3) without time zone" is "timestamp without time zone", as information_schema names types.
std::string without_modifier(std::string type) {
  const std::size_t open = type.find('(');
  const std::size_t close = type.find(')', open);
  if (open == std::string::npos || close == std::string::npos) return type;
  type.erase(open, close - open + 1);
  const std::size_t twice = type.find("  ");
  if (twice != std::string::npos) type.erase(twice, 1);
  return lower(type);
}

/// Soda's table: what else a type may be called.
bool is_alias(std::string_view type, std::string_view alias) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kAliases = {
      {{"character varying", "varchar"},
       {"character varying", "text"},
       {"double precision", "decimal"},
       {"double precision", "numeric"},
       {"timestamp without time zone", "timestamp"},
       {"timestamp with time zone", "timestamptz"}}};
  return std::ranges::find(kAliases, std::pair{type, alias}) != kAliases.end();
}

std::string with_alias_spelled_out(std::string type) {
  for (const auto& [alias, full] : {std::pair{"varchar(", "character varying("}, {"decimal(", "numeric("}}) {
    if (type.starts_with(alias)) return full + type.substr(std::string_view(alias).size());
  }
  return type;
}

std::string without_spaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

std::string replaced(std::string text, char from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, 1, to);
  }
  return text;
}

/// What PostgreSQL's information_schema, and so Soda, calls USER-DEFINED: enums, composite types, those of extensions.
bool is_user_defined(std::string_view type) {
  static constexpr std::array<std::string_view, 42> kOwn = {"bigint",
                                                            "bit",
                                                            "bit varying",
                                                            "boolean",
                                                            "box",
                                                            "bytea",
                                                            "\"char\"",
                                                            "character",
                                                            "character varying",
                                                            "cidr",
                                                            "circle",
                                                            "date",
                                                            "double precision",
                                                            "inet",
                                                            "integer",
                                                            "interval",
                                                            "json",
                                                            "jsonb",
                                                            "line",
                                                            "lseg",
                                                            "macaddr",
                                                            "macaddr8",
                                                            "money",
                                                            "name",
                                                            "numeric",
                                                            "oid",
                                                            "path",
                                                            "pg_lsn",
                                                            "point",
                                                            "polygon",
                                                            "real",
                                                            "smallint",
                                                            "text",
                                                            "time with time zone",
                                                            "time without time zone",
                                                            "timestamp with time zone",
                                                            "timestamp without time zone",
                                                            "tsquery",
                                                            "tsvector",
                                                            "uuid",
                                                            "xid",
                                                            "xml"};
  const bool range = type.ends_with("range") && (type.starts_with("int") || type.starts_with("num") ||
                                                 type.starts_with("ts") || type.starts_with("date"));
  return !range && !type.ends_with("[]") && std::ranges::find(kOwn, type) == kOwn.end();
}

using Names = std::vector<std::string>;

bool holds(const Names& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

/// One comparison of rules with columns; each method adds what it finds.
class Comparison {
 public:
  Comparison(const SchemaRules& rules, std::span<const Column> columns) : rules_(rules), columns_(columns) {
    for (std::size_t i = 0; i < columns.size(); ++i) places_.emplace(columns[i].name, i);
  }

  std::vector<std::string> run(const std::vector<Column>* previous) {
    missing();
    forbidden();
    types();
    indexes();
    if (previous != nullptr) changes(*previous);
    return std::move(found_);
  }

 private:
  void missing() {
    Names required = rules_.required;
    for (const auto& [column, type] : rules_.types) {
      if (!holds(rules_.optional, column)) required.push_back(column);
    }
    for (const auto& [column, index] : rules_.indexes) required.push_back(column);
    for (const auto& [column, type] : rules_.logical_types) required.push_back(column);
    Names named;
    for (const std::string& column : required) {
      if (places_.contains(column) || holds(named, column)) continue;
      named.push_back(column);
      add("column \"{}\" is missing", column);
    }
  }

  void forbidden() {
    for (const Column& column : columns_) {
      const bool by_name = std::ranges::any_of(
          rules_.forbidden, [&](const auto& pattern) { return is_forbidden(pattern, column.name).value_or(false); });
      const bool unknown =
          rules_.only_these &&
          std::ranges::none_of(rules_.types, [&](const auto& each) { return each.first == column.name; }) &&
          !holds(rules_.required, column.name);
      if (by_name) add("column \"{}\" is forbidden", column.name);
      if (unknown) add("column \"{}\" is none of the listed", column.name);
    }
  }

  void types() {
    for (const auto& [name, type] : rules_.types) {
      const auto place = places_.find(name);
      if (place == places_.end() || type.empty()) continue;
      const std::string& actual = columns_[place->second].type;
      if (!same_type(type, actual)) add("column \"{}\" is {}, expected {}", name, actual, type);
    }
    for (const auto& [name, type] : rules_.logical_types) {
      const auto place = places_.find(name);
      if (place == places_.end()) continue;
      const std::string& actual = columns_[place->second].type;
      if (!is_of_logical_type(type, actual)) add("column \"{}\" is {}, expected a type of {}", name, actual, type);
    }
  }

  void indexes() {
    for (const auto& [name, index] : rules_.indexes) {
      const auto place = places_.find(name);
      if (place == places_.end() || place->second == index) continue;
      const std::string instead =
          index < columns_.size() ? fmt::format(" (\"{}\" is there)", columns_[index].name) : "";
      add("column \"{}\" is at index {}, expected {}{}", name, place->second, index, instead);
    }
  }

  void changes(const std::vector<Column>& previous) {
    for (std::size_t i = 0; i < previous.size(); ++i) {
      const auto& [name, type] = previous[i];
      const auto place = places_.find(name);
      if (place == places_.end()) {
        if (rules_.deletions) add("column \"{}\" was deleted", name);
        continue;
      }
      const Column& now = columns_[place->second];
      if (rules_.type_changes && now.type != type) add("column \"{}\" became {}, was {}", name, now.type, type);
      if (rules_.index_changes && place->second != i) {
        add("column \"{}\" moved to index {}, was at {}", name, place->second, i);
      }
    }
    for (const Column& column : columns_) {
      const bool known = std::ranges::find(previous, column.name, &Column::name) != previous.end();
      if (rules_.additions && !known) add("column \"{}\" was added ({})", column.name, column.type);
    }
  }

  template <class... Values>
  void add(fmt::format_string<Values...> text, Values&&... values) {
    found_.push_back(fmt::format(text, std::forward<Values>(values)...));
  }

  const SchemaRules& rules_;
  std::span<const Column> columns_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::vector<std::string> found_;
};

/// All of a message fits into one line of a page.
std::string listed(const std::vector<std::string>& violations) {
  constexpr std::size_t kShown = 5;
  const std::size_t shown = std::min(kShown, violations.size());
  std::string text = fmt::format("{}", fmt::join(violations.begin(), violations.begin() + shown, "; "));
  if (violations.size() > shown) text += fmt::format("; and {} more", violations.size() - shown);
  return text;
}

std::string canonical(const SchemaRules& rules) {
  std::string text = fmt::format("{},{},{},{},{}", rules.only_these, rules.additions, rules.deletions,
                                 rules.type_changes, rules.index_changes);
  for (const Names* names : {&rules.required, &rules.forbidden, &rules.optional}) {
    text += '|';
    for (const std::string& name : *names) text += fmt::format("{}:{} ", name.size(), name);
  }
  text += '|';
  for (const auto& [name, type] : rules.types) text += fmt::format("{}:{}={} ", name.size(), name, type);
  text += '|';
  for (const auto& [name, index] : rules.indexes) text += fmt::format("{}:{}@{} ", name.size(), name, index);
  if (!rules.logical_types.empty()) text += '|';  // else what was kept before there were any is lost
  for (const auto& [name, type] : rules.logical_types) text += fmt::format("{}:{}~{} ", name.size(), name, type);
  return text;
}

class Schema final : public Probe {
 public:
  Schema(std::optional<SchemaRules> warn, std::optional<SchemaRules> fail)
      : warn_(std::move(warn)), fail_(std::move(fail)) {}

  std::string text() const override { return "schema"; }
  std::string identity() const override {
    return fmt::format("schema warn({}) fail({})", warn_ ? canonical(*warn_) : "", fail_ ? canonical(*fail_) : "");
  }
  std::vector<std::string> declared() const override {
    std::vector<std::string> names;
    for (const auto* rules : {&warn_, &fail_}) {
      if (!*rules) continue;
      names.insert(names.end(), (*rules)->required.begin(), (*rules)->required.end());
      names.insert(names.end(), (*rules)->optional.begin(), (*rules)->optional.end());
      for (const auto* typed : {&(*rules)->types, &(*rules)->logical_types}) {
        for (const auto& [name, type] : *typed) names.push_back(name);
      }
    }
    return names;
  }
  Needs needs(const Dataset&, const sql::Dialect&) const override { return {.columns = true}; }
  bool keeps() const override { return about_changes(); }

  Measured measure(const Findings& findings) const override {
    const auto previous = columns_from_text(findings.kept);
    std::size_t count = 0;
    for (const auto* rules : {&warn_, &fail_}) {
      if (*rules) count += schema_violations(**rules, findings.columns, previous ? &*previous : nullptr).size();
    }
    return {static_cast<double>(count), ""};
  }

  Verdict verdict(const Check& check, const Findings& findings) const override {
    if (findings.columns.empty()) return cannot_tell(check, "the catalog shows no columns of the table");
    const auto previous = columns_from_text(findings.kept);
    const std::vector<Column>* before = previous ? &*previous : nullptr;
    Verdict verdict;
    verdict.outcome = Outcome::pass;
    verdict.value = 0;
    verdict.message = fmt::format("schema has its {} columns as expected", findings.columns.size());
    if (about_changes() && before == nullptr) {
      verdict.learning = true;
      verdict.message += "; changes are seen from the next time on";
    }
    for (const auto& [rules, outcome] : {std::pair{&warn_, Outcome::warn}, {&fail_, Outcome::fail}}) {
      if (!*rules) continue;
      const auto violations = schema_violations(**rules, findings.columns, before);
      if (violations.empty()) continue;
      verdict.outcome = outcome;
      verdict.value = static_cast<double>(violations.size());
      verdict.message = "schema: " + listed(violations);
      verdict.learning = false;
    }
    if (about_changes()) verdict.keep = columns_to_text(findings.columns);
    return verdict;
  }

 private:
  bool about_changes() const { return (warn_ && warn_->about_changes()) || (fail_ && fail_->about_changes()); }

  std::optional<SchemaRules> warn_;
  std::optional<SchemaRules> fail_;
};

/// Reads `warn:` or `fail:` of a schema check.
class RulesReader {
 public:
  RulesReader(const config::Node& node, ProbeContext& context, std::string_view zone)
      : context_(context), reader_(node, context.diagnostics, fmt::format("{}: \"{}\"", context.what, zone)) {}

  SchemaRules run() {
    rules_.required = names("when required column missing");
    rules_.forbidden = patterns("when forbidden column present");
    rules_.types = types("when wrong column type", false);
    rules_.logical_types = logical_types_of_columns();
    rules_.indexes = indexes();
    const config::Node* exact = reader_.child("when mismatching columns");
    if (exact != nullptr) {
      if (!rules_.types.empty()) context_.error(*exact, "stands instead of \"when wrong column type\", not beside it");
      rules_.types = types("when mismatching columns", true);
      rules_.only_these = true;
      rules_.optional = names("with optional columns");
    } else if (const config::Node* alone = reader_.child("with optional columns")) {
      context_.error(*alone, "\"with optional columns\" goes with \"when mismatching columns\"");
    }
    changes();
    reader_.finish();
    return std::move(rules_);
  }

 private:
  Names names(std::string_view key) {
    const config::Node* node = reader_.child(key);
    if (node == nullptr) return {};
    Names found;
    for (const config::Node& item : node->items()) {
      if (item.is_scalar() && !item.text().empty()) found.push_back(item.text());
    }
    if (!node->is_sequence() || node->items().empty() || found.size() != node->items().size()) {
      context_.error(*node, fmt::format("\"{}\": expected a list of columns, such as [id, name]", key));
    }
    return found;
  }

  Names patterns(std::string_view key) {
    Names found = names(key);
    for (const std::string& pattern : found) {
      if (is_forbidden(pattern, "")) continue;
      context_.error(*reader_.child(key), fmt::format("\"{}\" is no name with * or % for the rest", pattern));
    }
    return found;
  }

  std::vector<std::pair<std::string, std::string>> types(std::string_view key, bool may_be_null) {
    std::vector<std::pair<std::string, std::string>> found;
    const config::Node* node = reader_.child(key);
    if (node == nullptr) return found;
    if (!node->is_mapping() || node->entries().empty()) {
      context_.error(*node, fmt::format("\"{}\": expected columns with their types, such as id: integer", key));
      return found;
    }
    for (const auto& [column, type] : node->entries()) {
      if (type.is_scalar() || (may_be_null && type.is_null())) {
        found.emplace_back(column.text(), type.text());
      } else {
        context_.error(type, fmt::format("\"{}\": expected a type, such as integer", column.text()));
      }
    }
    return found;
  }

  std::vector<std::pair<std::string, std::string>> logical_types_of_columns() {
    constexpr std::string_view kKey = "when wrong logical type";
    auto found = types(kKey, false);
    for (const auto& [column, type] : found) {
      if (std::ranges::find(logical_types(), type) != logical_types().end()) continue;
      const std::vector<std::string> all(logical_types().begin(), logical_types().end());
      context_.error(
          *reader_.child(kKey)->find(column),
          fmt::format("\"{}\" is none of {}{}", type, fmt::join(all, ", "), config::did_you_mean(type, all)));
    }
    return found;
  }

  std::vector<std::pair<std::string, std::size_t>> indexes() {
    constexpr std::string_view kKey = "when wrong column index";
    std::vector<std::pair<std::string, std::size_t>> found;
    const config::Node* node = reader_.child(kKey);
    if (node == nullptr) return found;
    if (!node->is_mapping() || node->entries().empty()) {
      context_.error(*node, fmt::format("\"{}\": expected columns with their places from 0, such as id: 0", kKey));
      return found;
    }
    config::MapReader places(*node, context_.diagnostics, context_.what);
    for (const auto& [column, place] : node->entries()) {
      found.emplace_back(column.text(), static_cast<std::size_t>(places.integer(column.text(), 0, 0, 100'000)));
    }
    return found;
  }

  void changes() {
    constexpr std::string_view kKey = "when schema changes";
    const config::Node* node = reader_.child(kKey);
    if (node == nullptr) return;
    if (node->is_scalar() && node->text() == "any") {
      rules_.additions = rules_.deletions = rules_.type_changes = rules_.index_changes = true;
      return;
    }
    const std::array<std::pair<std::string_view, bool*>, 4> kinds = {{{"column add", &rules_.additions},
                                                                      {"column delete", &rules_.deletions},
                                                                      {"column type change", &rules_.type_changes},
                                                                      {"column index change", &rules_.index_changes}}};
    bool wrong = !node->is_sequence() || node->items().empty();
    for (const config::Node& item : node->items()) {
      const auto kind = std::ranges::find_if(kinds, [&](const auto& each) { return item.text() == each.first; });
      if (kind == kinds.end()) wrong = true;
      if (kind != kinds.end()) *kind->second = true;
    }
    if (!wrong) return;
    context_.error(*node, fmt::format("\"{}\": expected any, or a list of column add, column delete, "
                                      "column type change, column index change",
                                      kKey));
  }

  ProbeContext& context_;
  config::MapReader reader_;
  SchemaRules rules_;
};

}  // namespace

bool same_type(std::string_view expected_text, std::string_view actual_text) {
  const std::string expected = lower(expected_text);
  const std::string actual = lower(actual_text);
  const std::string base = without_modifier(actual);
  if (expected == actual || expected == base) return true;
  if (is_alias(base, expected) || is_alias(expected, base)) return true;
  if (expected == "user-defined") return is_user_defined(base);
  if (expected == "array" && base.ends_with("[]")) return true;
  if (expected.find('(') == std::string::npos) return false;
  return without_spaces(with_alias_spelled_out(expected)) == without_spaces(with_alias_spelled_out(actual));
}

std::optional<bool> is_forbidden(std::string_view pattern, std::string_view column) {
  // Two passes, as Soda does it: the star of the first is replaced again by the second.
  const std::string expression = replaced(replaced(std::string(pattern), '%', ".*"), '*', ".*");
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(1 << 20);
  const RE2 regex(expression, options);
  if (!regex.ok()) return std::nullopt;
  return regex.Match({column.data(), column.size()}, 0, column.size(), RE2::ANCHOR_START, nullptr, 0);
}

std::vector<std::string> schema_violations(const SchemaRules& rules, std::span<const Column> columns,
                                           const std::vector<Column>* previous) {
  return Comparison(rules, columns).run(previous);
}

std::string columns_to_text(std::span<const Column> columns) {
  std::string text = "columns 1\n";
  for (const auto& [name, type] : columns) text += fmt::format("{} {}\n{}{}\n", name.size(), type.size(), name, type);
  return text;
}

std::optional<std::vector<Column>> columns_from_text(std::string_view text) {
  constexpr std::string_view kBeginning = "columns 1\n";
  if (!text.starts_with(kBeginning)) return std::nullopt;
  text.remove_prefix(kBeginning.size());
  std::vector<Column> columns;
  while (!text.empty()) {
    const std::size_t line = text.find('\n');
    const std::size_t space = text.find(' ');
    std::size_t name = 0;
    std::size_t type = 0;
    if (line == std::string_view::npos || space > line) return std::nullopt;
    const auto read = [&](std::size_t begin, std::size_t end, std::size_t& number) {
      const auto [rest, failed] = std::from_chars(text.data() + begin, text.data() + end, number);
      return failed == std::errc() && rest == text.data() + end && number <= text.size();
    };
    if (!read(0, space, name) || !read(space + 1, line, type)) return std::nullopt;
    text.remove_prefix(line + 1);
    if (text.size() < name + type + 1) return std::nullopt;
    columns.push_back({std::string(text.substr(0, name)), std::string(text.substr(name, type))});
    text.remove_prefix(name + type + 1);
  }
  return columns;
}

bool is_schema(const config::Node& line, const config::Node&) { return line.text() == "schema"; }

ProbePtr parse_schema(ProbeContext& context) {
  std::optional<SchemaRules> warn;
  std::optional<SchemaRules> fail;
  for (const auto& [zone, rules] : {std::pair{"warn", &warn}, {"fail", &fail}}) {
    const config::Node* node = context.reader.child(zone);
    if (node == nullptr) continue;
    if (!node->is_mapping()) {
      context.error(*node, fmt::format("\"{}\": expected rules such as \"when required column missing: [id]\"", zone));
      return nullptr;
    }
    *rules = RulesReader(*node, context, zone).run();
  }
  if (warn || fail) return std::make_shared<Schema>(std::move(warn), std::move(fail));
  context.error(context.line, "needs fail: or warn: with rules such as \"when required column missing: [id]\"");
  return nullptr;
}

}  // namespace weir::quality
