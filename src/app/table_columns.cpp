#include "app/table_columns.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace weir::app {
namespace {

/// "schema.table", as check files name tables.
std::vector<std::string> parts_of(const std::string& table) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t dot = table.find('.', begin);
    parts.push_back(table.substr(begin, dot - begin));
    if (dot == table.npos) return parts;
    begin = dot + 1;
  }
}

}  // namespace

core::Result<sql::SqlSource*> SourceColumns::session(const std::string& source) {
  if (const auto open = sessions_.find(source); open != sessions_.end()) return open->second.get();
  const auto found = std::ranges::find(sources_, source, &sql::SourceSettings::name);
  if (found == sources_.end())
    return core::fail(core::ErrorKind::not_found, "there is no source \"" + source + "\" in the configuration");
  auto made = sql::make_source(*found);
  if (!made) return std::unexpected(made.error());
  return sessions_.emplace(source, std::move(*made)).first->second.get();
}

core::Result<std::vector<core::Column>> SourceColumns::columns(const std::string& source, const std::string& table,
                                                               std::chrono::steady_clock::time_point deadline,
                                                               const std::stop_token& stop) {
  const auto from = session(source);
  if (!from) return std::unexpected(from.error());
  sql::QueryLimits limits;
  limits.deadline = deadline;
  limits.stop = stop;
  limits.tag = "dataset=" + table + " check=schema_drift";
  const auto rows = (*from)->query((*from)->dialect().columns_of(parts_of(table)), {}, limits);
  if (!rows) return std::unexpected(rows.error());
  std::vector<core::Column> found;
  for (const sql::Row& row : rows->rows) {
    const auto* name = row.empty() ? nullptr : std::get_if<std::string>(&row[0]);
    const auto* type = row.size() < 2 ? nullptr : std::get_if<std::string>(&row[1]);
    if (name != nullptr) found.push_back({*name, type == nullptr ? "" : *type});
  }
  if (found.empty()) return core::fail(core::ErrorKind::not_found, "there is no table " + table, source);
  return found;
}

}  // namespace weir::app
