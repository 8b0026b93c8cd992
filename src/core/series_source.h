#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/labels.h"
#include "core/time.h"

namespace weir::core {

enum class MatchOp { equal, not_equal, regex, not_regex };

/// A label matcher; regexes are RE2, fully anchored. An absent label matches as "".
struct Matcher {
  std::string name;
  MatchOp op = MatchOp::equal;
  std::string value;
};

struct Point {
  Time time;
  double value = 0;
};

struct SeriesView {
  Labels labels;
  std::vector<Point> points;  // ascending in time; may hold staleness markers
};

/// Which samples a query wants: both ends are inclusive.
struct Selection {
  std::vector<Matcher> matchers;
  Time from;
  Time to;
  bool newest_only = false;  // just the newest point of the span, for instant vectors
};

/// Prometheus's staleness marker: a NaN with one particular payload. Ordinary NaN is a value.
inline constexpr std::uint64_t kStaleBits = 0x7ff0000000000002ULL;
inline double stale_marker() { return std::bit_cast<double>(kStaleBits); }
inline bool is_stale_marker(double value) { return std::bit_cast<std::uint64_t>(value) == kStaleBits; }

/// What PromQL knows of a time-series store. Safe to call from any thread.
class SeriesSource {
 public:
  virtual ~SeriesSource() = default;
  /// Series with at least one point in the span, in unspecified order.
  /// Errors: an invalid regex (invalid), a bound on series or points reached (limit).
  virtual Result<std::vector<SeriesView>> select(const Selection& selection) const = 0;

  using Visitor = std::function<Result<void>(const Labels& labels, std::span<const Point> points)>;
  /// The same, one series at a time, so that not all points are held at once; an error of the visitor ends it.
  virtual Result<void> visit(const Selection& selection, const Visitor& visitor) const {
    const auto views = select(selection);
    if (!views) return std::unexpected(views.error());
    for (const SeriesView& view : *views) {
      if (auto visited = visitor(view.labels, view.points); !visited) return visited;
    }
    return {};
  }
};

}  // namespace weir::core
