#include "kafka/property_files.h"

#include <algorithm>
#include <sys/stat.h>
#include <utility>

#include "config/node.h"

namespace weir::kafka {
namespace {

core::Result<std::string> first_line(const PropertyFile& file) {
  auto line = config::read_first_line(file.path);
  if (line && !line->empty()) return line;
  return core::fail(core::ErrorKind::invalid,
                    file.property + "_file: \"" + file.path + "\" " + (line ? "is empty" : line.error().message));
}

}  // namespace

PropertyFiles::PropertyFiles(const ClusterSettings& settings) {
  for (const PropertyFile& file : settings.property_files) files_.push_back({file.path, {}});
  for (const auto& [name, value] : settings.properties) {
    if (name.ends_with(".location")) files_.push_back({value.reveal(), {}});
  }
  for (Watched& file : files_) file.stamp = stamp_of(file.path);
}

std::optional<PropertyFiles::Stamp> PropertyFiles::stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Stamp{status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size, status.st_ino};
}

bool PropertyFiles::changed() {
  std::string names;
  for (Watched& file : files_) {
    const std::optional<Stamp> now = stamp_of(file.path);
    if (now == file.stamp) continue;
    file.stamp = now;
    names += (names.empty() ? "\"" : ", \"") + file.path + "\"";
  }
  if (names.empty()) return false;
  names_ = std::move(names);
  return true;
}

core::Result<ClusterSettings> PropertyFiles::read(ClusterSettings settings) const {
  for (const PropertyFile& file : settings.property_files) {
    auto line = first_line(file);
    if (!line) return std::unexpected(std::move(line.error()));
    if (file.property == "sasl.oauthbearer.client.secret") {
      settings.token->client_secret = core::Secret(std::move(*line));
      continue;
    }
    const auto property = std::ranges::find(settings.properties, file.property,
                                            [](const auto& each) -> const std::string& { return each.first; });
    if (property != settings.properties.end()) property->second = core::Secret(std::move(*line));
  }
  return settings;
}

}  // namespace weir::kafka
