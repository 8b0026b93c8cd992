#pragma once

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "promql/engine.h"
#include "promql/format.h"
#include "promql/memory_source.h"

namespace weir::promql {

/// Evaluates expressions over series in memory and shows the values as text.
class EngineFixture : public testing::Test {
 protected:
  static constexpr core::Time kAt{std::chrono::seconds(1000)};

  static core::Labels metric(std::string_view name, std::initializer_list<core::Labels::Pair> labels) {
    return core::Labels::metric(name, labels);
  }

  static std::vector<double> ramp(double from, double step, int count = 10) {
    std::vector<double> values;
    for (int i = 0; i < count; ++i) values.push_back(from + step * i);
    return values;
  }

  /// Series in order of their text: "{group="a"} 9; …"
  std::string eval(const std::string& text, core::Time at = kAt) {
    const auto expr = parse(text);
    if (!expr) return "parse error " + expr.error().describe();
    const auto value = evaluate(*expr, source_, at);
    if (!value) return "error " + value.error().message;
    if (const auto* scalar = std::get_if<Scalar>(&*value)) return format_value(scalar->value);
    if (const auto* literal = std::get_if<Text>(&*value)) return literal->text;
    std::vector<std::string> rows;
    if (const auto* vector = std::get_if<Vector>(&*value)) {
      for (const VectorSample& sample : *vector)
        rows.push_back(sample.labels.to_string() + " " + format_value(sample.value));
    } else {
      for (const core::SeriesView& series : std::get<Matrix>(*value))
        rows.push_back(series.labels.to_string() + " #" + std::to_string(series.points.size()));
    }
    std::ranges::sort(rows);
    std::string out;
    for (const std::string& row : rows) out += (out.empty() ? "" : "; ") + row;
    return out;
  }

  core::Result<Matrix> eval_range(const std::string& text, core::Time start, core::Time end, core::Duration step,
                                  const Limits& limits = {}) {
    const auto expr = parse(text);
    if (!expr) return std::unexpected(expr.error());
    return evaluate_range(*expr, source_, start, end, step, limits);
  }

  MemorySource source_;
};

}  // namespace weir::promql
