#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/clock_skew.h"
#include "quality/check.h"
#include "quality/import_json.h"

// dbt's artifacts: https://docs.getdbt.com/reference/artifacts/dbt-artifacts
namespace weir::quality::import {
namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t dot = text.find('.');
    parts.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

core::Result<core::Time> made_at(const Json& root) {
  const std::string text = import::text(at(root, "metadata"), "generated_at");
  if (const auto time = core::parse_iso_time(text)) return *time;
  return core::fail(core::ErrorKind::invalid, "the file does not say when it was made (metadata.generated_at)");
}

Outcome outcome_of(const std::string& status) {
  if (status == "pass" || status == "success") return Outcome::pass;
  if (status == "warn") return Outcome::warn;
  return status == "fail" ? Outcome::fail : Outcome::error;
}

void name_table(const Json& relation, const ImportSettings& settings, CheckResult& result) {
  if (!relation.is_object()) return;
  result.dataset = dbt_table(relation, settings);
  if (!settings.warehouse.empty()) result.source = settings.warehouse;
}

/// What the manifest knows of the test.
void add_from_manifest(const Json& manifest, const std::string& id, const ImportSettings& settings,
                       CheckResult& result) {
  const Json& node = at(at(manifest, "nodes"), id);
  if (!node.is_object()) return;
  std::string of = text(node, "attached_node");
  const Json& depends = at(at(node, "depends_on"), "nodes");
  if (of.empty() && depends.is_array() && !depends.empty() && depends.front().is_string())
    of = depends.front().get<std::string>();
  const Json& model = at(at(manifest, "nodes"), of);
  const Json& source = at(at(manifest, "sources"), of);
  name_table(model.is_object() ? model : source, settings, result);
  result.column = text(node, "column_name");
  const std::string file = text(node, "original_file_path");
  if (!file.empty()) result.position = {file, 0, 0};
  const Json& config = at(node, "config");
  if (std::string severity = text(config, "severity"); !severity.empty()) {
    std::ranges::transform(severity, severity.begin(), [](unsigned char c) { return std::tolower(c); });
    result.attributes["severity"] = severity;
  }
  const Json& meta =
      at(config, "meta").is_object() && !at(config, "meta").empty() ? at(config, "meta") : at(node, "meta");
  if (const std::string owner = text(meta, "owner"); !owner.empty()) result.attributes["owner"] = owner;
}

std::string message_of(const std::string& name, const std::string& status, const Json& result) {
  const std::string said = text(result, "message");
  return said.empty() ? fmt::format("{}: {}", name, status) : fmt::format("{}: {}", name, said);
}

core::Result<Json> manifest_of(const ImportSettings& settings) {
  if (settings.manifest.empty()) return Json();
  return parse(settings.manifest, settings.limits, "the manifest");
}

}  // namespace

core::Result<RunReport> read_dbt(const Json& root, const ImportSettings& settings) {
  const auto parsed = manifest_of(settings);
  if (!parsed) return std::unexpected(parsed.error());
  const Json& manifest = *parsed;
  const auto time = made_at(root);
  if (!time) return std::unexpected(time.error());
  RunReport report;
  report.started = *time;
  report.seconds = number(root, "elapsed_time").value_or(0);
  for (const Json& each : at(root, "results")) {
    const std::string id = text(each, "unique_id");
    const std::vector<std::string> parts = split(id);
    if (parts.size() < 3)
      return core::fail(core::ErrorKind::invalid, fmt::format("a result has the odd unique_id \"{}\"", id));
    const bool test = parts[0] == "test" || parts[0] == "unit_test";
    const std::string status = text(each, "status");
    CheckResult result;
    result.source = settings.source;
    result.position = {settings.file, 0, 0};
    result.outcome = outcome_of(status);
    // Without the manifest nothing says which table a test is about.
    result.dataset = test ? parts[1] : parts[2];
    result.check = test ? parts[2] : parts[0] + " is built";
    if (parts[0] == "unit_test" && parts.size() > 3) {
      result.dataset = parts[2];
      result.check = parts[3];
    }
    if (test) result.value = number(each, "failures");
    if (test) add_from_manifest(manifest, id, settings, result);
    // Where the warehouse's name of the table counts, and the manifest knows it.
    if (!test && !settings.warehouse.empty()) name_table(at(at(manifest, "nodes"), id), settings, result);
    result.message = message_of(result.check, status, each);
    report.results.push_back(std::move(result));
  }
  return report;
}

core::Result<RunReport> read_dbt_sources(const Json& root, const ImportSettings& settings) {
  const auto manifest = manifest_of(settings);
  if (!manifest) return std::unexpected(manifest.error());
  const auto time = made_at(root);
  if (!time) return std::unexpected(time.error());
  RunReport report;
  report.started = *time;
  report.seconds = number(root, "elapsed_time").value_or(0);
  for (const Json& each : at(root, "results")) {
    const std::string id = text(each, "unique_id");
    const std::vector<std::string> parts = split(id);
    if (parts.size() < 4)
      return core::fail(core::ErrorKind::invalid, fmt::format("a result has the odd unique_id \"{}\"", id));
    const std::string status = text(each, "status");
    CheckResult result;
    result.source = settings.source;
    result.dataset = parts[2] + "." + parts[3];
    result.check = "freshness";
    if (!settings.warehouse.empty()) name_table(at(at(*manifest, "sources"), id), settings, result);
    result.position = {settings.file, 0, 0};
    // Past error_after dbt says "error", which is a verdict; what went wrong is a "runtime error".
    result.outcome = status == "error" ? Outcome::fail : outcome_of(status);
    result.value = number(each, "max_loaded_at_time_ago_in_s");
    std::string problem = text(each, "error");
    if (result.value && *result.value < -core::to_seconds(core::kMostAhead)) {
      // dbt calls that fresh.
      problem = fmt::format("the newest row is of {} in the future: a wrong clock, time zone or row",
                            show_value(-*result.value, Unit::duration));
      result.outcome = Outcome::error;
      result.value.reset();
    }
    result.message = !problem.empty() ? fmt::format("freshness: {}", problem)
                     : result.value
                         ? fmt::format("freshness is {}: {}", show_value(*result.value, Unit::duration), status)
                         : fmt::format("freshness: {}", status);
    report.results.push_back(std::move(result));
  }
  return report;
}

}  // namespace weir::quality::import
