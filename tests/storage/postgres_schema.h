#pragma once

#include <atomic>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include "storage/store.h"

namespace weir::storage::testing {

/// A schema of the tests' PostgreSQL for one test, gone with it, and a superuser's way into it.
class PostgresSchema {
 public:
  PostgresSchema() : admin_(url()) {
    static std::atomic<int> count{0};
    name_ = fmt::format("weir_storage_{}_{}", ::getpid(), count++);
    drop();
  }
  ~PostgresSchema() { drop(); }
  PostgresSchema(const PostgresSchema&) = delete;
  PostgresSchema& operator=(const PostgresSchema&) = delete;

  static std::string url() {
    const char* value = std::getenv("WEIR_TEST_POSTGRES");
    if (value == nullptr) {
      throw std::runtime_error(
          "WEIR_TEST_POSTGRES is not set: run these tests with ./tests/run, which starts a server");
    }
    return value;
  }
  const std::string& name() const { return name_; }
  PostgresOptions options() const { return {.url = core::Secret(url()), .schema = name_}; }

  /// The first field of the answer; "" without one.
  std::string ask(const std::string& sql) {
    pqxx::nontransaction work(admin_);
    work.exec("SET client_min_messages = error; SET search_path = " + name_);
    const pqxx::result result = work.exec(sql);
    return result.empty() || result[0][0].is_null() ? "" : result[0][0].c_str();
  }
  /// Ends the session that holds the schema; how many did.
  int hang_up() {
    return std::stoi(
        ask("SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND classid = "
            "1464158546 AND objid::bigint = (hashtext('" +
            name_ + "')::bigint & 4294967295)"));
  }

 private:
  void drop() { ask("DROP SCHEMA IF EXISTS " + name_ + " CASCADE"); }

  std::string name_;
  pqxx::connection admin_;
};

}  // namespace weir::storage::testing
