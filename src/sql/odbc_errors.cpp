#include "sql/odbc_errors.h"

#include <algorithm>
#include <array>

#include "sql/postgres_errors.h"

namespace weir::sql {
namespace {

using core::ErrorKind;

struct Rule {
  std::string_view beginning;  // of the SQLSTATE
  ErrorKind kind;
};

// ODBC's own, from the ODBC programmer's reference, appendix A; others are the standard's, as PostgreSQL has them.
constexpr std::array kRules = {
    Rule{"HYT", ErrorKind::timeout},      // HYT00 timeout, HYT01 connection timeout
    Rule{"HY008", ErrorKind::timeout},    // cancelled
    Rule{"42S02", ErrorKind::not_found},  // table
    Rule{"42S22", ErrorKind::not_found},  // column
    Rule{"S0002", ErrorKind::not_found},  // the same as ODBC 2 had them
    Rule{"S0022", ErrorKind::not_found},
    Rule{"IM", ErrorKind::invalid},     // the driver manager: no such data source or driver
    Rule{"HY001", ErrorKind::limit},    // memory
    Rule{"01S00", ErrorKind::invalid},  // connection string attribute
};

struct Phrase {
  std::string_view words;  // in lower case
  ErrorKind kind;
};

// Of drivers that say HY000 or 42000 of everything.
constexpr std::array kPhrases = {
    Phrase{"permission denied", ErrorKind::denied},
    Phrase{"access denied", ErrorKind::denied},
    Phrase{"not authorized", ErrorKind::denied},
    Phrase{"insufficient privileges", ErrorKind::denied},
    Phrase{"authentication", ErrorKind::denied},
    Phrase{"login failed", ErrorKind::denied},
    Phrase{"incorrect username or password", ErrorKind::denied},
    Phrase{"read-only", ErrorKind::denied},
    Phrase{"readonly", ErrorKind::denied},
    Phrase{"no such table", ErrorKind::not_found},
    Phrase{"no such column", ErrorKind::not_found},
    Phrase{"does not exist", ErrorKind::not_found},
    Phrase{"not found", ErrorKind::not_found},
    Phrase{"invalid object name", ErrorKind::not_found},
    Phrase{"invalid column name", ErrorKind::not_found},
    Phrase{"invalid identifier", ErrorKind::not_found},
    Phrase{"cannot be resolved", ErrorKind::not_found},
    Phrase{"unresolved_column", ErrorKind::not_found},
    Phrase{"unknown table", ErrorKind::not_found},
    Phrase{"unknown column", ErrorKind::not_found},
    Phrase{"unknown_identifier", ErrorKind::not_found},
    Phrase{"unrecognized name", ErrorKind::not_found},
    Phrase{"timeout", ErrorKind::timeout},
    Phrase{"timed out", ErrorKind::timeout},
    Phrase{"interrupt", ErrorKind::timeout},
    Phrase{"cancelled", ErrorKind::timeout},
    Phrase{"canceled", ErrorKind::timeout},
    Phrase{"could not connect", ErrorKind::unavailable},
    Phrase{"connection refused", ErrorKind::unavailable},
    Phrase{"connection reset", ErrorKind::unavailable},
    Phrase{"server closed", ErrorKind::unavailable},
    Phrase{"database is locked", ErrorKind::unavailable},
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

}  // namespace

ErrorKind kind_of_odbc(const OdbcDiagnostic& diagnostic) {
  const std::string_view state = diagnostic.state;
  const auto fits = [&](const Rule& rule) { return state.starts_with(rule.beginning); };
  if (const auto rule = std::ranges::find_if(kRules, fits); rule != kRules.end()) return rule->kind;
  const std::string words = lower(diagnostic.message);
  const auto said = [&](const Phrase& phrase) { return words.find(phrase.words) != std::string::npos; };
  const auto phrase = std::ranges::find_if(kPhrases, said);
  const bool vague = state.empty() || state.starts_with("HY") || state == "42000" || state == "37000" ||
                     state == "S1000" || state.starts_with("08");
  if (vague && phrase != kPhrases.end()) return phrase->kind;
  if (state.starts_with("08") || state == "01002") return ErrorKind::unavailable;
  return kind_of_sqlstate(state);
}

std::string words_of(const OdbcDiagnostic& diagnostic) {
  std::string_view message = diagnostic.message;
  while (message.starts_with('[')) {
    const std::size_t end = message.find(']');
    if (end == std::string_view::npos) break;
    message.remove_prefix(end + 1);
    message.remove_prefix(std::min(message.find_first_not_of(' '), message.size()));
  }
  return first_sentence(message);
}

}  // namespace weir::sql
