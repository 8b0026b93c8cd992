#include <algorithm>

#include "config/reader_checks.h"
#include "sql/postgres_url.h"
#include "storage/store.h"

namespace weir::storage {
namespace {

/// Of PostgreSQL, or nothing without `url`.
std::optional<PostgresOptions> read_postgres(config::MapReader& reader) {
  PostgresOptions options;
  options.url = reader.secret("url");
  options.password = reader.secret("password");
  options.sslmode = reader.has("sslmode") ? reader.choice("sslmode", "verify-full",
                                                          {"disable", "prefer", "require", "verify-ca", "verify-full"})
                                          : "";
  options.sslrootcert = reader.text("sslrootcert");
  // libpq takes the system's authorities where it says "system".
  const config::Node* authorities = reader.child("sslrootcert");
  if (authorities != nullptr && !options.sslrootcert.empty() && options.sslrootcert != "system") {
    options.sslrootcert = config::path_beside(*authorities, options.sslrootcert);
    config::check_file(reader, "sslrootcert", options.sslrootcert);
  }
  options.schema = reader.text("schema", options.schema);
  options.connect_timeout = reader.duration("connect_timeout", options.connect_timeout);
  options.statement_timeout = reader.duration("statement_timeout", options.statement_timeout);
  options.lock_timeout = reader.duration("lock_timeout", options.lock_timeout);
  if (!reader.has("url") && !reader.has("url_file")) {
    for (const std::string_view key : {"password", "password_file", "sslmode", "sslrootcert", "schema",
                                       "connect_timeout", "statement_timeout", "lock_timeout"}) {
      if (reader.has(key)) reader.error(key, "is of a PostgreSQL server, whose url is missing");
    }
    return std::nullopt;
  }
  if (const auto readable = sql::check_postgres_url(options.url.reveal()); !readable && !options.url.empty()) {
    reader.error("url", readable.error().message);
  }
  if (options.schema.empty() || options.schema.size() > 63 || options.schema.starts_with("pg_")) {
    reader.error("schema", "must be a name of up to 63 bytes that does not begin with pg_");
  }
  const auto bounded = [&](std::string_view key, core::Duration value) {
    if (value < std::chrono::milliseconds(100) || value > std::chrono::minutes(1))
      reader.error(key, "must be from 100ms to 1m");
  };
  bounded("connect_timeout", options.connect_timeout);
  bounded("statement_timeout", options.statement_timeout);
  bounded("lock_timeout", options.lock_timeout);
  return options;
}

}  // namespace

StorageSettings parse_storage_section(const config::Node& node, config::Diagnostics& diagnostics) {
  StorageSettings settings;
  config::MapReader reader(node, diagnostics, "storage");
  settings.path = reader.text("path", settings.path);
  settings.history = reader.duration("history", settings.history);
  settings.backup = reader.boolean("backup", settings.backup);
  settings.postgres = read_postgres(reader);
  if (settings.postgres && reader.has("path")) reader.error("path", "is of a SQLite file; give either that or url");
  if (settings.path.empty()) reader.error("path", "must not be empty");
  if (settings.history < std::chrono::days(1)) reader.error("history", "must be at least 1d");
  reader.finish();
  return settings;
}

}  // namespace weir::storage
