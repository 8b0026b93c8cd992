#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/reader.h"
#include "core/secret.h"
#include "core/time.h"
#include "sql/source.h"

namespace weir::sql {

/// Whether and how the server's certificate is looked at.
enum class MysqlTls { verified, unverified, off };

struct MysqlSettings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3306;
  std::string socket;  // a path; instead of host and port, and then without TLS
  std::string user;
  core::Secret password;
  std::string database;
  MysqlTls tls = MysqlTls::verified;
  std::string ca_file;  // the system's authorities unless given
  std::string cert_file;
  std::string key_file;
  core::Duration connect_timeout = std::chrono::seconds(5);  // the library counts whole seconds
  core::Duration statement_timeout = std::chrono::seconds(30);
  core::Duration lock_timeout = std::chrono::seconds(2);  // the server counts whole seconds
};

MysqlSettings parse_mysql(const config::Node& node, config::MapReader& reader);

/// A MariaDB or MySQL session through libmariadb. Each query is a prepared statement (which is a single one) in its
/// own READ ONLY transaction, with the server's own timeouts; a statement that gives no rows is denied before it is
/// run. Whole numbers of 64 unsigned bits past the signed ones and decimals become the nearest double; zero dates,
/// and times of day, are text. Shutting down closes the socket under a running query.
std::unique_ptr<SqlSource> make_mysql(std::string name, MysqlSettings settings);

}  // namespace weir::sql
