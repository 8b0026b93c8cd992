#pragma once

// The driver manager's headers need each other in this order.
// clang-format off
#include <sql.h>
#include <sqlext.h>
// clang-format on

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "sql/odbc_errors.h"
#include "sql/source.h"

namespace weir::sql {

/// Everything ODBC has to say about the last call with this handle, 16 records at most.
std::vector<OdbcDiagnostic> diagnostics_of(SQLSMALLINT type, SQLHANDLE handle);

/// A statement's parameters, kept where the driver reads them when the statement runs.
class OdbcParameters {
 public:
  explicit OdbcParameters(const std::vector<Value>& values);
  bool bind(SQLHSTMT statement);

 private:
  struct Parameter {
    SQLSMALLINT c_type = SQL_C_CHAR;
    SQLSMALLINT sql_type = SQL_VARCHAR;
    SQLULEN size = 1;
    SQLSMALLINT digits = 0;
    std::int64_t whole = 0;
    double number = 0;
    std::u16string text = {};
    SQL_TIMESTAMP_STRUCT time = {};
    SQLLEN length = SQL_NULL_DATA;
  };
  static Parameter parameter(const Value& value);
  std::vector<Parameter> parameters_;
};

/// Every row of a statement that was run. Nothing where ODBC has diagnostics for the statement; an error (limit) for
/// more rows than `most` or more bytes than Weir holds.
core::Result<std::optional<Table>> fetch_odbc(SQLHSTMT statement, std::size_t most, const std::string& where);

}  // namespace weir::sql
