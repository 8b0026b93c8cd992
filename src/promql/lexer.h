#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "promql/ast.h"

namespace weir::promql {

enum class TokenKind { end, identifier, number, duration, text, symbol };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;  // as written; of a string literal, unescaped
  double number = 0;
  core::Duration duration{0};
  Place place;

  bool is(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
};

/// Splits an expression into tokens, ending with one of kind `end`. Identifiers may hold colons, as
/// recorded metrics do; comments run from # to the end of the line. Errors: where is "line:col".
core::Result<std::vector<Token>> lex(std::string_view text);

/// The error of an expression at a place.
std::unexpected<core::Error> error_at(const Place& place, std::string message);

}  // namespace weir::promql
