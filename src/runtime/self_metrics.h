#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/batch.h"

namespace weir::runtime {

/// What Weir counts about itself, besides the collectors' own samples. Any thread.
class SelfMetrics {
 public:
  using LabelPairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// `table` names every metric that add(), set() and observe() may be asked for: counters, gauges and histograms.
  explicit SelfMetrics(std::span<const core::MetricInfo> table);
  ~SelfMetrics();

  /// Adds to a counter; a series starts at 0.
  void add(std::string_view name, LabelPairs labels, double by = 1);
  /// Counts a span, in seconds, in a histogram: buckets from 5 s to a day. With nothing the series begin.
  void observe(std::string_view name, LabelPairs labels, std::optional<double> seconds);
  /// Sets a gauge.
  void set(std::string_view name, LabelPairs labels, double value);

  /// The table, and process_* (CPU, resident memory, start time, open file descriptors).
  std::span<const core::MetricInfo> metrics() const;
  void append_samples(std::vector<core::Sample>& samples, core::Time now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::runtime
