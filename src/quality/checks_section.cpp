#include "quality/checks_section.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <glob.h>
#include <map>

#include "config/reader.h"
#include "quality/check_file.h"

namespace weir::quality {
namespace {

using config::Node;

std::vector<std::string> matching_files(const std::string& pattern) {
  std::vector<std::string> files;
  ::glob_t found = {};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  return files;
}

/// The files of an entry, each once, in order.
std::vector<std::string> read_files(config::MapReader& reader, const Node& entry) {
  const std::filesystem::path folder = std::filesystem::path(entry.position().file).parent_path();
  std::vector<std::string> files;
  if (!reader.has("files")) reader.required_text("files");
  for (const Node* item : reader.list("files")) {
    if (!item->is_scalar()) {
      reader.error(*item, "\"files\": expected paths or patterns, found " + std::string(item->kind_name()));
      continue;
    }
    const std::filesystem::path path = config::expand_environment(*item, reader.diagnostics());
    const auto matches = matching_files(path.is_absolute() ? path.string() : (folder / path).string());
    if (matches.empty()) reader.error(*item, fmt::format("\"files\": no file matches \"{}\"", path.string()));
    for (const std::string& file : matches) {
      if (std::ranges::find(files, file) == files.end()) files.push_back(file);
    }
  }
  if (reader.has("files") && reader.list("files").empty()) reader.error("files", "name at least one check file");
  return files;
}

ChecksSettings read_entry(const Node& entry, std::span<const std::string> sources, Variables variables,
                          config::Diagnostics& diagnostics) {
  ChecksSettings settings;
  config::MapReader reader(entry, diagnostics, "checks");
  settings.source = reader.required_text("source");
  const bool known = std::ranges::none_of(sources, &std::string::empty);
  if (known && !settings.source.empty() && std::ranges::find(sources, settings.source) == sources.end()) {
    reader.error("source", fmt::format("there is no source \"{}\" under \"sources\"{}", settings.source,
                                       config::did_you_mean(settings.source, sources)));
  }
  Schedule schedule = read_schedule(reader);
  settings.interval = schedule.interval;
  settings.cron = std::move(schedule.cron);
  if (const Node* own = reader.child("variables")) {
    for (auto& [name, value] : read_variables(*own, "checks: \"variables\"", diagnostics))
      variables.emplace(name, value);
  }
  settings.files = read_files(reader, entry);
  settings.datasets = read_check_files(settings.files, variables, diagnostics);
  reader.finish();
  return settings;
}

}  // namespace

std::vector<Dataset> read_check_files(const std::vector<std::string>& files, const Variables& variables,
                                      config::Diagnostics& diagnostics) {
  std::vector<Dataset> datasets;
  for (const std::string& file : files) {
    const std::size_t errors = diagnostics.errors().size();
    const Node root = config::load_yaml(file, diagnostics);
    if (diagnostics.errors().size() != errors) continue;
    std::ranges::move(parse_check_file(root, diagnostics, variables), std::back_inserter(datasets));
  }
  return merge_datasets(std::move(datasets), diagnostics);
}

std::vector<ChecksSettings> parse_checks_section(const Node& section, std::span<const std::string> sources,
                                                 config::Diagnostics& diagnostics, const Variables& variables) {
  std::vector<ChecksSettings> entries;
  if (section.is_null()) return entries;
  if (!section.is_sequence()) {
    diagnostics.error(section.position(), fmt::format("checks: expected a list, found {}", section.kind_name()));
    return entries;
  }
  std::map<std::string, int> used;
  std::map<std::string, config::Position> seen;
  for (const Node& item : section.items()) {
    ChecksSettings entry = read_entry(item, sources, variables, diagnostics);
    const int nth = ++used[entry.source];
    entry.name = "checks/" + entry.source + (nth > 1 ? fmt::format("-{}", nth) : "");
    for (const Dataset& dataset : entry.datasets) {
      if (dataset.for_each) continue;
      const auto [first, added] = seen.emplace(entry.source + '\n' + dataset.label(), dataset.position);
      if (added) continue;
      diagnostics.error(
          dataset.position,
          fmt::format("another entry of \"checks\" checks {} of {} already (at {}); list both files in one entry",
                      dataset.label(), entry.source, first->second.to_string()));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace weir::quality
