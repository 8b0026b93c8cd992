#include "sql/registry.h"

#include <algorithm>
#include <array>

#include "config/reader.h"
#include "sql/mysql.h"
#include "sql/odbc.h"
#include "sql/postgres.h"
#include "sql/sqlite.h"

namespace weir::sql {
namespace {

using Opened = core::Result<std::unique_ptr<SqlSource>>;

struct SourceType {
  std::string_view name;
  std::function<Opened()> (*parse)(const std::string& source, const config::Node& node, config::MapReader& reader);
};

template <class Settings, Settings (*Parse)(const config::Node&, config::MapReader&),
          std::unique_ptr<SqlSource> (*Make)(std::string, Settings)>
std::function<Opened()> opener(const std::string& source, const config::Node& node, config::MapReader& reader) {
  return [source, settings = Parse(node, reader)]() -> Opened { return Make(source, settings); };
}

/// Every kind of source. A new one is a file and a line here.
constexpr std::array kTypes = {
    SourceType{"mariadb", opener<MysqlSettings, parse_mysql, make_mysql>},
    SourceType{"mysql", opener<MysqlSettings, parse_mysql, make_mysql>},
    SourceType{"odbc", opener<OdbcSettings, parse_odbc, make_odbc>},
    SourceType{"postgres", opener<PostgresSettings, parse_postgres, make_postgres>},
    SourceType{"sqlite", opener<SqliteSettings, parse_sqlite, make_sqlite>},
};

}  // namespace

SourceSettings parse_source(const config::Node& node, config::Diagnostics& diagnostics) {
  const config::Node* named = node.find("name");
  config::MapReader reader(node, diagnostics,
                           named != nullptr && named->is_scalar() ? "source \"" + named->text() + "\"" : "source");
  SourceSettings settings;
  if (!node.is_mapping()) return settings;
  std::vector<std::string> names;
  for (const SourceType& type : kTypes) names.emplace_back(type.name);
  settings.name = reader.required_text("name");
  if (reader.required_text("type").empty()) return settings;
  settings.type = reader.choice("type", "", names);
  const auto type = std::ranges::find(kTypes, settings.type, &SourceType::name);
  if (type == kTypes.end()) return settings;  // its keys cannot be judged
  settings.open = type->parse(settings.name, node, reader);
  reader.finish();
  return settings;
}

Opened make_source(const SourceSettings& settings) {
  if (settings.open) return settings.open();
  return core::fail(core::ErrorKind::invalid, "the source has no known type", settings.name);
}

}  // namespace weir::sql
