#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "promql/function_groups.h"

namespace weir::promql {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::string_view kUpperBound = "le";

struct Bucket {
  double upper = 0;
  double count = 0;  // cumulative
};

std::optional<double> upper_bound(const core::Labels& labels) {
  const std::string text(labels.get(kUpperBound));
  if (text == "+Inf" || text == "Inf") return kInfinity;
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                    : std::nullopt;
}

/// One bucket for each bound, with counts that do not fall: what differs is taken for counting errors.
void tidy(std::vector<Bucket>& buckets) {
  std::ranges::stable_sort(buckets, {}, &Bucket::upper);
  std::size_t last = 0;
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].upper == buckets[last].upper) {
      buckets[last].count += buckets[i].count;
    } else {
      buckets[++last] = buckets[i];
    }
  }
  buckets.resize(last + 1);
  for (std::size_t i = 1; i < buckets.size(); ++i) buckets[i].count = std::max(buckets[i].count, buckets[i - 1].count);
}

/// The phi-quantile of a classic histogram by linear interpolation within a bucket, as Prometheus's bucketQuantile.
/// The buckets are tidy, the last one's bound is infinite.
double bucket_quantile(double phi, const std::vector<Bucket>& buckets) {
  if (buckets.size() < 2) return kNaN;
  const double observations = buckets.back().count;
  if (observations == 0 || std::isnan(observations)) return kNaN;
  const double rank = phi * observations;
  std::size_t found = 0;
  while (found + 1 < buckets.size() && !(buckets[found].count >= rank)) ++found;
  if (found + 1 == buckets.size()) return buckets[buckets.size() - 2].upper;
  if (found == 0 && buckets[0].upper <= 0) return buckets[0].upper;
  const double start = found == 0 ? 0 : buckets[found - 1].upper;
  const double below = found == 0 ? 0 : buckets[found - 1].count;
  return start + (buckets[found].upper - start) * ((rank - below) / (buckets[found].count - below));
}

double quantile_of(Scalars scalars, std::vector<Bucket> buckets) {
  const double phi = scalars[0];
  if (std::isnan(phi)) return kNaN;
  if (phi < 0) return -kInfinity;
  if (phi > 1) return kInfinity;
  std::ranges::stable_sort(buckets, {}, &Bucket::upper);
  if (buckets.back().upper != kInfinity) return kNaN;
  tidy(buckets);
  return bucket_quantile(phi, buckets);
}

/// How many observations lie below `value`, by linear interpolation within its bucket. As for quantiles a first bucket
/// of positive values begins at 0. A bucket that reaches to infinity on either side has no inner places: the last
/// gives nothing, the first gives all it has.
double count_below(double value, const std::vector<Bucket>& buckets) {
  double below = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const double first = buckets[0].upper > 0 ? 0 : -kInfinity;
    const double lower = i == 0 ? first : buckets[i - 1].upper;
    if (lower >= value) return below;
    if (buckets[i].upper > value) {
      if (lower == -kInfinity) return buckets[0].count;
      return below + (buckets[i].count - below) * ((value - lower) / (buckets[i].upper - lower));
    }
    below = buckets[i].count;
  }
  return below;
}

/// The share of the observations between two values, as Prometheus's BucketFraction.
double fraction_of(Scalars scalars, std::vector<Bucket> buckets) {
  const double lower = scalars[0];
  const double upper = scalars[1];
  std::ranges::stable_sort(buckets, {}, &Bucket::upper);
  if (buckets.back().upper != kInfinity) return kNaN;
  tidy(buckets);
  const double observations = buckets.back().count;
  if (observations == 0 || std::isnan(observations) || std::isnan(lower) || std::isnan(upper)) return kNaN;
  if (lower >= upper) return 0;
  return (count_below(upper, buckets) - count_below(lower, buckets)) / observations;
}

/// A number of each classic histogram at each step. The scalars come first, the buckets last.
template <double (*Of)(Scalars, std::vector<Bucket>)>
core::Result<Frame> over_histograms(Invocation& call) {
  const std::span<const Frame> scalars = std::span(call.arguments).first(call.arguments.size() - 1);
  Frame& input = call.arguments.back();
  if (auto settled = input.settle_names(); !settled) return std::unexpected(settled.error());
  const Projection projection({std::string(kUpperBound)}, false);
  Groups groups(projection, input.rows() / 8);
  std::vector<std::vector<std::pair<double, std::size_t>>> members;  // bound and row, by group
  for (std::size_t row = 0; row < input.rows(); ++row) {
    const auto bound = upper_bound(input.labels(row));
    if (!bound) continue;
    const std::size_t group = groups.find_or_add(input.labels(row));
    if (group == members.size()) members.emplace_back();
    members[group].emplace_back(*bound, row);
  }
  Frame out(call.steps.count);
  std::vector<double> at_step(scalars.size());
  for (std::size_t group = 0; group < members.size(); ++group) {
    const auto values = out.add(projection.of(groups.member(group)));
    for (std::size_t step = 0; step < values.size(); ++step) {
      std::vector<Bucket> buckets;
      for (const auto& [bound, row] : members[group]) {
        if (!is_absent(input.values(row)[step])) buckets.push_back({bound, input.values(row)[step]});
      }
      if (buckets.empty()) continue;
      for (std::size_t i = 0; i < scalars.size(); ++i) at_step[i] = scalars[i].values(0)[step];
      values[step] = Of(at_step, std::move(buckets));
    }
    out.drop_last_if_empty();
  }
  return out;
}

}  // namespace

std::vector<Function> histogram_functions() {
  using enum ValueType;
  return {{.name = "histogram_quantile", .arguments = {scalar, vector}, .over_frame = over_histograms<quantile_of>},
          {.name = "histogram_fraction",
           .arguments = {scalar, scalar, vector},
           .over_frame = over_histograms<fraction_of>}};
}

}  // namespace weir::promql
