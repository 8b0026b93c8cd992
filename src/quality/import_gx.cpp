#include "quality/import_gx.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <vector>

#include "quality/check.h"
#include "quality/contract_parts.h"

namespace weir::quality {
namespace {

using config::Diagnostics;
using config::Node;
using contract::Extras;
using contract::TableChecks;
using contract::Threshold;

std::optional<unsigned> hex_at(std::string_view text, std::size_t at) {
  unsigned code = 0;
  if (at + 4 > text.size()) return std::nullopt;
  const auto [end, failed] = std::from_chars(text.data() + at, text.data() + at + 4, code, 16);
  if (failed != std::errc() || end != text.data() + at + 4) return std::nullopt;
  return code;
}

/// "\ud83d\ude00" as "\U0001f600", which YAML has.
std::string join_surrogates(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const auto high = text[i + 1] == 'u' ? hex_at(text, i + 2) : std::nullopt;
    const bool pair = high && *high >= 0xD800 && *high < 0xDC00 && text.compare(i + 6, 2, "\\u") == 0;
    const auto low = pair ? hex_at(text, i + 8) : std::nullopt;
    if (low && *low >= 0xDC00 && *low < 0xE000) {
      out += fmt::format("\\U{:08X}", 0x10000 + ((*high - 0xD800) << 10U) + (*low - 0xDC00));
      i += 11;
    } else {
      out.append(text, i, 2);  // the character after a backslash belongs to it
      ++i;
    }
  }
  return out;
}

/// One expectation's arguments.
class Arguments {
 public:
  explicit Arguments(const Node* kwargs) : kwargs_(kwargs) {}

  const Node* find(std::string_view key) const {
    const Node* node = kwargs_ != nullptr && kwargs_->is_mapping() ? kwargs_->find(key) : nullptr;
    return node == nullptr || node->is_null() ? nullptr : node;
  }
  std::string text(std::string_view key) const {
    const Node* node = find(key);
    return node != nullptr && node->is_scalar() ? node->text() : "";
  }
  bool flag(std::string_view key, bool fallback = false) const {
    const std::string value = text(key);
    return value.empty() ? fallback : value == "true";
  }
  std::vector<std::string> list(std::string_view key) const {
    std::vector<std::string> values;
    const Node* node = find(key);
    for (const Node& item : node != nullptr && node->is_sequence() ? node->items() : std::vector<Node>{})
      values.push_back(item.text());
    return values;
  }
  std::string column() const { return contract::check_name(text("column")); }
  /// The number of an argument, as it is written.
  std::optional<std::string> number(std::string_view key) const {
    const Node* node = find(key);
    if (node == nullptr || !node->is_scalar() || node->quoted()) return std::nullopt;
    double value = 0;
    const std::string& text = node->text();
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failed == std::errc() && end == text.data() + text.size() ? std::optional(text) : std::nullopt;
  }

 private:
  const Node* kwargs_;
};

/// "between 1 and 5" of a lower and an upper bound, either of which may be absent.
std::optional<Threshold> range(const std::optional<std::string>& low, const std::optional<std::string>& high,
                               bool above = false, bool below = false) {
  if (low && high) {
    const std::string bounds = fmt::format("between {}{} and {}{}", above ? "(" : "", *low, *high, below ? ")" : "");
    return Threshold{bounds, "not " + bounds};
  }
  if (low) return above ? Threshold{"> " + *low, "<= " + *low} : Threshold{">= " + *low, "< " + *low};
  if (high) return below ? Threshold{"< " + *high, ">= " + *high} : Threshold{"<= " + *high, "> " + *high};
  return std::nullopt;
}

class Suite {
 public:
  Suite(const std::string& table, const config::Position& position, Diagnostics& diagnostics)
      : table_(table), checks_(contract::check_table(table), position), diagnostics_(diagnostics) {}

  void add(const Node& expectation) {
    const auto text = [&](std::string_view key) {
      const Node* node = expectation.is_mapping() ? expectation.find(key) : nullptr;
      return node != nullptr && node->is_scalar() ? node->text() : std::string();
    };
    type_ = text("type").empty() ? text("expectation_type") : text("type");
    at_ = expectation.position();
    extras_ = {};
    extras_.warns = text("severity") == "warning" || text("severity") == "info";
    if (expectation.is_mapping()) read_meta(expectation);
    const Node* kwargs = expectation.is_mapping() ? expectation.find("kwargs") : nullptr;
    if (type_.empty() || kwargs == nullptr || !kwargs->is_mapping())
      return fail("is no expectation: it has no type or no kwargs");
    const Arguments arguments(kwargs);
    if (arguments.find("row_condition") != nullptr)
      return fail("a row_condition is no SQL; write the check with \"filter:\"");
    const auto known = std::ranges::find(kKinds, type_, &Kind::type);
    if (known == std::end(kKinds)) return fail("has no equal; write a check of \"failed rows:\" for it");
    (this->*known->convert)(arguments);
  }

  Node finish() && { return Node::mapping(std::move(checks_).sections(), at_); }

 private:
  struct Kind {
    std::string_view type;
    void (Suite::*convert)(const Arguments& arguments);
  };
  static const std::array<Kind, 32> kKinds;

  void fail(const std::string& reason) {
    diagnostics_.error(at_, fmt::format("{}: {}", type_.empty() ? "expectation" : type_, reason));
  }

  void read_meta(const Node& expectation) {
    const Node* meta = expectation.find("meta");
    const Node* notes = meta != nullptr && meta->is_mapping() ? meta->find("notes") : nullptr;
    const Node* content = notes != nullptr && notes->is_mapping() ? notes->find("content") : notes;
    for (const Node* name : {expectation.find("description"), content}) {
      if (extras_.name.empty() && name != nullptr && name->is_scalar() && name->text().size() <= 200)
        extras_.name = name->text();
    }
    std::ranges::replace_if(
        extras_.name, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  }

  void setting(const char* key, Node value) { extras_.settings.emplace_back(Node::scalar(key, at_), std::move(value)); }
  Node literal(const std::string& text, bool quoted = false) const { return Node::scalar(text, at_, quoted); }
  Node texts(const std::vector<std::string>& values) const {
    std::vector<Node> items;
    for (const std::string& value : values) items.push_back(literal(value, true));
    return Node::sequence(std::move(items), at_);
  }

  /// Of a metric's value.
  void within(const std::string& measure, const Arguments& arguments) {
    const auto wanted = range(arguments.number("min_value"), arguments.number("max_value"),
                              arguments.flag("strict_min"), arguments.flag("strict_max"));
    if (!wanted) return fail("has neither min_value nor max_value that is a number");
    checks_.add(measure, *wanted, std::move(extras_), at_);
  }

  /// `word`_count = 0, or with an allowance `word`_percent <= the rest.
  void none_of(const std::string& word, const Arguments& arguments) {
    const auto mostly = arguments.number("mostly");
    const double share = mostly ? std::strtod(mostly->c_str(), nullptr) : 1;
    if (share >= 1)
      return checks_.add(fmt::format("{}_count({})", word, arguments.column()), contract::kNone, std::move(extras_),
                         at_);
    if (word == "invalid") {
      diagnostics_.hint(
          at_, fmt::format("{}: \"mostly\" is of the rows that are not null in Great Expectations, of all rows here",
                           type_));
    }
    const std::string most = show_number((1 - share) * 100) + "%";
    checks_.add(fmt::format("{}_percent({})", word, arguments.column()), {"<= " + most, "> " + most},
                std::move(extras_), at_);
  }

  void rows_of(const char* key, const std::string& sql) {
    setting(key, literal(sql, true));
    if (extras_.warns) setting("warn", literal("when > 0", true));
    checks_.add_block("failed rows", std::move(extras_), at_);
  }

  void failed_rows(const std::string& condition) { rows_of("fail condition", condition); }

  void schema(const char* demand, Node value) {
    std::vector<Node::Entry> demands;
    demands.emplace_back(Node::scalar(demand, at_), std::move(value));
    setting(extras_.warns ? "warn" : "fail", Node::mapping(std::move(demands), at_));
    if (extras_.name.empty()) extras_.name = type_;
    checks_.add_block("schema", std::move(extras_), at_);
  }

  void row_count(const Arguments& arguments) { within("row_count", arguments); }
  void row_count_equal(const Arguments& arguments) {
    const auto value = arguments.number("value");
    if (!value) return fail("has no value");
    checks_.add("row_count", {"= " + *value, "!= " + *value}, std::move(extras_), at_);
  }
  void row_count_other(const Arguments& arguments) {
    if (arguments.text("other_table_name").empty()) return fail("has no other_table_name");
    checks_.add_block("row_count same as " + contract::check_table(arguments.text("other_table_name")),
                      std::move(extras_), at_);
  }
  void exists(const Arguments& arguments) {
    if (const auto index = arguments.number("column_index")) {
      return schema("when wrong column index",
                    Node::mapping({{literal(arguments.text("column"), true), literal(*index)}}, at_));
    }
    schema("when required column missing", texts({arguments.text("column")}));
  }
  void column_set(const Arguments& arguments) {
    if (!arguments.flag("exact_match", true)) {
      return schema("when required column missing", texts(arguments.list("column_set")));
    }
    std::vector<Node::Entry> columns;
    for (const std::string& column : arguments.list("column_set")) {
      columns.emplace_back(literal(column, true), Node::nothing(at_));
    }
    schema("when mismatching columns", Node::mapping(std::move(columns), at_));
  }
  void column_list(const Arguments& arguments) {
    std::vector<Node::Entry> columns;
    for (const std::string& column : arguments.list("column_list")) {
      columns.emplace_back(literal(column, true), literal(std::to_string(columns.size())));
    }
    diagnostics_.hint(at_, type_ + ": further columns at the end are not noticed");
    schema("when wrong column index", Node::mapping(std::move(columns), at_));
  }
  void of_type(const Arguments& arguments) {
    schema("when wrong column type",
           Node::mapping({{literal(arguments.text("column"), true), literal(arguments.text("type_"), true)}}, at_));
  }
  void not_null(const Arguments& arguments) { none_of("missing", arguments); }
  void null(const Arguments& arguments) {
    const auto mostly = arguments.number("mostly");
    const std::string least = show_number(100 * (mostly ? std::strtod(mostly->c_str(), nullptr) : 1)) + "%";
    checks_.add(fmt::format("missing_percent({})", arguments.column()), {">= " + least, "< " + least},
                std::move(extras_), at_);
  }
  void unique(const Arguments& arguments) {
    if (arguments.number("mostly") && *arguments.number("mostly") != "1" && *arguments.number("mostly") != "1.0") {
      return fail("\"mostly\" counts every row of a duplicate, and duplicate_percent each value once");
    }
    checks_.add(fmt::format("duplicate_count({})", arguments.column()), contract::kNone, std::move(extras_), at_);
  }
  void unique_together(const Arguments& arguments) {
    std::vector<std::string> columns = arguments.list("column_list");
    for (std::string& column : columns) column = contract::check_name(column);
    if (columns.empty()) return fail("has no column_list");
    checks_.add(fmt::format("duplicate_count({})", fmt::join(columns, ", ")), contract::kNone, std::move(extras_), at_);
  }
  void in_set(const Arguments& arguments) { set_of("valid values", arguments); }
  void not_in_set(const Arguments& arguments) { set_of("invalid values", arguments); }
  void set_of(const char* key, const Arguments& arguments) {
    const Node* values = arguments.find("value_set");
    if (values == nullptr || !values->is_sequence() || values->items().empty()) return fail("has no value_set");
    setting(key, *values);
    none_of("invalid", arguments);
  }
  void regex(const Arguments& arguments) { regex_of("valid regex", arguments); }
  void not_regex(const Arguments& arguments) { regex_of("invalid regex", arguments); }
  void regex_of(const char* key, const Arguments& arguments) {
    if (arguments.text("regex").empty()) return fail("has no regex");
    setting(key, literal(arguments.text("regex"), true));
    none_of("invalid", arguments);
  }
  void lengths(const Arguments& arguments) {
    if (const auto value = arguments.number("value")) setting("valid length", literal(*value));
    if (const auto least = arguments.number("min_value")) setting("valid min length", literal(*least));
    if (const auto most = arguments.number("max_value")) setting("valid max length", literal(*most));
    if (arguments.flag("strict_min") || arguments.flag("strict_max"))
      return fail("a strict bound of a length: write the next whole number");
    if (extras_.settings.empty()) return fail("has no bounds");
    none_of("invalid", arguments);
  }
  void values_between(const Arguments& arguments) {
    const auto low = arguments.number("min_value");
    const auto high = arguments.number("max_value");
    const bool strict = (low && arguments.flag("strict_min")) || (high && arguments.flag("strict_max"));
    const bool dates =
        (arguments.find("min_value") != nullptr && !low) || (arguments.find("max_value") != nullptr && !high);
    if (!strict && !dates && (low || high)) {
      if (low) setting("valid min", literal(*low));
      if (high) setting("valid max", literal(*high));
      return none_of("invalid", arguments);
    }
    if (arguments.number("mostly").value_or("1") != "1" && arguments.number("mostly") != "1.0") {
      return fail("\"mostly\" with strict bounds or bounds that are no numbers has no equal");
    }
    const std::string column = contract::sql_name(arguments.text("column"));
    std::string condition;
    for (const auto& [key, plain, excluded, op] :
         {std::tuple{"min_value", "<", "<=", "strict_min"}, std::tuple{"max_value", ">", ">=", "strict_max"}}) {
      const Node* bound = arguments.find(key);
      if (bound == nullptr || !bound->is_scalar()) continue;
      std::string value = "'";
      for (const char c : bound->text()) value.append(c == '\'' ? 2 : 1, c);
      const std::string written = arguments.number(key) ? bound->text() : value + "'";
      condition += fmt::format("{}{} {} {}", condition.empty() ? "" : " OR ", column,
                               arguments.flag(op) ? excluded : plain, written);
    }
    if (condition.empty()) return fail("has neither min_value nor max_value");
    failed_rows(condition);
  }
  void aggregate(const Arguments& arguments, const std::string& word) {
    within(fmt::format("{}({})", word, arguments.column()), arguments);
  }
  void least(const Arguments& arguments) { aggregate(arguments, "min"); }
  void most(const Arguments& arguments) { aggregate(arguments, "max"); }
  void mean(const Arguments& arguments) { aggregate(arguments, "avg"); }
  void sum(const Arguments& arguments) { aggregate(arguments, "sum"); }
  void deviation(const Arguments& arguments) { aggregate(arguments, "stddev_samp"); }
  void median(const Arguments& arguments) { within(fmt::format("percentile({}, 0.5)", arguments.column()), arguments); }
  void quantiles(const Arguments& arguments) {
    const Node* ranges = arguments.find("quantile_ranges");
    const Node* at = ranges != nullptr && ranges->is_mapping() ? ranges->find("quantiles") : nullptr;
    const Node* values = ranges != nullptr && ranges->is_mapping() ? ranges->find("value_ranges") : nullptr;
    if (at == nullptr || values == nullptr || at->items().size() != values->items().size())
      return fail("has no quantile_ranges");
    for (std::size_t i = 0; i < at->items().size(); ++i) {
      const std::vector<Node>& bounds = values->items()[i].items();
      if (bounds.size() != 2) return fail("a value range has two bounds");
      const auto bound = [](const Node& node) { return node.is_scalar() ? std::optional(node.text()) : std::nullopt; };
      const auto wanted = range(bound(bounds[0]), bound(bounds[1]));
      if (wanted)
        checks_.add(fmt::format("percentile({}, {})", arguments.column(), at->items()[i].text()), *wanted, extras_,
                    at_);
    }
  }
  void distinct(const Arguments& arguments) { expression("distinct_values", "COUNT(DISTINCT {0})", arguments); }
  void distinct_share(const Arguments& arguments) {
    expression("share_of_distinct_values", "COUNT(DISTINCT {0}) * 1.0 / NULLIF(COUNT({0}), 0)", arguments);
  }
  void expression(const std::string& what, std::string_view sql, const Arguments& arguments) {
    std::string metric = what + "_of_" + arguments.text("column");
    std::ranges::replace_if(
        metric, [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; }, '_');
    setting((metric + " expression").c_str(),
            literal(fmt::format(fmt::runtime(sql), contract::sql_name(arguments.text("column"))), true));
    within(metric, arguments);
  }
  void pair_equal(const Arguments& arguments) {
    failed_rows(fmt::format("{} <> {}", contract::sql_name(arguments.text("column_A")),
                            contract::sql_name(arguments.text("column_B"))));
  }
  void pair_greater(const Arguments& arguments) {
    failed_rows(fmt::format("{} {} {}", contract::sql_name(arguments.text("column_A")),
                            arguments.flag("or_equal") ? "<" : "<=", contract::sql_name(arguments.text("column_B"))));
  }
  void sum_equal(const Arguments& arguments) {
    std::vector<std::string> columns = arguments.list("column_list");
    for (std::string& column : columns) column = contract::sql_name(column);
    const auto total = arguments.number("sum_total");
    if (columns.empty() || !total) return fail("has no column_list or no sum_total");
    failed_rows(fmt::format("{} <> {}", fmt::join(columns, " + "), *total));
  }
  void unexpected_rows(const Arguments& arguments) {
    std::string query = arguments.text("unexpected_rows_query");
    if (query.empty()) return fail("has no unexpected_rows_query");
    for (std::size_t at = 0; (at = query.find("{batch}", at)) != std::string::npos;)
      query.replace(at, 7, contract::sql_table(table_));
    rows_of("fail query", query);
  }

  const std::string table_;
  TableChecks checks_;
  Diagnostics& diagnostics_;
  std::string type_;
  config::Position at_;
  Extras extras_;
};

const std::array<Suite::Kind, 32> Suite::kKinds = {{
    {"expect_table_row_count_to_be_between", &Suite::row_count},
    {"expect_table_row_count_to_equal", &Suite::row_count_equal},
    {"expect_table_row_count_to_equal_other_table", &Suite::row_count_other},
    {"expect_column_to_exist", &Suite::exists},
    {"expect_table_columns_to_match_set", &Suite::column_set},
    {"expect_table_columns_to_match_ordered_list", &Suite::column_list},
    {"expect_column_values_to_be_of_type", &Suite::of_type},
    {"expect_column_values_to_not_be_null", &Suite::not_null},
    {"expect_column_values_to_be_null", &Suite::null},
    {"expect_column_values_to_be_unique", &Suite::unique},
    {"expect_compound_columns_to_be_unique", &Suite::unique_together},
    {"expect_column_values_to_be_in_set", &Suite::in_set},
    {"expect_column_distinct_values_to_be_in_set", &Suite::in_set},
    {"expect_column_values_to_not_be_in_set", &Suite::not_in_set},
    {"expect_column_values_to_match_regex", &Suite::regex},
    {"expect_column_values_to_not_match_regex", &Suite::not_regex},
    {"expect_column_value_lengths_to_be_between", &Suite::lengths},
    {"expect_column_value_lengths_to_equal", &Suite::lengths},
    {"expect_column_values_to_be_between", &Suite::values_between},
    {"expect_column_min_to_be_between", &Suite::least},
    {"expect_column_max_to_be_between", &Suite::most},
    {"expect_column_mean_to_be_between", &Suite::mean},
    {"expect_column_sum_to_be_between", &Suite::sum},
    {"expect_column_stdev_to_be_between", &Suite::deviation},
    {"expect_column_median_to_be_between", &Suite::median},
    {"expect_column_quantile_values_to_be_between", &Suite::quantiles},
    {"expect_column_unique_value_count_to_be_between", &Suite::distinct},
    {"expect_column_proportion_of_unique_values_to_be_between", &Suite::distinct_share},
    {"expect_column_pair_values_to_be_equal", &Suite::pair_equal},
    {"expect_column_pair_values_a_to_be_greater_than_b", &Suite::pair_greater},
    {"expect_multicolumn_sum_to_equal", &Suite::sum_equal},
    {"unexpected_rows_expectation", &Suite::unexpected_rows},
}};

}  // namespace

Node parse_json(const std::string& text, const std::string& file, Diagnostics& diagnostics) {
  return config::parse_yaml(join_surrogates(text), file, diagnostics);
}

Node gx_suite_to_checks(const Node& suite, const std::string& table, Diagnostics& diagnostics) {
  const Node* expectations = suite.is_mapping() ? suite.find("expectations") : nullptr;
  if (expectations == nullptr || !expectations->is_sequence()) {
    diagnostics.error(suite.position(), "is no Great Expectations suite: it has no list \"expectations\"");
    return Node::mapping({}, suite.position());
  }
  Suite checks(table, suite.position(), diagnostics);
  for (const Node& expectation : expectations->items()) checks.add(expectation);
  return std::move(checks).finish();
}

}  // namespace weir::quality
