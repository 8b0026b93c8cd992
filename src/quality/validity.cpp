#include "quality/validity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "quality/formats.h"

namespace weir::quality {
namespace {

using config::Node;

constexpr std::size_t kMostValues = 10'000;

// Which member of Validity a key sets.
const std::map<std::string_view, std::optional<Values> Validity::*> kLists = {
    {"missing values", &Validity::missing_values},
    {"valid values", &Validity::valid_values},
    {"invalid values", &Validity::invalid_values},
};
const std::map<std::string_view, std::optional<std::string> Validity::*> kTexts = {
    {"missing regex", &Validity::missing_regex}, {"missing format", &Validity::missing_format},
    {"valid regex", &Validity::valid_regex},     {"invalid regex", &Validity::invalid_regex},
    {"valid format", &Validity::valid_format},   {"invalid format", &Validity::invalid_format},
};
const std::map<std::string_view, std::optional<double> Validity::*> kNumbers = {
    {"valid min", &Validity::valid_min},
    {"valid max", &Validity::valid_max},
    {"valid length", &Validity::valid_length},
    {"valid min length", &Validity::valid_min_length},
    {"valid max length", &Validity::valid_max_length},
};

bool is_number(const std::string& text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() && std::isfinite(number);
}

std::optional<Values> read_values(const Node& node, const std::string& what, config::Diagnostics& diagnostics) {
  if (!node.is_sequence() || node.items().empty() || node.items().size() > kMostValues) {
    diagnostics.error(node.position(), fmt::format("{}: expected a list of 1 to {} values", what, kMostValues));
    return std::nullopt;
  }
  Values values;
  values.numbers = std::ranges::all_of(
      node.items(), [](const Node& item) { return item.is_scalar() && !item.quoted() && is_number(item.text()); });
  for (const Node& item : node.items()) {
    if (!item.is_scalar()) {
      diagnostics.error(item.position(),
                        what + ": expected a text or a number, found " + std::string(item.kind_name()));
      return std::nullopt;
    }
    if (!values.numbers && !item.quoted() && is_number(item.text())) {
      diagnostics.error(item.position(), fmt::format("{}: either all values are numbers or all are texts; write '{}' "
                                                     "for the text",
                                                     what, item.text()));
      return std::nullopt;
    }
    values.items.push_back(item.text());
  }
  return values;
}

std::optional<std::string> read_text(std::string_view key, const Node& node, const std::string& what,
                                     config::Diagnostics& diagnostics) {
  if (!node.is_scalar() || node.text().empty() || node.text().size() > 4096 ||
      node.text().find('\0') != std::string::npos) {
    diagnostics.error(node.position(), what + ": expected a text");
    return std::nullopt;
  }
  if (key.ends_with("format") && find_format(node.text()) == nullptr) {
    const auto names = format_names();
    diagnostics.error(node.position(), fmt::format("{}: unknown format \"{}\"{}; there are {}", what, node.text(),
                                                   config::did_you_mean(node.text(), names), fmt::join(names, ", ")));
    return std::nullopt;
  }
  return node.text();
}

std::optional<double> read_bound(std::string_view key, const Node& node, const std::string& what,
                                 config::Diagnostics& diagnostics) {
  double number = 0;
  const std::string& text = node.text();
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool fine =
      node.is_scalar() && failed == std::errc() && end == text.data() + text.size() && std::isfinite(number);
  if (!fine) {
    diagnostics.error(node.position(), what + ": expected a number");
    return std::nullopt;
  }
  if (key.ends_with("length") && (number < 0 || std::trunc(number) != number)) {
    diagnostics.error(node.position(), what + ": expected a whole number of characters");
    return std::nullopt;
  }
  return number;
}

std::string joined(const std::vector<std::string>& conditions, std::string_view word) {
  std::string text;
  for (const std::string& condition : conditions) {
    text += (text.empty() ? "" : fmt::format(" {} ", word)) + "(" + condition + ")";
  }
  return text;
}

}  // namespace

const std::vector<std::string>& validity_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all = {"include null"};
    for (const auto& [key, member] : kLists) all.emplace_back(key);
    for (const auto& [key, member] : kTexts) all.emplace_back(key);
    for (const auto& [key, member] : kNumbers) all.emplace_back(key);
    return all;
  }();
  return keys;
}

bool read_validity(std::string_view key, const Node& value, Validity& validity, const std::string& what,
                   config::Diagnostics& diagnostics) {
  const std::string named = fmt::format("{}: \"{}\"", what, key);
  if (const auto list = kLists.find(key); list != kLists.end()) {
    validity.*list->second = read_values(value, named, diagnostics);
  } else if (const auto text = kTexts.find(key); text != kTexts.end()) {
    validity.*text->second = read_text(key, value, named, diagnostics);
  } else if (const auto number = kNumbers.find(key); number != kNumbers.end()) {
    validity.*number->second = read_bound(key, value, named, diagnostics);
  } else if (key == "include null") {
    const bool fine = value.is_scalar() && (value.text() == "true" || value.text() == "false");
    if (!fine) diagnostics.error(value.position(), named + ": expected true or false");
    if (fine) validity.include_null = value.text() == "true";
  } else {
    return false;
  }
  return true;
}

bool Validity::judges() const {
  return valid_values || invalid_values || valid_regex || invalid_regex || valid_format || invalid_format ||
         valid_min || valid_max || valid_length || valid_min_length || valid_max_length;
}

void Validity::merge(const Validity& defaults) {
  for (const auto& [key, member] : kLists) {
    const auto& other = defaults.*member;
    if (!other) continue;
    auto& own = this->*member;
    if (!own) {
      own = other;
    } else {
      own->items.insert(own->items.end(), other->items.begin(), other->items.end());
      own->numbers = own->numbers && other->numbers;
    }
  }
  for (const auto& [key, member] : kTexts) {
    if (!(this->*member)) this->*member = defaults.*member;
  }
  for (const auto& [key, member] : kNumbers) {
    if (!(this->*member)) this->*member = defaults.*member;
  }
  if (!include_null) include_null = defaults.include_null;
}

std::string Validity::identity() const {
  std::string text;
  const auto add = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", key, value);
  };
  for (const auto& [key, member] : kLists) {
    const auto& values = this->*member;
    if (values) add(key, fmt::format("{}[{}]", values->numbers ? "#" : "", fmt::join(values->items, "\x1f")));
  }
  for (const auto& [key, member] : kTexts) {
    if (this->*member) add(key, *(this->*member));
  }
  for (const auto& [key, member] : kNumbers) {
    if (this->*member) add(key, fmt::format("{}", *(this->*member)));
  }
  if (include_null) add("include null", *include_null ? "true" : "false");
  return text;
}

std::string Scope::identity() const {
  std::string text = validity.identity();
  if (!filter.empty()) text += (text.empty() ? "filter: " : ", filter: ") + filter;
  return text;
}

ScopeSql::ScopeSql(const Scope& scope, const sql::Dialect& dialect)
    : scope_(scope), dialect_(dialect), column_(dialect.identifier(scope.column)) {}

std::string ScopeSql::matches(const std::string& regex) const {
  const auto condition = dialect_.matches(column_, regex);
  if (condition) return *condition;
  impossible_ = fmt::format("{} has no regular expressions here", dialect_.name());
  return "1 = 0";
}

std::string ScopeSql::format(const std::string& name) const {
  const std::string& regex = find_format(name)->regex;
  const bool address = name == "ip address" || name == "ipv4 address" || name == "ipv6 address";
  if (!address || dialect_.name() != "postgres") return matches(regex);
  // As text an inet has its netmask behind it: 10.0.0.1/32.
  const std::string text = dialect_.cast_text(column_);
  return *dialect_.matches(
      fmt::format("CASE WHEN pg_typeof({}) = 'inet'::regtype THEN host({}::inet) ELSE {} END", column_, text, text),
      regex);
}

std::string ScopeSql::in(const Values& values) const {
  std::string list;
  for (const std::string& item : values.items) {
    list += (list.empty() ? "" : ", ") + (values.numbers ? item : dialect_.text_literal(item));
  }
  return fmt::format("{} IN ({})", column_, list);
}

/// Text in one of the numeric formats as a number: its spaces, signs of plus and percent and its currency's letters
/// removed, its comma read as a point, as Soda casts it. NULL when nothing is left.
std::string ScopeSql::number_of(const std::string& text, bool money) const {
  std::string digits = money ? dialect_.lower(text) : text;
  std::string removed = " +%";
  if (money) removed += "abcdefghijklmnopqrstuvwxyz";
  for (const char c : removed) digits = fmt::format("replace({}, '{}', '')", digits, c);
  return dialect_.cast_number(fmt::format("nullif(replace({}, ',', '.'), '')", digits));
}

std::string ScopeSql::bound(std::string_view comparison, double value) const {
  const auto& format_name = scope_.validity.valid_format;
  const std::string limit = fmt::format("{} {}", comparison, dialect_.number_literal(value));
  if (!format_name || !find_format(*format_name)->numeric) return fmt::format("{} {}", column_, limit);
  // Guarded, for what is no number must not be cast.
  const NamedFormat& known = *find_format(*format_name);
  return fmt::format("CASE WHEN {} THEN {} END {}", matches(known.regex), number_of(column_, known.money), limit);
}

std::string ScopeSql::missing() const {
  const Validity& validity = scope_.validity;
  std::string condition = column_ + " IS NULL";
  if (validity.missing_values) condition += " OR " + in(*validity.missing_values);
  if (validity.missing_format) condition += " OR " + format(*validity.missing_format);
  if (validity.missing_regex) condition += " OR " + matches(*validity.missing_regex);
  return condition;
}

std::vector<std::string> ScopeSql::valid_conditions() const {
  const Validity& validity = scope_.validity;
  std::vector<std::string> conditions;
  if (validity.valid_values) conditions.push_back(in(*validity.valid_values));
  if (validity.valid_format) conditions.push_back(format(*validity.valid_format));
  if (validity.valid_regex) conditions.push_back(matches(*validity.valid_regex));
  const auto length = [&](std::string_view comparison, const std::optional<double>& value) {
    if (value) {
      conditions.push_back(
          fmt::format("{} {} {}", dialect_.length(column_), comparison, dialect_.number_literal(*value)));
    }
  };
  length("=", validity.valid_length);
  length(">=", validity.valid_min_length);
  length("<=", validity.valid_max_length);
  if (validity.valid_min) conditions.push_back(bound(">=", *validity.valid_min));
  if (validity.valid_max) conditions.push_back(bound("<=", *validity.valid_max));
  return conditions;
}

std::vector<std::string> ScopeSql::invalid_conditions() const {
  const Validity& validity = scope_.validity;
  std::vector<std::string> conditions;
  if (validity.invalid_format) conditions.push_back(format(*validity.invalid_format));
  if (validity.invalid_values) conditions.push_back(in(*validity.invalid_values));
  if (validity.invalid_regex) conditions.push_back(matches(*validity.invalid_regex));
  return conditions;
}

std::string ScopeSql::or_null(const std::string& condition) const {
  return scope_.validity.include_null.value_or(false) ? fmt::format("({}) OR {} IS NULL", condition, column_)
                                                      : condition;
}

std::string ScopeSql::valid() const {
  std::string condition = fmt::format("NOT ({})", missing());
  if (const auto all = valid_conditions(); !all.empty()) condition += " AND " + joined(all, "AND");
  if (const auto any = invalid_conditions(); !any.empty()) condition += " AND NOT (" + joined(any, "OR") + ")";
  return scope_.validity.judges() ? or_null(condition) : condition;
}

std::string ScopeSql::invalid() const {
  std::vector<std::string> reasons;
  if (const auto all = valid_conditions(); !all.empty()) reasons.push_back("NOT (" + joined(all, "AND") + ")");
  if (const auto any = invalid_conditions(); !any.empty()) reasons.push_back(joined(any, "OR"));
  return or_null(fmt::format("NOT ({}) AND ({})", missing(), joined(reasons, "OR")));
}

std::string ScopeSql::filtered(const std::string& condition) const {
  // The line break keeps a condition's last line, whatever it holds, apart from the parenthesis.
  return scope_.filter.empty() ? condition : fmt::format("({}\n) AND ({})", scope_.filter, condition);
}

std::string ScopeSql::count(const std::string& condition) const { return dialect_.count_if(filtered(condition)); }

std::string ScopeSql::rows() const {
  return scope_.filter.empty() ? "count(*)" : dialect_.count_if(scope_.filter + "\n");
}

std::string ScopeSql::value() const {
  const Validity& validity = scope_.validity;
  std::string expression = column_;
  if (!validity.empty()) {
    expression = fmt::format("CASE WHEN {} THEN {} END", filtered(valid()), column_);
  } else if (!scope_.filter.empty()) {
    return filtered_column();
  }
  const NamedFormat* numeric = validity.valid_format ? find_format(*validity.valid_format) : nullptr;
  return numeric != nullptr && numeric->numeric ? number_of(expression, numeric->money) : expression;
}

std::string ScopeSql::filtered_column() const {
  return scope_.filter.empty() ? column_ : fmt::format("CASE WHEN {}\n THEN {} END", scope_.filter, column_);
}

}  // namespace weir::quality
