#include "api/routes.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/alertmanager_api.h"
#include "api/cluster_page.h"
#include "api/compress.h"
#include "api/incidents_api.h"
#include "api/json_values.h"
#include "api/lineage_api.h"
#include "api/overview.h"
#include "api/prometheus_api.h"
#include "api/query_tree.h"
#include "api/rules_api.h"
#include "api/series_api.h"
#include "api/status_api.h"

namespace weir::api {
namespace {

using net::ServerRequest;
using net::ServerResponse;
using nlohmann::json;

constexpr std::string_view kPrometheusPaths = "/api/v1/";
constexpr std::string_view kLabel = "/api/v1/label/";
constexpr std::string_view kValues = "/values";
constexpr std::string_view kClusterMetrics = "/metrics/";
constexpr std::size_t kSmallBytes = 64U << 10U;  // compressed on the loop

ServerResponse error(int status, const std::string& message) {
  return ServerResponse::json(status, dump({{"error", message}}));
}

ServerResponse metrics(const Backend& backend, const ServerRequest&) {
  ServerResponse response;
  response.content_type = kExpositionType;
  response.parts = backend.metrics.pieces();
  return response;
}

ServerResponse cluster_metrics(const Backend& backend, std::string_view cluster) {
  auto page = cluster_page(backend.metrics.pieces(), cluster);
  if (!page) return error(404, "there are no metrics of a Kafka cluster \"" + std::string(cluster) + "\"");
  ServerResponse response;
  response.content_type = kExpositionType;
  response.body = std::make_shared<const std::string>(std::move(*page));
  return response;
}

ServerResponse healthy(const Backend&, const ServerRequest&) { return ServerResponse::text(200, "Weir is healthy.\n"); }

ServerResponse ready(const Backend& backend, const ServerRequest&) {
  const auto trouble = backend.storage_trouble ? backend.storage_trouble() : std::nullopt;
  if (trouble && trouble->state == "standby") {
    return ServerResponse::text(503, "Weir stands by: " + trouble->why + ".\n");
  }
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

ServerResponse asset(const WebAsset& asset, const ServerRequest& request) {
  ServerResponse response;
  response.content_type = asset.content_type;
  response.headers = {{"ETag", std::string(asset.etag)}, {"Cache-Control", "no-cache"}};
  std::string_view known = request.header("if-none-match");
  if (known.starts_with("W/")) known.remove_prefix(2);  // a compressed copy's
  if (known == asset.etag) {
    response.status = 304;
  } else {
    response.body = std::make_shared<const std::string>(asset.bytes);
  }
  return response;
}

/// What a browser says of where a request comes from; a program says nothing. Old browsers know only `Origin`.
bool from_another_site(const ServerRequest& request) {
  const std::string_view site = request.header("sec-fetch-site");
  if (!site.empty()) return site != "same-origin" && site != "none";
  std::string_view origin = request.header("origin");
  if (origin.empty()) return false;
  const std::size_t scheme = origin.find("://");
  if (scheme != std::string_view::npos) origin.remove_prefix(scheme + 3);
  return scheme == std::string_view::npos || origin != request.header("host");
}

/// As Prometheus does with --web.enable-lifecycle. A page of another site may not have it done.
ServerResponse reload(const Backend& backend, const ServerRequest& request) {
  if (from_another_site(request)) return error(403, "not for pages of other sites");
  if (!backend.reload) return error(404, "there is nothing to reload");
  const auto done = backend.reload();
  if (done) return ServerResponse::text(200, done->empty() ? "" : *done + "\n");
  return ServerResponse::text(500, "failed to reload config: " + done.error().describe() + "\n");
}

/// OpenLineage's way in. A page of another site may not tell anything.
ServerResponse receive(const Backend& backend, const ServerRequest& request) {
  if (from_another_site(request)) return error(403, "not for pages of other sites");
  return receive_lineage(backend, request);
}

/// What an Alertmanager told its receivers enters the incidents' timelines.
ServerResponse webhook_of_alertmanager(const Backend& backend, const ServerRequest& request) {
  if (from_another_site(request)) return error(403, "not for pages of other sites");
  return alertmanager_webhook(backend, request);
}

/// Where a request is answered.
enum class Where {
  loop,    // at once
  always,  // some milliseconds, and not refused however much there is to do
  brief,   // some milliseconds
  slow,    // reads many series or the database, or waits
};

enum class Methods { get, get_post, post, post_put };

struct Row {
  std::string_view path;
  ServerResponse (*answer)(const Backend&, const ServerRequest&);
  Where where;
  Methods methods = Methods::get;
};
constexpr std::array<Row, 23> kRoutes{{
    {"/metrics", metrics, Where::always},
    {"/-/healthy", healthy, Where::loop},
    {"/-/ready", ready, Where::loop},
    {"/-/reload", reload, Where::slow, Methods::post_put},
    {"/api/v1/query", query, Where::slow, Methods::get_post},
    {"/api/v1/query_range", query_range, Where::slow, Methods::get_post},
    {"/api/v1/query_exemplars", query_exemplars, Where::loop, Methods::get_post},
    {"/api/v1/format_query", format_query, Where::brief, Methods::get_post},
    {"/api/v1/parse_query", parse_query, Where::brief, Methods::get_post},
    {"/api/v1/series", series, Where::brief, Methods::get_post},
    {"/api/v1/labels", labels, Where::brief, Methods::get_post},
    {"/api/v1/metadata", metadata, Where::brief},
    {"/api/v1/rules", rules, Where::brief},
    {"/api/v1/alerts", alerts, Where::brief},
    {"/api/v1/status/buildinfo", build_info, Where::loop},
    {"/api/v1/status/runtimeinfo", runtime_info, Where::loop},
    {"/api/weir/v1/alertmanager-webhook", webhook_of_alertmanager, Where::slow, Methods::post_put},
    {"/api/weir/v1/overview", show_overview, Where::slow},
    {"/api/lineage", lineage_graph, Where::slow},
    {"/api/lineage/node", lineage_node, Where::slow},
    {"/api/weir/v1/lineage", lineage_graph, Where::slow},
    {"/api/weir/v1/lineage/node", lineage_node, Where::slow},
    {"/api/v1/lineage", receive, Where::brief, Methods::post},
}};

std::string_view allowed(Methods methods) {
  switch (methods) {
    case Methods::get: return "GET, HEAD";
    case Methods::get_post: return "GET, HEAD, POST";
    case Methods::post: return "POST";
    case Methods::post_put: return "POST, PUT";
  }
  return "GET, HEAD";
}

bool allows(Methods methods, const std::string& method) {
  if (method == "DELETE") return false;
  if (method == "POST") return methods != Methods::get;
  const bool reads = methods == Methods::get || methods == Methods::get_post;
  return method == "PUT" ? methods == Methods::post_put : reads;
}

const Row* find_row(const ServerRequest& request) {
  const auto* row = std::ranges::find(kRoutes, std::string_view(request.path), &Row::path);
  return row == kRoutes.end() ? nullptr : row;
}

/// The name within /api/v1/label/<name>/values, "" for another path.
std::string label_of(const std::string& path) {
  if (!path.starts_with(kLabel) || !path.ends_with(kValues) || path.size() <= kLabel.size() + kValues.size()) return {};
  return path.substr(kLabel.size(), path.size() - kLabel.size() - kValues.size());
}

Where where(const ServerRequest& request) {
  if (const Row* row = find_row(request)) return row->where;
  if (is_incident_path(request.path) || request.path.starts_with(kAlertmanagerPaths)) return Where::slow;
  const bool brief = request.path.starts_with(kLabel) || request.path.starts_with(kClusterMetrics);
  return brief ? Where::brief : Where::loop;
}

ServerResponse nothing_here(const ServerRequest& request) {
  if (request.path.starts_with(kPrometheusPaths)) return api_failure("not_found", "there is nothing at this path");
  return error(404, "there is nothing at this path");
}

/// Answers what has no row of its own: always a GET or HEAD.
ServerResponse answer_other(const Backend& backend, const ServerRequest& request) {
  if (const std::string label = label_of(request.path); !label.empty()) return label_values(backend, request, label);
  if (request.path.starts_with(kClusterMetrics))
    return cluster_metrics(backend, std::string_view(request.path).substr(kClusterMetrics.size()));
  const std::string_view path = request.path == "/" ? std::string_view("/index.html") : std::string_view(request.path);
  const auto found = std::ranges::find(backend.assets, path, &WebAsset::path);
  return found == backend.assets.end() ? nothing_here(request) : asset(*found, request);
}

std::size_t size_of(const ServerResponse& response) {
  std::size_t size = response.body ? response.body->size() : 0;
  for (const auto& part : response.parts) size += part->size();
  return size;
}

using Work = std::function<bool(std::function<void()>)>;

const Work& worker(const Backend& backend, Where place) {
  return place != Where::slow && backend.brief ? backend.brief : backend.background;
}

void answer_on_loop(const Backend& backend, const ServerRequest& request,
                    const std::shared_ptr<net::Responder>& responder) {
  ServerResponse response = answer(backend, request);
  const Work& brief = worker(backend, Where::brief);
  if (!brief || size_of(response) <= kSmallBytes || !accepts_gzip(request.header("accept-encoding"))) {
    compress(request, response);
    return responder->send(std::move(response));
  }
  const bool taken = brief([request, response, responder]() mutable {
    compress(request, response);
    responder->send(std::move(response));
  });
  if (!taken) responder->send(std::move(response));  // as it is, rather than late
}

/// An API that has methods of its own, "" where it has nothing. A page of another site may change nothing.
ServerResponse answer_methods(const Backend& backend, const ServerRequest& request, std::string_view methods,
                              ServerResponse (*api)(const Backend&, const ServerRequest&)) {
  const bool changes = request.method != "GET" && request.method != "HEAD";
  if (methods.empty()) return error(404, "there is nothing at this path");
  if (changes && from_another_site(request)) return error(403, "not for pages of other sites");
  if (methods.contains(request.method)) return api(backend, request);
  ServerResponse refused = error(405, request.method + " is not for this path");
  refused.headers.emplace_back("Allow", methods);
  return refused;
}

}  // namespace

ServerResponse answer(const Backend& backend, const ServerRequest& request) {
  if (request.path.starts_with(kAlertmanagerPaths))
    return answer_methods(backend, request, alertmanager_methods(request.path), alertmanager_api);
  if (is_incident_path(request.path))
    return answer_methods(backend, request, incident_methods(request.path), incidents_api);
  const Row* row = find_row(request);
  const Methods methods = row != nullptr ? row->methods : Methods::get;
  if (allows(methods, request.method)) {
    return row != nullptr ? row->answer(backend, request) : answer_other(backend, request);
  }
  ServerResponse refused = error(405, request.method + " is not for this path");
  refused.headers.emplace_back("Allow", allowed(methods));
  return refused;
}

void serve(const Backend& backend, const ServerRequest& request, std::shared_ptr<net::Responder> responder) {
  const Where place = where(request);
  if (place == Where::loop) return answer_on_loop(backend, request, responder);
  const auto task = [&backend, request, responder] {
    ServerResponse response = answer(backend, request);
    compress(request, response);
    responder->send(std::move(response));
  };
  const Work& work = worker(backend, place);
  if (!work) return task();
  if (work(task)) return;
  if (place == Where::always) return responder->send(answer(backend, request));  // not compressed, rather than late
  const std::string busy = "too many requests at once; try again";
  responder->send(request.path.starts_with(kPrometheusPaths) ? api_failure("unavailable", busy) : error(503, busy));
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
