#include "quality/import_results.h"

#include <array>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "quality/import_json.h"

namespace weir::quality {
namespace import {
namespace {

/// Digits at the beginning, taken away.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

void skip(std::string_view& text, std::string_view any) {
  if (!text.empty() && any.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
}

/// "+02:00", "-0800", "Z", "": minutes east of Greenwich.
std::optional<int> offset_of(std::string_view text) {
  if (text.empty() || text == "Z") return 0;
  if (text.front() != '+' && text.front() != '-') return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  skip(text, ":");
  const auto minutes = take_digits(text, 2);
  return hours && minutes && text.empty() ? std::optional(sign * (*hours * 60 + *minutes)) : std::nullopt;
}

}  // namespace

std::optional<core::Time> parse_time(std::string_view text) {
  std::array<int, 6> parts{};
  constexpr std::array<std::size_t, 6> kDigits = {4, 2, 2, 2, 2, 2};
  constexpr std::array<std::string_view, 6> kAfter = {"-", "-", "T ", ":", ":", ""};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto digits = take_digits(text, kDigits[i]);
    if (!digits) return std::nullopt;
    parts[i] = *digits;
    skip(text, kAfter[i]);
  }
  long milliseconds = 0;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    for (long scale = 100; !text.empty() && text.front() >= '0' && text.front() <= '9';
         text.remove_prefix(1), scale /= 10) {
      milliseconds += (text.front() - '0') * scale;
    }
  }
  const auto offset = offset_of(text);
  const std::chrono::year_month_day day{std::chrono::year(parts[0]),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!offset || !day.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return std::nullopt;
  return core::Time(std::chrono::sys_days(day)) + std::chrono::hours(parts[3]) +
         std::chrono::minutes(parts[4] - *offset) + std::chrono::seconds(parts[5]) +
         std::chrono::milliseconds(milliseconds);
}

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
