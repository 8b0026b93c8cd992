#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/error.h"
#include "sql/source.h"

namespace weir::sql {

/// One entry of `sources:`. The type's own settings are inside `open`.
struct SourceSettings {
  std::string name;
  std::string type;
  std::function<std::unique_ptr<SqlSource>()> open;
};

/// Reads one entry of `sources:` (see src/README.md). All mistakes go to the diagnostics; a password or URL
/// never appears in one. `open` is empty when the type is unknown.
///
/// All: max_connections (4), of all sessions of the source together.
/// postgres: url, password | password_file, connect_timeout (5s), statement_timeout (30s), lock_timeout (2s).
/// mysql, mariadb: host and port | socket, user, password | password_file, database, tls (verified | unverified |
/// off), ca_file, cert_file, key_file, and the three timeouts.
/// sqlite: path (relative to the file that names it), busy_timeout (2s), statement_timeout (30s).
/// odbc: dialect, connection (a connection string; or connection_file) and/or dsn, user, password | password_file,
/// connect_timeout (10s) and the other two timeouts.
SourceSettings parse_source(const config::Node& node, config::Diagnostics& diagnostics);

/// A new session of the source; nothing is opened until it is used.
core::Result<std::unique_ptr<SqlSource>> make_source(const SourceSettings& settings);

}  // namespace weir::sql
