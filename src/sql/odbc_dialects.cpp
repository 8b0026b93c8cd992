#include <array>

#include "sql/dialect.h"

namespace weir::sql {

std::span<const OdbcDialect> odbc_dialects() {
  static const std::array kDialects = {
      OdbcDialect{"mysql", &mysql_dialect()},
      OdbcDialect{"postgres", &odbc_postgres_dialect()},
      OdbcDialect{"sqlite", &plain_sqlite_dialect()},
  };
  return kDialects;
}

}  // namespace weir::sql
