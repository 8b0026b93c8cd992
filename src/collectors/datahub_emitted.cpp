#include "collectors/datahub_emitted.h"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>

namespace weir::collectors {
namespace {

using nlohmann::json;

constexpr std::string_view kActor = "urn:li:corpuser:weir";
constexpr std::string_view kPlatform = "urn:li:dataPlatform:weir";
constexpr std::size_t kMostChecks = 30;  // of one body: three proposals each, and DataHub takes 200 at once

std::int64_t milliseconds(core::Time time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// An aspect travels as text within the proposal (GenericAspect).
json proposal(std::string_view entity, std::string_view urn, std::string_view name, const json& aspect) {
  return {{"entityType", entity},
          {"entityUrn", urn},
          {"changeType", "UPSERT"},
          {"aspectName", name},
          {"aspect", {{"value", text_of(aspect)}, {"contentType", "application/json"}}}};
}

std::string body_of(json proposals) { return text_of({{"proposals", std::move(proposals)}, {"async", "false"}}); }

json stamp(core::Time at) { return {{"time", milliseconds(at)}, {"actor", kActor}}; }

json assertion_info(std::string_view check, const CheckOutcome& outcome, const core::Node& dataset,
                    std::string_view dataset_urn, core::Time now) {
  json properties = {{"source", dataset.place}, {"dataset", dataset.name}};
  for (const auto& [name, value] : outcome.attributes) properties[name] = value;
  return {{"type", "CUSTOM"},
          {"description", check},
          {"customAssertion", {{"type", "weir"}, {"entity", dataset_urn}, {"logic", check}}},
          {"source", {{"type", "EXTERNAL"}}},
          {"lastUpdated", stamp(now)},
          {"customProperties", std::move(properties)}};
}

json run_event(const std::string& assertion, const CheckOutcome& check, std::string_view dataset_urn,
               std::string_view collector, core::Time now) {
  static constexpr std::string_view kOutcomes[] = {"pass", "warn", "fail", "error"};
  json native = {{"outcome", kOutcomes[check.outcome]}};
  if (check.value) native["value"] = fmt::format("{}", *check.value);
  json result = {{"type", check.outcome == 0   ? "SUCCESS"
                          : check.outcome == 3 ? "ERROR"
                                               : "FAILURE"},
                 {"nativeResults", std::move(native)}};
  if (check.outcome == 3) result["error"] = {{"type", "UNKNOWN_ERROR"}};
  // Its type there is a float of 32 bits, which JSON has no infinity for.
  if (check.value && std::isfinite(static_cast<float>(*check.value))) result["actualAggValue"] = *check.value;
  return {{"timestampMillis", milliseconds(now)},
          {"runId", fmt::format("{}/{}", collector, milliseconds(now))},
          {"asserteeUrn", dataset_urn},
          {"assertionUrn", assertion},
          {"status", "COMPLETE"},
          {"result", std::move(result)},
          {"partitionSpec", {{"type", "FULL_TABLE"}, {"partition", "FULL_TABLE_SNAPSHOT"}}}};
}

/// DataHub's are 0 (critical) to 3 (low).
int priority_of(const std::string& severity) { return severity == "critical" ? 0 : severity == "warning" ? 2 : 3; }

}  // namespace

std::string datahub_assertion_urn(std::string_view dataset_urn, const core::Node& dataset, std::string_view check) {
  const std::string what = fmt::format("{}\n{}\n{}\n{}", dataset_urn, dataset.place, dataset.name, check);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(what.data()), what.size(), digest);
  std::string urn = "urn:li:assertion:";
  for (std::size_t i = 0; i < 16; ++i) urn += fmt::format("{:02x}", digest[i]);
  return urn;
}

std::vector<std::string> datahub_checks(const DatasetOutcomes& dataset, std::string_view dataset_urn,
                                        std::string_view collector, core::Time now) {
  std::vector<std::string> bodies;
  json proposals = json::array();
  std::size_t count = 0;
  const auto close = [&] {
    if (!proposals.empty()) bodies.push_back(body_of(std::exchange(proposals, json::array())));
    count = 0;
  };
  for (const auto& [name, check] : dataset.checks) {
    if (!check.due) continue;
    const std::string urn = datahub_assertion_urn(dataset_urn, dataset.node, name);
    if (dataset.all || check.fresh) {
      proposals.push_back(
          proposal("assertion", urn, "assertionInfo", assertion_info(name, check, dataset.node, dataset_urn, now)));
      proposals.push_back(proposal("assertion", urn, "dataPlatformInstance", {{"platform", kPlatform}}));
    }
    proposals.push_back(
        proposal("assertion", urn, "assertionRunEvent", run_event(urn, check, dataset_urn, collector, now)));
    if (++count == kMostChecks) close();
  }
  close();
  return bodies;
}

std::string datahub_incident(const core::Incident& incident, std::string_view dataset_urn, core::Time now) {
  const json info = {{"type", "CUSTOM"},
                     {"customType", "Weir"},
                     {"title", incident.title},
                     {"description", incident.cause},
                     {"entities", json::array({dataset_urn})},
                     {"priority", priority_of(incident.severity)},
                     {"status",
                      {{"state", incident.open() ? "ACTIVE" : "RESOLVED"},
                       {"lastUpdated", stamp(incident.resolved_at.value_or(now))}}},
                     {"source", {{"type", "MANUAL"}}},
                     {"startedAt", milliseconds(incident.began_at.value_or(incident.opened_at))},
                     {"created", stamp(incident.opened_at)}};
  return body_of(json::array({proposal("incident", "urn:li:incident:weir-" + incident.id, "incidentInfo", info)}));
}

}  // namespace weir::collectors
