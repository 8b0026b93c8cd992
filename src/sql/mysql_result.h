#pragma once

#include <cstddef>
#include <mysql.h>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "sql/source.h"

namespace weir::sql {

/// Longest row, in bytes, that is taken from a server.
constexpr std::size_t kMysqlLongestRow = 64U << 20U;

/// Binds the values and runs the statement. The values stay with the caller until it has run.
bool execute_mysql(MYSQL_STMT* statement, const std::vector<Value>& parameters);

/// Every row of a statement that was run. Nothing where the library has an error for the statement; an error (limit)
/// for more rows than `most` or more bytes than Weir holds, after which the session is of no use.
core::Result<std::optional<Table>> fetch_mysql(MYSQL_STMT* statement, std::size_t most, const std::string& where);

}  // namespace weir::sql
