#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>

#include "collectors/http_json.h"
#include "collectors/json_pointer.h"
#include "config/reader.h"

namespace weir::collectors {
namespace {

using config::MapReader;
using config::Node;

constexpr std::size_t kDeepestRequests = 3;

template <class Value, std::size_t Count>
using Names = std::array<std::pair<std::string_view, Value>, Count>;

constexpr Names<JsonUnit, 5> kUnits{{{"plain", JsonUnit::plain},
                                     {"milliseconds", JsonUnit::milliseconds},
                                     {"timestamp", JsonUnit::timestamp},
                                     {"age", JsonUnit::age},
                                     {"length", JsonUnit::length}}};
constexpr Names<JsonAggregate, 5> kAggregates{{{"none", JsonAggregate::none},
                                               {"count", JsonAggregate::count},
                                               {"sum", JsonAggregate::sum},
                                               {"max", JsonAggregate::max},
                                               {"min", JsonAggregate::min}}};
constexpr Names<core::MetricType, 2> kTypes{
    {{"gauge", core::MetricType::gauge}, {"counter", core::MetricType::counter}}};

template <class Value, std::size_t Count>
Value read_choice(MapReader& reader, std::string_view key, const Names<Value, Count>& names) {
  std::vector<std::string> choices;
  for (const auto& [name, value] : names) choices.emplace_back(name);
  const std::string chosen = reader.choice(key, choices.front(), choices);
  const auto found = std::ranges::find(names, chosen, [](const auto& pair) { return pair.first; });
  return found == names.end() ? names.front().second : found->second;
}

bool is_name(std::string_view name, bool colons) {
  const auto is_letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
  };
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// Paths, bodies and messages are as they are written: {name} and ${name} are not the environment's.
std::string as_written(MapReader& reader, std::string_view key) {
  const Node* node = reader.child(key);
  if (node == nullptr || node->is_null()) return {};
  if (node->is_scalar()) return node->text();
  reader.error(*node, fmt::format("\"{}\": expected text, found {}", key, node->kind_name()));
  return {};
}

std::string read_pointer(MapReader& reader, std::string_view key, bool stars = false) {
  std::string text = as_written(reader, key);
  const auto pointer = JsonPointer::parse(text);
  if (!pointer) reader.error(key, pointer.error().message);
  if (pointer && !stars && pointer->stars() > 0) reader.error(key, "a * is for \"items\" alone");
  return text;
}

std::vector<JsonLabel> read_labels(MapReader& reader) {
  std::vector<JsonLabel> labels;
  for (const auto& [name, from] : reader.text_map("labels")) {
    if (!is_name(name, false)) reader.error("labels", fmt::format("\"{}\" is no label's name", name));
    labels.push_back({name, from});
  }
  return labels;
}

std::vector<JsonCondition> read_where(MapReader& reader) {
  std::vector<JsonCondition> conditions;
  const Node* node = reader.child("where");
  if (node == nullptr) return conditions;
  if (!node->is_mapping()) {
    reader.error(*node, "\"where\": write {/pointer: [values]}");
    return conditions;
  }
  for (const auto& [key, value] : node->entries()) {
    JsonCondition& condition = conditions.emplace_back();
    condition.pointer = key.text();
    if (const auto pointer = JsonPointer::parse(key.text()); !pointer) reader.error(key, pointer.error().message);
    if (value.is_scalar()) condition.values.push_back(value.text());
    for (const Node& item : value.items()) condition.values.push_back(item.text());
  }
  return conditions;
}

std::map<std::string, double> read_map(MapReader& reader) {
  std::map<std::string, double> numbers;
  const Node* node = reader.child("map");
  if (node == nullptr) return numbers;
  if (!node->is_mapping()) reader.error(*node, "\"map\": write {TEXT: number}");
  for (const auto& [key, value] : node->entries()) {
    try {
      numbers[key.text()] = std::stod(value.text());
    } catch (const std::exception&) {
      reader.error(value, fmt::format("\"map\": \"{}\" is no number", value.text()));
    }
  }
  return numbers;
}

JsonMetric read_metric(const Node& node, const std::string& what, config::Diagnostics& diagnostics) {
  MapReader reader(node, diagnostics, what + ", metric");
  JsonMetric metric;
  metric.name = reader.required_text("name");
  if (!metric.name.empty() && !is_name(metric.name, true)) reader.error("name", "is no metric's name");
  metric.help = reader.text("help", "From the service's interface.");
  metric.type = read_choice(reader, "type", kTypes);
  metric.value = read_pointer(reader, "value");
  metric.unit = read_choice(reader, "unit", kUnits);
  metric.scale = reader.number("scale", 1);
  metric.map = read_map(reader);
  metric.states = reader.text_list("states");
  metric.labels = read_labels(reader);
  metric.aggregate = read_choice(reader, "aggregate", kAggregates);
  metric.where = read_where(reader);
  if (!metric.map.empty() && !metric.states.empty()) reader.error("states", "give either map or states");
  reader.finish();
  return metric;
}

JsonEvent read_event(const Node& node, const std::string& what, config::Diagnostics& diagnostics) {
  MapReader reader(node, diagnostics, what + ", event");
  JsonEvent event;
  event.kind = reader.required_text("kind");
  event.value = read_pointer(reader, "value");
  event.to = reader.text_list("to");
  if (event.to.empty()) reader.missing("to", "key \"to\" is missing: the values that are told");
  event.message = as_written(reader, "message");
  if (event.message.empty()) reader.missing("message");
  reader.finish();
  return event;
}

JsonPages read_pages(const Node& node, const std::string& what, config::Diagnostics& diagnostics) {
  MapReader reader(node, diagnostics, what + ", pages");
  JsonPages pages;
  pages.cursor = read_pointer(reader, "cursor");
  pages.next = read_pointer(reader, "next");
  pages.parameter = reader.text("parameter");
  pages.size = reader.integer("size", 0, 0, 100'000);
  pages.link_header = reader.boolean("link_header", false);
  const int ways = (pages.cursor.empty() ? 0 : 1) + (pages.next.empty() ? 0 : 1) + (pages.size > 0 ? 1 : 0) +
                   (pages.link_header ? 1 : 0);
  if (ways != 1) reader.error(node, "give one of cursor, next, size and link_header");
  if (pages.parameter.empty() && (!pages.cursor.empty() || pages.size > 0)) reader.missing("parameter");
  reader.finish();
  return pages;
}

JsonRequest read_request(const Node& node, const std::string& what, std::size_t depth,
                         config::Diagnostics& diagnostics) {
  MapReader reader(node, diagnostics, what + ", request");
  JsonRequest request;
  request.method = reader.choice("method", "GET", {"GET", "POST"});
  request.path = as_written(reader, "path");
  if (!request.path.empty() && request.path.front() != '/' && request.path.front() != '?') {
    reader.error("path", "begins with /");
  }
  request.body = as_written(reader, "body");
  request.items = read_pointer(reader, "items", true);
  request.optional = reader.boolean("optional", false);
  request.labels = read_labels(reader);
  request.where = read_where(reader);
  for (const Node* item : reader.list("metrics")) request.metrics.push_back(read_metric(*item, what, diagnostics));
  for (const Node* item : reader.list("events")) request.events.push_back(read_event(*item, what, diagnostics));
  if (const Node* pages = reader.child("pages")) request.pages = read_pages(*pages, what, diagnostics);
  for (const Node* item : reader.list("each")) {
    if (depth == kDeepestRequests) {
      reader.error(*item, fmt::format("requests within requests go {} deep", kDeepestRequests));
      break;
    }
    request.each.push_back(read_request(*item, what, depth + 1, diagnostics));
  }
  if (request.metrics.empty() && request.each.empty()) reader.missing({"metrics", "each"}, "has no metrics");
  reader.finish();
  return request;
}

std::vector<JsonRequest> read_requests(MapReader& reader) {
  std::vector<JsonRequest> requests;
  for (const Node* item : reader.list("requests")) {
    requests.push_back(read_request(*item, reader.what(), 1, reader.diagnostics()));
  }
  return requests;
}

/// The requests of a preset, and what it asks of the entry: variables that must be given, or have a default.
std::vector<JsonRequest> read_preset(const std::string& name, MapReader& entry, HttpJsonSettings& settings) {
  const std::vector<std::string> known = http_json_presets();
  if (std::ranges::find(known, name) == known.end()) {
    entry.error("preset", fmt::format("there is no \"{}\"; the presets are {}{}", name, fmt::join(known, ", "),
                                      config::did_you_mean(name, known)));
    return {};
  }
  const Node node = config::parse_yaml(std::string(http_json_preset(name)), "preset " + name, entry.diagnostics());
  MapReader reader(node, entry.diagnostics(), "preset " + name);
  reader.text("of");
  for (const auto& [variable, fallback] : reader.text_map("variables")) {
    if (settings.variables.contains(variable)) continue;
    if (fallback == "required") {
      entry.error("preset", fmt::format("{} needs variables: {{{}: …}}", name, variable));
    } else {
      settings.variables[variable] = fallback;
    }
  }
  std::vector<JsonRequest> requests = read_requests(reader);
  reader.finish();
  return requests;
}

std::optional<OauthSettings> read_oauth(MapReader& entry) {
  const Node* node = entry.child("oauth2");
  if (node == nullptr) return std::nullopt;
  MapReader reader(*node, entry.diagnostics(), entry.what() + ", oauth2");
  OauthSettings oauth;
  oauth.token_url = reader.required_text("token_url");
  if (const std::string mistake = url_mistake(oauth.token_url); !oauth.token_url.empty() && !mistake.empty()) {
    reader.error("token_url", mistake);
  }
  oauth.client_id = reader.required_text("client_id");
  oauth.client_secret = reader.secret("client_secret");
  if (oauth.client_secret.empty()) reader.missing("client_secret");
  oauth.scope = fmt::format("{}", fmt::join(reader.text_list("scopes"), " "));
  oauth.in_body = reader.choice("credentials", "basic", {"basic", "body"}) == "body";
  reader.finish();
  return oauth;
}

std::string read_base_url(MapReader& reader) {
  std::string url = reader.required_text("url");
  if (url.empty()) return url;
  if (const std::string mistake = url_mistake(url); !mistake.empty()) reader.error("url", mistake);
  if (url.find('?') != std::string::npos) reader.error("url", "must end with the path; queries belong to the requests");
  while (url.ends_with('/')) url.pop_back();
  return url;
}

void read_headers(MapReader& entry, HttpJsonSettings& settings) {
  const Node* node = entry.child("headers");
  if (node == nullptr) return;
  MapReader reader(*node, entry.diagnostics(), entry.what() + ", headers");
  for (const auto& [key, value] : node->entries()) {
    std::string name = key.text();
    if (name.ends_with("_file")) name.resize(name.size() - 5);
    settings.headers.emplace_back(name, reader.secret(name));
    const std::string& text = settings.headers.back().second.reveal();
    if (name.find_first_of(" :\r\n") != std::string::npos || text.find_first_of("\r\n") != std::string::npos) {
      reader.error(key, "is no header");
    }
  }
  reader.finish();
}

}  // namespace

HttpJsonSettings parse_http_json(const Node& node, config::Diagnostics& diagnostics) {
  const Node* named = node.find("name");
  const bool has_name = named != nullptr && named->is_scalar();
  MapReader reader(node, diagnostics, has_name ? "http_json \"" + named->text() + "\"" : "http_json");
  HttpJsonSettings settings;
  settings.name = reader.required_text("name");
  settings.endpoint.url = read_base_url(reader);
  settings.interval = reader.duration("interval", settings.interval);
  if (settings.interval < std::chrono::seconds(1) || settings.interval > std::chrono::minutes(4)) {
    reader.error("interval", "must be from 1s to 4m, as a series without a sample for 5m has ended");
  }
  read_login(reader, settings.endpoint);
  read_headers(reader, settings);
  settings.oauth = read_oauth(reader);
  if (settings.oauth && (settings.endpoint.basic_auth || !settings.endpoint.bearer_token.empty())) {
    reader.error("oauth2", "give one of oauth2, basic_auth and bearer_token");
  }
  settings.labels = reader.text_map("labels");
  for (const auto& [name, value] : settings.labels) {
    if (!is_name(name, false)) reader.error("labels", fmt::format("\"{}\" is no label's name", name));
  }
  for (const auto& [name, value] : reader.text_map("variables")) settings.variables[name] = value;
  if (const std::string preset = reader.text("preset"); !preset.empty()) {
    settings.requests = read_preset(preset, reader, settings);
  } else if (!reader.has("requests")) {
    reader.missing({"preset", "requests"}, "give a preset, or requests of your own");
  }
  auto own = read_requests(reader);
  std::ranges::move(own, std::back_inserter(settings.requests));
  settings.request_limit = static_cast<std::size_t>(reader.integer("request_limit", 200, 1, 10'000));
  settings.sample_limit = static_cast<std::size_t>(reader.integer("sample_limit", 20'000, 1, 1'000'000));
  settings.body_size_limit =
      static_cast<std::size_t>(reader.integer("body_size_limit", 8 << 20, 1 << 10, std::int64_t{1} << 30));
  reader.finish();
  return settings;
}

}  // namespace weir::collectors
