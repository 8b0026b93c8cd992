#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace weir::sql {

/// The kind of an error with this SQLSTATE (PostgreSQL manual, appendix A).
core::ErrorKind kind_of_sqlstate(std::string_view sqlstate);

/// The kind of a failure to connect, which libpq tells in words only.
core::ErrorKind kind_of_connect_failure(std::string_view message);

/// The first line of libpq's message without its "ERROR:" or "connection to server …" beginnings; what follows
/// (DETAIL, the statement) may hold data. A message that quotes the connection string is replaced.
std::string first_sentence(std::string_view message);

}  // namespace weir::sql
