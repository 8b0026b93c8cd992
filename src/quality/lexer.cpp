#include "quality/lexer.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::quality {
namespace {

constexpr std::size_t kLongest = 4096;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_separator(char c) { return std::string_view(" \t\r\n<=>!()[],%\"`").find(c) != std::string_view::npos; }
bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::expected<std::vector<Token>, TextError> run() {
    if (text_.size() > kLongest) return error(0, fmt::format("the text is longer than {} bytes", kLongest));
    const auto control =
        std::ranges::find_if(text_, [](unsigned char c) { return c < ' ' && c != '\n' && c != '\t' && c != '\r'; });
    if (control != text_.end()) {
      return error(static_cast<std::size_t>(control - text_.begin()), "a control character is not allowed here");
    }
    std::vector<Token> tokens;
    while (true) {
      while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
      if (at_ == text_.size()) break;
      auto token = next();
      if (!token) return std::unexpected(token.error());
      tokens.push_back(std::move(*token));
    }
    tokens.push_back({Token::Kind::end, "", at_, at_});
    return tokens;
  }

 private:
  std::unexpected<TextError> error(std::size_t offset, std::string message) const {
    return std::unexpected(TextError{std::move(message), offset});
  }

  Token take(Token::Kind kind, std::size_t length) {
    Token token{kind, std::string(text_.substr(at_, length)), at_, at_ + length};
    at_ += length;
    return token;
  }

  std::expected<Token, TextError> next() {
    const char c = text_[at_];
    const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '"' || c == '`') return quoted(c);
    if (is_digit(c) || ((c == '-' || c == '+' || c == '.') && is_digit(after)) ||
        ((c == '-' || c == '+') && after == '.'))
      return number();
    if (starts_word(c)) {
      std::size_t end = at_;
      while (end < text_.size() && !is_separator(text_[end])) ++end;
      return take(Token::Kind::word, end - at_);
    }
    for (const std::string_view pair : {"<=", ">=", "!=", "<>", "=="}) {
      if (text_.substr(at_, 2) != pair) continue;
      if (pair == "==") return error(at_, "write = rather than ==");
      return take(Token::Kind::symbol, 2);
    }
    if (std::string_view("()[],.%<=>-").find(c) != std::string_view::npos) return take(Token::Kind::symbol, 1);
    return error(at_, fmt::format("unexpected character \"{}\"", c));
  }

  std::expected<Token, TextError> quoted(char quote) {
    Token token{Token::Kind::quoted, "", at_, at_};
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] != quote) {
        token.text += text_[i];
      } else if (i + 1 < text_.size() && text_[i + 1] == quote) {
        token.text += text_[++i];  // a doubled quote stands for one
      } else {
        at_ = token.end = i + 1;
        if (token.text.empty()) return error(token.offset, "the name in quotes is empty");
        return token;
      }
    }
    return error(at_, fmt::format("the name that begins with {} has no end", quote));
  }

  /// Everything up to a separator: what kind of number it is, and whether it is one, the parser sees.
  std::expected<Token, TextError> number() {
    std::size_t end = at_ + 1;
    bool letters = false;
    for (; end < text_.size() && !is_separator(text_[end]); ++end) letters = letters || starts_word(text_[end]);
    const std::string_view word = text_.substr(at_, end - at_);
    const bool exponent = word.find_first_not_of("0123456789.+-eE") == std::string_view::npos;
    return take(letters && !exponent ? Token::Kind::duration : Token::Kind::number, word.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::expected<std::vector<Token>, TextError> tokenize(std::string_view text) { return Lexer(text).run(); }

}  // namespace weir::quality
