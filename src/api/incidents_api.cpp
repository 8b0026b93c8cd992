#include "api/incidents_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/json_values.h"
#include "api/lineage_api.h"
#include "api/parameters.h"
#include "core/utf8.h"

namespace weir::api {
namespace {

using core::DeedKind;
using net::ServerRequest;
using net::ServerResponse;
using nlohmann::json;

constexpr std::size_t kMostBody = 16U << 10U;
constexpr std::size_t kMostParameter = 500;
constexpr std::size_t kMostRows = 10'000;

ServerResponse answer(int status, const json& value) {
  ServerResponse response = ServerResponse::json(status, dump(value));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}
ServerResponse refuse(int status, const std::string& message) { return answer(status, {{"error", message}}); }

ServerResponse refuse(const core::Error& error) {
  switch (error.kind) {
    case core::ErrorKind::invalid: return refuse(400, error.message);
    case core::ErrorKind::not_found: return refuse(404, error.message);
    case core::ErrorKind::limit: return refuse(409, error.message);
    case core::ErrorKind::storage:
    case core::ErrorKind::unavailable:
    case core::ErrorKind::cancelled: return refuse(503, error.describe());
    case core::ErrorKind::timeout: return refuse(504, error.describe());
    default: return refuse(500, error.describe());
  }
}

std::unexpected<core::Error> bad(std::string message) {
  return core::fail(core::ErrorKind::invalid, std::move(message));
}

/// What of the path follows `…/incidents`: "" or "/ID" or "/ID/DEED".
std::string_view rest_of(std::string_view path) {
  path.remove_prefix(path.starts_with(kIncidentPathBefore) ? kIncidentPathBefore.size() : kIncidentPath.size());
  return path;
}

struct Place {
  std::string id;
  std::string_view deed;
};

Place place_of(std::string_view path) {
  std::string_view rest = rest_of(path);
  if (!rest.empty()) rest.remove_prefix(1);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return {std::string(rest), {}};
  return {std::string(rest.substr(0, slash)), rest.substr(slash + 1)};
}

/// Which texts a deed's body has; the first is what Deed::text is.
struct DeedRow {
  std::string_view name;
  DeedKind kind;
  std::string_view text;
  bool required;
};
constexpr std::array<DeedRow, 7> kDeeds{{{"acknowledge", DeedKind::acknowledge, "", false},
                                         {"assign", DeedKind::assign, "owner", true},
                                         {"comment", DeedKind::comment, "text", true},
                                         {"resolve", DeedKind::resolve, "reason", false},
                                         {"reopen", DeedKind::reopen, "reason", false},
                                         {"merge", DeedKind::merge, "into", true},
                                         {"silence", DeedKind::silence, "duration", true}}};

const DeedRow* deed_of(std::string_view name) {
  const auto* row = std::ranges::find(kDeeds, name, &DeedRow::name);
  return row == kDeeds.end() ? nullptr : row;
}

core::Result<std::vector<std::string>> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t\n\r"), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (words.size() > core::kMostSearchWords)
    return bad(fmt::format("q: has more than {} words", core::kMostSearchWords));
  return words;
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size();
}

/// Where a page ends: "1700000000000-9f86d081884c7d65", the last one's opening and id.
std::string cursor_of(const core::Incident& incident) {
  return fmt::format("{}-{}", incident.opened_at.time_since_epoch().count(), incident.id);
}

core::Result<void> read_cursor(std::string_view text, core::IncidentSearch& search) {
  const std::size_t dash = text.find('-', 1);
  std::int64_t ms = 0;
  if (dash == std::string_view::npos || !parse_number(text.substr(0, dash), ms))
    return bad("before: must be what an answer has as \"next\"");
  search.before = core::Time(core::Duration(ms));
  search.before_id = text.substr(dash + 1);
  return {};
}

core::Result<void> read_time(std::string_view name, std::string_view text, std::optional<core::Time>& to) {
  const auto time = parse_time(text);
  if (!time) return bad(fmt::format("{}: must be seconds since 1970 or RFC 3339", name));
  to = *time;
  return {};
}

core::Result<void> read_state(std::string_view text, core::IncidentSearch& search) {
  using State = core::IncidentSearch::State;
  if (text == "all")
    search.state = State::all;
  else if (text == "open")
    search.state = State::open;
  else if (text == "resolved")
    search.state = State::resolved;
  else
    return bad("state: must be open, resolved or all");
  return {};
}

core::Result<void> read_label(std::string_view text, core::IncidentSearch& search) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return bad("label: must be NAME=VALUE");
  search.label_name = text.substr(0, equals);
  search.label_value = text.substr(equals + 1);
  return {};
}

struct Asked {
  core::IncidentSearch search;
  std::size_t limit = 100;
};

core::Result<void> read_parameter(std::string_view name, const std::string& value, Asked& asked) {
  core::IncidentSearch& search = asked.search;
  if (value.size() > kMostParameter || !core::is_utf8(value) || value.find('\0') != std::string::npos)
    return bad(fmt::format("{}: must be UTF-8 of at most {} bytes", name, kMostParameter));
  if (name == "limit") {
    if (parse_number(value, asked.limit) && asked.limit > 0 && asked.limit <= kMostRows) return {};
    return bad(fmt::format("limit must be a whole number from 1 to {}", kMostRows));
  }
  if (value.empty()) return {};
  if (name == "state") return read_state(value, search);
  if (name == "label") return read_label(value, search);
  if (name == "from") return read_time(name, value, search.from);
  if (name == "to") return read_time(name, value, search.to);
  if (name == "before") return read_cursor(value, search);
  if (name == "owner") {
    search.owner = value;
  } else if (name == "severity") {
    if (value != "critical" && value != "warning" && value != "info")
      return bad("severity: must be critical, warning or info");
    search.severity = value;
  } else if (name == "q") {
    auto words = words_of(value);
    if (!words) return std::unexpected(words.error());
    search.words = std::move(*words);
  } else {
    return bad(
        fmt::format("{}: is no parameter here: state, q, owner, severity, label, from, to, limit, before", name));
  }
  return {};
}

ServerResponse history(const Backend& backend, const ServerRequest& request) {
  Asked asked;
  for (const auto& [name, value] : request.parameters()) {
    if (auto done = read_parameter(name, value, asked); !done) return refuse(done.error());
  }
  // One more than is shown, so that it is known whether that is all.
  auto found = backend.incident_access.find(asked.search, asked.limit + 1);
  if (!found) return refuse(found.error());
  std::vector<core::Incident>& incidents = found->incidents;
  json next = nullptr;
  if (incidents.size() > asked.limit) {
    incidents.resize(asked.limit);
    next = cursor_of(incidents.back());
  }
  json rows = json::array();
  for (const core::Incident& incident : incidents) rows.push_back(incident_json(backend, incident));
  json away = nullptr;
  if (!found->history_away.empty()) away = found->history_away;
  return answer(200, {{"incidents", std::move(rows)}, {"next", std::move(next)}, {"history_away", std::move(away)}});
}

json whole(const Backend& backend, const core::Incident& incident) {
  json shown = incident_json(backend, incident);
  json alerts = json::array();
  for (const core::Alert& alert : incident.alerts) alerts.push_back(to_json(alert));
  shown["alert_details"] = std::move(alerts);
  return shown;
}

ServerResponse one(const Backend& backend, const std::string& id) {
  const auto found = backend.history(1, id);
  if (!found) {
    const std::vector<core::Incident> in_memory = backend.incidents();
    const auto known = std::ranges::find(in_memory, id, &core::Incident::id);
    if (known != in_memory.end()) return answer(200, whole(backend, *known));
    return refuse(503, "the history of incidents is away: " + found.error().describe());
  }
  if (id.empty() || found->empty()) return refuse(404, "there is no incident \"" + id + "\"");
  return answer(200, whole(backend, found->front()));
}

ServerResponse postmortem(const Backend& backend, const std::string& id) {
  if (!backend.incident_access.postmortem) return refuse(404, "there is nothing at this path");
  auto report = backend.incident_access.postmortem(id);
  if (!report) return refuse(report.error());
  ServerResponse response = ServerResponse::text(200, std::move(*report));
  response.content_type = "text/markdown; charset=utf-8";
  response.headers.emplace_back("Content-Disposition", "inline; filename=\"incident-" + id + ".md\"");
  return response;
}

/// The texts of a body; each of `names` a text, and nothing else.
core::Result<std::map<std::string, std::string>> read_body(const std::string& body,
                                                           const std::set<std::string_view>& names) {
  if (body.size() > kMostBody) return bad(fmt::format("the body has more than {} bytes", kMostBody));
  const json object = json::parse(body, nullptr, false);
  if (!object.is_object()) return bad("the body must be a JSON object, such as {\"by\": \"ann\"}");
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : object.items()) {
    if (!names.contains(name)) return bad(fmt::format("{}: is no key here: {}", name, fmt::join(names, ", ")));
    if (!value.is_string()) return bad(fmt::format("{}: must be a text", name));
    texts[name] = value.get<std::string>();
  }
  return texts;
}

ServerResponse carry_out(const Backend& backend, const ServerRequest& request, const std::string& id,
                         const DeedRow& row) {
  const bool silences = row.kind == DeedKind::silence;
  std::set<std::string_view> names{"by"};
  if (!row.text.empty()) names.insert(row.text);
  if (silences) names.insert("comment");
  const auto texts = read_body(request.body, names);
  if (!texts) return refuse(texts.error());
  const auto text = [&](std::string_view name) {
    const auto found = texts->find(std::string(name));
    return found == texts->end() ? std::string() : found->second;
  };
  if (!texts->contains("by")) return refuse(400, "by: is required: who does this");
  if (row.required && !texts->contains(std::string(row.text)))
    return refuse(400, fmt::format("{}: is required", row.text));
  core::Result<core::Incident> done;
  if (silences) {
    const auto duration = core::parse_duration(text("duration"));
    if (!duration) return refuse(400, "duration: must be such as \"2h\" or \"1d12h\"");
    done = backend.incident_access.silence(id, text("by"), text("comment"), *duration);
  } else {
    done = backend.incident_access.handle(
        {.kind = row.kind, .incident = id, .by = text("by"), .text = row.text.empty() ? "" : text(row.text)});
  }
  return done ? answer(200, whole(backend, *done)) : refuse(done.error());
}

}  // namespace

bool is_incident_path(std::string_view path) {
  if (!path.starts_with(kIncidentPath) && !path.starts_with(kIncidentPathBefore)) return false;
  const std::string_view rest = rest_of(path);
  return rest.empty() || rest.front() == '/';
}

std::string_view incident_methods(std::string_view path) {
  return deed_of(place_of(path).deed) != nullptr ? "POST" : "GET, HEAD";
}

ServerResponse incidents_api(const Backend& backend, const ServerRequest& request) {
  if (const auto trouble = backend.storage_trouble ? backend.storage_trouble() : std::nullopt;
      trouble && trouble->state == "standby") {
    return refuse(
        503, "this Weir stands by and knows no incidents, another one leads: " + trouble->holder + "; ask that one");
  }
  if (rest_of(request.path).empty()) {
    if (!backend.incident_access.find) return refuse(404, "there is nothing at this path");
    return history(backend, request);
  }
  const Place place = place_of(request.path);
  if (place.deed.empty() && !request.path.ends_with('/')) return one(backend, place.id);
  if (place.deed == "postmortem") return postmortem(backend, place.id);
  const DeedRow* row = deed_of(place.deed);
  if (row == nullptr || !backend.incident_access.handle || !backend.incident_access.silence)
    return refuse(404, "there is nothing at this path");
  return carry_out(backend, request, place.id, *row);
}

}  // namespace weir::api
