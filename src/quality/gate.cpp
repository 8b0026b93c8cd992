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

/// Keywords that may stand before a parenthesis, and functions of every engine.
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
                                                                   "from",
                                                                   "ln",
                                                                   "log",
                                                                   "timestamp",
                                                                   "numeric",
                                                                   "varchar",
                                                                   "decimal"});

struct Own {
  std::string_view engine;
  std::string_view function;
};
/// What the dialects of engines with counters write besides. Elsewhere it may be the name of a user's function.
constexpr auto kOwnFunctions = std::to_array<Own>({{"postgres", "pg_typeof"},
                                                   {"postgres", "host"},
                                                   {"postgres", "date_part"},
                                                   {"sqlite", "total"},
                                                   {"sqlite", "typeof"},
                                                   {"sqlite", "julianday"},
                                                   {"snowflake", "to_timestamp_tz"},
                                                   {"snowflake", "regexp_instr"},
                                                   {"snowflake", "date_part"},
                                                   {"snowflake", "if"},
                                                   {"snowflake", "countif"},
                                                   {"clickhouse", "if"},
                                                   {"clickhouse", "countif"},
                                                   {"clickhouse", "uniqexact"},
                                                   {"clickhouse", "uniq"},
                                                   {"clickhouse", "sumornull"},
                                                   {"clickhouse", "avgornull"},
                                                   {"clickhouse", "stddevpopstableornull"},
                                                   {"clickhouse", "stddevsampstableornull"},
                                                   {"clickhouse", "varpopstableornull"},
                                                   {"clickhouse", "varsampstableornull"},
                                                   {"clickhouse", "tounixtimestamp64micro"},
                                                   {"clickhouse", "todatetime64"},
                                                   {"clickhouse", "lengthutf8"},
                                                   {"clickhouse", "lowerutf8"},
                                                   {"clickhouse", "upperutf8"},
                                                   {"clickhouse", "match"},
                                                   {"clickhouse", "tostring"},
                                                   {"clickhouse", "tofloat64"},
                                                   {"clickhouse", "toint64"},
                                                   {"clickhouse", "quantileexactinclusiveornull"}});

/// What is another thing at another time, for another role, or in another table.
constexpr auto kMomentary = std::to_array<std::string_view>({"current_date",
                                                             "current_time",
                                                             "current_timestamp",
                                                             "localtime",
                                                             "localtimestamp",
                                                             "sysdate",
                                                             "systimestamp",
                                                             "now",
                                                             "today",
                                                             "user",
                                                             "current_user",
                                                             "session_user",
                                                             "system_user",
                                                             "current_role",
                                                             "current_schema",
                                                             "current_catalog",
                                                             "select",
                                                             "table",
                                                             "rownum",
                                                             "random"});

/// Those of PostgreSQL, SQL and SQLite whose meaning nobody adds: any other may be a function of a user's.
constexpr auto kOperators =
    std::to_array<std::string_view>({"=",  "<>", "!=", "<",  ">",   "<=", ">=", "+", "-", "*",  "/",  "%", "^",
                                     "||", "~",  "~*", "!~", "!~*", "==", "&",  "|", "#", "<<", ">>", "::"});

/// What a cast may be to: a type of a user's may come with a function.
constexpr auto kTypes = std::to_array<std::string_view>(
    {"text",          "varchar",      "char",     "character",  "bpchar",   "string", "nvarchar", "int",
     "integer",       "bigint",       "smallint", "tinyint",    "int2",     "int4",   "int8",     "int32",
     "int64",         "numeric",      "decimal",  "number",     "real",     "float",  "float4",   "float8",
     "float32",       "float64",      "double",   "boolean",    "bool",     "date",   "time",     "timetz",
     "timestamp",     "timestamptz",  "datetime", "datetime64", "interval", "uuid",   "inet",     "cidr",
     "json",          "jsonb",        "bytea",    "bytes",      "nullable", "signed", "unsigned", "timestamp_ntz",
     "timestamp_ltz", "timestamp_tz", "regtype",  "blob"});

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
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_operator(char c) { return std::string_view("+-*/<>=~!@#%^&|?:").find(c) != std::string_view::npos; }

/// PostgreSQL reads 'today 12:00 UTC' as a time, too.
bool is_momentary_literal(std::string_view literal) {
  bool found = false;
  const std::string text = lower(literal);
  for (std::size_t at = text.find_first_not_of(" \t\r\n"); at != std::string::npos;
       at = text.find_first_not_of(" \t\r\n", at)) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    const std::string_view word = std::string_view(text).substr(at, end - at);
    const bool momentary = holds(kMomentaryLiterals, word);
    const bool clock =
        is_digit(word[0]) || word[0] == '+' || word[0] == '-' || word == "utc" || word == "gmt" || word == "z";
    if (!momentary && !clock) return false;
    found = found || momentary;
    at = end;
  }
  return found;
}

/// Reads SQL word by word until something may give another answer.
class Reader {
 public:
  Reader(std::string_view sql, std::string_view engine) : sql_(sql), engine_(engine) {}

  bool is_stable() {
    while (at_ < sql_.size()) {
      const char c = sql_[at_];
      if (c == '$' || c == '@' || c == '\0') return false;
      if (c == '\'' || c == '"' || c == '`') {
        if (!quoted()) return false;
      } else if (is_digit(c)) {
        number();
      } else if (is_word(c)) {
        if (!word()) return false;
      } else if (is_operator(c)) {
        if (!sign()) return false;
      } else if (c == '.') {
        // `row.name` is a column, or else in PostgreSQL the function `name` of the row.
        if (at_ + 1 >= sql_.size() || !is_digit(sql_[at_ + 1])) return false;
        ++at_;
      } else {
        ++at_;
      }
    }
    return true;
  }

 private:
  std::size_t next() const { return sql_.find_first_not_of(" \t\r\n\f\v", at_); }
  bool followed_by(char c) const { return next() != std::string_view::npos && sql_[next()] == c; }

  bool quoted() {
    const char quote = sql_[at_];
    const std::size_t end = sql_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return false;
    // Some engines escape with a backslash, so that the end would be another.
    if (sql_[end - 1] == '\\' && (end < 2 || sql_[end - 2] != '\\')) return false;
    if (quote == '\'' && is_momentary_literal(sql_.substr(at_ + 1, end - at_ - 1))) return false;
    at_ = end + 1;
    // A name in quotes before a parenthesis is a function of any kind.
    return quote == '\'' || !followed_by('(');
  }

  void number() {
    while (at_ < sql_.size() && (is_word(sql_[at_]) || (sql_[at_] == '.' && is_digit(sql_[at_ - 1])))) ++at_;
  }

  std::string read_word() {
    const std::size_t begin = at_;
    while (at_ < sql_.size() && is_word(sql_[at_])) ++at_;
    return lower(sql_.substr(begin, at_ - begin));
  }

  bool word() {
    const std::string word = read_word();
    if (holds(kMomentary, word)) return false;
    if (word == "as") return type();
    if (!followed_by('(')) return true;
    // Without arguments julianday() is the present.
    const std::size_t argument = sql_.find_first_not_of(" \t\r\n\f\v", next() + 1);
    if (argument != std::string_view::npos && sql_[argument] == ')') return false;
    const auto own = [&](const Own& each) { return each.engine == engine_ && each.function == word; };
    return holds(kStableFunctions, word) || std::ranges::any_of(kOwnFunctions, own) ||
           (engine_ == "sqlite" && word.starts_with("weir_"));
  }

  /// What a value is cast to.
  bool type() {
    at_ = std::min(next(), sql_.size());
    if (!holds(kTypes, read_word())) return false;
    if (followed_by('(')) at_ = next();  // varchar(20) is no function
    return true;
  }

  bool sign() {
    const std::size_t begin = at_;
    while (at_ < sql_.size() && is_operator(sql_[at_])) ++at_;
    std::string_view text = sql_.substr(begin, at_ - begin);
    // PostgreSQL's rule: `=-` is two of them, but one that holds these may end so.
    if (text.find_first_of("~!@#%^&|?") == std::string_view::npos) {
      while (text.size() > 1 && (text.back() == '+' || text.back() == '-')) text.remove_suffix(1);
    }
    if (text == "::") return type();
    return holds(kOperators, text);
  }

  const std::string_view sql_;
  const std::string_view engine_;
  std::size_t at_ = 0;
};

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

bool is_stable(std::string_view sql, std::string_view engine) { return Reader(sql, engine).is_stable(); }

}  // namespace weir::quality
