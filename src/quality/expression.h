#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quality/check.h"
#include "quality/lexer.h"

namespace weir::quality {

struct Argument {
  std::string text;
  std::size_t offset = 0;
  std::string minus = {};  // `a - b`: b, else ""
};

/// `[change … for] metric[(arguments)] [condition]`, its words not yet judged.
struct Expression {
  std::optional<Change> change;
  std::string metric;
  std::size_t metric_offset = 0;
  std::vector<Argument> arguments;
  std::optional<Condition> condition;
  std::size_t condition_offset = 0;
};

/// The check grammar of Soda 3 for metric checks.
std::expected<Expression, TextError> parse_expression(std::string_view text);

/// What stands before the condition, for one that cannot be read. Errors: as parse_expression's, of that part.
std::expected<Expression, TextError> parse_metric(std::string_view text);

/// "when < 10", of a warn or fail zone. Offsets count from the beginning of `text`.
std::expected<Condition, TextError> parse_zone(std::string_view text);

/// "checks for sales.fct_orders [recent]", "filter fct_orders [recent]".
struct Header {
  std::vector<std::string> table;
  std::string filter;
};
/// What comes after `beginning` ("checks for"), which `text` is known to start with.
std::expected<Header, TextError> parse_header(std::string_view text, std::string_view beginning);

}  // namespace weir::quality
