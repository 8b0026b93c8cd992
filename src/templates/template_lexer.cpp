#include "templates/template_lexer.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace weir::templates {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

bool is_space(char c) { return kSpaces.find(c) != std::string_view::npos; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

std::optional<std::uint32_t> read_number(std::string_view digits, unsigned base) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    unsigned digit = 99;
    if (is_digit(c)) digit = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A') + 10;
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

/// Reads the escape that follows a backslash at text[at]; moves `at` behind it. False when Go knows no such escape.
bool unescape(std::string_view text, std::size_t& at, char quote, std::string& out) {
  constexpr std::string_view kNames = "abfnrtv\\";
  constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
  const char c = text[at];
  if (const std::size_t known = kNames.find(c); known != std::string_view::npos || c == quote) {
    out += c == quote ? quote : kValues[known];
    ++at;
    return true;
  }
  const bool octal = c >= '0' && c <= '7';
  const std::size_t width = octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  const std::size_t start = octal ? at : at + 1;
  if (width == 0 || start + width > text.size()) return false;
  const auto code = read_number(text.substr(start, width), octal ? 8 : 16);
  if (!code || *code > 0x10FFFF || ((octal || c == 'x') && *code > 0xFF)) return false;
  if (c == 'u' || c == 'U') {
    if (*code >= 0xD800 && *code < 0xE000) return false;
    append_utf8(out, *code);
  } else {
    out += static_cast<char>(*code);
  }
  at = start + width;
  return true;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  core::Result<std::vector<TemplateToken>> run() {
    while (at_ < text_.size()) {
      lex_text();
      if (at_ < text_.size()) {
        if (auto done = lex_action(); !done) return std::unexpected(done.error());
      }
    }
    return std::move(tokens_);
  }

 private:
  std::unexpected<core::Error> fail(std::size_t offset, std::string message) const {
    return core::fail(core::ErrorKind::invalid, std::move(message), template_place(text_, offset));
  }

  void push(TemplateToken::Kind kind, std::string text, std::size_t offset) {
    tokens_.push_back({kind, std::move(text), offset});
  }

  bool at_trim_open() const {
    return text_.substr(at_, 1) == "-" && at_ + 1 < text_.size() && is_space(text_[at_ + 1]);
  }

  void lex_text() {
    const std::size_t open = std::min(text_.find("{{", at_), text_.size());
    std::string_view text = text_.substr(at_, open - at_);
    if (trim_next_) text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
    trim_next_ = false;
    const std::size_t start = at_;
    at_ = std::min(open + 2, text_.size());
    if (open < text_.size() && at_trim_open()) {
      text = text.substr(0, text.find_last_not_of(kSpaces) + 1);
      ++at_;
    }
    open_ = open;
    if (!text.empty()) push(TemplateToken::Kind::text, std::string(text), start);
  }

  /// From behind `{{` to behind `}}`.
  core::Result<void> lex_action() {
    std::size_t look = at_;
    while (look < text_.size() && is_space(text_[look])) ++look;
    // A comment must start right after the braces, or after the trim marker and its space.
    if (text_.substr(at_, 2) == "/*" || (text_[at_ - 1] == '-' && text_.substr(look, 2) == "/*")) return comment(look);
    push(TemplateToken::Kind::open, "{{", open_);
    while (true) {
      if (at_ >= text_.size()) return fail(open_, "unclosed action: \"}}\" is missing");
      if (close()) {
        push(TemplateToken::Kind::close, "}}", at_ - 2);
        return {};
      }
      if (auto done = lex_token(); !done) return done;
    }
  }

  /// Takes `}}` or ` -}}` at the present place.
  bool close() {
    if (text_.substr(at_, 2) == "}}") {
      at_ += 2;
      return true;
    }
    if (is_space(text_[at_]) && text_.substr(at_ + 1, 3) == "-}}") {
      at_ += 4;
      trim_next_ = true;
      return true;
    }
    return false;
  }

  core::Result<void> comment(std::size_t start) {
    const std::size_t end = text_.find("*/", start + 2);
    if (end == std::string_view::npos) return fail(open_, "unclosed comment: \"*/\" is missing");
    at_ = end + 2;
    if (at_ >= text_.size() || !close()) return fail(open_, "a comment must end with \"*/}}\"");
    return {};
  }

  core::Result<void> lex_token() {
    const std::size_t start = at_;
    const char c = text_[at_];
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (is_space(c)) {
      // Stop before a space that begins ` -}}`.
      while (at_ < text_.size() && is_space(text_[at_]) && (at_ == start || text_.substr(at_ + 1, 3) != "-}}")) ++at_;
      push(TemplateToken::Kind::space, " ", start);
      return {};
    }
    if (c == '"' || c == '`' || c == '\'') return lex_quoted(c);
    if (is_digit(c) || ((c == '-' || c == '+') && (is_digit(next) || next == '.')) || (c == '.' && is_digit(next))) {
      ++at_;
      while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '.' || exponent_sign())) ++at_;
      push(TemplateToken::Kind::number, std::string(text_.substr(start, at_ - start)), start);
      return {};
    }
    if (is_word(c) || c == '$' || c == '.') return lex_name(c);
    const bool declares = c == ':' && next == '=';
    if (!declares && std::string_view("|()=,").find(c) == std::string_view::npos) {
      return fail(start, fmt::format("unexpected \"{}\" in an action", c));
    }
    at_ += declares ? 2 : 1;
    push(TemplateToken::Kind::punctuation, declares ? ":=" : std::string(1, c), start);
    return {};
  }

  bool exponent_sign() const {
    const char before = text_[at_ - 1];
    return (text_[at_] == '+' || text_[at_] == '-') && (before == 'e' || before == 'E');
  }

  core::Result<void> lex_name(char first) {
    const std::size_t start = at_;
    at_ += is_word(first) ? 0 : 1;
    const std::size_t name = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    std::string word(text_.substr(name, at_ - name));
    if (first == '$') {
      push(TemplateToken::Kind::variable, "$" + word, start);
    } else {
      push(first == '.' ? TemplateToken::Kind::field : TemplateToken::Kind::word, std::move(word), start);
    }
    return {};
  }

  core::Result<void> lex_quoted(char quote) {
    const std::size_t start = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (quote != '`' && text_[at_] == '\n') break;
      if (quote != '`' && text_[at_] == '\\') {
        ++at_;
        if (at_ >= text_.size() || !unescape(text_, at_, quote, value))
          return fail(start, "unknown escape in a string");
      } else {
        value += text_[at_++];
      }
    }
    if (at_ >= text_.size() || text_[at_] != quote) return fail(start, "a quoted string does not end");
    ++at_;
    if (quote == '\'') return fail(start, "a character in single quotes is not supported: write text in double quotes");
    push(TemplateToken::Kind::string, std::move(value), start);
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t open_ = 0;  // where the present action's braces are
  bool trim_next_ = false;
  std::vector<TemplateToken> tokens_;
};

}  // namespace

core::Result<std::vector<TemplateToken>> lex_template(std::string_view text) { return Lexer(text).run(); }

std::string template_place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  return fmt::format("{}:{}", line, newline == std::string_view::npos ? offset + 1 : offset - newline);
}

}  // namespace weir::templates
