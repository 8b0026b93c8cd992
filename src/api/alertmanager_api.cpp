#include "api/alertmanager_api.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <re2/re2.h>
#include <utility>
#include <vector>

namespace weir::api {
namespace {

using net::ServerRequest;
using net::ServerResponse;
using nlohmann::json;

constexpr std::string_view kSilence = "/api/v2/silence/";
constexpr std::size_t kMostBody = 256U << 10U;

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

ServerResponse answer(const json& value) { return ServerResponse::json(200, dumped(value)); }

/// Errors are a JSON string.
ServerResponse refuse(int status, const std::string& message) { return ServerResponse::json(status, dumped(message)); }

ServerResponse refuse(const core::Error& error) {
  switch (error.kind) {
    case core::ErrorKind::not_found: return refuse(404, error.message);
    case core::ErrorKind::invalid:
    case core::ErrorKind::limit: return refuse(400, error.message);
    default: return refuse(500, error.describe());
  }
}

json of_labels(const core::Labels& labels) {
  json object = json::object();
  for (const auto& [name, value] : labels) object[std::string(name)] = value;
  return object;
}

bool is_negated(core::MatchOp op) { return op == core::MatchOp::not_equal || op == core::MatchOp::not_regex; }
bool is_regex(core::MatchOp op) { return op == core::MatchOp::regex || op == core::MatchOp::not_regex; }

bool matches(const core::Matcher& matcher, std::string_view value) {
  const bool fits = is_regex(matcher.op) ? RE2::FullMatch(re2::StringPiece(value.data(), value.size()), matcher.value)
                                         : value == matcher.value;
  return fits != is_negated(matcher.op);
}

using Filter = std::vector<core::Matcher>;

core::Result<Filter> read_filter(const Backend& backend, const ServerRequest& request) {
  Filter filter;
  for (const auto& [name, value] : request.parameters()) {
    if (name != "filter" || value.empty()) continue;
    auto parsed = backend.notifications.parse_matchers(value);
    if (!parsed) return core::fail(core::ErrorKind::invalid, "bad matcher format: " + parsed.error().message);
    std::ranges::move(*parsed, std::back_inserter(filter));
  }
  return filter;
}

bool passes(const Filter& filter, const core::Labels& labels) {
  return std::ranges::all_of(filter, [&](const core::Matcher& each) { return matches(each, labels.get(each.name)); });
}

/// A silence passes when each matcher of the filter is one of its own.
bool passes(const Filter& filter, const core::Silence& silence) {
  return std::ranges::all_of(filter, [&](const core::Matcher& each) {
    return std::ranges::any_of(silence.matchers, [&](const core::Matcher& own) {
      return own.name == each.name && own.op == each.op && own.value == each.value;
    });
  });
}

std::optional<bool> flag(const ServerRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.parameters()) {
    if (key == name) return value != "false";
  }
  return std::nullopt;
}

std::string_view state_of(const core::Silence& silence, core::Time now) {
  return silence.pending(now) ? "pending" : silence.active(now) ? "active" : "expired";
}

json of_silence(const core::Silence& silence, core::Time now) {
  json matchers = json::array();
  for (const core::Matcher& matcher : silence.matchers) {
    matchers.push_back({{"name", matcher.name},
                        {"value", matcher.value},
                        {"isRegex", is_regex(matcher.op)},
                        {"isEqual", !is_negated(matcher.op)}});
  }
  return {{"id", silence.id},
          {"status", {{"state", state_of(silence, now)}}},
          {"matchers", std::move(matchers)},
          {"startsAt", core::format_rfc3339(silence.starts_at)},
          {"endsAt", core::format_rfc3339(silence.ends_at)},
          {"updatedAt", core::format_rfc3339(silence.updated_at)},
          {"createdBy", silence.created_by},
          {"comment", silence.comment}};
}

/// Active ones first, those that end first before others; then pending, then expired ones.
ServerResponse silences(const Backend& backend, const ServerRequest& request) {
  const auto filter = read_filter(backend, request);
  if (!filter) return refuse(filter.error());
  const core::Time now = backend.now();
  std::vector<core::Silence> all = backend.notifications.silences();
  std::erase_if(all, [&](const core::Silence& silence) { return !passes(*filter, silence); });
  const auto rank = [&](const core::Silence& silence) {
    return silence.active(now) ? 0 : silence.pending(now) ? 1 : 2;
  };
  std::ranges::sort(all, [&](const core::Silence& a, const core::Silence& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    if (rank(a) == 1) return a.starts_at < b.starts_at;
    return rank(a) == 0 ? a.ends_at < b.ends_at : a.ends_at > b.ends_at;
  });
  json list = json::array();
  for (const core::Silence& silence : all) list.push_back(of_silence(silence, now));
  return answer(list);
}

std::optional<std::string> text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::string();
  if (!found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

core::Result<core::Matcher> read_matcher(const json& object) {
  const auto bad = [](const std::string& what) { return core::fail(core::ErrorKind::invalid, what); };
  if (!object.is_object()) return bad("matchers: expected objects");
  const auto name = text_of(object, "name");
  const auto value = text_of(object, "value");
  if (!name || !value || name->empty()) return bad("matchers: name and value must be texts");
  const json regex = object.value("isRegex", json(nullptr));
  const json equal = object.value("isEqual", json(true));
  if (!regex.is_boolean()) return bad("matchers: isRegex is required");
  if (!equal.is_boolean() && !equal.is_null()) return bad("matchers: isEqual must be true or false");
  const bool is_equal = equal.is_null() || equal.get<bool>();
  const core::MatchOp op = regex.get<bool>() ? (is_equal ? core::MatchOp::regex : core::MatchOp::not_regex)
                                             : (is_equal ? core::MatchOp::equal : core::MatchOp::not_equal);
  return core::Matcher{.name = *name, .op = op, .value = *value};
}

core::Result<core::Silence> read_silence(const std::string& body) {
  const auto bad = [](const std::string& what) { return core::fail(core::ErrorKind::invalid, what); };
  if (body.size() > kMostBody) return bad("the silence is too large");
  const json object = json::parse(body, nullptr, false);
  if (!object.is_object()) return bad("parsing silence body failed: expected a JSON object");
  core::Silence silence;
  for (const auto& [key, to] : {std::pair<const char*, std::string*>{"id", &silence.id},
                                {"createdBy", &silence.created_by},
                                {"comment", &silence.comment}}) {
    auto text = text_of(object, key);
    if (!text) return bad(fmt::format("{} must be a text", key));
    *to = std::move(*text);
  }
  if (!object.contains("createdBy") || !object.contains("comment")) return bad("createdBy and comment are required");
  for (const auto& [key, to] :
       {std::pair<const char*, core::Time*>{"startsAt", &silence.starts_at}, {"endsAt", &silence.ends_at}}) {
    const auto text = text_of(object, key);
    const auto time = text ? core::parse_iso_time(*text) : std::nullopt;
    if (!time) return bad(fmt::format("{} is required, as RFC 3339 has it", key));
    *to = *time;
  }
  const json matchers = object.value("matchers", json(nullptr));
  if (!matchers.is_array()) return bad("matchers is required");
  for (const json& each : matchers) {
    auto matcher = read_matcher(each);
    if (!matcher) return std::unexpected(matcher.error());
    silence.matchers.push_back(std::move(*matcher));
  }
  return silence;
}

ServerResponse post_silence(const Backend& backend, const ServerRequest& request) {
  auto silence = read_silence(request.body);
  if (!silence) return refuse(silence.error());
  const auto id = backend.notifications.set_silence(std::move(*silence));
  return id ? answer({{"silenceID", *id}}) : refuse(id.error());
}

ServerResponse one_silence(const Backend& backend, const ServerRequest& request) {
  const std::string id = request.path.substr(kSilence.size());
  if (request.method == "DELETE") {
    const auto done = backend.notifications.expire_silence(id);
    // The one status for errors that clients of release 0.25 read.
    if (!done) return refuse(500, done.error().describe());
    return ServerResponse::text(200, "");
  }
  const std::vector<core::Silence> all = backend.notifications.silences();
  const auto found = std::ranges::find(all, id, &core::Silence::id);
  if (found == all.end()) return refuse(404, "silence " + id + " not found");
  return answer(of_silence(*found, backend.now()));
}

/// Which alerts a request wants.
struct Wanted {
  Filter filter;
  std::optional<std::string> receiver;  // a regex
  bool active = true;
  bool silenced = true;
  bool inhibited = true;

  bool has(const core::RoutedAlert& routed) const {
    const core::Suppression& by = routed.suppression;
    if (!active && !by.any()) return false;
    if (!silenced && !by.silenced_by.empty()) return false;
    if (!inhibited && !by.inhibited_by.empty()) return false;
    return passes(filter, routed.alert.labels);
  }
  bool wants(const std::string& name) const { return !receiver || RE2::FullMatch(name, *receiver); }
};

core::Result<Wanted> read_wanted(const Backend& backend, const ServerRequest& request) {
  auto filter = read_filter(backend, request);
  if (!filter) return std::unexpected(filter.error());
  Wanted wanted{.filter = std::move(*filter)};
  wanted.active = flag(request, "active").value_or(true);
  wanted.silenced = flag(request, "silenced").value_or(true);
  wanted.inhibited = flag(request, "inhibited").value_or(true);
  for (const auto& [name, value] : request.parameters()) {
    if (name == "receiver" && !value.empty()) wanted.receiver = value;
  }
  if (wanted.receiver && !RE2(*wanted.receiver, RE2::Quiet).ok())
    return core::fail(core::ErrorKind::invalid, "failed to parse receiver param: " + *wanted.receiver);
  return wanted;
}

json of_alert(const Backend& backend, const core::RoutedAlert& routed) {
  const core::Alert& alert = routed.alert;
  const core::Time began = alert.fired_at.value_or(alert.active_at);
  json inhibited = json::array();
  for (const std::uint64_t by : routed.suppression.inhibited_by) inhibited.push_back(fmt::format("{:016x}", by));
  json receivers = json::array();
  for (const std::string& name : routed.receivers) receivers.push_back({{"name", name}});
  const std::string& page = backend.notifications.external_url;
  const std::string link = routed.incident_id.empty() ? page + "/" : page + "/#incident/" + routed.incident_id;
  return {{"labels", of_labels(alert.labels)},
          {"annotations", of_labels(alert.annotations)},
          {"startsAt", core::format_rfc3339(began)},
          // As a generator that sends again each minute has it: 4 minutes ahead.
          {"endsAt", core::format_rfc3339(backend.now() + std::chrono::minutes(4))},
          {"updatedAt", core::format_rfc3339(backend.now())},
          {"generatorURL", link},
          {"fingerprint", fmt::format("{:016x}", alert.fingerprint)},
          {"receivers", std::move(receivers)},
          {"status",
           {{"state", routed.suppression.any() ? "suppressed" : "active"},
            {"silencedBy", routed.suppression.silenced_by},
            {"inhibitedBy", std::move(inhibited)}}}};
}

ServerResponse alerts(const Backend& backend, const ServerRequest& request) {
  const auto wanted = read_wanted(backend, request);
  if (!wanted) return refuse(wanted.error());
  const auto view = backend.notifications.view();
  json list = json::array();
  for (const core::RoutedAlert& routed : view->alerts) {
    const bool heard = std::ranges::any_of(routed.receivers, [&](const auto& name) { return wanted->wants(name); });
    if (wanted->has(routed) && (heard || !wanted->receiver)) list.push_back(of_alert(backend, routed));
  }
  return answer(list);
}

ServerResponse groups(const Backend& backend, const ServerRequest& request) {
  const auto wanted = read_wanted(backend, request);
  if (!wanted) return refuse(wanted.error());
  const auto view = backend.notifications.view();
  json list = json::array();
  for (const core::RoutedGroup& group : view->groups) {
    if (!wanted->wants(group.receiver)) continue;
    json members = json::array();
    for (const std::size_t place : group.alerts) {
      if (wanted->has(view->alerts[place])) members.push_back(of_alert(backend, view->alerts[place]));
    }
    if (members.empty()) continue;
    list.push_back({{"labels", of_labels(group.labels)},
                    {"receiver", {{"name", group.receiver}}},
                    {"alerts", std::move(members)}});
  }
  return answer(list);
}

ServerResponse receivers(const Backend& backend, const ServerRequest&) {
  json list = json::array();
  for (const std::string& name : backend.notifications.view()->receivers) list.push_back({{"name", name}});
  return answer(list);
}

/// Its version is the Alertmanager that Weir follows, its revision Weir's own.
ServerResponse status(const Backend& backend, const ServerRequest&) {
  return answer({{"cluster", {{"name", ""}, {"status", "disabled"}, {"peers", json::array()}}},
                 {"versionInfo",
                  {{"version", "0.25.0"},
                   {"revision", "weir-" + backend.version},
                   {"branch", "HEAD"},
                   {"buildUser", ""},
                   {"buildDate", ""},
                   {"goVersion", ""}}},
                 {"config", {{"original", backend.notifications.config()}}},
                 {"uptime", core::format_rfc3339(backend.started_at)}});
}

ServerResponse silences_or_post(const Backend& backend, const ServerRequest& request) {
  return request.method == "POST" ? post_silence(backend, request) : silences(backend, request);
}

struct Row {
  std::string_view path;
  ServerResponse (*answer)(const Backend&, const ServerRequest&);
  std::string_view methods = "GET, HEAD";
};
constexpr std::array<Row, 5> kRows{{{"/api/v2/status", status},
                                    {"/api/v2/receivers", receivers},
                                    {"/api/v2/silences", silences_or_post, "GET, HEAD, POST"},
                                    {"/api/v2/alerts", alerts},
                                    {"/api/v2/alerts/groups", groups}}};

}  // namespace

ServerResponse alertmanager_webhook(const Backend& backend, const ServerRequest& request) {
  constexpr std::size_t kMost = 1000;
  if (!backend.notifications.told) return refuse(404, "there is nothing at this path");
  const json payload = json::parse(request.body, nullptr, false);
  if (!payload.is_object() || payload.value("version", json()) != "4" || !payload.value("alerts", json()).is_array())
    return refuse(400, "expected Alertmanager's webhook payload, version 4");
  const auto receiver = text_of(payload, "receiver");
  const auto status = text_of(payload, "status");
  if (!receiver || !status || receiver->size() > 200 || (*status != "firing" && *status != "resolved"))
    return refuse(400, "expected a receiver's name, and firing or resolved as status");
  std::vector<core::Labels> alerts;
  for (const json& alert : payload["alerts"]) {
    if (alerts.size() == kMost) break;
    if (!alert.is_object() || !alert.value("labels", json()).is_object()) return refuse(400, "an alert has no labels");
    core::LabelsBuilder labels;
    for (const auto& [name, value] : alert["labels"].items()) {
      if (!value.is_string()) return refuse(400, "a label is no text");
      labels.set(name, value.get<std::string>());
    }
    alerts.push_back(labels.build());
  }
  const auto done = backend.notifications.told(
      std::move(alerts),
      fmt::format("Alertmanager told {} ({})", receiver->empty() ? "a receiver" : *receiver, *status));
  return done ? ServerResponse::text(200, "") : refuse(503, done.error().describe());
}

std::string_view alertmanager_methods(std::string_view path) {
  if (path.starts_with(kSilence) && path.size() > kSilence.size()) return "GET, HEAD, DELETE";
  const auto* row = std::ranges::find(kRows, path, &Row::path);
  return row == kRows.end() ? std::string_view() : row->methods;
}

ServerResponse alertmanager_api(const Backend& backend, const ServerRequest& request) {
  if (!backend.notifications.view) return refuse(404, "there is nothing at this path");
  if (request.path.starts_with(kSilence)) return one_silence(backend, request);
  const auto* row = std::ranges::find(kRows, std::string_view(request.path), &Row::path);
  return row == kRows.end() ? refuse(404, "there is nothing at this path") : row->answer(backend, request);
}

}  // namespace weir::api
