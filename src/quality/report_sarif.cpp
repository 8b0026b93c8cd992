#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <vector>

#include "quality/report_writers.h"

namespace weir::quality {
namespace {

using Json = nlohmann::ordered_json;

/// FNV-1a: the same result is the same alert in the next run, wherever its line has moved to.
std::string fingerprint(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("{:016x}", hash);
}

std::string rule_of(const CheckResult& result) { return result.dataset + "/" + result.check; }

/// RFC 3986: what is not unreserved and no slash is written in percent.
std::string uri_of(std::string_view file) {
  std::string uri;
  for (const char c : file) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || std::string_view("-._~/").find(c) != std::string_view::npos;
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return file.starts_with("/") ? "file://" + uri : uri;
}

Json location_of(const config::Position& position) {
  Json physical = {{"artifactLocation", {{"uri", uri_of(position.file)}}}};
  if (position.line > 0) {
    physical["region"] = {{"startLine", position.line}};
    if (position.column > 0) physical["region"]["startColumn"] = position.column;
  }
  return {{"physicalLocation", std::move(physical)}};
}

Json result_of(const CheckResult& result, std::size_t rule) {
  std::string text = result.message.empty() ? result.check : result.message;
  if (!result.group.empty()) text += " [" + result.group + "]";
  Json json = {{"ruleId", rule_of(result)},
               {"ruleIndex", rule},
               {"level", result.outcome == Outcome::warn ? "warning" : "error"},
               {"message", {{"text", std::move(text)}}}};
  if (!result.position.file.empty()) json["locations"] = Json::array({location_of(result.position)});
  json["partialFingerprints"] = {
      {"weirCheck/v1", fingerprint(result.source + '\n' + result.dataset + '\n' + result.check + '\n' + result.group)}};
  Json properties = {{"source", result.source}, {"dataset", result.dataset}, {"outcome", to_string(result.outcome)}};
  if (!result.column.empty()) properties["column"] = result.column;
  if (result.value && std::isfinite(*result.value)) properties["value"] = *result.value;
  for (const auto& [key, value] : result.attributes) properties["attributes"][key] = value;
  json["properties"] = std::move(properties);
  return json;
}

}  // namespace

std::string write_sarif(const RunReport& report) {
  std::vector<std::string> ids;
  Json rules = Json::array();
  Json results = Json::array();
  bool evaluated = true;
  for (const CheckResult& result : report.results) {
    const std::string id = rule_of(result);
    auto known = std::ranges::find(ids, id);
    if (known == ids.end()) {
      ids.push_back(id);
      known = ids.end() - 1;
      rules.push_back({{"id", id}, {"shortDescription", {{"text", result.check.empty() ? id : result.check}}}});
    }
    evaluated = evaluated && result.outcome != Outcome::error;
    if (result.outcome == Outcome::pass) continue;
    results.push_back(result_of(result, static_cast<std::size_t>(known - ids.begin())));
  }
  const Json driver = {{"name", "Weir"}, {"semanticVersion", WEIR_VERSION}, {"rules", std::move(rules)}};
  const Json invocation = {{"executionSuccessful", evaluated}, {"startTimeUtc", core::format_rfc3339(report.started)}};
  const Json run = {{"tool", {{"driver", driver}}},
                    {"invocations", Json::array({invocation})},
                    {"columnKind", "utf16CodeUnits"},
                    {"results", std::move(results)}};
  const Json root = {
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace weir::quality
