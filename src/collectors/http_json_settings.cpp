#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <functional>
#include <re2/re2.h>
#include <set>

#include "collectors/http_json.h"
#include "collectors/http_json_names.h"
#include "collectors/http_login_settings.h"
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
constexpr Names<JsonAggregate, 6> kAggregates{{{"none", JsonAggregate::none},
                                               {"count", JsonAggregate::count},
                                               {"sum", JsonAggregate::sum},
                                               {"max", JsonAggregate::max},
                                               {"min", JsonAggregate::min},
                                               {"first", JsonAggregate::first}}};
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
  if (text.starts_with('{') && text.ends_with('}')) return text;
  if (!pointer) reader.error(key, pointer.error().message);
  if (pointer && !stars && pointer->stars() > 0) reader.error(key, "a * is for \"items\" alone");
  return text;
}

/// A text, or {value, or, match, to, replace, map}.
JsonValue read_value(const Node& node, MapReader& around, std::string_view key) {
  JsonValue value;
  if (node.is_scalar()) {
    value.from = node.text();
  } else if (node.is_mapping()) {
    MapReader reader(node, around.diagnostics(), around.what() + ", " + std::string(key));
    value.from = as_written(reader, "value");
    value.otherwise = as_written(reader, "or");
    if (reader.has("join")) value.join = as_written(reader, "join");
    value.of = reader.text("of");
    value.to = reader.has("to") ? as_written(reader, "to") : value.to;
    if (const std::string match = as_written(reader, "match"); !match.empty()) {
      auto pattern = std::make_shared<const RE2>(match, RE2::Quiet);
      if (!pattern->ok()) reader.error("match", "no regular expression: " + pattern->error());
      std::string mistake;
      if (pattern->ok() && !pattern->CheckRewriteString(value.to, &mistake)) reader.error("match", mistake);
      if (pattern->ok() && mistake.empty()) value.match = std::move(pattern);
    }
    if (const Node* replace = reader.child("replace")) {
      for (const auto& [old, by] : replace->entries()) value.replace.emplace_back(old.text(), by.text());
    }
    if (const Node* map = reader.child("map")) {
      for (const auto& [text, word] : map->entries()) value.map[text.text()] = word.text();
    }
    reader.finish();
  } else {
    around.error(node, fmt::format("\"{}\": write a text, or {{value: …, match: …}}", key));
  }
  for (const std::string* from : {&value.from, &value.otherwise}) {
    if (!from->starts_with('/')) continue;
    const auto pointer = JsonPointer::parse(*from);
    if (pointer && pointer->stars() > 0) around.error(node, "a * is for \"items\" alone");
  }
  return value;
}

std::vector<JsonLabel> read_values(MapReader& reader, std::string_view key) {
  std::vector<JsonLabel> values;
  const Node* node = reader.child(key);
  if (node == nullptr || node->is_null()) return values;
  if (!node->is_mapping()) reader.error(*node, fmt::format("\"{}\": expected a mapping", key));
  for (const auto& [name, value] : node->entries()) {
    if (!is_name(name.text(), false)) reader.error(name, fmt::format("\"{}\" is no label's name", name.text()));
    values.push_back({name.text(), read_value(value, reader, key)});
  }
  return values;
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
    condition.from = key.text();
    const bool named = condition.from.starts_with('{') && condition.from.ends_with('}');
    if (const auto pointer = JsonPointer::parse(key.text()); !named && !pointer) {
      reader.error(key, pointer.error().message);
    }
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
  metric.planned = reader.boolean("planned", false);
  if (metric.planned && metric.unit != JsonUnit::age) reader.error("planned", "is for unit: age");
  metric.scale = reader.number("scale", 1);
  metric.map = read_map(reader);
  metric.states = reader.text_list("states");
  metric.labels = read_values(reader, "labels");
  if (const Node* changes = reader.child("changes")) {
    MapReader inner(*changes, diagnostics, what + ", changes");
    metric.changes_from = inner.text_list("from");
    metric.changes_to = inner.text_list("to");
    if (metric.changes_from.empty() || metric.changes_to.empty()) {
      reader.error("changes", "write {from: [values], to: [values]}");
    }
    inner.finish();
  }
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
  event.key = read_pointer(reader, "key");
  event.time = read_pointer(reader, "time");
  event.to = reader.text_list("to");
  if (event.to.empty()) reader.missing("to", "key \"to\" is missing: the values that are told");
  event.message = as_written(reader, "message");
  if (event.message.empty()) reader.missing("message");
  event.where = read_where(reader);
  reader.finish();
  return event;
}

JsonNode read_node(MapReader& edge, std::string_view key) {
  JsonNode node;
  const Node* found = edge.child(key);
  if (found == nullptr) {
    edge.missing(key, fmt::format("key \"{}\" is missing: {{kind: …, place: …, name: …}}", key));
    return node;
  }
  MapReader reader(*found, edge.diagnostics(), edge.what() + ", " + std::string(key));
  node.kind = as_written(reader, "kind");
  node.place = as_written(reader, "place");
  node.name = as_written(reader, "name");
  if (node.kind.empty()) reader.missing("kind");
  if (node.name.empty()) reader.missing("name");
  reader.finish();
  return node;
}

JsonEdge read_edge(const Node& node, const std::string& what, config::Diagnostics& diagnostics) {
  MapReader reader(node, diagnostics, what + ", edge");
  JsonEdge edge{read_node(reader, "from"), read_node(reader, "to"), read_where(reader)};
  reader.finish();
  return edge;
}

JsonSplit read_split(const Node& node, const std::string& what, config::Diagnostics& diagnostics) {
  MapReader reader(node, diagnostics, what + ", split");
  JsonSplit split{reader.required_text("name"), read_pointer(reader, "value"), as_written(reader, "by")};
  if (split.by.empty()) split.by = ",";
  reader.finish();
  return split;
}

JsonMemory read_memory(const Node& node, const std::string& what, config::Diagnostics& diagnostics) {
  MapReader reader(node, diagnostics, what + ", remember");
  JsonMemory memory{reader.required_text("name"), read_pointer(reader, "key"), read_pointer(reader, "value")};
  reader.finish();
  return memory;
}

/// true is 404, else the statuses.
std::vector<int> read_optional(MapReader& reader) {
  const Node* node = reader.child("optional");
  if (node == nullptr) return {};
  if (node->is_scalar()) return reader.boolean("optional", false) ? std::vector<int>{404} : std::vector<int>{};
  std::vector<int> statuses;
  for (const Node& item : node->items()) {
    int status = 0;
    const std::string& text = item.text();
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), status);
    if (failed != std::errc() || end != text.data() + text.size() || status < 400 || status > 599) {
      reader.error(item, "\"optional\": write true (404), or a list of statuses from 400 on");
    }
    statuses.push_back(status);
  }
  return statuses;
}

JsonPages read_pages(const Node& node, const std::string& what, config::Diagnostics& diagnostics) {
  MapReader reader(node, diagnostics, what + ", pages");
  JsonPages pages;
  pages.cursor = read_pointer(reader, "cursor");
  pages.next = read_pointer(reader, "next");
  pages.parameter = reader.text("parameter");
  if (pages.parameter.starts_with('/') && !JsonPointer::parse(pages.parameter)) reader.error("parameter", "no pointer");
  pages.size = reader.integer("size", 0, 0, 100'000);
  pages.numbered = reader.boolean("numbered", false);
  pages.first = reader.integer("first", 1, 0, 1);
  pages.link_header = reader.boolean("link_header", false);
  const int ways = (pages.cursor.empty() ? 0 : 1) + (pages.next.empty() ? 0 : 1) + (pages.size > 0 ? 1 : 0) +
                   (pages.link_header ? 1 : 0);
  if (ways != 1) reader.error(node, "give one of cursor, next, size and link_header");
  if (pages.parameter.empty() && (!pages.cursor.empty() || pages.size > 0)) reader.missing("parameter");
  reader.finish();
  return pages;
}

JsonMetric run_metric(std::string name, std::string help, std::vector<std::string> states) {
  JsonMetric metric;
  metric.name = "pipeline_" + std::move(name);
  metric.help = std::move(help);
  if (!states.empty()) metric.where = {{"{run_state}", std::move(states)}};
  return metric;
}

/// What stands in a run: when it was queued, began and ended.
struct RunTimes {
  std::string queued;
  std::string started;
  std::string ended;
};

std::vector<JsonMetric> run_metrics(const RunTimes& times) {
  std::vector<JsonMetric> metrics;
  JsonMetric& runs = metrics.emplace_back(
      run_metric("runs", "Runs of the pipeline that the service tells of, mostly those of the last day.", {}));
  runs.aggregate = JsonAggregate::count;
  runs.labels = {{"state", {.from = "{run_state}"}}};
  JsonMetric& failed = metrics.emplace_back(
      run_metric("last_run_failed", "1 when the pipeline's last finished run failed, else 0.", {"success", "failed"}));
  failed.value = "{run_state}";
  failed.map = {{"failed", 1}, {"*", 0}};
  failed.aggregate = JsonAggregate::first;
  const auto aged = [&](const char* name, const char* help, const char* state, const std::string& since,
                        JsonAggregate how) {
    if (since.empty()) return;
    JsonMetric& metric = metrics.emplace_back(run_metric(name, help, {state}));
    metric.planned = std::string_view(state) == "queued";
    metric.value = since;
    metric.unit = JsonUnit::age;
    metric.aggregate = how;
  };
  aged("last_success_age_seconds", "Since the pipeline's last successful run ended.", "success", times.ended,
       JsonAggregate::min);
  aged("running_seconds", "How long the pipeline's longest running run has taken so far.", "running", times.started,
       JsonAggregate::max);
  aged("queued_seconds", "How long the pipeline's run that waits longest has waited.", "queued", times.queued,
       JsonAggregate::max);
  aged("late_seconds", "By how much the pipeline's latest run is late: it should have begun.", "late", times.queued,
       JsonAggregate::max);
  return metrics;
}

/// Items are runs of pipelines, newest first: the same metrics and event for every system that has such.
void add_runs(const Node& node, const std::string& what, config::Diagnostics& diagnostics, JsonRequest& request) {
  MapReader reader(node, diagnostics, what + ", runs");
  const auto value = [&](std::string_view key) {
    const Node* found = reader.child(key);
    if (found == nullptr) reader.missing(key);
    return found == nullptr ? JsonValue() : read_value(*found, reader, key);
  };
  request.labels.push_back({"system", value("system")});
  request.labels.push_back({"pipeline", value("pipeline")});
  request.lets.push_back({"run_state", value("state")});
  static const std::set<std::string> kKnown{"success", "failed", "running", "queued", "late", "cancelled", "other"};
  for (const auto& [from, to] : request.lets.back().value.map) {
    if (!kKnown.contains(to)) reader.error("state", fmt::format("\"{}\" is none of {}", to, fmt::join(kKnown, ", ")));
  }
  const RunTimes times{read_pointer(reader, "queued"), read_pointer(reader, "started"), read_pointer(reader, "ended")};
  std::ranges::move(run_metrics(times), std::back_inserter(request.metrics));
  JsonEvent event;
  event.kind = "pipeline_run_failed";
  event.value = "{run_state}";
  event.to = {"failed"};
  event.key = read_pointer(reader, "id");
  event.time = times.ended;
  event.message = "A run of {pipeline} ({system}) failed: " + as_written(reader, "message");
  if (event.key.empty()) reader.missing("id");
  request.events.push_back(std::move(event));
  reader.finish();
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
  request.optional = read_optional(reader);
  request.absent_is_empty = reader.boolean("absent_is_empty", false);
  request.errors = reader.text_list("errors");
  for (const std::string& pointer : request.errors) {
    if (const auto parsed = JsonPointer::parse(pointer); !parsed) reader.error("errors", parsed.error().message);
  }
  if (const Node* split = reader.child("split")) request.split = read_split(*split, what, diagnostics);
  if (const Node* memory = reader.child("remember")) request.remember = read_memory(*memory, what, diagnostics);
  request.lets = read_values(reader, "let");
  request.labels = read_values(reader, "labels");
  request.where = read_where(reader);
  for (const Node* item : reader.list("metrics")) request.metrics.push_back(read_metric(*item, what, diagnostics));
  for (const Node* item : reader.list("events")) request.events.push_back(read_event(*item, what, diagnostics));
  for (const Node* item : reader.list("edges")) request.edges.push_back(read_edge(*item, what, diagnostics));
  if (const Node* pages = reader.child("pages")) request.pages = read_pages(*pages, what, diagnostics);
  for (const Node* item : reader.list("each")) {
    if (depth == kDeepestRequests) {
      reader.error(*item, fmt::format("requests within requests go {} deep", kDeepestRequests));
      break;
    }
    request.each.push_back(read_request(*item, what, depth + 1, diagnostics));
  }
  if (const Node* runs = reader.child("runs")) add_runs(*runs, what, diagnostics, request);
  if (request.metrics.empty() && request.each.empty() && request.edges.empty() && request.events.empty() &&
      request.remember.name.empty()) {
    reader.missing({"metrics", "runs", "each", "edges", "events", "remember"}, "has no metrics");
  }
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
  settings.request_limit = static_cast<std::size_t>(reader.integer("request_limit", 200, 1, 10'000));
  settings.seen_by = name;
  const core::Duration interval = reader.duration("interval", settings.interval);
  const core::Duration timeout = reader.duration("request_timeout", settings.endpoint.request_timeout);
  if (!entry.has("interval")) settings.interval = interval;
  if (!entry.has("request_timeout")) settings.endpoint.request_timeout = timeout;
  for (const auto& [header, value] : reader.text_map("headers"))
    settings.headers.emplace_back(header, core::Secret(value));
  std::vector<JsonRequest> requests = read_requests(reader);
  reader.finish();
  return requests;
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
  if (settings.interval < std::chrono::seconds(1)) reader.error("interval", "must be at least 1s");
  read_login(reader, settings.endpoint);
  read_headers(reader, settings);
  read_service_login(reader, settings);
  settings.seen_by = "http_json";
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
  check_json_names(node, settings, diagnostics);
  settings.request_limit = static_cast<std::size_t>(
      reader.integer("request_limit", static_cast<std::int64_t>(settings.request_limit), 1, 10'000));
  settings.sample_limit = static_cast<std::size_t>(reader.integer("sample_limit", 20'000, 1, 1'000'000));
  settings.body_size_limit =
      static_cast<std::size_t>(reader.integer("body_size_limit", 8 << 20, 1 << 10, std::int64_t{1} << 30));
  reader.finish();
  return settings;
}

}  // namespace weir::collectors
