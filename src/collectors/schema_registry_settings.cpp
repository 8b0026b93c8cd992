#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fmt/format.h>
#include <set>

#include "collectors/schema_contracts.h"
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

std::vector<SchemaReference> read_references(MapReader& reader) {
  std::vector<SchemaReference> references;
  for (const Node* item : reader.list("references")) {
    MapReader entry(*item, reader.diagnostics(), reader.what() + ", reference");
    SchemaReference reference{.name = entry.required_text("name"),
                              .subject = entry.required_text("subject"),
                              .version = static_cast<int>(entry.integer("version", 1, 1, INT32_MAX))};
    if (!entry.has("version")) entry.missing("version");
    entry.finish();
    references.push_back(std::move(reference));
  }
  return references;
}

std::vector<SchemaContract> read_contracts(MapReader& reader, config::Diagnostics& diagnostics) {
  std::vector<SchemaContract> contracts;
  for (const Node* item : reader.list("contracts")) {
    SchemaContract contract;
    if (item->is_scalar()) {
      contract.files = item->text();
    } else {
      MapReader entry(*item, diagnostics, reader.what() + ", contract");
      contract.files = entry.required_text("files");
      contract.subject = entry.text("subject");
      contract.references = read_references(entry);
      const std::string type = entry.choice("type", "", {"avro", "protobuf", "json"});
      if (type == "avro") contract.format = schemas::Format::avro;
      if (type == "protobuf") contract.format = schemas::Format::protobuf;
      if (type == "json") contract.format = schemas::Format::json;
      entry.finish();
    }
    if (contract.files.empty()) continue;
    contract.files = placed(contract.files, *item);
    if (contract_files(contract).empty())
      diagnostics.hint(item->position(),
                       fmt::format("{}: \"contracts\": no file matches \"{}\"", reader.what(), contract.files));
    contracts.push_back(std::move(contract));
  }
  return contracts;
}

schemas::NamingStrategy read_naming(MapReader& reader) {
  const std::string naming = reader.choice("naming", "topic_name", {"topic_name", "record_name", "topic_record_name"});
  if (naming == "record_name") return schemas::NamingStrategy::record_name;
  return naming == "topic_record_name" ? schemas::NamingStrategy::topic_record_name
                                       : schemas::NamingStrategy::topic_name;
}

std::vector<SchemaTable> read_tables(MapReader& reader, config::Diagnostics& diagnostics) {
  std::vector<SchemaTable> tables;
  for (const Node* item : reader.list("tables")) {
    MapReader entry(*item, diagnostics, reader.what() + ", table");
    SchemaTable table{.subject = entry.required_text("subject"),
                      .source = entry.required_text("source"),
                      .table = entry.required_text("table"),
                      .ignored = {},
                      .position = item->position()};
    for (std::string& name : entry.text_list("ignore")) table.ignored.insert(std::move(name));
    entry.finish();
    tables.push_back(std::move(table));
  }
  return tables;
}

SchemaDriftSettings read_drift(const Node* node, config::Diagnostics& diagnostics, const std::string& what) {
  SchemaDriftSettings settings;
  if (node == nullptr) return settings;
  settings.position = node->position();
  MapReader reader(*node, diagnostics, what + ", drift");
  settings.interval = reader.duration("interval", settings.interval);
  if (settings.interval < std::chrono::seconds(1)) reader.error("interval", "must be at least 1s");
  settings.topics.allow = read_patterns(reader, "topics");
  settings.any_topics = !settings.topics.allow.empty();
  settings.messages = static_cast<std::size_t>(reader.integer("messages", 20, 1, 1000));
  settings.tables = read_tables(reader, diagnostics);
  reader.finish();
  return settings;
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
    candidate.file = placed(candidate.file, *item);
    if (std::error_code unknown; !std::filesystem::exists(candidate.file, unknown) && !unknown)
      reader.diagnostics().hint(
          item->position(), fmt::format("{}: \"candidates\": there is no file \"{}\"", reader.what(), candidate.file));
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
  settings.parallel = static_cast<std::size_t>(reader.integer("parallel", 8, 1, 32));
  settings.subjects = read_subjects(section(reader, "subjects", none), diagnostics, reader.what());
  settings.candidates = read_candidates(reader, diagnostics);
  settings.contracts = read_contracts(reader, diagnostics);
  settings.naming = read_naming(reader);
  settings.cluster = reader.text("cluster");
  settings.drift = read_drift(reader.child("drift"), diagnostics, reader.what());
  if (settings.drift.any_topics && settings.cluster.empty())
    reader.error("drift", "topics are looked at in a Kafka cluster: give its name as cluster");
  reader.finish();
  return settings;
}

}  // namespace weir::collectors
