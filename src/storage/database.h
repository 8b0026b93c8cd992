#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "core/error.h"

namespace weir::storage {

/// A bound parameter; nullptr is SQL's NULL. Text is only looked at during the call.
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string_view>;

/// One row of an answer, columns count from 0.
class Row {
 public:
  virtual ~Row() = default;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string text(int column) const = 0;
  virtual bool is_null(int column) const = 0;
};

/// What differs between the engines in SQL that both understand otherwise.
struct Dialect {
  std::string_view id_column;             // type of a key that counts up by itself and is never used twice
  std::string_view text_column = "TEXT";  // type of a text that is compared and ordered byte by byte
};

/// One connection to a SQL engine. All SQL given to it is a text of `statements.h` or a migration; placeholders are
/// $1, $2 … in the order of their first use. Not safe for several threads: the store's mutex guards it.
class Database {
 public:
  virtual ~Database() = default;
  virtual const Dialect& dialect() const = 0;
  /// Where it is, for messages: a path, a URL without credentials.
  virtual const std::string& where() const = 0;

  /// Runs one statement and returns how many rows it changed.
  virtual core::Result<std::int64_t> run(std::string_view sql, std::initializer_list<Value> values) = 0;
  /// The same where nobody asks how many; inside a transaction it may be sent later, together with others, and what is
  /// wrong with it is then told by what follows, by commit() at the latest.
  virtual core::Result<void> put(std::string_view sql, std::initializer_list<Value> values) {
    if (const auto done = run(sql, values); !done) return std::unexpected(done.error());
    return {};
  }
  /// Hands each row to `read` until it fails; `read` may use other statements.
  virtual core::Result<void> each(std::string_view sql, std::initializer_list<Value> values,
                                  const std::function<core::Result<void>(const Row&)>& read) = 0;
  /// Several statements without parameters: migrations.
  virtual core::Result<void> script(const std::string& sql) = 0;

  virtual core::Result<void> begin() = 0;
  /// An error that is retryable may have come when all was written: whether it was is told by what was written.
  virtual core::Result<void> commit() = 0;
  virtual void roll_back() noexcept = 0;

  /// The schema's version, 0 for an empty database. Setting it is part of the running transaction.
  virtual core::Result<std::int64_t> version() = 0;
  virtual core::Result<void> set_version(std::int64_t version) = 0;

  /// In bytes, of what holds the tables.
  virtual core::Result<std::int64_t> size() = 0;
  /// Tells each damage that the engine finds in its own structures; `full` looks at indexes too, which takes longer.
  virtual core::Result<void> check(bool full, const std::function<void(const std::string&)>& damage) = 0;
};

/// Runs `work` in one transaction; unless it returns success and the commit succeeds, nothing of it remains.
template <class Work>
core::Result<void> in_transaction(Database& database, Work&& work) {
  if (auto begun = database.begin(); !begun) return begun;
  struct Undo {
    Database* database;
    ~Undo() {
      if (database != nullptr) database->roll_back();
    }
  } undo{&database};
  if (core::Result<void> done = work(); !done) return done;
  if (core::Result<void> done = database.commit(); !done) return done;
  undo.database = nullptr;
  return {};
}

}  // namespace weir::storage
