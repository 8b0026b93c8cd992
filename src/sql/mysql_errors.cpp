#include "sql/mysql_errors.h"

#include <algorithm>
#include <array>

namespace weir::sql {
namespace {

using core::ErrorKind;

struct Rule {
  unsigned number;
  ErrorKind kind;
};

// MariaDB's and MySQL's server error references, and errmsg.h for the client's.
constexpr std::array kRules = {
    Rule{1044, ErrorKind::denied},       // no access to the database
    Rule{1045, ErrorKind::denied},       // wrong password
    Rule{1130, ErrorKind::denied},       // the host may not connect
    Rule{1142, ErrorKind::denied},       // no privilege on the table
    Rule{1143, ErrorKind::denied},       // no privilege on the column
    Rule{1227, ErrorKind::denied},       // a privilege is lacking
    Rule{1251, ErrorKind::denied},       // authentication protocol
    Rule{1290, ErrorKind::denied},       // the server is read-only
    Rule{1370, ErrorKind::denied},       // no privilege on the routine
    Rule{1698, ErrorKind::denied},       // no password was given
    Rule{1792, ErrorKind::denied},       // a write in a read-only transaction
    Rule{1820, ErrorKind::denied},       // the password must be changed
    Rule{1862, ErrorKind::denied},       // the password has expired
    Rule{2026, ErrorKind::denied},       // TLS
    Rule{2059, ErrorKind::denied},       // the authentication plugin is not available
    Rule{2061, ErrorKind::denied},       // the authentication plugin fails
    Rule{4151, ErrorKind::denied},       // the account is locked
    Rule{3118, ErrorKind::denied},       // the account is locked (MySQL)
    Rule{1049, ErrorKind::not_found},    // no such database
    Rule{1051, ErrorKind::not_found},    // no such table
    Rule{1054, ErrorKind::not_found},    // no such column
    Rule{1109, ErrorKind::not_found},    // no such table in this statement
    Rule{1146, ErrorKind::not_found},    // no such table
    Rule{1205, ErrorKind::timeout},      // lock wait
    Rule{1317, ErrorKind::timeout},      // interrupted by KILL QUERY
    Rule{1969, ErrorKind::timeout},      // max_statement_time
    Rule{3024, ErrorKind::timeout},      // max_execution_time
    Rule{1040, ErrorKind::unavailable},  // too many connections
    Rule{1053, ErrorKind::unavailable},  // shutting down
    Rule{1129, ErrorKind::unavailable},  // the host is blocked after many errors
    Rule{1158, ErrorKind::unavailable},  // network
    Rule{1159, ErrorKind::unavailable}, Rule{1160, ErrorKind::unavailable},
    Rule{1161, ErrorKind::unavailable}, Rule{1203, ErrorKind::unavailable},  // too many connections of the user
    Rule{1213, ErrorKind::unavailable},                                      // deadlock
    Rule{1226, ErrorKind::unavailable},                                      // the user's resources are used up
    Rule{1927, ErrorKind::unavailable},                                      // the connection was killed
    Rule{4031, ErrorKind::unavailable},                                      // disconnected for inactivity (MySQL)
    Rule{2001, ErrorKind::unavailable},                                      // no socket
    Rule{2002, ErrorKind::unavailable},                                      // cannot connect to the local server
    Rule{2003, ErrorKind::unavailable},                                      // cannot connect
    Rule{2005, ErrorKind::unavailable},                                      // unknown host
    Rule{2006, ErrorKind::unavailable},                                      // gone
    Rule{2012, ErrorKind::protocol},                                         // handshake
    Rule{2013, ErrorKind::unavailable},                                      // lost
    Rule{2027, ErrorKind::protocol},                                         // malformed packet
    Rule{2055, ErrorKind::unavailable},                                      // lost
    Rule{1153, ErrorKind::limit},                                            // packet larger than max_allowed_packet
    Rule{2008, ErrorKind::limit},                                            // out of memory
    Rule{2020, ErrorKind::limit},                                            // packet larger than the client takes
    Rule{1105, ErrorKind::invalid},
};

}  // namespace

ErrorKind kind_of_mysql_error(unsigned number, std::string_view message) {
  // The client says of a time-out only that errno is 110 (ETIMEDOUT), or 11 where a read timed out.
  const bool lost = number == 2002 || number == 2003 || number == 2013 || number == 2055;
  if (lost && (message.find("110") != std::string_view::npos || message.find("(11)") != std::string_view::npos)) {
    return ErrorKind::timeout;
  }
  const auto rule = std::ranges::find(kRules, number, &Rule::number);
  return rule == kRules.end() ? ErrorKind::invalid : rule->kind;
}

}  // namespace weir::sql
