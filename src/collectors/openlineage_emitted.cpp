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
constexpr std::size_t kMostTold = 20'000;

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
      every_(settings.emit ? settings.emit->every : core::Duration::max()),
      incidents_(settings.emit && settings.emit->incidents) {
  for (const auto& [name_space, place] : settings.namespaces) namespaces_.emplace(place, name_space);
}

std::string OpenLineageOutcomes::name_space(const std::string& place) const {
  const auto known = namespaces_.find(place);
  return known == namespaces_.end() ? place : known->second;
}

std::vector<std::string> OpenLineageOutcomes::take(std::string_view collector, const core::Batch& batch,
                                                   core::Time now) {
  std::map<core::Node, std::map<std::string, int>> outcomes;
  for (const core::Sample& sample : batch.samples) {
    if (sample.labels.name() != "weir_check_status") continue;
    const core::Node node{"table", std::string(sample.labels.get("source")), std::string(sample.labels.get("dataset"))};
    const int outcome = static_cast<int>(sample.value);
    if (outcome >= 0 && outcome <= 2) outcomes[node][std::string(sample.labels.get("check"))] = outcome;
  }
  std::vector<std::string> events;
  for (auto& [node, checks] : outcomes) {
    const std::pair key(std::string(collector), node);
    const auto before = told_.find(key);
    if (before == told_.end() && told_.size() >= kMostTold) continue;
    if (before != told_.end() && before->second.outcomes == checks && now - before->second.at < every_) continue;
    json assertions = json::array();
    for (const auto& [check, outcome] : checks) {
      json assertion = {{"assertion", check}, {"success", outcome == 0}};
      if (outcome != 0) assertion["severity"] = outcome == 1 ? "warn" : "error";
      assertions.push_back(std::move(assertion));
    }
    events.push_back(event_of(job_namespace_, fmt::format("{}.{}", collector, node.name), name_space(node.place),
                              node.name, std::move(assertions), now));
    told_[key] = {std::move(checks), now};
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
