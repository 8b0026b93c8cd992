#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/labels.h"
#include "core/series_source.h"
#include "core/time.h"

namespace weir::promql {

enum class ValueType { scalar, vector, matrix, text };
/// Prometheus's names in messages: "scalar", "instant vector", "range vector", "string".
std::string_view to_string(ValueType type);

struct Scalar {
  double value = 0;
};

struct VectorSample {
  core::Labels labels;
  core::Time time;
  double value = 0;
};
using Vector = std::vector<VectorSample>;
using Matrix = std::vector<core::SeriesView>;

struct Text {
  std::string text;
};

using Value = std::variant<Scalar, Vector, Matrix, Text>;

}  // namespace weir::promql
