#include "app/demo_warehouse.h"

#include <array>
#include <fmt/format.h>
#include <sqlite3.h>
#include <utility>

namespace weir::app {
namespace {

constexpr const char* kTables = R"(
  PRAGMA journal_mode=WAL;
  DROP TABLE IF EXISTS fct_orders;
  DROP TABLE IF EXISTS fct_daily_revenue;
  CREATE TABLE fct_orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER, amount REAL, status TEXT,
                           created_at TEXT, loaded_at TEXT);
  CREATE INDEX fct_orders_loaded_at ON fct_orders (loaded_at);
  CREATE TABLE fct_daily_revenue (day TEXT, region TEXT, revenue REAL, orders INTEGER, loaded_at TEXT);
)";

constexpr std::array<const char*, 4> kStatuses = {"paid", "shipped", "delivered", "returned"};

}  // namespace

void DemoWarehouse::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

core::Result<DemoWarehouse> DemoWarehouse::create(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open(path.c_str(), &raw);
  std::unique_ptr<sqlite3, Close> database(raw);
  if (code != SQLITE_OK) return core::fail(core::ErrorKind::storage, sqlite3_errstr(code), path);
  sqlite3_busy_timeout(database.get(), 1000);
  DemoWarehouse warehouse(std::move(database));
  if (auto made = warehouse.run(kTables); !made) return std::unexpected(made.error());
  return warehouse;
}

core::Result<void> DemoWarehouse::run(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  const std::string message = sqlite3_errmsg(database_.get());
  sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  return core::fail(core::ErrorKind::storage, message, "demo warehouse");
}

core::Result<void> DemoWarehouse::load_orders(int count, core::Time now) {
  const std::string loaded_at = core::format_rfc3339(now);
  std::string sql = "BEGIN;";
  for (int i = 0; i < count; ++i) {
    // A spread of amounts that looks like a shop: many small orders, few large ones.
    const long long id = next_order_++;
    const double amount = 5.0 + static_cast<double>((id * 7919) % 4500) / 100.0 + (id % 17 == 0 ? 120.0 : 0.0);
    sql += fmt::format("INSERT INTO fct_orders VALUES ({}, {}, {:.2f}, '{}', '{}', '{}');", id, 1 + (id * 31) % 5000,
                       amount, kStatuses[static_cast<std::size_t>(id) % kStatuses.size()],
                       core::format_rfc3339(now - std::chrono::milliseconds(1500)), loaded_at);
  }
  sql += fmt::format("DELETE FROM fct_orders WHERE loaded_at < '{}';COMMIT;",
                     core::format_rfc3339(now - std::chrono::hours(1)));
  return run(sql);
}

core::Result<void> DemoWarehouse::load_revenue(int rows, core::Time now) {
  std::string sql = "BEGIN; DELETE FROM fct_daily_revenue;";
  for (int i = 0; i < rows; ++i) {
    const std::string day = core::format_rfc3339(now - std::chrono::days(i / 40)).substr(0, 10);
    sql += fmt::format("INSERT INTO fct_daily_revenue VALUES ('{}', 'region-{:02}', {}, {}, '{}');", day, i % 40 + 1,
                       9000 + (i * 911) % 4000, 300 + (i * 37) % 120, core::format_rfc3339(now));
  }
  return run(sql + "COMMIT;");
}

}  // namespace weir::app
