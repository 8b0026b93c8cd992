#pragma once

#include <memory>
#include <string>

#include "config/reader.h"
#include "core/time.h"
#include "sql/source.h"

namespace weir::sql {

struct SqliteSettings {
  std::string path;
  core::Duration busy_timeout = std::chrono::seconds(2);
  core::Duration statement_timeout = std::chrono::seconds(30);
};

SqliteSettings parse_sqlite(const config::Node& node, config::MapReader& reader);

/// A SQLite file, opened read-only. Statements other than a single SELECT are denied; a name in double
/// quotes is never taken for text. A file that was replaced is opened anew.
std::unique_ptr<SqlSource> make_sqlite(std::string name, SqliteSettings settings);

}  // namespace weir::sql
