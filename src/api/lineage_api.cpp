#include "api/lineage_api.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/compress.h"
#include "api/json_values.h"
#include "api/newest.h"

#include "lineage/queries.h"

namespace weir::api {
namespace {

using lineage::Direction;
using lineage::View;
using net::ServerRequest;
using net::ServerResponse;
using nlohmann::json;

constexpr std::size_t kMostNodes = 2'000;
constexpr std::size_t kLargestEvent = 1U << 20U;  // unpacked; as the server takes of bodies that are not packed
constexpr std::size_t kMostColumns = 50;          // of one edge
constexpr std::size_t kMostReached = 500;
constexpr std::size_t kDefaultDepth = 5;

ServerResponse error(int status, const std::string& message) {
  return ServerResponse::json(status, dump({{"error", message}}));
}

ServerResponse fresh(const json& value) {
  ServerResponse response = ServerResponse::json(200, dump(value));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

std::shared_ptr<const View> view_of(const Backend& backend) {
  auto view = backend.lineage.view ? backend.lineage.view() : nullptr;
  return view ? view : std::make_shared<const View>();
}

std::vector<lineage::Health> health_of(const Backend& backend, const View& view) {
  if (!backend.lineage.node_of || !backend.lineage.severity_rank)
    return std::vector<lineage::Health>(view.nodes.size());
  std::vector<lineage::Firing> alerts;
  for (const core::Alert& alert : backend.alerts()) {
    alerts.push_back({.node = backend.lineage.node_of(alert.labels),
                      .alert = alert.rule,
                      .rank = backend.lineage.severity_rank(alert.labels.get("severity")),
                      .pending = alert.state == core::AlertState::pending});
  }
  std::vector<lineage::CheckOutcome> checks;
  for (const NewestSample& sample : Newest(backend.series, backend.now()).of("weir_check_status")) {
    checks.push_back({backend.lineage.node_of(sample.labels), static_cast<int>(sample.value)});
  }
  return lineage::health(view, alerts, checks);
}

json links_json(const Backend& backend, const core::Node& node) {
  json links = json::array();
  for (const lineage::CatalogLink& link : lineage::catalog_links(backend.lineage.catalogs, node))
    links.push_back({{"title", link.title}, {"urn", link.urn}, {"url", link.url}});
  return links;
}

json pipeline_json(const lineage::Pipeline& pipeline) {
  const auto seconds = [](const std::optional<core::Duration>& span) {
    return span ? json(core::to_seconds(*span)) : json(nullptr);
  };
  return {{"name", pipeline.name},
          {"owner", pipeline.owner},
          {"criticality", pipeline.criticality},
          {"description", pipeline.description},
          {"freshness_seconds", seconds(pipeline.sla.freshness)},
          {"latency_seconds", seconds(pipeline.sla.latency)}};
}

json name_json(const core::Node& node) {
  return {{"kind", node.kind}, {"place", node.place}, {"name", node.name}, {"text", lineage::to_text(node)}};
}

json node_json(const View& view, std::size_t index, const lineage::Health& health) {
  const lineage::ViewNode& node = view.nodes[index];
  json row = name_json(node.node);
  row["id"] = index;
  row["known"] = node.known;
  row["status"] = health.status(node.known);
  row["pending"] = health.pending;
  row["alerts"] = health.alerts;
  row["check"] = health.check ? json(*health.check) : json(nullptr);
  json pipelines = json::array();
  for (const std::size_t pipeline : node.pipelines) pipelines.push_back(view.pipelines[pipeline].name);
  row["pipelines"] = pipelines;
  return row;
}

json edge_json(const lineage::ViewEdge& edge) {
  json columns = json::array();
  for (std::size_t i = 0; i < std::min(edge.columns.size(), kMostColumns); ++i)
    columns.push_back({edge.columns[i].from, edge.columns[i].to});
  return {{"from", edge.from}, {"to", edge.to}, {"seen_by", edge.seen_by}, {"columns", columns}};
}

/// The nodes to show, the most telling first, when there are more than fit.
std::vector<std::size_t> chosen(const View& view, const std::vector<lineage::Health>& health,
                                const std::string& pipeline, std::size_t limit) {
  std::vector<std::size_t> nodes;
  for (std::size_t i = 0; i < view.nodes.size(); ++i) {
    const auto in_pipeline = [&](std::size_t each) { return view.pipelines[each].name == pipeline; };
    if (pipeline.empty() || std::ranges::any_of(view.nodes[i].pipelines, in_pipeline)) nodes.push_back(i);
  }
  if (nodes.size() <= limit) return nodes;
  std::ranges::stable_sort(nodes, std::greater(), [&](std::size_t i) {
    return 4 * static_cast<int>(!view.nodes[i].pipelines.empty()) + health[i].rank;
  });
  nodes.resize(limit);
  std::ranges::sort(nodes);
  return nodes;
}

json edges_among(const View& view, const std::set<std::size_t>& nodes) {
  json edges = json::array();
  for (const std::size_t node : nodes) {
    for (const std::size_t edge : view.nodes[node].out) {
      if (nodes.contains(view.edges[edge].to)) edges.push_back(edge_json(view.edges[edge]));
    }
  }
  return edges;
}

bool read_number(const std::string& text, std::size_t least, std::size_t most, std::size_t& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() && number >= least && number <= most;
}

std::map<std::string, std::string> parameters_of(const ServerRequest& request) {
  std::map<std::string, std::string> all;
  for (auto& [name, value] : request.parameters()) all.insert_or_assign(name, value);
  return all;
}

json reached_json(const View& view, const std::vector<lineage::Health>& health, std::size_t start, Direction direction,
                  std::size_t depth, std::set<std::size_t>& shown) {
  json rows = json::array();
  for (const lineage::Reached& reached : lineage::reach(view, start, direction, depth, kMostReached)) {
    json row = node_json(view, reached.node, health[reached.node]);
    row["depth"] = reached.depth;
    rows.push_back(std::move(row));
    shown.insert(reached.node);
  }
  return rows;
}

core::Node node_of(const Backend& backend, const core::Incident& incident) {
  if (incident.reasons.origin) return *incident.reasons.origin;
  return backend.lineage.node_of(incident.alerts.empty() ? incident.labels : incident.alerts.front().labels);
}

json incidents_of(const Backend& backend, const View& view, std::size_t node) {
  json rows = json::array();
  for (const core::Incident& incident : backend.incidents()) {
    if (view.find(node_of(backend, incident)) != node) continue;
    rows.push_back({{"id", incident.id},
                    {"title", incident.title},
                    {"severity", incident.severity},
                    {"open", incident.open()},
                    {"opened_at", core::to_seconds(incident.opened_at)}});
  }
  return rows;
}

/// Equal in a time that does not tell where they differ.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[b.empty() ? 0 : i % b.size()]);
  return difference == 0;
}

}  // namespace

ServerResponse lineage_graph(const Backend& backend, const ServerRequest& request) {
  auto parameters = parameters_of(request);
  std::size_t limit = kMostNodes;
  if (parameters.contains("limit") && !read_number(parameters["limit"], 1, kMostNodes, limit))
    return error(400, "limit must be a whole number from 1 to 2000");
  const auto view = view_of(backend);
  const std::string pipeline = parameters["pipeline"];
  if (!pipeline.empty() &&
      std::ranges::find(view->pipelines, pipeline, &lineage::Pipeline::name) == view->pipelines.end())
    return error(404, "there is no pipeline \"" + pipeline + "\"");
  const auto health = health_of(backend, *view);
  const std::vector<std::size_t> nodes = chosen(*view, health, pipeline, limit);
  json page{{"now", core::to_seconds(backend.now())},
            {"nodes", json::array()},
            {"edges", edges_among(*view, {nodes.begin(), nodes.end()})},
            {"pipelines", json::array()},
            {"findings", json::array()},
            {"total_nodes", view->nodes.size()},
            {"total_edges", view->edges.size()},
            {"truncated", pipeline.empty() && nodes.size() < view->nodes.size()},
            {"refused_nodes", view->refused_nodes},
            {"refused_edges", view->refused_edges}};
  for (const std::size_t node : nodes) page["nodes"].push_back(node_json(*view, node, health[node]));
  for (const lineage::Pipeline& each : view->pipelines) page["pipelines"].push_back(pipeline_json(each));
  for (const lineage::Finding& finding : view->findings) {
    json about = json::array();
    for (const core::Node& node : finding.nodes) about.push_back(lineage::to_text(node));
    page["findings"].push_back(
        {{"kind", finding.kind}, {"pipeline", finding.pipeline}, {"text", finding.text}, {"nodes", about}});
  }
  return fresh(page);
}

ServerResponse lineage_node(const Backend& backend, const ServerRequest& request) {
  auto parameters = parameters_of(request);
  std::size_t depth = kDefaultDepth;
  if (parameters.contains("depth") && !read_number(parameters["depth"], 0, 1'000, depth))
    return error(400, "depth must be a whole number from 0 to 1000");
  const std::string direction = parameters.contains("direction") ? parameters["direction"] : "both";
  if (direction != "both" && direction != "upstream" && direction != "downstream")
    return error(400, "direction must be upstream, downstream or both");
  if (parameters["kind"].empty() || parameters["name"].empty()) return error(400, "kind and name are needed");
  core::Node wanted{parameters["kind"], parameters["place"], parameters["name"]};
  if (wanted.kind == "group") wanted.kind = "consumer group";
  const auto view = view_of(backend);
  const auto found = view->find(wanted);
  if (!found) return error(404, "the lineage graph has no " + lineage::describe(wanted));
  const auto health = health_of(backend, *view);
  std::set<std::size_t> shown{*found};
  json page{{"node", node_json(*view, *found, health[*found])},
            {"upstream", json::array()},
            {"downstream", json::array()},
            {"nearest_unwell_upstream", nullptr},
            {"incidents", incidents_of(backend, *view, *found)},
            {"pipelines", json::array()},
            {"links", links_json(backend, view->nodes[*found].node)}};
  if (direction != "downstream")
    page["upstream"] = reached_json(*view, health, *found, Direction::upstream, depth, shown);
  if (direction != "upstream")
    page["downstream"] = reached_json(*view, health, *found, Direction::downstream, depth, shown);
  const auto unwell = [&](const lineage::ViewNode& node) {
    const auto& of = health[static_cast<std::size_t>(&node - view->nodes.data())];
    return of.status(true) == "critical" || of.status(true) == "warning";
  };
  if (const auto cause = lineage::nearest_upstream(*view, *found, unwell)) {
    page["nearest_unwell_upstream"] = node_json(*view, cause->node, health[cause->node]);
    page["nearest_unwell_upstream"]["depth"] = cause->depth;
  }
  for (const std::size_t pipeline : view->nodes[*found].pipelines)
    page["pipelines"].push_back(pipeline_json(view->pipelines[pipeline]));
  page["edges"] = edges_among(*view, shown);
  return fresh(page);
}

ServerResponse receive_lineage(const Backend& backend, const ServerRequest& request) {
  const LineageAccess& access = backend.lineage;
  if (!access.receive)
    return error(404, "this Weir receives no events of OpenLineage: set openlineage: {receive: true}");
  if (!access.token.empty()) {
    const std::string_view given = request.header("authorization");
    const bool bearer = given.size() > 7 && (given.starts_with("Bearer ") || given.starts_with("bearer "));
    if (!bearer || !same_secret(access.token.reveal(), given.substr(7))) {
      ServerResponse refused = error(401, "the bearer token is missing or wrong");
      refused.headers.emplace_back("WWW-Authenticate", "Bearer");
      return refused;
    }
  }
  const std::string_view encoding = request.header("content-encoding");
  if (!encoding.empty() && encoding != "identity" && encoding != "gzip")
    return error(415, "send the event as it is, or compressed by gzip");
  if (!request.header("content-type").starts_with("application/json"))
    return error(415, "send the event as application/json");
  const auto event =
      encoding == "gzip" ? gunzipped(request.body, kLargestEvent) : core::Result<std::string>(request.body);
  const core::Result<void> taken = event ? access.receive(*event) : std::unexpected(event.error());
  if (taken) return ServerResponse::json(201, "{}");
  if (taken.error().kind == core::ErrorKind::limit) return error(413, taken.error().message);
  if (taken.error().kind == core::ErrorKind::invalid) return error(400, taken.error().message);
  ServerResponse busy = error(503, taken.error().message);
  busy.headers.emplace_back("Retry-After", "5");
  return busy;
}

json incident_json(const Backend& backend, const core::Incident& incident) {
  json row = to_json(incident);
  row["lineage"] = nullptr;
  if (!backend.lineage.view) return row;
  const auto view = view_of(backend);
  const core::Node about = node_of(backend, incident);
  const auto node = view->find(about);
  if (!node) {
    json links = links_json(backend, about);
    if (!links.empty())
      row["lineage"] = {{"node", name_json(about)},
                        {"downstream", json::array()},
                        {"more", 0},
                        {"pipelines", json::array()},
                        {"links", std::move(links)}};
    return row;
  }
  const lineage::Impact impact = lineage::impact(*view, *node);
  json downstream = json::array();
  for (const core::Node& each : impact.downstream) downstream.push_back(name_json(each));
  json pipelines = json::array();
  for (const std::size_t pipeline : impact.pipelines) pipelines.push_back(pipeline_json(view->pipelines[pipeline]));
  row["lineage"] = {{"node", name_json(view->nodes[*node].node)},
                    {"downstream", std::move(downstream)},
                    {"more", impact.more},
                    {"pipelines", std::move(pipelines)},
                    {"links", links_json(backend, view->nodes[*node].node)}};
  return row;
}

}  // namespace weir::api
