#include "quality/import_results.h"

#include <array>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "quality/import_json.h"

namespace weir::quality {
namespace import {

core::Result<Json> parse(const std::string& text, const ImportLimits& limits, std::string_view what) {
  if (text.size() > limits.bytes)
    return core::fail(core::ErrorKind::limit, fmt::format("{} is larger than {} bytes", what, limits.bytes));
  bool deep = false;
  const auto bounded = [&](int depth, Json::parse_event_t, Json&) {
    deep = deep || static_cast<std::size_t>(depth) > limits.depth;
    return !deep;
  };
  try {
    Json root = Json::parse(text, bounded);
    if (deep) return core::fail(core::ErrorKind::limit, fmt::format("{} is nested deeper than {}", what, limits.depth));
    return root;
  } catch (const Json::parse_error& error) {
    const bool torn = error.byte > text.find_last_not_of(" \t\r\n") + 1;
    return core::fail(core::ErrorKind::invalid,
                      torn ? fmt::format("{} ends in the middle: it is still being written, or was cut off", what)
                           : fmt::format("{} is no JSON: {}", what, error.what()));
  }
}

const Json& at(const Json& node, std::string_view key) {
  static const Json kNull;
  if (!node.is_object()) return kNull;
  const auto found = node.find(key);
  return found == node.end() ? kNull : *found;
}

std::string text(const Json& node, std::string_view key) {
  const Json& value = at(node, key);
  return value.is_string() ? value.get<std::string>() : "";
}

std::optional<double> number(const Json& node, std::string_view key) {
  const Json& value = at(node, key);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

void make_names_unique(RunReport& report) {
  std::map<std::string, int> used;
  for (CheckResult& result : report.results) {
    const int nth = ++used[result.dataset + '\n' + result.check];
    if (nth > 1) result.check += fmt::format(" ({})", nth);
  }
}

}  // namespace import

namespace {

constexpr std::array kFormats = {std::pair{ResultFormat::dbt, std::string_view("dbt")},
                                 std::pair{ResultFormat::dbt_sources, std::string_view("dbt_sources")},
                                 std::pair{ResultFormat::gx, std::string_view("gx")}};

std::optional<ResultFormat> told_from(const import::Json& root) {
  const std::string schema = import::text(import::at(root, "metadata"), "dbt_schema_version");
  if (schema.find("/run-results/") != std::string::npos) return ResultFormat::dbt;
  if (schema.find("/sources/") != std::string::npos) return ResultFormat::dbt_sources;
  if (!schema.empty()) return std::nullopt;
  const bool validation = import::at(root, "results").is_array() && import::at(root, "success").is_boolean();
  return validation || import::at(root, "run_results").is_object() ? std::optional(ResultFormat::gx) : std::nullopt;
}

/// Of dbt's artifacts; what says no version is read as it is.
core::Result<void> known_version(const import::Json& root, ResultFormat format) {
  if (format == ResultFormat::gx) return {};
  const auto [oldest, newest] = format == ResultFormat::dbt ? std::pair(4, 6) : std::pair(1, 3);
  const auto version = import::schema_version(root);
  if (!version || (*version >= oldest && *version <= newest)) return {};
  return core::fail(core::ErrorKind::invalid,
                    fmt::format("the file has dbt's schema v{}, and Weir knows v{} to v{}", *version, oldest, newest));
}

}  // namespace

std::string_view to_string(ResultFormat format) {
  for (const auto& [known, word] : kFormats) {
    if (known == format) return word;
  }
  return "";
}

std::optional<ResultFormat> parse_result_format(std::string_view word) {
  for (const auto& [format, known] : kFormats) {
    if (known == word) return format;
  }
  return std::nullopt;
}

core::Result<RunReport> import_results(const std::string& text, const ImportSettings& settings) {
  const auto root = import::parse(text, settings.limits, "the file");
  if (!root) return std::unexpected(root.error());
  const auto found = told_from(*root);
  const auto wanted = settings.format ? settings.format : found;
  if (!wanted || found != wanted) {
    return core::fail(core::ErrorKind::invalid,
                      wanted ? fmt::format("these are no results of {}", to_string(*wanted))
                             : std::string("these are neither dbt's run_results.json or sources.json nor a validation "
                                           "result of Great Expectations"));
  }
  if (auto known = known_version(*root, *wanted); !known) return std::unexpected(known.error());
  try {
    core::Result<RunReport> report = *wanted == ResultFormat::dbt           ? import::read_dbt(*root, settings)
                                     : *wanted == ResultFormat::dbt_sources ? import::read_dbt_sources(*root, settings)
                                                                            : import::read_gx(*root, settings);
    if (report && report->results.size() > settings.limits.results) {
      return core::fail(core::ErrorKind::limit, fmt::format("more than {} results", settings.limits.results));
    }
    if (report) import::make_names_unique(*report);
    return report;
  } catch (const import::Json::exception& error) {
    return core::fail(core::ErrorKind::invalid,
                      fmt::format("the results have another shape than is known: {}", error.what()));
  }
}

}  // namespace weir::quality
