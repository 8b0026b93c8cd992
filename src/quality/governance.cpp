#include "quality/governance.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "config/reader.h"

namespace weir::quality {
namespace {

using config::MapReader;
using config::Node;

PiiSettings read_pii(const Node& node, const std::string& what, bool of_kafka, config::Diagnostics& diagnostics) {
  PiiSettings settings;
  if (of_kafka) settings.sample = 100;
  if (node.is_scalar() && node.text() == "true") return settings;
  MapReader reader(node, diagnostics, what + ", pii");
  const std::string_view names = of_kafka ? "topics" : "tables";
  settings.sample =
      static_cast<std::size_t>(reader.integer("sample", static_cast<std::int64_t>(settings.sample), 1, 10'000));
  if (const Node* filter = reader.child(names)) {
    MapReader inner(*filter, diagnostics, what + ", pii, " + std::string(names));
    settings.names.allow = inner.text_list("allow");
    settings.names.deny = inner.text_list("deny");
    inner.finish();
  }
  if (of_kafka) settings.names.deny.emplace_back("__*");
  settings.accepted = reader.text_list("accepted");
  reader.finish();
  return settings;
}

void read_place(MapReader& reader, GovernanceSettings& settings, std::span<const std::string> sources,
                std::span<const std::string> clusters) {
  settings.source = reader.text("source");
  settings.kafka = reader.text("kafka");
  if (settings.source.empty() == settings.kafka.empty()) {
    reader.error("source", "give either source: (of sources:) or kafka: (of kafka:)");
  }
  const auto check = [&](std::string_view key, const std::string& name, std::span<const std::string> known) {
    const bool all_known = std::ranges::none_of(known, &std::string::empty);
    if (name.empty() || !all_known || std::ranges::find(known, name) != known.end()) return;
    reader.error(key, fmt::format("there is no \"{}\"{}", name, config::did_you_mean(name, known)));
  };
  check("source", settings.source, sources);
  check("kafka", settings.kafka, clusters);
  settings.name = "governance/" + (settings.source.empty() ? settings.kafka : settings.source);
}

GovernanceSettings read_entry(const Node& node, std::span<const std::string> sources,
                              std::span<const std::string> clusters, config::Diagnostics& diagnostics) {
  GovernanceSettings settings;
  MapReader reader(node, diagnostics, "governance");
  read_place(reader, settings, sources, clusters);
  settings.interval = reader.duration("interval", settings.interval);
  if (settings.interval < std::chrono::seconds(1) || settings.interval > std::chrono::days(7)) {
    reader.error("interval", "must be from 1s to 1w");
  }
  if (const Node* pii = reader.child("pii"); pii != nullptr && pii->text() != "false") {
    settings.pii = read_pii(*pii, "governance", !settings.kafka.empty(), diagnostics);
  }
  settings.contracts = reader.boolean("contracts", false);
  settings.owners = reader.boolean("owners", false);
  settings.most_tables = static_cast<std::size_t>(reader.integer("max", 500, 1, 10'000));
  if (!settings.kafka.empty() && (settings.contracts || settings.owners)) {
    reader.error("kafka", "contracts and owners are of a source's tables; of topics pii can be looked for");
  }
  if (!settings.pii && !settings.contracts && !settings.owners) {
    reader.missing({"pii", "contracts", "owners"}, "says nothing to look for: pii, contracts or owners");
  }
  reader.finish();
  return settings;
}

}  // namespace

bool fits_pattern(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool NamePatterns::admits(const std::string& name) const {
  const auto fits = [&](const std::string& pattern) { return fits_pattern(pattern, name); };
  return (allow.empty() || std::ranges::any_of(allow, fits)) && std::ranges::none_of(deny, fits);
}

std::vector<GovernanceSettings> parse_governance_section(const Node& section, std::span<const std::string> sources,
                                                         std::span<const std::string> clusters,
                                                         config::Diagnostics& diagnostics) {
  std::vector<GovernanceSettings> entries;
  if (section.is_null()) return entries;
  if (!section.is_sequence()) {
    diagnostics.error(section.position(), fmt::format("governance: expected a list, found {}", section.kind_name()));
    return entries;
  }
  std::set<std::string> seen;
  for (const Node& item : section.items()) {
    GovernanceSettings entry = read_entry(item, sources, clusters, diagnostics);
    const bool source = !entry.source.empty();
    if (!seen.insert((source ? "source " + entry.source : "kafka " + entry.kafka)).second) {
      diagnostics.error(item.position(),
                        fmt::format("governance: there is another entry of {}", source ? entry.source : entry.kafka));
    }
    // A source and a cluster may have the same name.
    if (!source && std::ranges::any_of(entries, [&](const auto& other) { return other.name == entry.name; })) {
      entry.name += "-topics";
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace weir::quality
