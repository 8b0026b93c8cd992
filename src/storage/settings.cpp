#include "config/reader.h"
#include "storage/store.h"

namespace weir::storage {

StorageSettings parse_storage_section(const config::Node& node, config::Diagnostics& diagnostics) {
  StorageSettings settings;
  config::MapReader reader(node, diagnostics, "storage");
  settings.path = reader.text("path", settings.path);
  settings.history = reader.duration("history", settings.history);
  if (settings.path.empty()) reader.error("path", "must not be empty");
  if (settings.history < std::chrono::days(1)) reader.error("history", "must be at least 1d");
  reader.finish();
  return settings;
}

}  // namespace weir::storage
