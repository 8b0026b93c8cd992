#include "app/check_setup.h"

#include <algorithm>
#include <filesystem>

#include "config/node.h"
#include "quality/check_file.h"
#include "quality/contract.h"

namespace weir::app {
namespace {

using config::Diagnostics;
using config::Node;

std::string name_of(const Node& source) {
  const Node* name = source.is_mapping() ? source.find("name") : nullptr;
  return name == nullptr ? "" : name->text();
}

const Node* find_source(const Node& sources, const std::string& name) {
  const auto found = std::ranges::find(sources.items(), name, name_of);
  return found == sources.items().end() ? nullptr : &*found;
}

bool is_url(std::string_view text) {
  const std::size_t scheme = text.find("://");
  return scheme != std::string_view::npos && scheme > 0 &&
         text.substr(0, scheme).find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
}

/// The entry that `sources:` would have for a URL or a file.
Node entry_of(const CheckOptions& options) {
  const config::Position place{options.url.empty() ? "--sqlite" : "--url", 0, 0};
  std::vector<Node::Entry> entries;
  const auto add = [&](const char* key, const std::string& value) {
    entries.emplace_back(Node::scalar(key, place), Node::scalar(value, place, true));
  };
  const std::string scheme = options.url.substr(0, options.url.find(':'));
  add("name", options.source.empty() ? "database" : options.source);
  if (!options.sqlite.empty()) {
    add("type", "sqlite");
    add("path", std::filesystem::absolute(options.sqlite).string());
  } else {
    add("type", scheme == "postgresql" ? "postgres" : scheme);
    add("url", options.url);
  }
  return Node::mapping(std::move(entries), place);
}

}  // namespace

std::expected<CheckSources, Diagnostics> CheckSources::read(const CheckOptions& options) {
  Diagnostics diagnostics;
  CheckSources made;
  Node entry;
  if (!options.url.empty() || !options.sqlite.empty()) {
    if (!options.url.empty() && !is_url(options.url)) {
      // It is not shown: it may hold a password.
      diagnostics.error({"--url", 0, 0}, "expected a URL, such as postgresql://user@host:5432/database");
      return std::unexpected(diagnostics);
    }
    entry = entry_of(options);
  } else {
    const Node root = config::load_yaml(options.config, diagnostics, config::Streams::own);
    if (!diagnostics.ok()) return std::unexpected(diagnostics);
    if (const Node* sources = root.is_mapping() ? root.find("sources") : nullptr) made.sources_ = *sources;
    const auto& all = made.sources_.items();
    const Node* named =
        options.source.empty() && all.size() == 1 ? &all.front() : find_source(made.sources_, options.source);
    if (named == nullptr) {
      std::vector<std::string> names;
      for (const Node& source : all) names.push_back(name_of(source));
      diagnostics.error({options.config, 0, 0},
                        options.source.empty() ? "it has " + std::string(all.empty() ? "no" : "several") +
                                                     " sources: name one with --source"
                                               : "there is no source \"" + options.source + "\" under \"sources\"" +
                                                     config::did_you_mean(options.source, names));
      return std::unexpected(diagnostics);
    }
    entry = *named;
  }
  made.settings_ = sql::parse_source(entry, diagnostics);
  if (!diagnostics.ok()) return std::unexpected(diagnostics);
  return made;
}

core::Result<sql::SqlSource*> CheckSources::other(const std::string& name) {
  if (const auto open = others_.find(name); open != others_.end()) return open->second.get();
  const Node* entry = find_source(sources_, name);
  if (entry == nullptr) return core::fail(core::ErrorKind::not_found, "there is no source \"" + name + "\"");
  Diagnostics diagnostics;
  const sql::SourceSettings settings = sql::parse_source(*entry, diagnostics);
  if (!diagnostics.ok()) return core::fail(core::ErrorKind::invalid, diagnostics.errors().front().to_string());
  auto session = sql::make_source(settings);
  if (!session) return std::unexpected(session.error());
  return (others_[name] = std::move(*session)).get();
}

std::expected<std::vector<std::string>, std::string> check_files(const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code failed;
    if (!fs::is_directory(path, failed)) {
      if (!fs::exists(path, failed)) return std::unexpected("\"" + path + "\" is not there");
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(path, failed)) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file(failed) && (extension == ".yml" || extension == ".yaml"))
        found.push_back(entry.path().string());
    }
    if (found.empty()) return std::unexpected("\"" + path + "\" holds no check files (*.yml, *.yaml)");
    std::ranges::sort(found);
    std::ranges::move(found, std::back_inserter(files));
  }
  return files;
}

std::expected<std::vector<quality::Dataset>, Diagnostics> read_checks(const std::vector<std::string>& files,
                                                                      const std::vector<std::string>& contracts,
                                                                      const CheckOptions& options,
                                                                      std::vector<config::Diagnostic>& notes) {
  Diagnostics diagnostics;
  std::vector<quality::Dataset> datasets;
  quality::Variables variables;
  for (const std::string& each : options.variables) {
    const std::size_t equals = each.find('=');
    const std::string name = each.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : each.substr(equals + 1);
    const std::string mistake =
        equals == std::string::npos ? "write name=value" : quality::variable_mistake(name, value);
    if (!mistake.empty()) diagnostics.error({"-v " + each, 0, 0}, mistake);
    variables[name] = value;
  }
  std::string all_text;
  const auto read = [&](const std::string& file, bool contract) {
    Diagnostics own;
    const auto text = config::read_file(file, config::YamlLimits{}.bytes, config::Streams::own);
    if (!text) own.error({file, 0, 0}, text.error().message);
    all_text += text.value_or("");
    const Node root = config::parse_yaml(text.value_or(""), file, own);
    if (own.ok() && contract && !quality::is_contract(root)) {
      own.error({file, 0, 0}, "is no data contract: it has no \"kind: DataContract\"");
    }
    if (own.ok()) std::ranges::move(quality::parse_check_file(root, own, variables), std::back_inserter(datasets));
    for (const config::Diagnostic& mistake : own.errors()) diagnostics.error(mistake.position, mistake.message);
    std::ranges::copy(own.hints(), std::back_inserter(notes));
  };
  for (const std::string& file : files) read(file, false);
  for (const std::string& file : contracts) read(file, true);
  for (const auto& [name, value] : variables) {
    // By its name anywhere: "freshness(at, NAME)" has it without the braces.
    if (all_text.find(name) == std::string::npos) notes.push_back({{"-v " + name, 0, 0}, "no file uses this variable"});
  }
  datasets = quality::merge_datasets(std::move(datasets), diagnostics);
  if (!diagnostics.ok()) return std::unexpected(diagnostics);
  return datasets;
}

}  // namespace weir::app
