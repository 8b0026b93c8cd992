#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "quality/planner.h"
#include "sql/source.h"

namespace weir::quality {

/// How numbers are spread, in bins whose edges are the powers of γ = (1 + a) / (1 − a): bin k of the positive ones has
/// those from γ^(k−1) to γ^k, the negative ones mirror that, zero has a bin of its own. A quantile told from it is off
/// by at most the share a of its value, and sketches of parts add up to that of the whole, which makes it fit for
/// incremental measuring (DDSketch: Masson, Rim, Lee, "A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
/// Guarantees", 2019). The database counts the bins, so no rows leave it.
class Sketch {
 public:
  static constexpr double kRelativeError = 0.005;    // a
  static constexpr std::size_t kMostBins = 4096;     // 17 orders of magnitude and both signs
  static constexpr std::size_t kMostAnswer = 20000;  // rows of a query's answer

  /// ln γ, the width of a bin on a logarithmic scale.
  static double bin_width();

  /// Counts more numbers of a bin; `sign` is −1, 0 or 1, `bin` is k of the number's absolute value.
  void add(int sign, std::int64_t bin, std::int64_t count);
  void merge(const Sketch& other);
  /// How many numbers there are.
  std::int64_t size() const;
  /// The p-quantile as PERCENTILE_DISC takes it, the number at place ⌈p n⌉ in ascending order, within
  /// kRelativeError of it. Nothing when there is no number, or when it lies in what was collapsed.
  std::optional<double> quantile(double p) const;
  bool empty() const { return bins_.empty(); }

  /// The bins in ascending order of their numbers, by place: 0 is zero, +1 the smallest positive bin there may be. The
  /// first is followed by what lies below it when `collapsed`.
  std::span<const std::pair<std::int32_t, std::int64_t>> bins() const { return bins_; }
  bool collapsed() const { return collapsed_; }
  /// Of bins in ascending order. Nothing for bins that are not, or are out of range, or counts below 1.
  static std::optional<Sketch> of(std::vector<std::pair<std::int32_t, std::int64_t>> bins, bool collapsed);

 private:
  void collapse();

  std::vector<std::pair<std::int32_t, std::int64_t>> bins_;
  bool collapsed_ = false;  // the first bin also holds what is below it: too many bins were merged into it
};

/// A SELECT of the bins of an expression, as incremental_query reads rows: half, sign, bin, count.
std::string sketch_query(const Dataset& dataset, const Aggregate& aggregate, std::optional<std::int64_t> from,
                         std::int64_t to, const sql::Dialect& dialect);

struct SketchHalves {
  Sketch before;
  Sketch after;
};
/// The answer read; nothing when there is a value that is in no bin: NaN, infinity, text.
std::optional<SketchHalves> read_sketches(const sql::Table& answer);

/// Whether a column's type, as the catalog has it, is one of numbers.
bool is_number_type(std::string_view type);

}  // namespace weir::quality
