#include "collectors/openlineage_emitted.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::collectors {
namespace {

using nlohmann::json;

constexpr std::string_view kProducer = "urn:weir";
constexpr std::string_view kEventSchema = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
constexpr std::string_view kFacetSchema =
    "https://openlineage.io/spec/facets/1-1-0/DataQualityAssertionsDatasetFacet.json#/$defs/"
    "DataQualityAssertionsDatasetFacet";

/// A UUID of version 8 (RFC 9562, 5.8) by what it names.
std::string uuid_of(const std::string& what, core::Time at) {
  const std::string moment = std::to_string(at.time_since_epoch().count());
  const std::uint64_t high = core::Labels{{"what", what}, {"at", moment}}.hash();
  const std::uint64_t low = core::Labels{{"at", moment}, {"of", what}, {"part", "low"}}.hash();
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU, high & 0xFFFU,
                     ((low >> 48U) & 0x3FFFU) | 0x8000U, low & 0xFFFFFFFFFFFFU);
}

std::string event_of(const std::string& job_namespace, const std::string& job, const std::string& name_space,
                     const std::string& name, json assertions, core::Time now) {
  const json facet = {{"_producer", kProducer}, {"_schemaURL", kFacetSchema}, {"assertions", std::move(assertions)}};
  const json event = {
      {"eventType", "COMPLETE"},
      {"eventTime", core::format_rfc3339(now)},
      {"producer", kProducer},
      {"schemaURL", kEventSchema},
      {"run", {{"runId", uuid_of(job_namespace + "/" + job, now)}, {"facets", json::object()}}},
      {"job", {{"namespace", job_namespace}, {"name", job}, {"facets", json::object()}}},
      {"inputs",
       json::array({{{"namespace", name_space}, {"name", name}, {"inputFacets", {{"dataQualityAssertions", facet}}}}})},
      {"outputs", json::array()}};
  return event.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

OpenLineageOutcomes::OpenLineageOutcomes(const OpenLineageSettings& settings)
    : job_namespace_(settings.emit ? settings.emit->job_namespace : ""),
      incidents_(settings.emit && settings.emit->incidents),
      told_(settings.emit ? settings.emit->every : core::Duration::max(), true) {
  for (const auto& [name_space, place] : settings.namespaces) namespaces_.emplace(place, name_space);
}

std::string OpenLineageOutcomes::name_space(const std::string& place) const {
  const auto known = namespaces_.find(place);
  return known == namespaces_.end() ? place : known->second;
}

std::vector<std::string> OpenLineageOutcomes::take(std::string_view collector, const core::Batch& batch,
                                                   core::Time now) {
  std::vector<std::string> events;
  for (const DatasetOutcomes& dataset : told_.take(collector, batch, now)) {
    json assertions = json::array();
    for (const auto& [name, check] : dataset.checks) {
      if (check.outcome > 2) continue;
      json assertion = {{"assertion", name}, {"success", check.outcome == 0}};
      if (check.outcome != 0) assertion["severity"] = check.outcome == 1 ? "warn" : "error";
      assertions.push_back(std::move(assertion));
    }
    if (assertions.empty()) continue;
    const core::Node& node = dataset.node;
    events.push_back(event_of(job_namespace_, fmt::format("{}.{}", collector, node.name), name_space(node.place),
                              node.name, std::move(assertions), now));
  }
  return events;
}

std::string OpenLineageOutcomes::incident(const core::Node& node, const std::string& id, const std::string& title,
                                          bool over, core::Time now) const {
  if (!incidents_ || (node.kind != "table" && node.kind != "topic") || node.place.empty()) return {};
  json assertion = {
      {"assertion", "no incident"}, {"success", over}, {"name", "incident " + id}, {"description", title}};
  if (!over) assertion["severity"] = "error";
  return event_of(job_namespace_, fmt::format("incidents.{}.{}", node.kind, node.name), name_space(node.place),
                  node.name, json::array({std::move(assertion)}), now);
}

}  // namespace weir::collectors
