#include "config/reader_checks.h"

#include <filesystem>
#include <fstream>
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

std::string path_beside(const Node& node, const std::string& path) {
  if (path.empty()) return path;
  return (std::filesystem::path(node.position().file).parent_path() / path).string();
}

std::optional<core::Secret> read_secret_file(const std::string& path) {
  std::ifstream stream(path);
  std::string line;
  if (!stream || !std::getline(stream, line)) return std::nullopt;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return core::Secret(std::move(line));
}

void check_file(MapReader& reader, std::string_view key, const std::string& path) {
  namespace fs = std::filesystem;
  constexpr std::size_t kMostNames = 1000;
  std::error_code ignored;
  if (fs::status(path, ignored).type() != fs::file_type::not_found) return;
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (names.size() == kMostNames) break;
    names.push_back(entry.path().filename().string());
  }
  reader.error(key, "there is no file \"" + path + "\"" + did_you_mean(fs::path(path).filename().string(), names));
}

}  // namespace weir::config
