#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace weir::templates {

struct TemplateToken {
  enum class Kind { text, open, close, word, variable, field, number, string, punctuation, space };
  Kind kind = Kind::text;
  std::string text;  // a string's value without quotes and escapes; a field's name without its dot
  std::size_t offset = 0;
};

/// Cuts a template into text and the tokens between `{{` and `}}`; comments vanish and trim markers (`{{-`, `-}}`)
/// take the neighbouring white space with them, as in Go. Errors: invalid, `where` is "line:col".
core::Result<std::vector<TemplateToken>> lex_template(std::string_view text);

/// "line:col" of an offset, both from 1.
std::string template_place(std::string_view text, std::size_t offset);

}  // namespace weir::templates
