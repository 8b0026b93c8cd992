#include "quality/contract_export.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "quality/contract_parts.h"
#include "quality/expression.h"

namespace weir::quality {
namespace {

using config::Diagnostics;
using config::Node;
using Entries = std::vector<Node::Entry>;

const config::Position kNowhere;

Node text(const std::string& value, bool quoted = false) { return Node::scalar(value, kNowhere, quoted); }

void put(Entries& entries, const std::string& key, Node value) { entries.emplace_back(text(key), std::move(value)); }

std::string operator_of(Condition::Op op) {
  switch (op) {
    case Condition::Op::equal: return "mustBe";
    case Condition::Op::not_equal: return "mustNotBe";
    case Condition::Op::greater: return "mustBeGreaterThan";
    case Condition::Op::greater_equal: return "mustBeGreaterOrEqualTo";
    case Condition::Op::less: return "mustBeLessThan";
    case Condition::Op::less_equal: return "mustBeLessOrEqualTo";
    case Condition::Op::between: return "mustBeBetween";
    case Condition::Op::not_between: return "mustNotBeBetween";
  }
  return "";
}

Condition::Op opposite(Condition::Op op) {
  switch (op) {
    case Condition::Op::equal: return Condition::Op::not_equal;
    case Condition::Op::not_equal: return Condition::Op::equal;
    case Condition::Op::greater: return Condition::Op::less_equal;
    case Condition::Op::greater_equal: return Condition::Op::less;
    case Condition::Op::less: return Condition::Op::greater_equal;
    case Condition::Op::less_equal: return Condition::Op::greater;
    case Condition::Op::between: return Condition::Op::not_between;
    case Condition::Op::not_between: return Condition::Op::between;
  }
  return op;
}

struct Library {
  std::string_view count;
  std::string_view percent;
  std::string_view metric;
};
constexpr std::array kLibrary = {
    Library{"row_count", "", "rowCount"},
    Library{"missing_count", "missing_percent", "nullValues"},
    Library{"invalid_count", "invalid_percent", "invalidValues"},
    Library{"duplicate_count", "duplicate_percent", "duplicateValues"},
};

constexpr std::array<std::string_view, 7> kDimensions = {"accuracy", "completeness", "conformity", "consistency",
                                                         "coverage", "timeliness",   "uniqueness"};

/// What is made of one table's checks.
struct Object {
  std::string table;
  std::vector<std::string> columns;  // in the order met
  std::vector<std::pair<std::string, std::vector<Node>>> column_rules;
  std::vector<Node> rules;
};

/// One check as a rule of the library; nullopt where SodaCL says more than it can.
class RuleWriter {
 public:
  RuleWriter(const Node& check, const Node& settings) : check_(check), settings_(settings) {}

  struct Rule {
    std::string column;  // "" for the table
    Node node;
  };

  std::optional<Rule> write() {
    const auto expression = parse_expression(check_.text());
    if (!expression || expression->change) return std::nullopt;
    const auto library = std::ranges::find_if(kLibrary, [&](const Library& each) {
      return expression->metric == each.count || (!each.percent.empty() && expression->metric == each.percent);
    });
    if (library == kLibrary.end()) return std::nullopt;
    percent_ = expression->metric == library->percent;
    const std::size_t columns = expression->arguments.size();
    const bool pair = library->metric == "duplicateValues" && columns > 1;
    if (columns != (library->metric == "rowCount" ? 0 : 1) && !pair) return std::nullopt;
    Entries rule;
    put(rule, "metric", text(std::string(library->metric)));
    if (!read_settings(*library, rule)) return std::nullopt;
    if (pair) add_columns(*expression);
    if (!arguments_.empty()) put(rule, "arguments", Node::mapping(std::move(arguments_), kNowhere));
    if (!add_threshold(*expression, rule)) return std::nullopt;
    if (percent_) put(rule, "unit", text("percent"));
    return Rule{columns == 1 ? expression->arguments[0].text : "", Node::mapping(std::move(rule), kNowhere)};
  }

 private:
  /// False for a setting that the library has no word for.
  bool read_settings(const Library& library, Entries& rule) {
    bool valid = false;
    for (const auto& [key, value] : settings_.entries()) {
      const std::string& word = key.text();
      if (word == "name" && value.is_scalar()) {
        put(rule, "name", text(value.text(), true));
      } else if (word == "warn" || word == "fail") {
        continue;  // of the threshold
      } else if (word == "attributes" && value.is_mapping()) {
        if (!add_attributes(value, rule)) return false;
      } else if (word == "missing values" && library.metric == "nullValues" && value.is_sequence()) {
        rule[0].second = text("missingValues");
        put(arguments_, "missingValues", value);
      } else if (word == "valid values" && library.metric == "invalidValues" && value.is_sequence() && !valid) {
        put(arguments_, "validValues", value);
        valid = true;
      } else if (word == "valid regex" && library.metric == "invalidValues" && value.is_scalar() &&
                 settings_.find("valid values") == nullptr) {
        put(arguments_, "pattern", value);
        valid = true;
      } else {
        return false;
      }
    }
    return valid || library.metric != "invalidValues";
  }

  /// The standard's own words at their places, the rest as custom properties.
  static bool add_attributes(const Node& attributes, Entries& rule) {
    std::vector<Node> custom;
    for (const auto& [key, value] : attributes.entries()) {
      if (!value.is_scalar()) return false;
      const bool dimension =
          key.text() == "dimension" && std::ranges::find(kDimensions, value.text()) != kDimensions.end();
      if (dimension || key.text() == "businessImpact") {
        put(rule, key.text(), value);
      } else {
        Entries property;
        put(property, "property", text(key.text()));
        put(property, "value", value);
        custom.push_back(Node::mapping(std::move(property), kNowhere));
      }
    }
    if (!custom.empty()) put(rule, "customProperties", Node::sequence(std::move(custom), kNowhere));
    return true;
  }

  void add_columns(const Expression& expression) {
    std::vector<Node> columns;
    for (const Argument& argument : expression.arguments) columns.push_back(text(argument.text, true));
    put(arguments_, "properties", Node::sequence(std::move(columns), kNowhere));
  }

  bool add_threshold(const Expression& expression, Entries& rule) const {
    const Node* warn = settings_.find("warn");
    if (settings_.find("fail") != nullptr) return false;
    std::optional<Condition> wanted = expression.condition;
    if (warn != nullptr) {
      const auto zone = warn->is_scalar() ? parse_zone(warn->text()) : std::unexpected(TextError{});
      if (!zone || wanted) return false;
      wanted = *zone;
      wanted->op = opposite(wanted->op);
      put(rule, "severity", text("warning"));
    }
    if (!wanted || wanted->unit == Unit::duration || !wanted->low_included || !wanted->high_included) return false;
    const Node low = text(fmt::format("{}", wanted->low));
    const bool two = wanted->op == Condition::Op::between || wanted->op == Condition::Op::not_between;
    put(rule, operator_of(wanted->op),
        two ? Node::sequence({low, text(fmt::format("{}", wanted->high))}, kNowhere) : low);
    return true;
  }

  const Node& check_;
  const Node& settings_;
  bool percent_ = false;
  Entries arguments_;
};

Node soda_rule(const Node& body) {
  Entries rule;
  put(rule, "type", text("custom"));
  put(rule, "engine", text("soda"));
  put(rule, "implementation", body);
  return Node::mapping(std::move(rule), kNowhere);
}

class Exporter {
 public:
  explicit Exporter(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Node run(const Node& root) {
    if (!root.is_mapping()) {
      diagnostics_.error(root.position(),
                         fmt::format("expected sections such as \"checks for <table>:\", found {}", root.kind_name()));
      return root;
    }
    for (const auto& [key, value] : root.entries()) read_section(key, value);
    Entries contract;
    put(contract, "apiVersion", text("v3.1.0"));
    put(contract, "kind", text("DataContract"));
    put(contract, "id", text(objects_.empty() ? "checks" : objects_.front().table, true));
    put(contract, "version", text("1.0.0"));
    put(contract, "status", text("draft"));
    std::vector<Node> schema;
    for (Object& object : objects_) schema.push_back(write(object));
    put(contract, "schema", Node::sequence(std::move(schema), kNowhere));
    return Node::mapping(std::move(contract), kNowhere);
  }

 private:
  void read_section(const Node& key, const Node& value) {
    static constexpr std::array<std::string_view, 3> kOfTables = {"checks for ", "filter ", "configurations for "};
    const auto beginning =
        std::ranges::find_if(kOfTables, [&](std::string_view each) { return key.text().starts_with(each); });
    if (beginning == kOfTables.end()) {
      return diagnostics_.error(
          key.position(),
          fmt::format("section \"{}\" belongs to no table, so it has no place in a contract", key.text()));
    }
    const auto header = parse_header(key.text(), beginning->substr(0, beginning->size() - 1));
    if (!header) return diagnostics_.error(key.position(), header.error().message);
    Object& object = object_of(*header);
    const bool plain = *beginning == "checks for " && header->filter.empty() && value.is_sequence();
    if (!plain) {
      // A filter and its checks, a table's configuration: as a whole section.
      object.rules.push_back(soda_rule(Node::mapping({{text(key.text()), value}}, kNowhere)));
      return;
    }
    for (const Node& item : value.items()) read_check(item, object);
  }

  Object& object_of(const Header& header) {
    std::string table;
    for (const std::string& part : header.table) {
      const bool plain = contract::check_name(part) == part;
      table.append(table.empty() ? "" : ".").append(plain ? part : contract::check_name(part));
    }
    const auto known = std::ranges::find(objects_, table, &Object::table);
    if (known != objects_.end()) return *known;
    objects_.push_back({table, {}, {}, {}});
    return objects_.back();
  }

  static void read_check(const Node& item, Object& object) {
    static const Node kNothing;
    const bool mapping = item.is_mapping() && item.entries().size() == 1;
    const Node* check = item.is_scalar() ? &item : mapping ? &item.entries()[0].first : nullptr;
    const Node& settings = mapping ? item.entries()[0].second : kNothing;
    auto rule =
        check == nullptr || (mapping && !settings.is_mapping()) ? std::nullopt : RuleWriter(*check, settings).write();
    if (!rule) {
      object.rules.push_back(soda_rule(Node::sequence({item}, kNowhere)));
    } else if (rule->column.empty()) {
      object.rules.push_back(std::move(rule->node));
    } else {
      auto column =
          std::ranges::find(object.column_rules, rule->column, &std::pair<std::string, std::vector<Node>>::first);
      if (column == object.column_rules.end()) {
        object.column_rules.push_back({rule->column, {}});
        column = object.column_rules.end() - 1;
      }
      column->second.push_back(std::move(rule->node));
    }
  }

  /// The columns that rules are about are properties of the contract; that they exist is then demanded too.
  static Node write(Object& object) {
    Entries entries;
    put(entries, "name", text(object.table, true));
    std::vector<Node> properties;
    for (auto& [name, rules] : object.column_rules) {
      Entries property;
      put(property, "name", text(name, true));
      put(property, "quality", Node::sequence(std::move(rules), kNowhere));
      properties.push_back(Node::mapping(std::move(property), kNowhere));
    }
    if (!properties.empty()) put(entries, "properties", Node::sequence(std::move(properties), kNowhere));
    if (!object.rules.empty()) put(entries, "quality", Node::sequence(std::move(object.rules), kNowhere));
    return Node::mapping(std::move(entries), kNowhere);
  }

  Diagnostics& diagnostics_;
  std::vector<Object> objects_;
};

}  // namespace

Node checks_to_contract(const Node& root, Diagnostics& diagnostics) { return Exporter(diagnostics).run(root); }

}  // namespace weir::quality
