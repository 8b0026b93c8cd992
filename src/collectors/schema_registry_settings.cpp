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
  const std::size_t host = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  if (host == 0 || host == url.size() || url[host] == '/') {
    reader.error(
        "url", "write http://host:port or https://host:port, with the path of the registry's interface if it has one");
    return {};
  }
  if (url.find('@', host) != std::string::npos) {
    reader.error("url", "credentials do not belong in the URL; give them under basic_auth");
    return {};
  }
  if (url.find_first_of("?#", host) != std::string::npos) reader.error("url", "must end with the path");
  while (url.ends_with('/')) url.pop_back();
  return url;
}

void read_login(MapReader& reader, SchemaRegistryEndpoint& endpoint, config::Diagnostics& diagnostics) {
  endpoint.bearer_token = reader.secret("bearer_token");
  const Node* login = reader.child("basic_auth");
  if (login == nullptr) return;
  MapReader basic(*login, diagnostics, reader.what() + ", basic_auth");
  std::string username = basic.required_text("username");
  endpoint.basic_auth.emplace(std::move(username), basic.secret("password"));
  if (!endpoint.bearer_token.empty()) reader.error("basic_auth", "give either basic_auth or bearer_token, not both");
  basic.finish();
}

void read_tls(const Node& node, SchemaRegistryEndpoint& endpoint, config::Diagnostics& diagnostics,
              const std::string& what) {
  MapReader tls(node, diagnostics, what + ", tls");
  endpoint.ca_file = tls.text("ca_file");
  endpoint.cert_file = tls.text("cert_file");
  endpoint.key_file = tls.text("key_file");
  if (endpoint.cert_file.empty() != endpoint.key_file.empty()) {
    tls.error(node, "cert_file and key_file belong together");
  }
  tls.finish();
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
  settings.endpoint.request_timeout = reader.duration("request_timeout", settings.endpoint.request_timeout);
  if (settings.interval < std::chrono::seconds(1)) reader.error("interval", "must be at least 1s");
  if (settings.endpoint.request_timeout < std::chrono::milliseconds(100)) {
    reader.error("request_timeout", "must be at least 100ms");
  }
  read_login(reader, settings.endpoint, diagnostics);
  read_tls(section(reader, "tls", none), settings.endpoint, diagnostics, reader.what());
  settings.subjects = read_subjects(section(reader, "subjects", none), diagnostics, reader.what());
  settings.candidates = read_candidates(reader, diagnostics);
  reader.finish();
  return settings;
}

}  // namespace weir::collectors
