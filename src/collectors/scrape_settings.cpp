#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "collectors/prometheus_scrape.h"
#include "collectors/scrape_presets.h"
#include "config/reader.h"

namespace weir::collectors {
namespace {

using config::MapReader;
using config::Node;

/// host:port, the port as the scheme has it where none is given.
std::string instance_of(std::string_view url) {
  const bool tls = url.starts_with("https://");
  std::string_view host = url.substr(tls ? 8 : 7);
  host = host.substr(0, host.find_first_of("/?"));
  const std::size_t bracket = host.find(']');  // of an IPv6 address
  const bool has_port = host.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
  return std::string(host) + (has_port ? "" : tls ? ":443" : ":80");
}

std::vector<std::string> read_urls(MapReader& reader) {
  std::vector<std::string> urls = reader.text_list("urls");
  const std::string one = reader.text("url");
  if (!one.empty()) urls.insert(urls.begin(), one);
  if (urls.empty() && !reader.has("url") && !reader.has("urls")) {
    reader.missing({"url", "urls"}, "key \"url\" is missing");
  } else if (urls.empty()) {
    reader.error(reader.has("url") ? "url" : "urls", "names no page");
  }
  std::set<std::string> seen;
  for (const std::string& url : urls) {
    const std::string_view key = url == one ? "url" : "urls";
    if (const std::string mistake = url_mistake(url); !mistake.empty()) {
      reader.error(key, mistake + ", with the path of the metrics");
    } else if (!seen.insert(instance_of(url)).second) {
      reader.error(key,
                   fmt::format("{} is given twice; a second page of it needs an entry of its own", instance_of(url)));
    }
  }
  return urls;
}

bool is_label_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::vector<RelabelRule> read_rules(MapReader& reader) {
  std::vector<std::string> known;
  for (const ScrapePreset& preset : scrape_presets()) known.emplace_back(preset.name);
  const std::vector<std::string> presets = reader.text_list("preset");
  for (const std::string& preset : presets) {
    if (std::ranges::find(known, preset) == known.end()) {
      reader.error("preset", fmt::format("there is no \"{}\"; the presets are {}{}", preset, fmt::join(known, ", "),
                                         config::did_you_mean(preset, known)));
    }
  }
  std::vector<RelabelRule> rules = preset_rules(presets);
  auto own = parse_relabel_rules(reader.list("metric_relabel_configs"), reader.what(), reader.diagnostics());
  std::ranges::move(own, std::back_inserter(rules));
  return rules;
}

}  // namespace

ScrapeTargets parse_scrape(const Node& node, config::Diagnostics& diagnostics) {
  const Node* named = node.find("name");
  const bool has_name = named != nullptr && named->is_scalar();
  MapReader reader(node, diagnostics, has_name ? "scrape \"" + named->text() + "\"" : "scrape");
  ScrapeSettings settings;
  settings.name = reader.required_text("name");
  const std::vector<std::string> urls = read_urls(reader);
  settings.interval = reader.duration("interval", settings.interval);
  if (settings.interval < std::chrono::seconds(1)) reader.error("interval", "must be at least 1s");
  read_login(reader, settings.endpoint);
  settings.labels = reader.text_map("labels");
  for (const auto& [name, value] : settings.labels) {
    if (!is_label_name(name)) reader.error("labels", fmt::format("\"{}\" is no label's name", name));
    if (name == "job" || name == "instance") reader.error("labels", fmt::format("\"{}\" is set by the scrape", name));
  }
  settings.honor_labels = reader.boolean("honor_labels", false);
  settings.honor_timestamps = reader.boolean("honor_timestamps", true);
  settings.rules = read_rules(reader);
  settings.sample_limit = static_cast<std::size_t>(reader.integer("sample_limit", 20'000, 1, 1'000'000));
  settings.label_limit = static_cast<std::size_t>(reader.integer("label_limit", 64, 1, 1'000));
  settings.body_size_limit =
      static_cast<std::size_t>(reader.integer("body_size_limit", 16 << 20, 1 << 10, std::int64_t{1} << 30));
  reader.finish();
  ScrapeTargets targets{settings.name, {}};
  for (const std::string& url : urls) {
    if (!url_mistake(url).empty()) continue;
    ScrapeSettings& page = targets.pages.emplace_back(settings);
    page.endpoint.url = url;
    page.instance = instance_of(url);
  }
  return targets;
}

}  // namespace weir::collectors
