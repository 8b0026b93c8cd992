#include "quality/user_sql.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

namespace weir::quality {
namespace {

constexpr std::size_t kMostBytes = 100'000;
constexpr std::string_view kSpace = " \t\r\n";

/// Goes through SQL and tells code from quotes and comments, as the standard has them.
class Walk {
 public:
  explicit Walk(std::string_view sql) : sql_(sql) {}

  std::string mistake() {
    while (at_ < sql_.size()) {
      if (std::string found = step(); !found.empty()) return found;
    }
    if (depth_ > 0) return "a parenthesis is not closed";
    if (words_ == 0) return "there is no query";
    return {};
  }

 private:
  std::string step() {
    const char c = sql_[at_];
    const std::string_view pair = sql_.substr(at_, 2);
    if (static_cast<unsigned char>(c) < ' ' && kSpace.find(c) == std::string_view::npos) {
      return "a control character is not allowed";
    }
    if (c == '\'' || c == '"' || c == '`') return skip_quoted(c);
    if (pair == "--") return skip_to("\n", "");
    if (pair == "/*") return skip_comment();
    if (c == ';') return "a semicolon is not allowed within: it must be a single query";
    if (c == '$') return skip_dollar();
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) return word();
    depth_ += c == '(' ? 1 : 0;
    depth_ -= c == ')' ? 1 : 0;
    ++at_;
    return depth_ < 0 ? "a parenthesis closes that was not opened" : "";
  }

  /// A doubled quote closes and opens again.
  std::string skip_quoted(char quote) {
    const std::size_t end = sql_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return fmt::format("a quote {} is not closed", quote);
    at_ = end + 1;
    return {};
  }

  std::string skip_to(std::string_view end, std::string_view otherwise) {
    const std::size_t found = sql_.find(end, at_);
    at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
    return found == std::string_view::npos ? std::string(otherwise) : "";
  }

  /// PostgreSQL nests them, others do not: one that reads differently is refused.
  std::string skip_comment() {
    const std::size_t end = sql_.find("*/", at_ + 2);
    if (end == std::string_view::npos) return "a comment is not closed";
    if (sql_.substr(at_ + 2, end - at_ - 2).find("/*") != std::string_view::npos) {
      return "a comment within a comment is not allowed";
    }
    at_ = end + 2;
    return {};
  }

  std::string skip_dollar() {
    ++at_;
    const bool ahead = at_ < sql_.size() && (sql_[at_] == '$' || sql_[at_] == '{' || sql_[at_] == '_' ||
                                             std::isalnum(static_cast<unsigned char>(sql_[at_])) != 0);
    return ahead ? "a dollar sign is not allowed outside quotes: no dollar-quoted text, no parameters" : "";
  }

  std::string word() {
    const std::size_t begin = at_;
    while (at_ < sql_.size() && (std::isalnum(static_cast<unsigned char>(sql_[at_])) != 0 || sql_[at_] == '_')) ++at_;
    if (words_++ > 0) return {};
    std::string first(sql_.substr(begin, at_ - begin));
    std::ranges::transform(first, first.begin(), [](unsigned char c) { return std::toupper(c); });
    constexpr std::array<std::string_view, 4> kBeginnings = {"SELECT", "WITH", "VALUES", "TABLE"};
    if (std::ranges::find(kBeginnings, first) != kBeginnings.end()) return {};
    return fmt::format("a query begins with SELECT or WITH, not with {}", first);
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  std::size_t words_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string query_mistake(std::string_view sql) {
  if (sql.size() > kMostBytes) return fmt::format("is longer than {} bytes", kMostBytes);
  return Walk(bare_query(sql)).mistake();
}

std::string bare_query(std::string_view sql) {
  const std::size_t begin = sql.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  std::size_t end = sql.find_last_not_of(kSpace);
  if (sql[end] == ';') end = sql.substr(0, end).find_last_not_of(kSpace);
  if (end == std::string_view::npos || end < begin) return {};
  return std::string(sql.substr(begin, end - begin + 1));
}

std::string derived_table(std::string_view query, std::string_view alias) {
  return fmt::format("({}\n) {}", query, alias);
}

}  // namespace weir::quality
