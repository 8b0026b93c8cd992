#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "storage/export.h"
#include "storage/json_values.h"
#include "storage/reader.h"
#include "storage/schema.h"
#include "storage/trouble.h"

namespace weir::storage {
namespace {

constexpr std::size_t kMostProblems = 100;
constexpr std::array<std::string_view, 11> kTables{
    "alerts",   "transitions",  "incidents", "incident_alerts",     "incident_timeline", "outbox",
    "silences", "measurements", "texts",     "notification_groups", "message_references"};

core::Result<void> read_details(std::string_view text) {
  core::Incident incident;
  return read_incident_details(text, incident);
}

template <class Value>
core::Result<void> only_error(core::Result<Value> read) {
  if (!read) return std::unexpected(std::move(read.error()));
  return {};
}

/// A column that holds JSON, with what names its row.
struct Column {
  std::string_view table;
  std::string_view name;
  std::string_view sql;  // two columns: what names the row, the text
  core::Result<void> (*read)(std::string_view text);
};

constexpr std::array kColumns{
    Column{"alerts", "alert", "SELECT rule, alert FROM alerts",
           [](std::string_view t) { return only_error(read_alert(t)); }},
    Column{"transitions", "alert", "SELECT id, alert FROM transitions",
           [](std::string_view t) { return only_error(read_alert(t)); }},
    Column{"incidents", "labels", "SELECT id, labels FROM incidents",
           [](std::string_view t) { return only_error(read_labels(t)); }},
    Column{"incidents", "details", "SELECT id, details FROM incidents", read_details},
    Column{"incident_alerts", "alert", "SELECT incident_id, alert FROM incident_alerts",
           [](std::string_view t) { return only_error(read_alert(t)); }},
    Column{"outbox", "notification", "SELECT sequence, notification FROM outbox",
           [](std::string_view t) { return only_error(read_notification(t)); }},
    Column{"silences", "silence", "SELECT id, silence FROM silences",
           [](std::string_view t) { return only_error(read_silence(t)); }},
    Column{"notification_groups", "record", "SELECT name, record FROM notification_groups",
           [](std::string_view t) { return only_error(read_group(t)); }},
};

class Inspector {
 public:
  Inspector(Database& database, Inspection& found, const RowProgress& progress)
      : database_(database), found_(found), progress_(progress) {}

  core::Result<void> run(bool full) {
    auto checked = database_.check(full, [this](const std::string& damage) { note(damage); });
    if (!checked) note(checked.error().message);
    count_rows();
    if (found_.version != found_.known) return {};  // its columns may be others
    for (const Column& column : kColumns) {
      for (const auto& [table, rows] : found_.rows) all_ += table == column.table ? static_cast<std::size_t>(rows) : 0;
    }
    for (const Column& column : kColumns) {
      if (auto read = look_at(column); !read)
        note(fmt::format("{}.{}: {}", column.table, column.name, read.error().message));
    }
    return {};
  }

 private:
  void note(const std::string& problem) {
    if (found_.problems.size() < kMostProblems) {
      found_.problems.push_back(problem);
    } else {
      ++found_.more_problems;
    }
  }

  void count_rows() {
    for (const std::string_view table : kTables) {
      auto counted =
          database_.each(fmt::format("SELECT count(*) FROM {}", table), {}, [&](const Row& row) -> core::Result<void> {
            found_.rows.emplace_back(table, row.integer(0));
            return {};
          });
      const bool other_schema = found_.version != found_.known;  // one that has not all of the tables
      if (!counted && !other_schema) note(fmt::format("{}: {}", table, counted.error().message));
    }
  }

  core::Result<void> look_at(const Column& column) {
    const auto each_row = [&](const Row& row) -> core::Result<void> {
      if (const auto read = column.read(row.text(1)); !read) {
        note(fmt::format("{}.{} of \"{}\": {}", column.table, column.name, row.text(0), read.error().message));
      }
      if (progress_) progress_(++done_, all_);
      return {};
    };
    return in_transaction(database_, [&] { return database_.each(column.sql, {}, each_row); });
  }

  Database& database_;
  Inspection& found_;
  const RowProgress& progress_;
  std::size_t done_ = 0;
  std::size_t all_ = 0;
};

}  // namespace

core::Result<void> quick_check(const StorageSettings& settings) {
  auto database = open_reader(settings);
  if (!database) return std::unexpected(database.error());
  return (*database)->each("PRAGMA quick_check(1)", {}, [&](const Row& row) -> core::Result<void> {
    std::string found = row.text(0);
    if (found == "ok") return {};
    std::ranges::replace(found, '\n', ' ');
    return core::fail(core::ErrorKind::storage, fmt::format("{} ({})", kDamagedMark, found), (*database)->where());
  });
}

core::Result<Inspection> inspect(const StorageSettings& settings, bool full, const RowProgress& progress) {
  auto database = open_reader(settings);
  if (!database) return std::unexpected(database.error());
  Inspection found{.where = (*database)->where(), .known = static_cast<std::int64_t>(migrations().size())};
  const auto version = version_begun(**database);
  if (!version) return std::unexpected(version.error());
  found.version = *version;
  if (found.version > found.known) {
    found.problems.push_back(
        fmt::format("was written by a newer Weir (schema {}, this one knows {})", found.version, found.known));
  }
  const auto bytes = (*database)->size();
  if (!bytes) return std::unexpected(bytes.error());
  found.bytes = *bytes;
  // Each look is a transaction of its own: with PostgreSQL the first error ends it.
  if (auto done = Inspector(**database, found, progress).run(full); !done) return std::unexpected(done.error());
  return found;
}

}  // namespace weir::storage
