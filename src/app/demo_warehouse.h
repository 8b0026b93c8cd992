#pragma once

#include <memory>
#include <string>

#include "core/error.h"
#include "core/time.h"

struct sqlite3;

namespace weir::app {

/// The demo's warehouse: a SQLite file with the shop's tables `fct_orders` (appended to) and
/// `fct_daily_revenue` (rewritten whole by every load). Owned and used by the demo's thread.
class DemoWarehouse {
 public:
  static core::Result<DemoWarehouse> create(const std::string& path);

  /// Appends `count` orders, dropping those older than an hour.
  core::Result<void> load_orders(int count, core::Time now);
  /// Rewrites the revenue table with `rows` rows.
  core::Result<void> load_revenue(int rows, core::Time now);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit DemoWarehouse(std::unique_ptr<sqlite3, Close> database) : database_(std::move(database)) {}
  core::Result<void> run(const std::string& sql);

  std::unique_ptr<sqlite3, Close> database_;
  long long next_order_ = 1;
};

}  // namespace weir::app
