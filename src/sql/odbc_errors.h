#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace weir::sql {

/// One record of what ODBC has to say about a call.
struct OdbcDiagnostic {
  std::string state;  // SQLSTATE, ODBC's own (HYT00, IM002, 42S02) or the engine's
  int native = 0;
  std::string message;
};

/// The kind of a failure: by SQLSTATE where that says enough, else by the engine's words.
core::ErrorKind kind_of_odbc(const OdbcDiagnostic& diagnostic);

/// The message without the "[vendor][driver]" beginnings, its first line.
std::string words_of(const OdbcDiagnostic& diagnostic);

}  // namespace weir::sql
