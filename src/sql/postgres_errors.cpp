#include "sql/postgres_errors.h"

#include <algorithm>
#include <array>

namespace weir::sql {
namespace {

using core::ErrorKind;

struct Rule {
  std::string_view beginning;  // of the SQLSTATE
  ErrorKind kind;
};

// The first that fits counts: single codes before their classes.
constexpr std::array kRules = {
    Rule{"57014", ErrorKind::timeout},    // query_canceled: the statement timeout
    Rule{"55P03", ErrorKind::timeout},    // lock_not_available: the lock timeout
    Rule{"25006", ErrorKind::denied},     // read_only_sql_transaction
    Rule{"42501", ErrorKind::denied},     // insufficient_privilege
    Rule{"42P01", ErrorKind::not_found},  // undefined_table
    Rule{"42703", ErrorKind::not_found},  // undefined_column
    Rule{"3F000", ErrorKind::not_found},  // invalid_schema_name
    Rule{"3D000", ErrorKind::not_found},  // invalid_catalog_name
    Rule{"28", ErrorKind::denied},        // invalid authorization
    Rule{"08", ErrorKind::unavailable},   // connection exception
    Rule{"53", ErrorKind::unavailable},   // insufficient resources
    Rule{"57P", ErrorKind::unavailable},  // the server shuts down, crashed, or starts up
    Rule{"40", ErrorKind::unavailable},   // rollback: conflict with recovery on a replica, deadlock
    Rule{"XX", ErrorKind::internal},
};

struct Phrase {
  std::string_view words;
  ErrorKind kind;
};

constexpr std::array kPhrases = {
    Phrase{" URI", ErrorKind::invalid},
    Phrase{"percent-encoded", ErrorKind::invalid},
    Phrase{"connection option", ErrorKind::invalid},
    Phrase{"password authentication failed", ErrorKind::denied},
    Phrase{"authentication failed", ErrorKind::denied},
    Phrase{"no password supplied", ErrorKind::denied},
    Phrase{"no pg_hba.conf entry", ErrorKind::denied},
    Phrase{"pg_hba.conf rejects", ErrorKind::denied},
    Phrase{"permission denied", ErrorKind::denied},
    Phrase{"is not permitted to log in", ErrorKind::denied},
    Phrase{"certificate", ErrorKind::denied},
    Phrase{"role \"", ErrorKind::denied},
    Phrase{"database \"", ErrorKind::not_found},
    Phrase{"timeout expired", ErrorKind::timeout},
};

}  // namespace

ErrorKind kind_of_sqlstate(std::string_view sqlstate) {
  const auto fits = [&](const Rule& rule) { return sqlstate.starts_with(rule.beginning); };
  const auto rule = std::ranges::find_if(kRules, fits);
  return rule == kRules.end() ? ErrorKind::invalid : rule->kind;
}

ErrorKind kind_of_connect_failure(std::string_view message) {
  const auto fits = [&](const Phrase& phrase) { return message.find(phrase.words) != std::string_view::npos; };
  const auto phrase = std::ranges::find_if(kPhrases, fits);
  return phrase == kPhrases.end() ? ErrorKind::unavailable : phrase->kind;
}

std::string first_sentence(std::string_view message) {
  // libpq quotes a connection string it cannot read, password and all.
  for (const std::string_view quoting :
       {" URI", "percent-encoded", "connection option", "connection string", "info string"}) {
    if (message.find(quoting) != std::string_view::npos) return "the connection url cannot be read";
  }
  message.remove_prefix(std::min(message.find_first_not_of(" \n"), message.size()));
  message = message.substr(0, message.find('\n'));
  for (const std::string_view prefix : {"FATAL:", "ERROR:", "PANIC:"}) {
    const std::size_t at = message.find(prefix);
    if (at != std::string_view::npos) message.remove_prefix(at + prefix.size());
  }
  if (message.starts_with("connection to server")) {
    if (const std::size_t failed = message.find("failed: "); failed != std::string_view::npos) {
      message.remove_prefix(failed + 8);
    }
  }
  message.remove_prefix(std::min(message.find_first_not_of(' '), message.size()));
  message = message.substr(0, message.find_last_not_of(" .\r") + 1);
  return std::string(message);
}

}  // namespace weir::sql
