#include "app/storage_choice.h"

#include <filesystem>

#include "config/node.h"
#include "sql/postgres_url.h"

namespace weir::app {

core::Result<storage::StorageSettings> storage_named(const std::string& database) {
  storage::StorageSettings settings;
  if (!database.starts_with("postgresql://") && !database.starts_with("postgres://")) {
    settings.path = database;
    return settings;
  }
  if (const auto readable = sql::check_postgres_url(database); !readable) return std::unexpected(readable.error());
  settings.postgres = storage::PostgresOptions{.url = core::Secret(database)};
  return settings;
}

core::Result<storage::StorageSettings> storage_of(const std::string& config_file, const std::string& database) {
  if (!database.empty()) return storage_named(database);
  config::Diagnostics diagnostics;
  const config::Node root = config::load_yaml(config_file, diagnostics, config::Streams::own);
  static const config::Node kNothing;
  const config::Node* section = root.find("storage");
  auto settings = storage::parse_storage_section(section == nullptr ? kNothing : *section, diagnostics);
  if (!diagnostics.ok()) {
    return core::fail(core::ErrorKind::invalid, diagnostics.to_string() + "name the database with --database");
  }
  settings.path = (std::filesystem::path(config_file).parent_path() / settings.path).lexically_normal().string();
  return settings;
}

}  // namespace weir::app
