#pragma once

#include <memory>
#include <string>

#include "config/reader.h"
#include "core/secret.h"
#include "core/time.h"
#include "sql/source.h"

namespace weir::sql {

struct OdbcSettings {
  core::Secret connection;  // "Driver={…};Server=…;…", may hold a password
  std::string dsn;          // an entry of odbc.ini; instead of the connection string or before it
  std::string user;         // added as UID
  core::Secret password;    // added as PWD
  const Dialect* dialect = nullptr;
  core::Duration connect_timeout = std::chrono::seconds(10);  // ODBC counts whole seconds
  core::Duration statement_timeout = std::chrono::seconds(30);
  core::Duration lock_timeout = std::chrono::seconds(2);  // where the engine has such
};

OdbcSettings parse_odbc(const config::Node& node, config::MapReader& reader);

/// A session through unixODBC. Read-only by the connection's access mode, by the engine's own statements (see
/// odbc_session.h) and by a look at the statement (see statement.h); where an engine has neither a read-only
/// transaction nor one that can be rolled back (BigQuery, Snowflake, Databricks, ClickHouse, Trino) the last is all
/// there is, besides the rights of the role. A query ends at its time-out by the driver's, by the server's and, at
/// last, by SQLCancel. Texts come as UTF-16; a decimal without places is a whole number, others the nearest double.
std::unique_ptr<SqlSource> make_odbc(std::string name, OdbcSettings settings);

}  // namespace weir::sql
