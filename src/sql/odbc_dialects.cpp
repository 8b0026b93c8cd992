#include <array>

#include "sql/dialect.h"

namespace weir::sql {

std::span<const OdbcDialect> odbc_dialects() {
  static const std::array kDialects = {
      OdbcDialect{"bigquery", &bigquery_dialect()},     OdbcDialect{"clickhouse", &clickhouse_dialect()},
      OdbcDialect{"databricks", &databricks_dialect()}, OdbcDialect{"mysql", &mysql_dialect()},
      OdbcDialect{"oracle", &oracle_dialect()},         OdbcDialect{"postgres", &odbc_postgres_dialect()},
      OdbcDialect{"redshift", &redshift_dialect()},     OdbcDialect{"snowflake", &snowflake_dialect()},
      OdbcDialect{"sqlite", &plain_sqlite_dialect()},   OdbcDialect{"sqlserver", &sqlserver_dialect()},
      OdbcDialect{"trino", &trino_dialect()},
  };
  return kDialects;
}

}  // namespace weir::sql
