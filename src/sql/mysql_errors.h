#pragma once

#include <string_view>

#include "core/error.h"

namespace weir::sql {

/// The kind of an error of the server (1000 … 1999, 3000 …) or of the client library (2000 …), by its number.
core::ErrorKind kind_of_mysql_error(unsigned number, std::string_view message);

}  // namespace weir::sql
