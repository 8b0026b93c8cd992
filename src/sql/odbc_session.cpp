#include "sql/odbc_session.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>

#include "sql/query_tag.h"

namespace weir::sql {
namespace {

/// What every engine's session may be made of.
struct Bounds {
  std::int64_t statement_ms;
  std::int64_t lock_ms;
  std::int64_t statement_seconds;  // whole ones, at least 1
  std::int64_t lock_seconds;
  std::string tag;  // plain text that needs no escapes
};

OdbcSession postgres(const Bounds& b) {
  return {.autocommit = false,
          .before = {{"SET TRANSACTION READ ONLY", true},
                     {fmt::format("SELECT set_config('statement_timeout', '{}', true), set_config('lock_timeout', "
                                  "'{}', true), set_config('TimeZone', 'UTC', true), "
                                  "set_config('DateStyle', 'ISO', true), set_config('application_name', 'weir', true)",
                                  b.statement_ms, b.lock_ms),
                      true}}};
}

OdbcSession redshift(const Bounds& b) {
  return {.once = {{"SET timezone TO 'UTC'", true}, {"SET query_group TO 'weir'", false}},
          .before = {{fmt::format("SET statement_timeout TO {}", b.statement_ms), true}, {"BEGIN READ ONLY", true}},
          .after = {{"ROLLBACK", true}}};
}

/// MariaDB runs the M! comment and MySQL the other, as each skips the other's.
OdbcSession mysql(const Bounds& b) {
  return {.once = {{"SET SESSION time_zone = '+00:00', sql_mode = ''", true}},
          .before = {{fmt::format("SET SESSION /*M!100101 max_statement_time = {:.3f}, */ "
                                  "/*!50708 max_execution_time = {}, */ lock_wait_timeout = {}",
                                  static_cast<double>(b.statement_ms) / 1000, b.statement_ms, b.lock_seconds),
                      true},
                     {"START TRANSACTION READ ONLY", true}},
          .after = {{"ROLLBACK", true}}};
}

OdbcSession sqlite(const Bounds&) { return {.once = {{"PRAGMA query_only = ON", true}}}; }

OdbcSession snowflake(const Bounds& b) {
  return {.once = {{fmt::format("ALTER SESSION SET TIMEZONE = 'UTC', LOCK_TIMEOUT = {}", b.lock_seconds), true}},
          .before = {{fmt::format("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = {}, QUERY_TAG = 'weir {}'",
                                  b.statement_seconds, b.tag),
                      true}}};
}

OdbcSession databricks(const Bounds& b) {
  return {.once = {{"SET TIME ZONE 'UTC'", true}},
          .before = {{fmt::format("SET STATEMENT_TIMEOUT = {}", b.statement_seconds), false}}};
}

/// Its driver speaks HTTP, where SET is forgotten with the request.
OdbcSession clickhouse(const Bounds& b) {
  return {.suffix = fmt::format(" SETTINGS max_execution_time = {}", b.statement_seconds)};
}

/// No read-only transaction, but one that is always rolled back.
OdbcSession sqlserver(const Bounds& b) {
  return {.autocommit = false,
          .once = {{"SET QUOTED_IDENTIFIER ON", true}, {"SET DATEFORMAT ymd", true}},
          .before = {{fmt::format("SET LOCK_TIMEOUT {}", b.lock_ms), true}}};
}

OdbcSession trino(const Bounds& b) {
  return {.once = {{"SET TIME ZONE 'UTC'", true}},
          .before = {{fmt::format("SET SESSION query_max_run_time = '{}ms'", b.statement_ms), false}}};
}

OdbcSession oracle(const Bounds&) {
  return {.autocommit = false,
          .once = {{"ALTER SESSION SET TIME_ZONE = 'UTC' NLS_NUMERIC_CHARACTERS = '.,' "
                    "NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS' NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF3'",
                    true}},
          .before = {{"SET TRANSACTION READ ONLY", true}}};
}

/// BigQuery has no session: the driver's query time-out and the role's rights hold.
OdbcSession bigquery(const Bounds&) { return {}; }

struct Engine {
  std::string_view name;
  OdbcSession (*session)(const Bounds&);
};

constexpr std::array kEngines = {
    Engine{"bigquery", bigquery},   Engine{"clickhouse", clickhouse}, Engine{"databricks", databricks},
    Engine{"mysql", mysql},         Engine{"oracle", oracle},         Engine{"postgres", postgres},
    Engine{"redshift", redshift},   Engine{"snowflake", snowflake},   Engine{"sqlite", sqlite},
    Engine{"sqlserver", sqlserver}, Engine{"trino", trino},
};

std::int64_t whole_seconds(core::Duration duration) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count());
}

}  // namespace

OdbcSession odbc_session(std::string_view dialect, core::Duration statement_timeout, core::Duration lock_timeout,
                         std::string_view tag) {
  const auto engine = std::ranges::find(kEngines, dialect, &Engine::name);
  if (engine == kEngines.end()) return {};
  return engine->session({.statement_ms = std::max<std::int64_t>(1, statement_timeout.count()),
                          .lock_ms = std::max<std::int64_t>(1, std::min(statement_timeout, lock_timeout).count()),
                          .statement_seconds = whole_seconds(statement_timeout),
                          .lock_seconds = whole_seconds(std::min(statement_timeout, lock_timeout)),
                          .tag = plain_tag(tag)});
}

}  // namespace weir::sql
