#include <algorithm>
#include <filesystem>
#include <set>

#include "collectors/schema_registry.h"
#include "config/reader.h"

namespace weir::collectors {
namespace {

using config::MapReader;
using config::Node;

std::string quote(std::string_view text) { return "\"" + std::string(text) + "\""; }

const Node& section(MapReader& reader, std::string_view key, const Node& none) {
  const Node* child = reader.child(key);
  return child == nullptr ? none : *child;
}

std::string read_url(MapReader& reader) {
  std::string url = reader.required_text("url");
  if (url.empty()) return url;
  if (const std::string mistake = url_mistake(url); !mistake.empty()) {
    reader.error("url", mistake + ", with the path of the registry's interface if it has one");
    return {};
  }
  if (url.find('?') != std::string::npos) reader.error("url", "must end with the path");
  while (url.ends_with('/')) url.pop_back();
  return url;
}

kafka::Patterns read_patterns(MapReader& reader, std::string_view key) {
  kafka::Patterns patterns;
  for (const Node* item : reader.list(key)) {
    if (!item->is_scalar()) {
      reader.error(*item, quote(key) + ": expected text, found " + std::string(item->kind_name()));
    } else if (const auto added = patterns.add(item->text()); !added) {
      reader.error(*item, quote(key) + ": " + added.error().message);
    }
  }
  return patterns;
}

kafka::NameFilter read_subjects(const Node& node, config::Diagnostics& diagnostics, const std::string& what) {
  MapReader reader(node, diagnostics, what + ", subjects");
  kafka::NameFilter filter{.allow = read_patterns(reader, "allow"),
                           .deny = read_patterns(reader, "deny"),
                           .names = reader.text_list("names")};
  std::ranges::sort(filter.names);
  reader.finish();
  return filter;
}

std::vector<SchemaCandidate> read_candidates(MapReader& reader, config::Diagnostics& diagnostics) {
  std::vector<SchemaCandidate> candidates;
  std::set<std::string> subjects;
  for (const Node* item : reader.list("candidates")) {
    MapReader entry(*item, diagnostics, reader.what() + ", candidate");
    SchemaCandidate candidate{.subject = entry.required_text("subject"), .file = entry.required_text("file")};
    entry.finish();
    if (candidate.subject.empty() || candidate.file.empty()) continue;
    if (!subjects.insert(candidate.subject).second) {
      entry.error("subject", "subject " + quote(candidate.subject) + " has two candidates");
      continue;
    }
    const std::filesystem::path path(candidate.file);
    if (path.is_relative()) {
      candidate.file = (std::filesystem::path(item->position().file).parent_path() / path).string();
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

}  // namespace

SchemaRegistrySettings parse_schema_registry(const config::Node& node, config::Diagnostics& diagnostics) {
  SchemaRegistrySettings settings;
  const Node none;
  const Node* named = node.find("name");
  const bool has_name = named != nullptr && named->is_scalar();
  MapReader reader(node, diagnostics, has_name ? "schema registry " + quote(named->text()) : "schema registry");
  settings.name = reader.required_text("name");
  settings.endpoint.url = read_url(reader);
  settings.interval = reader.duration("interval", settings.interval);
  if (settings.interval < std::chrono::seconds(1)) reader.error("interval", "must be at least 1s");
  read_login(reader, settings.endpoint);
  settings.subjects = read_subjects(section(reader, "subjects", none), diagnostics, reader.what());
  settings.candidates = read_candidates(reader, diagnostics);
  reader.finish();
  return settings;
}

}  // namespace weir::collectors
