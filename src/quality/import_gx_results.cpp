#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "quality/check.h"
#include "quality/import_json.h"

// Validation results of Great Expectations, as to_json_dict() writes them.
namespace weir::quality::import {
namespace {

std::string first_of(std::initializer_list<std::string> texts) {
  for (const std::string& each : texts) {
    if (!each.empty()) return each;
  }
  return "";
}

/// {"raised_exception": true, "exception_message"} or, in 1.x, the same by metric.
std::optional<std::string> exception_of(const Json& info) {
  if (!info.is_object()) return std::nullopt;
  const Json& raised = at(info, "raised_exception");
  if (raised.is_boolean()) {
    return raised.get<bool>() ? std::optional(first_of({text(info, "exception_message"), "an exception"}))
                              : std::nullopt;
  }
  for (const auto& [metric, each] : info.items()) {
    const Json& inner = at(each, "raised_exception");
    if (inner.is_boolean() && inner.get<bool>()) return first_of({text(each, "exception_message"), "an exception"});
  }
  return std::nullopt;
}

std::string columns_of(const Json& kwargs) {
  if (const std::string column = text(kwargs, "column"); !column.empty()) return column;
  std::string columns;
  const Json& list = at(kwargs, "column_list");
  for (const Json& column : list) {
    if (column.is_string()) columns.append(columns.empty() ? "" : ", ").append(column.get<std::string>());
  }
  const std::string pair = text(kwargs, "column_A");
  return pair.empty() ? columns : pair + ", " + text(kwargs, "column_B");
}

CheckResult result_of(const Json& each, const std::string& dataset, const ImportSettings& settings) {
  const Json& config = at(each, "expectation_config");
  const Json& kwargs = at(config, "kwargs");
  const std::string columns = columns_of(kwargs);
  CheckResult result;
  result.source = settings.source;
  result.dataset = dataset;
  const std::string type = first_of({text(config, "type"), text(config, "expectation_type"), "expectation"});
  result.check = columns.empty() ? type : fmt::format("{}({})", type, columns);
  result.column = text(kwargs, "column");
  result.position = {settings.file, 0, 0};
  const Json& found = at(each, "result");
  result.value = number(found, "unexpected_count");
  if (!result.value) result.value = number(found, "observed_value");
  if (const std::string severity = text(config, "severity"); !severity.empty())
    result.attributes["severity"] = severity;
  const bool success = at(each, "success").is_boolean() && at(each, "success").get<bool>();
  if (const auto problem = exception_of(at(each, "exception_info"))) {
    result.outcome = Outcome::error;
    result.message = fmt::format("{}: {}", result.check, *problem);
    return result;
  }
  const auto severity = result.attributes.find("severity");
  const bool mild =
      severity != result.attributes.end() && (severity->second == "warning" || severity->second == "info");
  result.outcome = success ? Outcome::pass : mild ? Outcome::warn : Outcome::fail;
  result.message = fmt::format("{}: {}", result.check, success ? "as expected" : "not as expected");
  if (const auto count = number(found, "unexpected_count")) {
    result.message += fmt::format(", {} unexpected", show_number(*count));
    if (const auto all = number(found, "element_count")) result.message += fmt::format(" of {}", show_number(*all));
  } else if (const Json& observed = at(found, "observed_value"); !observed.is_null()) {
    const std::string shown = observed.dump(-1, ' ', false, Json::error_handler_t::replace);
    result.message += fmt::format(", observed {}", shown.substr(0, 200));
  }
  return result;
}

/// When it was made: 0.18 has meta.validation_time and meta.run_id.run_time, 1.x meta.run_id.run_time.
std::optional<core::Time> time_of(const Json& node) {
  const Json& meta = at(node, "meta");
  for (const std::string& each : {text(at(meta, "run_id"), "run_time"), text(meta, "validation_time"),
                                  text(at(node, "run_id"), "run_time"), text(meta, "validation_start_time")}) {
    if (const auto time = core::parse_iso_time(each)) return time;
  }
  return std::nullopt;
}

std::string dataset_of(const Json& validation) {
  const Json& meta = at(validation, "meta");
  const std::string asset = first_of({text(at(meta, "active_batch_definition"), "data_asset_name"),
                                      text(at(meta, "batch_spec"), "table_name"), text(meta, "data_asset_name"),
                                      text(validation, "asset_name")});
  const std::string suite = first_of({text(validation, "suite_name"), text(meta, "expectation_suite_name")});
  return first_of({asset, suite, "validation"});
}

core::Result<void> add(const Json& validation, std::optional<core::Time> made, const ImportSettings& settings,
                       RunReport& report) {
  if (!at(validation, "results").is_array())
    return core::fail(core::ErrorKind::invalid, "a validation has no list of results");
  const std::string dataset = dataset_of(validation);
  for (const Json& each : at(validation, "results")) report.results.push_back(result_of(each, dataset, settings));
  const auto time = time_of(validation);
  if (!time && !made)
    return core::fail(core::ErrorKind::invalid, "the file does not say when it was made (meta.run_id.run_time)");
  // Of several the oldest: no result is then taken for newer than it is.
  const core::Time start = time ? *time : *made;
  report.started = report.started == core::Time{} ? start : std::min(report.started, start);
  return {};
}

}  // namespace

core::Result<RunReport> read_gx(const Json& root, const ImportSettings& settings) {
  RunReport report;
  const auto made = time_of(root);
  const Json& runs = at(root, "run_results");
  if (!runs.is_object()) {
    if (auto added = add(root, made, settings, report); !added) return std::unexpected(added.error());
    return report;
  }
  for (const auto& [id, entry] : runs.items()) {
    const Json& inner = at(entry, "validation_result");
    if (auto added = add(inner.is_object() ? inner : entry, made, settings, report); !added)
      return std::unexpected(added.error());
  }
  if (report.results.empty() && report.started == core::Time{})
    return core::fail(core::ErrorKind::invalid, "the checkpoint ran no validation");
  return report;
}

}  // namespace weir::quality::import
