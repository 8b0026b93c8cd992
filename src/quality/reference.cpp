#include "quality/reference.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "config/reader.h"

namespace weir::quality {
namespace {

using config::MapReader;
using config::Node;

constexpr std::size_t kMostEdges = 100;  // each bin is an expression of the SELECT

std::vector<double> read_numbers(MapReader& reader, std::string_view key) {
  std::vector<double> numbers;
  for (const Node* item : reader.list(key)) {
    double number = 0;
    const std::string& text = item->text();
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (!item->is_scalar() || failed != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
      reader.error(*item, fmt::format("\"{}\": expected a number, found \"{}\"", key, text));
      return {};
    }
    numbers.push_back(number);
  }
  return numbers;
}

/// Shares of the n + 1 bins from the weights as written, or nothing with an error.
std::vector<double> read_shares(MapReader& reader, std::size_t edges) {
  std::vector<double> weights = read_numbers(reader, "weights");
  if (weights.size() + 1 == edges) weights.insert(weights.begin(), 0);
  if (weights.size() == edges) weights.push_back(0);
  if (weights.size() != edges + 1) {
    reader.error(
        "weights",
        fmt::format("expected {} weights for {} edges (below the first edge, then one for each bin)", edges, edges));
    return {};
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (std::ranges::any_of(weights, [](double weight) { return weight < 0; }) || std::abs(sum - 1) > 0.01) {
    reader.error("weights",
                 fmt::format("weights are shares of the rows: none below 0, their sum 1 (it is {:.6g})", sum));
    return {};
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

}  // namespace

Reference parse_reference(const Node& node, const std::string& name, const std::string& column,
                          config::Diagnostics& diagnostics) {
  const std::string what = name.empty() ? "distribution reference" : "distribution reference \"" + name + "\"";
  Reference reference;
  reference.name = name;
  const Node* own = name.empty() ? &node : node.find(name);
  if (own == nullptr) {
    diagnostics.error(node.position(), what + " is not in this file");
    return reference;
  }
  MapReader reader(*own, diagnostics, what);
  for (const std::string_view note : {"dataset", "table", "filter"}) reader.child(note);
  const Node* of = reader.child("column");
  if (of != nullptr && of->text() != column) {
    reader.error(*of, fmt::format("it describes column \"{}\", the check is about \"{}\"", of->text(), column));
  }
  const Node* typed = reader.child("distribution_type");
  const std::string type = typed == nullptr ? std::string() : typed->text();
  if (type.empty()) reader.missing("distribution_type");
  if (type == "categorical") {
    reader.error("distribution_type", "categorical references are not supported; use continuous with numeric bins");
  } else if (!type.empty() && type != "continuous") {
    reader.error("distribution_type", fmt::format("\"{}\" is not one of continuous", type));
  }
  // Soda's older files write it with a space.
  const std::string key =
      own->find("distribution reference") != nullptr ? "distribution reference" : "distribution_reference";
  const Node* bins = reader.child(key);
  if (bins == nullptr) reader.missing(key, "key \"distribution_reference\" with its bins and weights is missing");
  reader.finish();
  if (bins == nullptr) return reference;
  MapReader inner(*bins, diagnostics, what);
  reference.edges = read_numbers(inner, "bins");
  const bool ascending = std::ranges::adjacent_find(reference.edges, std::greater_equal<>()) == reference.edges.end();
  if (reference.edges.size() < 2 || reference.edges.size() > kMostEdges || !ascending) {
    inner.error("bins", fmt::format("expected 2 to {} edges in ascending order", kMostEdges));
  } else {
    reference.shares = read_shares(inner, reference.edges.size());
  }
  inner.child("weights");
  inner.finish();
  return reference;
}

double population_stability_index(std::span<const double> counts, const Reference& reference) {
  constexpr double kEmpty = 1e-5;
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  double index = 0;
  for (std::size_t i = 0; i < counts.size() && i < reference.shares.size(); ++i) {
    const double actual = counts[i] > 0 ? counts[i] / total : kEmpty;
    const double expected = reference.shares[i] > 0 ? reference.shares[i] : kEmpty;
    index += (actual - expected) * std::log(actual / expected);
  }
  return index;
}

}  // namespace weir::quality
