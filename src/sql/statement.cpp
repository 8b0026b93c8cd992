#include "sql/statement.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string>

namespace weir::sql {
namespace {

constexpr std::array<std::string_view, 6> kReading = {"select", "with", "values", "table", "explain", "describe"};

// Functions of the same name, as in replace(…) and truncate(…), are told by their parenthesis.
constexpr std::array<std::string_view, 33> kWriting = {
    "insert", "update", "delete", "merge",  "replace",  "truncate", "drop",     "create", "alter",
    "rename", "grant",  "revoke", "call",   "exec",     "execute",  "do",       "copy",   "unload",
    "load",   "import", "export", "attach", "detach",   "commit",   "rollback", "begin",  "start",
    "set",    "into",   "vacuum", "kill",   "optimize", "lock"};

constexpr std::array<std::string_view, 4> kColumnsToo = {"start", "do", "load", "lock"};

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

/// Reads a statement word by word, with quotes and comments left out.
class Words {
 public:
  Words(std::string_view text, bool backslash_escapes, bool brackets)
      : text_(text), backslash_(backslash_escapes), brackets_(brackets) {}

  /// Why the statement is refused; empty when it is not.
  std::string judge() {
    while (problem_.empty() && at_ < text_.size()) next();
    if (problem_.empty() && words_ == 0) problem_ = "expected exactly one SQL statement";
    return problem_;
  }

 private:
  void next() {
    const char c = text_[at_];
    const std::string_view rest = text_.substr(at_);
    if (c == '\'' || c == '"' || c == '`') return quoted(c);
    if (c == '[' && brackets_) return quoted(']');
    if (rest.starts_with("--")) return line_comment(rest);
    if (rest.starts_with("/*")) return comment(rest);
    if (is_word(c)) return word();
    if (c == '$' || c == '#') problem_ = fmt::format("{} outside of quotes", c);
    if (c == ';' && rest.find_first_not_of("; \t\r\n") != std::string_view::npos) {
      problem_ = "expected exactly one SQL statement";
    }
    ++at_;
  }

  /// MySQL takes -- for two minus signs unless a blank follows.
  void line_comment(std::string_view rest) {
    if (rest.size() > 2 && std::string_view(" \t\r\n").find(rest[2]) == std::string_view::npos) {
      problem_ = "a comment without a blank after its --";
    }
    skip_past("\n");
  }

  void comment(std::string_view rest) {
    if (rest.starts_with("/*!") || rest.starts_with("/*M!")) {
      problem_ = "a comment that some engines execute";
      return;
    }
    // PostgreSQL's comments nest and others' do not.
    const std::size_t end = rest.find("*/", 2);
    if (rest.substr(2, end).find("/*") < (end == std::string_view::npos ? end : end - 2)) {
      problem_ = "a comment within a comment";
    }
    skip_past("*/");
  }

  void skip_past(std::string_view end) {
    const std::size_t found = text_.find(end, at_ + (end == "*/" ? 2 : 0));
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
  }

  void quoted(char quote) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (backslash_ && text_[at_] == '\\' && quote != '`' && quote != ']') {
        ++at_;
      } else if (text_[at_] == quote) {
        ++at_;
        return;
      }
    }
    problem_ = "quotes that do not end";
  }

  void word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    std::string lower(text_.substr(begin, at_ - begin));
    std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    const std::size_t after = text_.find_first_not_of(" \t\r\n", at_);
    const char next = after == std::string_view::npos ? '\0' : text_[after];
    if (words_++ == 0 && std::ranges::find(kReading, lower) == kReading.end()) {
      problem_ = fmt::format("it begins with {}", lower);
    }
    // q'[…]' is Oracle's way to hold quotes without doubling them.
    if ((lower == "q" || lower == "nq") && at_ < text_.size() && text_[at_] == '\'') problem_ = "quotes of a q'…' kind";
    const bool writes = std::ranges::find(kWriting, lower) != kWriting.end();
    const bool may_be_column = std::ranges::find(kColumnsToo, lower) != kColumnsToo.end();
    const bool member = begin > 0 && text_[begin - 1] == '.';
    if (writes && next != '(' && !member && !(may_be_column && words_ > 1))
      problem_ = fmt::format("{} is in it", lower);
  }

  const std::string_view text_;
  const bool backslash_;
  const bool brackets_;
  std::size_t at_ = 0;
  int words_ = 0;
  std::string problem_;
};

}  // namespace

core::Result<void> check_reads_only(std::string_view statement, Quoting quoting, std::string_view where) {
  using core::ErrorKind;
  for (const bool backslash_escapes : {false, true}) {
    if (backslash_escapes && !quoting.backslash_escapes) break;
    const std::string problem = Words(statement, backslash_escapes, quoting.brackets).judge();
    if (problem.empty()) continue;
    const bool shape = problem.starts_with("expected");
    return core::fail(shape ? ErrorKind::invalid : ErrorKind::denied,
                      shape ? problem : fmt::format("the statement may do more than read: {}", problem),
                      std::string(where));
  }
  return {};
}

core::Result<core::Duration> time_left(const QueryLimits& limits, core::Duration statement_timeout,
                                       std::string_view where) {
  using std::chrono::steady_clock;
  if (limits.stop.stop_requested()) return core::fail(core::ErrorKind::cancelled, "shutting down", std::string(where));
  auto left = std::min(statement_timeout, limits.timeout);
  if (limits.deadline != steady_clock::time_point::max()) {
    left = std::min(left, std::chrono::duration_cast<core::Duration>(limits.deadline - steady_clock::now()));
  }
  if (left > core::Duration::zero()) return left;
  return core::fail(core::ErrorKind::timeout, "no time is left for the query", std::string(where));
}

}  // namespace weir::sql
