#pragma once

#include <memory>
#include <string>

#include "config/reader.h"
#include "core/secret.h"
#include "core/time.h"
#include "sql/source.h"

namespace weir::sql {

struct PostgresSettings {
  core::Secret url;       // postgresql://user@host:port/database?sslmode=…; may hold a password
  core::Secret password;  // besides the URL's, and before it
  core::Duration connect_timeout = std::chrono::seconds(5);  // libpq counts whole seconds, at least 2
  core::Duration statement_timeout = std::chrono::seconds(30);
  core::Duration lock_timeout = std::chrono::seconds(2);
};

PostgresSettings parse_postgres(const config::Node& node, config::MapReader& reader);

/// A PostgreSQL session through libpqxx. Each query is its own READ ONLY transaction with its timeouts set
/// inside it, so it holds behind a transaction-pooling PgBouncer too, and is sent by the extended protocol,
/// which takes a single statement. Shutting down closes the socket under a running query.
std::unique_ptr<SqlSource> make_postgres(std::string name, PostgresSettings settings);

}  // namespace weir::sql
