#include <cmath>
#include <nlohmann/json.hpp>

#include "quality/report_writers.h"

namespace weir::quality {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const CheckResult& result) {
  Json attributes = Json::object();
  for (const auto& [key, value] : result.attributes) attributes[key] = value;
  const bool number = result.value && std::isfinite(*result.value);
  return {{"source", result.source},
          {"dataset", result.dataset},
          {"check", result.check},
          {"column", result.column},
          {"group", result.group},
          {"outcome", to_string(result.outcome)},
          {"value", number ? Json(*result.value) : Json(nullptr)},
          {"relative_error", result.relative_error > 0 ? Json(result.relative_error) : Json(nullptr)},
          {"reused", result.reused},
          {"learning", result.learning},
          {"sample", result.sample},
          {"message", result.message},
          {"attributes", std::move(attributes)},
          {"file", result.position.file},
          {"line", result.position.line},
          {"column_number", result.position.column}};
}

}  // namespace

std::string write_json(const RunReport& report) {
  const Tally counts = tally(report);
  Json results = Json::array();
  for (const CheckResult& result : report.results) results.push_back(json_of(result));
  Json statements = Json::array();
  for (const StatementReport& statement : report.statements) {
    statements.push_back({{"source", statement.source},
                          {"dataset", statement.dataset},
                          {"sql", statement.sql},
                          {"seconds", statement.seconds}});
  }
  const Json root = {
      {"version", 1},
      {"started", core::format_rfc3339(report.started)},
      {"seconds", report.seconds},
      {"outcome", to_string(worst_outcome(report))},
      {"summary", {{"pass", counts.pass}, {"warn", counts.warn}, {"fail", counts.fail}, {"error", counts.error}}},
      {"results", std::move(results)},
      {"statements", std::move(statements)}};
  // Text of a database may not be UTF-8: what is not is replaced.
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace weir::quality
