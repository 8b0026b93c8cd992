#include "api/routes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/json_values.h"
#include "api/overview.h"
#include "api/prometheus_api.h"

namespace weir::api {
namespace {

using net::ServerRequest;
using net::ServerResponse;
using nlohmann::json;

constexpr std::string_view kIncidents = "/api/weir/v1/incidents";

ServerResponse error(int status, const std::string& message) {
  return ServerResponse::json(status, dump({{"error", message}}));
}

ServerResponse metrics(const Backend& backend, const ServerRequest&) {
  ServerResponse response;
  response.content_type = kExpositionType;
  response.parts = *backend.metrics.pieces();
  return response;
}

ServerResponse healthy(const Backend&, const ServerRequest&) { return ServerResponse::text(200, "Weir is healthy.\n"); }

ServerResponse ready(const Backend& backend, const ServerRequest&) {
  const auto collectors = backend.collectors();
  const auto waiting = std::ranges::find_if(collectors, [](const CollectorView& view) { return !view.ran; });
  if (waiting != collectors.end())
    return ServerResponse::text(503, "Weir is starting: " + waiting->name + " has not finished its first cycle.\n");
  return ServerResponse::text(200, "Weir is ready.\n");
}

ServerResponse show_overview(const Backend& backend, const ServerRequest&) {
  ServerResponse response = ServerResponse::json(200, overview(backend, backend.now()));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

ServerResponse incidents(const Backend& backend, const ServerRequest& request) {
  std::size_t limit = 100;
  for (const auto& [name, value] : request.parameters()) {
    if (name != "limit") continue;
    const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), limit);
    if (failed != std::errc() || end != value.data() + value.size() || limit == 0 || limit > 10'000) {
      return error(400, "limit must be a whole number from 1 to 10000");
    }
  }
  const auto found = backend.history(limit, "");
  if (!found) return error(500, found.error().describe());
  json rows = json::array();
  for (const core::Incident& incident : *found) rows.push_back(to_json(incident));
  return ServerResponse::json(200, dump({{"incidents", rows}}));
}

ServerResponse incident(const Backend& backend, const std::string& id) {
  const auto found = backend.history(1, id);
  if (!found) return error(500, found.error().describe());
  if (id.empty() || found->empty()) return error(404, "there is no incident \"" + id + "\"");
  return ServerResponse::json(200, dump(to_json(found->front())));
}

ServerResponse asset(const WebAsset& asset, const ServerRequest& request) {
  ServerResponse response;
  response.content_type = asset.content_type;
  response.headers = {{"ETag", std::string(asset.etag)}, {"Cache-Control", "no-cache"}};
  if (request.header("if-none-match") == asset.etag) {
    response.status = 304;
  } else {
    response.body = std::make_shared<const std::string>(asset.bytes);
  }
  return response;
}

struct Row {
  std::string_view path;
  ServerResponse (*answer)(const Backend&, const ServerRequest&);
  bool slow;  // reads many series or the database: not on the loop
};
constexpr std::array<Row, 6> kRoutes{{{"/metrics", metrics, false},
                                      {"/-/healthy", healthy, false},
                                      {"/-/ready", ready, false},
                                      {"/api/v1/query", query, true},
                                      {"/api/weir/v1/overview", show_overview, true},
                                      {kIncidents, incidents, true}}};

}  // namespace

ServerResponse answer(const Backend& backend, const ServerRequest& request) {
  const auto* row = std::ranges::find(kRoutes, std::string_view(request.path), &Row::path);
  if (row != kRoutes.end()) {
    if (request.method != "POST" || row->answer == query) return row->answer(backend, request);
    ServerResponse refused = error(405, "POST is not for this path");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    return refused;
  }
  const std::string prefix = std::string(kIncidents) + "/";
  if (request.path.starts_with(prefix)) return incident(backend, request.path.substr(prefix.size()));
  const std::string_view path = request.path == "/" ? std::string_view("/index.html") : std::string_view(request.path);
  const auto found = std::ranges::find(backend.assets, path, &WebAsset::path);
  if (found != backend.assets.end()) return asset(*found, request);
  return error(404, "there is nothing at this path");
}

void serve(const Backend& backend, const ServerRequest& request, std::shared_ptr<net::Responder> responder) {
  const auto* row = std::ranges::find(kRoutes, std::string_view(request.path), &Row::path);
  const bool slow = row != kRoutes.end() ? row->slow : request.path.starts_with(kIncidents);
  if (!slow || !backend.background) return responder->send(answer(backend, request));
  if (!backend.background([&backend, request, responder] { responder->send(answer(backend, request)); })) {
    responder->send(error(503, "too many requests at once; try again"));
  }
}

void EventHub::add(std::shared_ptr<net::EventStream> stream) {
  const std::lock_guard lock(mutex_);
  streams_.push_back(std::move(stream));
}

void EventHub::send(std::string_view text) {
  std::erase_if(streams_, [&](const auto& stream) { return !stream->write(text); });
}

void EventHub::publish(std::string_view reason) {
  const std::lock_guard lock(mutex_);
  send("event: update\ndata: " + json{{"seq", ++sequence_}, {"reason", reason}}.dump() + "\n\n");
}

void EventHub::keep_alive() {
  const std::lock_guard lock(mutex_);
  send(": alive\n\n");
}

}  // namespace weir::api
