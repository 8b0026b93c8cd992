#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>

#include "quality/contract_parts.h"

// The quality[] rules of a table or property.
namespace weir::quality::contract {
namespace {

using config::MapReader;
using config::Node;

struct Operator {
  std::string_view word;    // of the standard
  std::string_view soda;    // in Soda's own contracts
  std::string_view holds;   // "= "
  std::string_view broken;  // "!= "
  bool two = false;         // bounds
};
constexpr std::array kOperators = {
    Operator{"mustBe", "must_be", "=", "!="},
    Operator{"mustNotBe", "must_not_be", "!=", "="},
    Operator{"mustBeGreaterThan", "must_be_greater_than", ">", "<="},
    Operator{"mustBeGreaterOrEqualTo", "must_be_greater_than_or_equal_to", ">=", "<"},
    Operator{"mustBeLessThan", "must_be_less_than", "<", ">="},
    Operator{"mustBeLessOrEqualTo", "must_be_less_than_or_equal_to", "<=", ">"},
    Operator{"mustBeBetween", "must_be_between", "between", "not between", true},
    Operator{"mustNotBeBetween", "must_be_not_between", "not between", "between", true},
};

struct Library {
  std::string_view metric;
  std::string_view old_rule;  // of 3.0, under `rule`
  std::string_view count;     // SodaCL's word
  std::string_view percent;
};
constexpr std::array kLibrary = {
    Library{"rowCount", "rowCount", "row_count", ""},
    Library{"nullValues", "nullCheck", "missing_count", "missing_percent"},
    Library{"missingValues", "missingCount", "missing_count", "missing_percent"},
    Library{"invalidValues", "validValues", "invalid_count", "invalid_percent"},
    Library{"duplicateValues", "duplicateCount", "duplicate_count", "duplicate_percent"},
};

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

/// A copy at another place: text within a text has no place of its own, or just a line.
Node moved(const Node& node, const config::Position& base, bool lines) {
  config::Position position = base;
  if (lines && node.position().line > 0) position = {base.file, base.line + node.position().line, 0};
  if (node.is_scalar()) return Node::scalar(node.text(), position, node.quoted());
  if (node.is_sequence()) {
    std::vector<Node> items;
    for (const Node& item : node.items()) items.push_back(moved(item, base, lines));
    return Node::sequence(std::move(items), position);
  }
  if (node.is_null()) return Node::nothing(position);
  std::vector<Node::Entry> entries;
  for (const auto& [key, value] : node.entries()) {
    entries.emplace_back(moved(key, base, lines), moved(value, base, lines));
  }
  return Node::mapping(std::move(entries), position);
}

class RuleReader {
 public:
  RuleReader(const Node& node, const Scope& scope, int nth)
      : node_(node),
        reader_(node, scope.diagnostics,
                fmt::format("quality of \"{}\"", scope.column.empty() ? scope.table.name : scope.column)),
        scope_(scope),
        nth_(nth) {}

  void run() {
    if (!node_.is_mapping()) return;
    allow(reader_, {"id", "authoritativeDefinitions", "method", "tags"});
    for (const Operator& op : kOperators) reader_.child(op.word);
    allow(reader_, {"arguments", "metric", "rule", "query", "engine", "implementation"});
    read_common();
    std::string type = text_of(reader_, "type");
    if (type.empty()) type = reader_.has("query") ? "sql" : "library";
    if (type == "library") {
      read_library();
    } else if (type == "sql") {
      read_sql();
    } else if (type == "text") {
      scope_.diagnostics.hint(node_.position(), fmt::format("a rule in words is not checked: \"{}\"",
                                                            one_line(text_of(reader_, "description"))));
    } else if (type == "custom") {
      read_custom();
    } else {
      const std::vector<std::string> words = {"library", "sql", "text", "custom"};
      reader_.error("type", fmt::format("\"{}\" is none of {}{}", type, fmt::join(words, ", "),
                                        config::did_you_mean(type, words)));
    }
    reader_.finish();
  }

 private:
  static std::string one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    while (text.ends_with(' ')) text.pop_back();
    return text.size() <= 120 ? text : text.substr(0, 117) + "...";
  }

  void read_common() {
    extras_.name = text_of(reader_, "name");
    const std::string description = one_line(text_of(reader_, "description"));
    if (extras_.name.empty()) extras_.name = description;
    const std::string severity = text_of(reader_, "severity");
    extras_.warns = severity == "warning" || severity == "warn" || severity == "info";
    // That of a check that warns goes without saying.
    if (!severity.empty() && severity != "warning") extras_.attributes.emplace_back("severity", severity);
    for (const std::string_view key : {"dimension", "businessImpact"}) {
      if (const std::string value = text_of(reader_, key); !value.empty()) extras_.attributes.emplace_back(key, value);
    }
    for (const Node* item : reader_.list("customProperties")) {
      const Node* property = item->is_mapping() ? item->find("property") : nullptr;
      const Node* value = item->is_mapping() ? item->find("value") : nullptr;
      if (property == nullptr || value == nullptr || !value->is_scalar()) {
        reader_.error(*item, "\"customProperties\": expected a list of mappings with \"property\" and \"value\"");
      } else {
        extras_.attributes.emplace_back(property->text(), value->text());
      }
    }
    allow(reader_, {"schedule", "scheduler"});
    if (const Node* schedule = reader_.child("schedule")) {
      scope_.diagnostics.hint(schedule->position(),
                              "a rule's own schedule is not kept: it is checked with the others of its file");
    }
  }

  /// The one operator of the rule.
  std::optional<Threshold> threshold(bool percent, bool truth = false) {
    const Operator* used = nullptr;
    for (const Operator& op : kOperators) {
      if (!reader_.has(op.word)) continue;
      if (used != nullptr) {
        reader_.error(op.word, fmt::format("give one operator only, there is \"{}\" already", used->word));
        return std::nullopt;
      }
      used = &op;
    }
    if (used == nullptr) {
      reader_.missing("mustBe", "an operator is missing, such as \"mustBe: 0\" or \"mustBeLessThan: 5\"");
      return std::nullopt;
    }
    return threshold_of(*used, *reader_.child(used->word), used->word, percent, truth);
  }

  std::optional<Threshold> threshold_of(const Operator& op, const Node& value, std::string_view key, bool percent,
                                        bool truth) {
    const char* unit = percent ? "%" : "";
    if (op.two) {
      if (!value.is_sequence() || value.items().size() != 2) {
        reader_.error(value, fmt::format("\"{}\": expected two numbers: [10, 20]", key));
        return std::nullopt;
      }
      const auto low = number_text(value.items()[0], reader_, key);
      const auto high = number_text(value.items()[1], reader_, key);
      if (!low || !high) return std::nullopt;
      const std::string bounds = fmt::format(" {0}{2} and {1}{2}", *low, *high, unit);
      return Threshold{std::string(op.holds) + bounds, std::string(op.broken) + bounds};
    }
    std::string number;
    if (truth && (value.text() == "true" || value.text() == "false")) {
      number = value.text() == "true" ? "1" : "0";
    } else if (const auto text = number_text(value, reader_, key)) {
      number = *text;
    } else {
      return std::nullopt;
    }
    return Threshold{fmt::format("{} {}{}", op.holds, number, unit), fmt::format("{} {}{}", op.broken, number, unit)};
  }

  bool is_percent() {
    const std::string unit = text_of(reader_, "unit");
    if (unit.empty() || unit == "rows" || unit == "count") return false;
    if (unit == "percent" || unit == "%" || unit == "percentage") return true;
    reader_.error("unit", fmt::format("\"{}\" is neither rows nor percent", unit));
    return false;
  }

  void read_library() {
    const bool old = !reader_.has("metric") && reader_.has("rule");
    const std::string_view key = old ? "rule" : "metric";
    const std::string metric = text_of(reader_, key);
    if (metric.empty()) return reader_.missing("metric", "key \"metric\" is missing, such as nullValues or rowCount");
    const auto known = std::ranges::find_if(
        kLibrary, [&](const Library& each) { return each.metric == metric || (old && each.old_rule == metric); });
    if (known == kLibrary.end()) {
      std::vector<std::string> words;
      for (const Library& each : kLibrary) words.emplace_back(each.metric);
      return reader_.error(key, fmt::format("\"{}\" is none of {}{}", metric, fmt::join(words, ", "),
                                            config::did_you_mean(metric, words)));
    }
    const bool percent = is_percent();
    if (percent && known->percent.empty()) return reader_.error("unit", "rowCount counts rows");
    const auto wanted = threshold(percent);
    const auto columns = columns_of(*known);
    read_arguments(*known);
    if (!wanted || !columns) return;
    const std::string word(percent ? known->percent : known->count);
    scope_.checks.add(columns->empty() ? word : fmt::format("{}({})", word, *columns), *wanted, std::move(extras_),
                      node_.position());
  }

  /// "a, b" of the metric's columns, "" of a row count; nullopt when they are missing.
  std::optional<std::string> columns_of(const Library& library) {
    if (library.metric == "rowCount") {
      if (!scope_.column.empty()) {
        reader_.error(node_, "rowCount is about a table; write it under the table's \"quality\"");
        return std::nullopt;
      }
      return "";
    }
    if (!scope_.column.empty()) return check_name(scope_.column);
    const Node* arguments = reader_.child("arguments");
    const Node* properties = arguments != nullptr && arguments->is_mapping() ? arguments->find("properties") : nullptr;
    std::string columns;
    if (library.metric == "duplicateValues" && properties != nullptr && properties->is_sequence()) {
      for (const Node& property : properties->items()) {
        columns.append(columns.empty() ? "" : ", ").append(check_name(Names::column(scope_.table, property.text())));
      }
    }
    if (!columns.empty()) return columns;
    reader_.error(node_,
                  library.metric == "duplicateValues"
                      ? std::string("name the columns: arguments: {properties: [a, b]}")
                      : fmt::format("{} is about a column; write it under the property's \"quality\"", library.metric));
    return std::nullopt;
  }

  void read_arguments(const Library& library) {
    static const Node kNothing;
    const Node* node = reader_.child("arguments");
    MapReader arguments(node == nullptr ? kNothing : *node, scope_.diagnostics, reader_.what() + ": arguments");
    if (library.metric == "missingValues") add_values(arguments, "missingValues", "missing values", true);
    if (library.metric == "duplicateValues") arguments.child("properties");
    if (library.metric == "invalidValues") {
      const bool values = add_values(arguments, "validValues", "valid values", false);
      const std::string pattern = text_of(arguments, "pattern");
      if (!pattern.empty()) {
        const config::Position& at = arguments.child("pattern")->position();
        extras_.settings.emplace_back(Node::scalar("valid regex", at), Node::scalar(pattern, at, true));
      }
      if (!values && pattern.empty()) {
        reader_.error(node == nullptr ? node_ : *node, "invalidValues needs arguments: validValues or pattern");
      }
    }
    arguments.finish();
  }

  /// NULL is missing anyway.
  bool add_values(MapReader& arguments, std::string_view key, std::string_view setting, bool null_goes) {
    const Node* list = arguments.child(key);
    if (list == nullptr) return false;
    std::vector<Node> values;
    for (const Node* item : arguments.list(key)) {
      if (item->is_null() && null_goes) continue;
      if (!item->is_scalar()) {
        arguments.error(*item, fmt::format("\"{}\": expected a list of values, found {}", key, item->kind_name()));
        continue;
      }
      values.push_back(Node::scalar(item->text(), item->position(), item->quoted()));
    }
    if (values.empty()) return false;
    extras_.settings.emplace_back(Node::scalar(std::string(setting), list->position()),
                                  Node::sequence(std::move(values), list->position()));
    return true;
  }

  void read_sql() {
    std::string query = text_of(reader_, "query");
    if (query.find_first_not_of(" \t\r\n") == std::string::npos) return reader_.missing("query");
    is_percent();
    const auto wanted = threshold(false, true);
    const bool on_column = !scope_.column.empty();
    for (const std::string_view word : {"{property}", "{column}", "{field}"}) {
      if (query.find(word) == std::string::npos) continue;
      if (!on_column) return reader_.error("query", fmt::format("{} has no meaning for a whole table", word));
      replace_all(query, "$" + std::string(word), word);
      replace_all(query, word, sql_name(scope_.column));
    }
    for (const std::string_view word : {"{object}", "{table}", "{model}"}) {
      replace_all(query, "$" + std::string(word), word);
      replace_all(query, word, sql_table(scope_.table.physical));
    }
    if (!wanted) return;
    std::string metric = "query";
    if (on_column) metric += "_of_" + word_of(scope_.column);
    metric += fmt::format("_{}", nth_);
    if (extras_.name.empty()) extras_.name = metric;
    const config::Position& at = reader_.child("query")->position();
    extras_.settings.emplace_back(Node::scalar(metric + " query", at), Node::scalar(query, at, true));
    scope_.checks.add(metric, *wanted, std::move(extras_), node_.position());
  }

  /// Letters, digits and _ only.
  static std::string word_of(std::string text) {
    const auto odd = [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; };
    std::ranges::replace_if(text, odd, '_');
    return text;
  }

  void read_custom() {
    const std::string engine = text_of(reader_, "engine");
    const Node* body = reader_.child("implementation");
    if (engine.empty()) return reader_.missing("engine");
    if (engine != "soda" && engine != "sodacl") {
      allow(reader_, {"implementation"});
      // It is another program's; the rest of the contract is checked.
      return scope_.diagnostics.hint(
          reader_.child("engine")->position(),
          fmt::format("a rule for engine \"{}\" is left to that; engine soda would be run, with SodaCL as its "
                      "implementation",
                      engine));
    }
    if (body == nullptr || body->is_null()) return reader_.missing("implementation");
    if (!body->is_scalar()) return take(moved(*body, body->position(), false));
    const bool block = body->text().find('\n') != std::string::npos;
    config::Diagnostics inner;
    const Node parsed = config::parse_yaml(body->text(), body->position().file, inner);
    for (const config::Diagnostic& mistake : inner.errors()) {
      reader_.error(*body, "\"implementation\": " + mistake.message);
    }
    if (inner.ok()) take(moved(parsed, body->position(), block));
  }

  /// A check, a list of them, or sections of a check file.
  void take(Node body) {
    if (body.is_sequence()) {
      for (const Node& item : body.items()) scope_.checks.add_item(item);
    } else if (body.is_scalar()) {
      scope_.checks.add_item(std::move(body));
    } else if (body.is_mapping() && body.find("type") != nullptr) {
      take_soda_contract(body);
    } else if (body.is_mapping()) {
      const auto& first = body.entries().empty() ? Node::nothing({}) : body.entries().front().first;
      const bool sections = first.text().starts_with("checks for ") || first.text().starts_with("filter ") ||
                            first.text().starts_with("configurations for ");
      if (!sections) return scope_.checks.add_item(std::move(body));
      for (const Node::Entry& section : body.entries()) scope_.checks.add_section(section);
    } else {
      reader_.error("implementation", "expected checks in SodaCL");
    }
  }

  /// Soda's own contract language, as the standard's example has it: type, columns, must_be_….
  void take_soda_contract(const Node& body) {
    MapReader inner(body, scope_.diagnostics, reader_.what() + ": implementation");
    const std::string type = text_of(inner, "type");
    std::string columns;
    for (const std::string_view key : {"column", "columns"}) {
      for (const Node* column : inner.list(key))
        columns.append(columns.empty() ? "" : ", ").append(check_name(column->text()));
    }
    if (columns.empty() && !scope_.column.empty()) columns = check_name(scope_.column);
    std::optional<Threshold> wanted;
    for (const Operator& op : kOperators) {
      const Node* value = inner.child(op.soda);
      if (value != nullptr) wanted = threshold_of(op, *value, op.soda, type.ends_with("_percent"), false);
    }
    if (!wanted) inner.missing("must_be", "an operator is missing, such as \"must_be: 0\"");
    inner.finish();
    if (wanted)
      scope_.checks.add(columns.empty() ? type : fmt::format("{}({})", type, columns), *wanted, std::move(extras_),
                        body.position());
  }

  const Node& node_;
  MapReader reader_;
  const Scope& scope_;
  const int nth_;
  Extras extras_;
};

}  // namespace

void read_rules(MapReader& owner, const Scope& scope) {
  int nth = 0;
  for (const Node* rule : owner.list("quality")) RuleReader(*rule, scope, ++nth).run();
}

}  // namespace weir::quality::contract
