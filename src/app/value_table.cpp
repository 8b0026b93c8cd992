#include "app/value_table.h"

#include <algorithm>

#include "promql/format.h"

namespace weir::app {
namespace {

/// Characters of UTF-8, as good a width as there is without tables.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out += std::string(widths[i] - width(row[i]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string format_value_table(const promql::Value& value) {
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) return promql::format_value(scalar->value) + "\n";
  if (const auto* text = std::get_if<promql::Text>(&value)) return text->text + "\n";
  if (const auto* vector = std::get_if<promql::Vector>(&value)) {
    if (vector->empty()) return "no series\n";
    std::vector<std::vector<std::string>> rows{{"SERIES", "VALUE"}};
    for (const promql::VectorSample& sample : *vector)
      rows.push_back({sample.labels.to_string(), promql::format_value(sample.value)});
    return format_table(rows);
  }
  const auto& matrix = std::get<promql::Matrix>(value);
  if (matrix.empty()) return "no series\n";
  std::string out;
  for (const core::SeriesView& series : matrix) {
    out += series.labels.to_string() + "\n";
    std::vector<std::vector<std::string>> rows;
    for (const core::Point& point : series.points)
      rows.push_back({"  " + core::format_rfc3339(point.time), promql::format_value(point.value)});
    out += format_table(rows);
  }
  return out;
}

}  // namespace weir::app
