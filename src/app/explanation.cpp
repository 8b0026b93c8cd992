#include "app/explanation.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/json_values.h"
#include "api/query_json.h"
#include "promql/format.h"

namespace weir::app {
namespace {

constexpr std::size_t kMostQueries = 200;
constexpr std::size_t kMostSeries = 10;

ExplainedNode explain_some(const rules::ExpressionNode& expression, const InstantQuery& query, std::size_t& left) {
  ExplainedNode node;
  node.text = expression.text;
  if (!expression.literal && left > 0) {
    --left;
    auto value = query(expression.text);
    if (value) {
      node.value = std::move(*value);
    } else {
      node.error = value.error();
    }
  }
  for (const rules::ExpressionNode& part : expression.parts) node.parts.push_back(explain_some(part, query, left));
  return node;
}

std::string count(std::size_t number) { return number == 1 ? "1 series" : fmt::format("{} series", number); }

/// What fits behind the expression, and the lines below it.
std::pair<std::string, std::vector<std::string>> describe(const promql::Value& value) {
  std::vector<std::string> lines;
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) return {promql::format_value(scalar->value), lines};
  if (const auto* text = std::get_if<promql::Text>(&value)) return {"\"" + text->text + "\"", lines};
  std::size_t size = 0;
  if (const auto* vector = std::get_if<promql::Vector>(&value)) {
    size = vector->size();
    for (const promql::VectorSample& sample : *vector) {
      if (lines.size() == kMostSeries) break;
      lines.push_back(sample.labels.to_string() + " " + promql::format_value(sample.value));
    }
  } else {
    const auto& matrix = std::get<promql::Matrix>(value);
    size = matrix.size();
    for (const core::SeriesView& series : matrix) {
      if (lines.size() == kMostSeries) break;
      const std::string newest = series.points.empty() ? "" : promql::format_value(series.points.back().value);
      lines.push_back(fmt::format("{} {} points, newest {}", series.labels.to_string(), series.points.size(), newest));
    }
  }
  if (size > lines.size()) lines.push_back(fmt::format("… {} more", size - lines.size()));
  return {size == 0 ? "nothing" : count(size), lines};
}

void format(const ExplainedNode& node, std::size_t depth, std::string& out) {
  const std::string indent(depth * 2, ' ');
  out += indent + node.text;
  std::vector<std::string> lines;
  if (node.value) {
    auto [short_form, below] = describe(*node.value);
    out += "  → " + short_form;
    lines = std::move(below);
  } else if (node.error) {
    out += "  → " + node.error->describe();
  }
  out += "\n";
  for (const std::string& line : lines) out += indent + "  = " + line + "\n";
  for (const ExplainedNode& part : node.parts) format(part, depth + 1, out);
}

nlohmann::json to_json(const ExplainedNode& node, core::Time at) {
  nlohmann::json parts = nlohmann::json::array();
  for (const ExplainedNode& part : node.parts) parts.push_back(to_json(part, at));
  return {{"expression", node.text},
          {"value", node.value ? api::query_data(*node.value, at) : nlohmann::json(nullptr)},
          {"error", node.error ? nlohmann::json(node.error->describe()) : nlohmann::json(nullptr)},
          {"parts", parts}};
}

}  // namespace

ExplainedNode explain(const rules::ExpressionNode& expression, const InstantQuery& query) {
  std::size_t left = kMostQueries;
  return explain_some(expression, query, left);
}

std::string format_explanation(const ExplainedNode& node) {
  std::string out;
  format(node, 0, out);
  return out;
}

std::string explanation_json(const ExplainedNode& node, core::Time at) { return api::dump(to_json(node, at)); }

}  // namespace weir::app
