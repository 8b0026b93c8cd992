#include "quality/registry.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>

#include "quality/anomaly_check.h"
#include "quality/check_file.h"
#include "quality/check_parser.h"
#include "quality/cross_check.h"
#include "quality/failed_rows.h"
#include "quality/metric_probes.h"
#include "quality/reference_check.h"
#include "quality/retention_check.h"
#include "quality/schema_check.h"
#include "quality/user_metric.h"

namespace weir::quality {
namespace {

constexpr std::array kMetricForms = {
    MetricForm{"row_count", parse_row_count},
    MetricForm{"freshness", parse_freshness},
    MetricForm{"missing_count", parse_validity},
    MetricForm{"missing_percent", parse_validity},
    MetricForm{"invalid_count", parse_validity},
    MetricForm{"invalid_percent", parse_validity},
    MetricForm{"valid_count", parse_validity},
    MetricForm{"duplicate_count", parse_duplicates},
    MetricForm{"duplicate_percent", parse_duplicates},
    MetricForm{"min", parse_number},
    MetricForm{"max", parse_number},
    MetricForm{"avg", parse_number},
    MetricForm{"sum", parse_number},
    MetricForm{"stddev", parse_number},
    MetricForm{"stddev_pop", parse_number},
    MetricForm{"stddev_samp", parse_number},
    MetricForm{"variance", parse_number},
    MetricForm{"var_pop", parse_number},
    MetricForm{"var_samp", parse_number},
    MetricForm{"percentile", parse_number},
    MetricForm{"avg_length", parse_number},
    MetricForm{"min_length", parse_number},
    MetricForm{"max_length", parse_number},
    MetricForm{"late_count", parse_late},
    MetricForm{"late_percent", parse_late},
    MetricForm{"distribution_difference", parse_distribution},
};

constexpr std::array kLineForms = {
    LineForm{"anomaly detection for", is_anomaly_check, LineForm::Thresholds::own, parse_anomaly_check},
    LineForm{"schema", is_schema, LineForm::Thresholds::own, parse_schema},
    LineForm{"values in (…) must exist in", is_reference_check, LineForm::Thresholds::optional, parse_reference_check},
    LineForm{"row_count same as", is_cross_check, LineForm::Thresholds::optional, parse_cross_check},
    LineForm{"failed rows", is_failed_rows, LineForm::Thresholds::optional, parse_failed_rows},
    LineForm{"retention", is_retention, LineForm::Thresholds::optional, parse_retention},
    LineForm{"metrics of your own", is_user_metric, LineForm::Thresholds::required, parse_user_metric},
};

}  // namespace

std::span<const MetricForm> metric_forms() { return kMetricForms; }
std::span<const LineForm> line_forms() { return kLineForms; }

void ProbeContext::error(std::size_t offset, const std::string& message) const {
  diagnostics.error(position_in(line, offset), what + ": " + message);
}

void ProbeContext::error(const config::Node& node, const std::string& message) const {
  diagnostics.error(node.position(), what + ": " + message);
}

std::string ProbeContext::setting(std::string_view key) const {
  const config::Node* node = reader.child(key);
  if (node == nullptr) return {};
  const bool control = std::ranges::any_of(node->text(), [](unsigned char c) { return c < ' '; });
  if (!node->is_scalar() || node->text().empty() || node->text().size() > 500 || control) {
    error(*node, fmt::format("\"{}\": expected one line of text", key));
    return {};
  }
  return node->text();
}

std::optional<Condition> ProbeContext::zone(std::string_view key) const {
  const config::Node* node = reader.child(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_scalar()) {
    error(*node, fmt::format("\"{}\": expected a condition such as \"when < 10\", found {}", key, node->kind_name()));
    return std::nullopt;
  }
  const auto condition = parse_zone(node->text());
  if (condition) return *condition;
  diagnostics.error(position_in(*node, condition.error().offset),
                    fmt::format("{}: \"{}\": {}", what, key, condition.error().message));
  return std::nullopt;
}

std::string ProbeContext::condition() const {
  const config::Node* node = reader.child("filter");
  if (node == nullptr) return {};
  if (!node->is_scalar() || node->text().find_first_not_of(" \t\r\n") == std::string::npos) {
    error(*node, "\"filter\": expected a SQL condition");
    return {};
  }
  if (const std::string mistake = condition_mistake(node->text()); !mistake.empty()) {
    error(*node, "\"filter\": " + mistake);
    return {};
  }
  std::string text = node->text();
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

Scope ProbeContext::scope(const std::string& column) const {
  Scope scope = rows(column);
  for (const std::string& key : validity_keys()) {
    if (const config::Node* node = reader.child(key)) read_validity(key, *node, scope.validity, what, diagnostics);
  }
  const auto defaults = around.columns.find(column);
  if (defaults != around.columns.end()) scope.validity.merge(defaults->second);
  return scope;
}

Scope ProbeContext::rows(const std::string& column) const { return {column, condition(), {}}; }

std::string ProbeContext::beside(const std::string& file) const {
  const std::filesystem::path folder = std::filesystem::path(line.position().file).parent_path();
  return (folder / file).lexically_normal().string();
}

}  // namespace weir::quality
