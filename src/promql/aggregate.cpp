#include "promql/aggregate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "promql/format.h"

namespace weir::promql {
namespace {

/// Kahan's compensated sum in Neumaier's form.
struct Sum {
  double total = 0;
  double lost = 0;
  void add(double value) {
    const double next = total + value;
    if (std::isinf(next)) {
      lost = 0;
    } else if (std::abs(total) >= std::abs(value)) {
      lost += (total - next) + value;
    } else {
      lost += (value - next) + total;
    }
    total = next;
  }
  double value() const { return total + lost; }
};

struct Group {
  core::Labels labels;
  std::vector<const VectorSample*> members;
};

std::vector<Group> group(const Aggregate& node, const Vector& input) {
  std::vector<Group> groups;
  std::unordered_map<core::Labels, std::size_t> places;
  for (const VectorSample& sample : input) {
    const core::Labels labels = grouping_labels(sample.labels, node.labels, !node.without);
    const auto [place, added] = places.try_emplace(labels, groups.size());
    if (added) groups.push_back({labels, {}});
    groups[place->second].members.push_back(&sample);
  }
  return groups;
}

double variance(const std::vector<const VectorSample*>& members) {
  // Welford's method.
  double mean = 0;
  double squares = 0;
  double count = 0;
  for (const VectorSample* sample : members) {
    ++count;
    const double delta = sample->value - mean;
    mean += delta / count;
    squares += delta * (sample->value - mean);
  }
  return squares / count;
}

double extreme(const std::vector<const VectorSample*>& members, bool greatest) {
  double best = members.front()->value;
  for (const VectorSample* sample : members) {
    const bool better = greatest ? sample->value > best : sample->value < best;
    if (better || std::isnan(best)) best = sample->value;
  }
  return best;
}

double reduce(AggregateOp op, const std::vector<const VectorSample*>& members, double parameter) {
  const auto count = static_cast<double>(members.size());
  switch (op) {
    case AggregateOp::count: return count;
    case AggregateOp::group: return 1;
    case AggregateOp::min: return extreme(members, false);
    case AggregateOp::max: return extreme(members, true);
    case AggregateOp::stdvar: return variance(members);
    case AggregateOp::stddev: return std::sqrt(variance(members));
    case AggregateOp::quantile: {
      std::vector<double> values;
      for (const VectorSample* sample : members) values.push_back(sample->value);
      return quantile(parameter, std::move(values));
    }
    default: break;
  }
  Sum sum;
  for (const VectorSample* sample : members) sum.add(sample->value);
  return op == AggregateOp::avg ? sum.value() / count : sum.value();
}

core::Result<Vector> pick(const Aggregate& node, const Vector& input, double parameter) {
  if (std::isnan(parameter)) return core::fail(core::ErrorKind::invalid, "the number of elements to pick is NaN");
  Vector result;
  if (parameter < 1) return result;
  const bool greatest = node.op == AggregateOp::topk;
  for (Group& one : group(node, input)) {
    const auto better = [greatest](const VectorSample* a, const VectorSample* b) {
      if (std::isnan(b->value)) return !std::isnan(a->value);
      return greatest ? a->value > b->value : a->value < b->value;
    };
    std::ranges::stable_sort(one.members, better);
    const auto most = static_cast<std::size_t>(std::min(parameter, static_cast<double>(one.members.size())));
    for (std::size_t i = 0; i < most; ++i) result.push_back(*one.members[i]);
  }
  return result;
}

core::Result<Vector> count_values(const Aggregate& node, const Vector& input, const std::string& label, core::Time at) {
  Vector relabelled;
  for (const VectorSample& sample : input) {
    relabelled.push_back({sample.labels.with(label, format_value(sample.value)), at, 1});
  }
  Aggregate count;
  count.op = AggregateOp::count;
  count.without = node.without;
  count.labels = node.labels;
  if (!node.without) count.labels.push_back(label);
  return aggregate(count, relabelled, Scalar{}, at);
}

}  // namespace

core::Labels grouping_labels(const core::Labels& labels, const std::vector<std::string>& names, bool only_named) {
  std::vector<core::Labels::Pair> kept;
  for (const auto& pair : labels) {
    const bool named = std::ranges::find(names, pair.first) != names.end();
    if (only_named ? named : !named && pair.first != core::kMetricName) kept.push_back(pair);
  }
  return core::Labels(std::span<const core::Labels::Pair>(kept));
}

double quantile(double phi, std::vector<double> values) {
  if (values.empty() || std::isnan(phi)) return std::numeric_limits<double>::quiet_NaN();
  if (phi < 0) return -std::numeric_limits<double>::infinity();
  if (phi > 1) return std::numeric_limits<double>::infinity();
  // NaN sorts before all numbers.
  std::ranges::sort(values, [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  const double rank = phi * (static_cast<double>(values.size()) - 1);
  const auto lower = static_cast<std::size_t>(std::max(0.0, std::floor(rank)));
  const std::size_t upper = std::min(values.size() - 1, lower + 1);
  const double weight = rank - std::floor(rank);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

core::Result<Vector> aggregate(const Aggregate& node, const Vector& input, const Value& parameter, core::Time at) {
  if (node.op == AggregateOp::count_values) return count_values(node, input, std::get<Text>(parameter).text, at);
  const auto* scalar = std::get_if<Scalar>(&parameter);
  const double number = scalar == nullptr ? 0 : scalar->value;
  if (node.op == AggregateOp::topk || node.op == AggregateOp::bottomk) return pick(node, input, number);
  Vector result;
  for (const Group& one : group(node, input)) result.push_back({one.labels, at, reduce(node.op, one.members, number)});
  return result;
}

}  // namespace weir::promql
