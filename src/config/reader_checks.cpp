#include "config/reader_checks.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace weir::config {

core::Secret required_secret(MapReader& reader, std::string_view key) {
  const std::size_t mistakes = reader.diagnostics().errors().size();
  const std::string file_key = std::string(key) + "_file";
  const bool direct = reader.has(key);
  if (!direct && !reader.has(file_key)) reader.missing(key);
  core::Secret found = reader.secret(key);
  if (found.empty() && reader.diagnostics().errors().size() == mistakes)
    reader.error(direct ? key : file_key, "must not be empty");
  return found;
}

void check_file(MapReader& reader, std::string_view key, const std::string& path) {
  namespace fs = std::filesystem;
  constexpr std::size_t kMostNames = 1000;
  std::error_code ignored;
  const fs::file_type found = fs::status(path, ignored).type();
  if (found == fs::file_type::regular || found == fs::file_type::none) return;
  if (found == fs::file_type::directory) return reader.error(key, "\"" + path + "\" is a directory; name a file");
  if (found != fs::file_type::not_found) return reader.error(key, "\"" + path + "\" is no file");
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (names.size() == kMostNames) break;
    names.push_back(entry.path().filename().string());
  }
  reader.error(key, "there is no file \"" + path + "\"" + did_you_mean(fs::path(path).filename().string(), names));
}

std::string file_path(MapReader& reader, std::string_view key) {
  const Node* node = reader.child(key);
  std::string path = reader.text(key);
  if (node == nullptr || path.empty()) return path;
  path = placed(path, *node);
  check_file(reader, key, path);
  return path;
}

}  // namespace weir::config
