#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace weir::storage {

/// A prepared statement, bound from left to right and stepped. Errors stick: the first one is what
/// done() and the last step report.
class Statement {
 public:
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement(Statement&& other) noexcept;

  Statement& bind(std::int64_t value);
  Statement& bind(double value);
  Statement& bind(std::string_view value);
  Statement& bind_null();

  /// True while there is a row.
  core::Result<bool> step();
  /// Runs a statement that returns no rows.
  core::Result<void> run();

  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
  int next_ = 1;
};

/// One connection to a SQLite file: WAL, synchronous=FULL, foreign keys, statements prepared once.
class Database {
 public:
  static core::Result<Database> open(const std::string& path);
  core::Result<void> execute(const std::string& sql);
  /// Errors only by a mistake in the SQL or a damaged file.
  core::Result<Statement> prepare(const std::string& sql);
  /// Runs `work` in one transaction that may write; rolled back unless it succeeds.
  template <class Work>
  core::Result<void> transaction(Work work) {
    if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
    core::Result<void> done = work();
    if (done) done = execute("COMMIT");
    if (!done) (void)execute("ROLLBACK");
    return done;
  }
  core::Result<std::int64_t> integer(const std::string& sql);
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Database(std::string path, std::unique_ptr<sqlite3, Close> handle);

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;  // as many as the code has
};

}  // namespace weir::storage
