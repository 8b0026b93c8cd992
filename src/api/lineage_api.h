#pragma once

#include <nlohmann/json_fwd.hpp>

#include "api/backend.h"
#include "net/http_server.h"

namespace weir::api {

/// /api/lineage?pipeline=&limit=: nodes with their health, edges, pipelines and findings, as src/README.md describes
/// them. At most `limit` (2000) nodes: those of pipelines first, then those that are unwell.
net::ServerResponse lineage_graph(const Backend& backend, const net::ServerRequest& request);

/// /api/lineage/node?kind=&place=&name=&direction=&depth=: one node, what is up- and downstream of it (direction is
/// upstream, downstream or both), the nearest that is unwell upstream, its incidents, pipelines and links.
net::ServerResponse lineage_node(const Backend& backend, const net::ServerRequest& request);

/// POST /api/v1/lineage: an event of OpenLineage. 201; 400 and 413 say what is wrong with it, 401 the token, 404 when
/// none are received, 415 another content than JSON, 503 that too many wait.
net::ServerResponse receive_lineage(const Backend& backend, const net::ServerRequest& request);

/// An incident with `lineage`: the node it is about, what is downstream of it, its pipelines, links into catalogs. Null
/// where the graph does not know the node.
nlohmann::json incident_json(const Backend& backend, const core::Incident& incident);

}  // namespace weir::api
