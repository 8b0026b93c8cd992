#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"

namespace weir::quality {

/// The distribution a column is expected to have, over fixed bins.
struct Reference {
  std::string name;            // within its file, "" when the file holds just one
  std::vector<double> edges;   // ascending, at least two
  std::vector<double> shares;  // edges.size() + 1 of them: below the first edge … above the last; they sum to 1
};

/// Reads a reference in the form of a Soda distribution reference object:
///
///     column: amount
///     distribution_type: continuous
///     distribution_reference:
///       bins: [0, 20, 50, 200]        # n edges
///       weights: [0, 0.3, 0.5, 0.2]   # n: below the first edge, then each bin; n − 1: the bins alone;
///                                     # n + 1: with what lies above the last edge
///
/// With a `name` it is the mapping under that key. Weights are normalised; a sum off 1 by over 1 % is an error.
Reference parse_reference(const config::Node& node, const std::string& name, const std::string& column,
                          config::Diagnostics& diagnostics);

/// Population stability index, Σ (p − q) · ln(p / q) over the bins, of counts against a reference; by the
/// usual reading under 0.1 is stable, over 0.25 has shifted. An empty bin counts as a share of 1e-5 on either side,
/// as in Soda. `counts` has a bin for each of the reference's shares and a total above 0.
double population_stability_index(std::span<const double> counts, const Reference& reference);

}  // namespace weir::quality
