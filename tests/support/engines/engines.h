#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/source.h"

namespace weir::sql {

/// A database that a test may write to, and the sources that read it. Made anew (empty) for each test.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Runs statements, each of which ends with a semicolon at the end of a line.
  virtual void write(const std::string& sql) = 0;
  virtual std::unique_ptr<SqlSource> open(core::Duration statement_timeout = std::chrono::seconds(20)) const = 0;
  /// The schema that holds the test's tables.
  virtual std::string schema() const = 0;
  /// A SELECT that runs for many seconds.
  virtual std::string slow() const = 0;
  /// Types that the engine calls by names of its own.
  virtual std::string number_type() const { return "double precision"; }
  virtual std::string decimal_type() const { return "decimal(10, 2)"; }
  virtual std::string time_type() const { return "timestamp"; }
  virtual std::string blob_type() const { return "blob"; }
};

struct EngineKind {
  std::string_view name;
  std::function<std::unique_ptr<Engine>()> make;  // throws std::runtime_error, saying what is not there
};

/// Every engine there is a server of in the tests, through every driver that Weir has for it.
const std::vector<EngineKind>& engines();

/// What a test server's variable says: "host=127.0.0.1 port=3306".
std::string server_setting(const char* variable, std::string_view key);

}  // namespace weir::sql
