#include "quality/gate.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "quality/judge.h"

namespace weir::quality {
namespace {

bool any_null(const sql::Row& row) {
  return std::ranges::any_of(row,
                             [](const sql::Value& value) { return std::holds_alternative<std::monostate>(value); });
}

/// Keywords that may stand before a parenthesis, functions of every engine, and what the dialects of those with
/// counters write.
constexpr auto kStableFunctions = std::to_array<std::string_view>({"in",
                                                                   "and",
                                                                   "or",
                                                                   "not",
                                                                   "between",
                                                                   "like",
                                                                   "is",
                                                                   "exists",
                                                                   "case",
                                                                   "when",
                                                                   "then",
                                                                   "else",
                                                                   "any",
                                                                   "all",
                                                                   "cast",
                                                                   "abs",
                                                                   "coalesce",
                                                                   "nullif",
                                                                   "lower",
                                                                   "upper",
                                                                   "trim",
                                                                   "length",
                                                                   "round",
                                                                   "floor",
                                                                   "ceil",
                                                                   "mod",
                                                                   "substr",
                                                                   "replace",
                                                                   "substring",
                                                                   "greatest",
                                                                   "least",
                                                                   "count",
                                                                   "sum",
                                                                   "avg",
                                                                   "min",
                                                                   "max",
                                                                   "distinct",
                                                                   "where",
                                                                   "filter",
                                                                   "extract",
                                                                   "group",
                                                                   "within",
                                                                   "total",
                                                                   "typeof",
                                                                   "sqrt",
                                                                   "stddev_pop",
                                                                   "stddev_samp",
                                                                   "var_pop",
                                                                   "var_samp",
                                                                   "percentile_disc",
                                                                   "percentile_cont",
                                                                   "char_length",
                                                                   "character_length",
                                                                   "order",
                                                                   "pg_typeof",
                                                                   "from",
                                                                   "ln",
                                                                   "log",
                                                                   "if",
                                                                   "date_part",
                                                                   "to_timestamp_tz",
                                                                   "regexp_instr",
                                                                   "countif",
                                                                   "uniqexact",
                                                                   "uniq",
                                                                   "sumornull",
                                                                   "avgornull",
                                                                   "stddevpopstableornull",
                                                                   "stddevsampstableornull",
                                                                   "varpopstableornull",
                                                                   "varsampstableornull",
                                                                   "tounixtimestamp64micro",
                                                                   "todatetime64",
                                                                   "lengthutf8",
                                                                   "lowerutf8",
                                                                   "upperutf8",
                                                                   "match",
                                                                   "tostring",
                                                                   "tofloat64",
                                                                   "toint64",
                                                                   "quantileexactinclusiveornull",
                                                                   "julianday",
                                                                   "timestamp",
                                                                   "numeric",
                                                                   "varchar",
                                                                   "decimal"});

constexpr std::array<std::string_view, 16> kMomentary = {"current_date",
                                                         "current_time",
                                                         "current_timestamp",
                                                         "localtime",
                                                         "localtimestamp",
                                                         "sysdate",
                                                         "systimestamp",
                                                         "now",
                                                         "today",
                                                         "current_user",
                                                         "session_user",
                                                         "user",
                                                         "current_role",
                                                         "select",
                                                         "rownum",
                                                         "random"};

constexpr std::array<std::string_view, 6> kMomentaryLiterals = {"now",       "today",    "tomorrow",
                                                                "yesterday", "allballs", "epoch"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & '\x80') != 0; }

}  // namespace

std::optional<WriteMark> write_mark(const core::Result<sql::Table>& counters, const core::Result<sql::Table>* delay) {
  if (!counters || counters->rows.size() != 1 || counters->rows[0].empty()) return std::nullopt;
  WriteMark mark;
  mark.counters = counters->rows[0];
  if (delay == nullptr) return any_null(mark.counters) ? std::nullopt : std::optional(mark);
  if (!*delay || (*delay)->rows.size() != 1 || (*delay)->rows[0].size() != 3) return std::nullopt;
  const sql::Row& row = (*delay)->rows[0];
  const auto clock = to_number(row[0]);
  const auto* epoch = std::get_if<std::string>(&row[2]);
  if (!clock || epoch == nullptr) return std::nullopt;
  mark.clock = *clock;
  mark.epoch = *epoch;
  if (!std::holds_alternative<std::monostate>(row[1])) {
    const auto unsettled = to_number(row[1]);
    if (!unsettled) return std::nullopt;
    mark.unsettled = unsettled;
  }
  return mark;
}

bool unchanged(const WriteMark& before, const WriteMark& now) {
  if (before.counters != now.counters || before.epoch != now.epoch) return false;
  if (now.clock < before.clock) return false;  // a clock that was set back orders nothing
  // What was committed before the earlier mark was there for the scan that followed it.
  return !now.unsettled || *now.unsettled < before.clock;
}

bool is_stable(std::string_view sql) {
  std::size_t at = 0;
  while (at < sql.size()) {
    const char c = sql[at];
    if (c == '\'' || c == '"' || c == '`') {
      const std::size_t end = sql.find(c, at + 1);
      if (end == std::string_view::npos) return false;
      // Some engines escape with a backslash, so that the end would be another.
      if (sql[end - 1] == '\\' && (end < 2 || sql[end - 2] != '\\')) return false;
      std::string literal = lower(sql.substr(at + 1, end - at - 1));
      std::erase(literal, ' ');
      if (c == '\'' && holds(kMomentaryLiterals, literal)) return false;
      // A name in quotes before a parenthesis is a function of any kind.
      const std::size_t next = sql.find_first_not_of(" \t\r\n", end + 1);
      if (c != '\'' && next != std::string_view::npos && sql[next] == '(') return false;
      at = end + 1;
    } else if (is_word(c)) {
      const std::size_t begin = at;
      while (at < sql.size() && is_word(sql[at])) ++at;
      const std::string word = lower(sql.substr(begin, at - begin));
      const std::size_t next = sql.find_first_not_of(" \t\r\n", at);
      const bool call = next != std::string_view::npos && sql[next] == '(';
      const bool number = std::isdigit(static_cast<unsigned char>(word[0])) != 0;
      // Without arguments julianday() is the present.
      const std::size_t argument = call ? sql.find_first_not_of(" \t\r\n", next + 1) : next;
      if (call && argument != std::string_view::npos && sql[argument] == ')') return false;
      if (holds(kMomentary, word) ||
          (call && !number && !holds(kStableFunctions, word) && !word.starts_with("weir_"))) {
        return false;
      }
    } else {
      if (c == '$' || c == '@') return false;
      ++at;
    }
  }
  return true;
}

}  // namespace weir::quality
