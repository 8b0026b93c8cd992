#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace weir::quality {

struct Token {
  enum class Kind {
    word,      // a bare name or keyword: letters, digits and whatever else is no separator
    quoted,    // a name in double quotes or backticks; text is without them
    number,    // 5, -2.5, +1e3
    duration,  // 1h30m, 90s, 1d12 (Soda: a last number without a unit is in the next smaller one)
    symbol,    // ( ) [ ] , . % < <= = >= > != <>
    end,
  };
  Kind kind = Kind::end;
  std::string text;        // of a number or duration as written
  std::size_t offset = 0;  // in bytes, where it begins
  std::size_t end = 0;     // and where the next character is

  bool is(std::string_view symbol_or_word) const {
    return (kind == Kind::symbol || kind == Kind::word) && text == symbol_or_word;
  }
};

/// A mistake in a line of text: a sentence, and how many bytes into the text.
struct TextError {
  std::string message;
  std::size_t offset = 0;
};

/// Splits a check or section header into tokens, the last of kind end. Errors: a quote that does not close,
/// a character that begins nothing, control characters, text over 4 KiB.
std::expected<std::vector<Token>, TextError> tokenize(std::string_view text);

}  // namespace weir::quality
