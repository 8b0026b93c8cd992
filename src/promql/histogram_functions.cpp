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
double bucket_quantile(double phi, std::vector<Bucket> buckets) {
  if (std::isnan(phi)) return kNaN;
  if (phi < 0) return -kInfinity;
  if (phi > 1) return kInfinity;
  std::ranges::stable_sort(buckets, {}, &Bucket::upper);
  if (buckets.back().upper != kInfinity) return kNaN;
  tidy(buckets);
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

core::Result<Frame> histogram_quantile(Invocation& call) {
  const auto phi = call.arguments[0].values(0);
  Frame& input = call.arguments[1];
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
  for (std::size_t group = 0; group < members.size(); ++group) {
    const auto values = out.add(projection.of(groups.member(group)));
    for (std::size_t step = 0; step < values.size(); ++step) {
      std::vector<Bucket> buckets;
      for (const auto& [bound, row] : members[group]) {
        if (!is_absent(input.values(row)[step])) buckets.push_back({bound, input.values(row)[step]});
      }
      if (!buckets.empty()) values[step] = bucket_quantile(phi[step], std::move(buckets));
    }
    out.drop_last_if_empty();
  }
  return out;
}

}  // namespace

std::vector<Function> histogram_functions() {
  return {{.name = "histogram_quantile",
           .arguments = {ValueType::scalar, ValueType::vector},
           .over_frame = histogram_quantile}};
}

}  // namespace weir::promql
