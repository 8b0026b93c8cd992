#include "promql/lexer.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace weir::promql {
namespace {

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool continues_name(char c) { return starts_name(c) || is_digit(c); }

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  core::Result<std::vector<Token>> run() {
    while (true) {
      skip_space();
      Token token;
      token.place = place_;
      if (at_ == text_.size()) {
        tokens_.push_back(token);
        return std::move(tokens_);
      }
      if (auto read = next(token); !read) return std::unexpected(read.error());
      tokens_.push_back(std::move(token));
    }
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  char advance() {
    const char c = text_[at_++];
    if (c == '\n') {
      ++place_.line;
      place_.column = 1;
    } else {
      ++place_.column;
    }
    return c;
  }

  void skip_space() {
    while (at_ < text_.size()) {
      if (peek() == '#') {
        while (at_ < text_.size() && peek() != '\n') advance();
      } else if (std::isspace(static_cast<unsigned char>(peek())) != 0) {
        advance();
      } else {
        return;
      }
    }
  }

  core::Result<void> next(Token& token) {
    const char c = peek();
    const bool subquery_colon = c == ':' && (in_brackets_ || !continues_name(peek(1)));
    if (starts_name(c) && !subquery_colon) return name(token);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number(token);
    if (c == '"' || c == '\'' || c == '`') return quoted(token);
    return symbol(token);
  }

  core::Result<void> name(Token& token) {
    token.kind = TokenKind::identifier;
    while (continues_name(peek())) token.text += advance();
    return {};
  }

  core::Result<void> symbol(Token& token) {
    static constexpr std::array<std::string_view, 24> kSymbols{"==", "!=", "=~", "!~", "<=", ">=", "<", ">",
                                                               "=",  "+",  "-",  "*",  "/",  "%",  "^", "(",
                                                               ")",  "{",  "}",  "[",  "]",  ",",  ":", "@"};
    for (const std::string_view symbol : kSymbols) {
      if (!text_.substr(at_).starts_with(symbol)) continue;
      token.kind = TokenKind::symbol;
      for (std::size_t i = 0; i < symbol.size(); ++i) token.text += advance();
      if (symbol == "[" || symbol == "]") in_brackets_ = symbol == "[";
      return {};
    }
    return error_at(token.place, std::string("unexpected character '") + peek() + "'");
  }

  // A number, or a duration: digits with unit letters behind them.
  core::Result<void> number(Token& token) {
    while (continues_name(peek()) || peek() == '.' || exponent_sign(token.text)) token.text += advance();
    if (token.text.find(':') != std::string::npos) {
      // "[5m:1m]": the colon belongs to the subquery, not to the duration.
      const std::size_t extra = token.text.size() - token.text.find(':');
      at_ -= extra;
      place_.column -= static_cast<int>(extra);
      token.text.resize(token.text.size() - extra);
    }
    if (const auto value = parse_number(token.text)) {
      token.kind = TokenKind::number;
      token.number = *value;
      return {};
    }
    if (const auto duration = core::parse_duration(token.text); duration) {
      token.kind = TokenKind::duration;
      token.duration = *duration;
      token.number = core::to_seconds(*duration);
      return {};
    }
    return error_at(token.place, "\"" + token.text + "\" is neither a number nor a duration");
  }

  bool exponent_sign(const std::string& before) const {
    if (before.empty() || (peek() != '+' && peek() != '-') || before.starts_with("0x") || before.starts_with("0X"))
      return false;
    return (before.back() == 'e' || before.back() == 'E') && is_digit(peek(1));
  }

  static std::optional<double> parse_number(std::string text) {
    std::erase(text, '_');
    const char* end = text.data() + text.size();
    if (text.starts_with("0x") || text.starts_with("0X")) {
      std::uint64_t value = 0;
      const auto [stop, failed] = std::from_chars(text.data() + 2, end, value, 16);
      if (failed != std::errc() || stop != end) return std::nullopt;
      return static_cast<double>(value);
    }
    double value = 0;
    const auto [stop, failed] = std::from_chars(text.data(), end, value);
    if (failed == std::errc::result_out_of_range && stop == end) return std::strtod(text.c_str(), nullptr);
    if (failed != std::errc() || stop != end) return std::nullopt;
    return value;
  }

  core::Result<void> quoted(Token& token) {
    token.kind = TokenKind::text;
    const char quote = advance();
    while (true) {
      if (at_ == text_.size() || (peek() == '\n' && quote != '`'))
        return error_at(token.place, "the string is not closed");
      const char c = advance();
      if (c == quote) return {};
      if (c != '\\' || quote == '`') {
        token.text += c;
      } else if (!escape(token.text, quote)) {
        return error_at(token.place, "unknown escape in the string");
      }
    }
  }

  bool escape(std::string& out, char quote) {
    if (at_ == text_.size()) return false;
    const char c = advance();
    static constexpr std::string_view kNames = "abfnrtv\\";
    static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
    if (const std::size_t known = kNames.find(c); known != std::string_view::npos) {
      out += kValues[known];
      return true;
    }
    if (c == quote) {
      out += c;
      return true;
    }
    if (c >= '0' && c <= '7') {
      --at_;
      --place_.column;
      return code_point(out, 3, 8, true);
    }
    if (c == 'x') return code_point(out, 2, 16, true);
    if (c == 'u') return code_point(out, 4, 16, false);
    return c == 'U' && code_point(out, 8, 16, false);
  }

  bool code_point(std::string& out, std::size_t digits, int base, bool byte) {
    std::uint32_t code = 0;
    if (at_ + digits > text_.size()) return false;
    const char* start = text_.data() + at_;
    const auto [stop, failed] = std::from_chars(start, start + digits, code, base);
    if (failed != std::errc() || stop != start + digits) return false;
    for (std::size_t i = 0; i < digits; ++i) advance();
    if (byte) {
      if (code > 0xff) return false;
      out += static_cast<char>(code);
      return true;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    append_utf8(out, code);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Place place_;
  bool in_brackets_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

std::unexpected<core::Error> error_at(const Place& place, std::string message) {
  return core::fail(core::ErrorKind::invalid, std::move(message),
                    std::to_string(place.line) + ":" + std::to_string(place.column));
}

core::Result<std::vector<Token>> lex(std::string_view text) { return Lexer(text).run(); }

}  // namespace weir::promql
