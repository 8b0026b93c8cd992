#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "sql/odbc_errors.h"
#include "sql/source.h"

namespace weir::sql {

/// Handles are ODBC's (SQLHANDLE), and `type` one of its SQL_HANDLE_….
///
/// Everything ODBC has to say about the last call with this handle, 16 records at most.
std::vector<OdbcDiagnostic> diagnostics_of(short type, void* handle);

/// A statement's parameters, kept where the driver reads them when the statement runs.
class OdbcParameters {
 public:
  explicit OdbcParameters(const std::vector<Value>& values);
  ~OdbcParameters();
  OdbcParameters(const OdbcParameters&) = delete;
  OdbcParameters& operator=(const OdbcParameters&) = delete;
  bool bind(void* statement);

 private:
  struct Parameter;
  static Parameter parameter(const Value& value);
  std::vector<Parameter> parameters_;
};

/// Every row of a statement that was run. Nothing where ODBC has diagnostics for the statement; an error (limit) for
/// more rows than `most` or more bytes than Weir holds.
core::Result<std::optional<Table>> fetch_odbc(void* statement, std::size_t most, const std::string& where);

}  // namespace weir::sql
