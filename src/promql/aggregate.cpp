#include "promql/aggregate.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>
#include <variant>

#include "promql/format.h"
#include "promql/sum.h"

namespace weir::promql {
namespace {

/// The rows of each group, in order of appearance.
struct Grouping {
  std::vector<std::size_t> group_of;  // by row
  std::vector<core::Labels> labels;   // by group
};

core::Result<Grouping> group_rows(const Aggregate& node, Frame& input) {
  const Projection projection(node.labels, !node.without);
  if (auto settled = input.settle_names_if(projection.reads_name()); !settled) return std::unexpected(settled.error());
  Grouping grouping;
  Groups groups(projection, node.labels.empty() && !node.without ? 1 : input.rows() / 8);
  grouping.group_of.reserve(input.rows());
  for (std::size_t row = 0; row < input.rows(); ++row)
    grouping.group_of.push_back(groups.find_or_add(input.labels(row)));
  for (std::size_t group = 0; group < groups.size(); ++group)
    grouping.labels.push_back(projection.of(groups.member(group)));
  return grouping;
}

std::vector<std::vector<std::size_t>> members(const Grouping& grouping) {
  std::vector<std::vector<std::size_t>> rows(grouping.labels.size());
  for (std::size_t row = 0; row < grouping.group_of.size(); ++row) rows[grouping.group_of[row]].push_back(row);
  return rows;
}

Frame quantiles(const Frame& input, const Grouping& grouping, std::span<const double> phi) {
  Frame out(input.steps());
  for (const auto& rows : members(grouping)) {
    const auto values = out.add(grouping.labels[out.rows()]);
    for (std::size_t step = 0; step < values.size(); ++step) {
      std::vector<double> present;
      for (const std::size_t row : rows) {
        if (!is_absent(input.values(row)[step])) present.push_back(input.values(row)[step]);
      }
      if (!present.empty()) values[step] = quantile(phi[step], std::move(present));
    }
  }
  return out;
}

/// How many elements topk, bottomk and limitk keep at each step.
core::Result<std::vector<std::size_t>> counts(std::span<const double> parameter) {
  std::vector<std::size_t> most;
  for (const double value : parameter) {
    if (!(std::abs(value) < 9.2e18))
      return core::fail(core::ErrorKind::invalid, fmt::format("Scalar value {} overflows int64", value));
    most.push_back(value < 1 ? 0 : static_cast<std::size_t>(value));
  }
  return most;
}

core::Result<Frame> pick(AggregateOp op, Frame input, const Grouping& grouping, std::span<const double> parameter) {
  const auto most = counts(parameter);
  if (!most) return std::unexpected(most.error());
  if (auto settled = input.settle_names(); !settled) return std::unexpected(settled.error());
  Frame out(input.steps());
  for (std::size_t row = 0; row < input.rows(); ++row) out.add(input.labels(row));
  std::vector<std::size_t> order;  // rows, those of topk at one step best first
  for (auto& rows : members(grouping)) {
    if (op == AggregateOp::limitk) {
      std::ranges::sort(rows, [&](std::size_t a, std::size_t b) { return input.labels(a) < input.labels(b); });
    }
    for (std::size_t step = 0; step < input.steps(); ++step) {
      const auto value = [&](std::size_t row) { return input.values(row)[step]; };
      std::vector<std::size_t> present;
      std::ranges::copy_if(rows, std::back_inserter(present), [&](std::size_t row) { return !is_absent(value(row)); });
      const auto kept = static_cast<std::ptrdiff_t>(std::min((*most)[step], present.size()));
      if (op != AggregateOp::limitk) {
        const auto better = [&](std::size_t a, std::size_t b) {
          const double x = value(a);
          const double y = value(b);
          if (std::isnan(x) || std::isnan(y)) return std::isnan(x) == std::isnan(y) ? a < b : std::isnan(y);
          if (x == y) return a < b;
          return op == AggregateOp::topk ? x > y : x < y;
        };
        std::ranges::partial_sort(present, present.begin() + kept, better);
      }
      for (const std::size_t row : std::span(present).first(static_cast<std::size_t>(kept))) {
        out.values(row)[step] = value(row);
        if (input.steps() == 1) order.push_back(row);
      }
    }
  }
  Frame kept(input.steps());
  if (input.steps() != 1) {
    order.resize(out.rows());
    for (std::size_t row = 0; row < order.size(); ++row) order[row] = row;
  }
  for (const std::size_t row : order) {
    std::ranges::copy(std::as_const(out).values(row), kept.add(out.labels(row)).begin());
    kept.drop_last_if_empty();
  }
  return kept;
}

/// Where a series lies between 0 and 1, the same in every query: its hash, mixed once more (as SplitMix64 does), since
/// labels that differ in their last characters only differ little in the high bits of FNV-1a.
double share_of(const core::Labels& labels) {
  std::uint64_t mixed = labels.hash();
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
  return std::ldexp(static_cast<double>(mixed ^ (mixed >> 31U)), -64);
}

/// A share r of the series, and for −r the others than for 1 − r. Which ones, Prometheus leaves open.
core::Result<Frame> limit_ratio(Frame input, std::span<const double> parameter) {
  if (std::ranges::any_of(parameter, [](double ratio) { return std::isnan(ratio); }))
    return core::fail(core::ErrorKind::invalid, "Ratio value NaN is NaN");
  if (auto settled = input.settle_names(); !settled) return std::unexpected(settled.error());
  Frame out(input.steps());
  for (std::size_t row = 0; row < input.rows(); ++row) {
    const double share = share_of(input.labels(row));
    const auto values = out.add(input.labels(row));
    for (std::size_t step = 0; step < values.size(); ++step) {
      const double ratio = parameter[step];
      if (ratio >= 0 ? share < ratio : share >= 1 + ratio) values[step] = input.values(row)[step];
    }
    out.drop_last_if_empty();
  }
  return out;
}

core::Result<Frame> count_values(const Frame& input, const Grouping& grouping, const std::string& label) {
  if (label.empty()) return core::fail(core::ErrorKind::invalid, "invalid label name \"\" in count_values()");
  Frame out(input.steps());
  std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> places;  // of a group and a value
  std::unordered_map<core::Labels, std::size_t> rows;  // groups that differ in `label` alone become one
  for (std::size_t row = 0; row < input.rows(); ++row) {
    const std::size_t group = grouping.group_of[row];
    const auto values = input.values(row);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (is_absent(values[step])) continue;
      const double value = std::isnan(values[step]) ? std::numeric_limits<double>::quiet_NaN() : values[step];
      const auto [place, added] = places.try_emplace({group, std::bit_cast<std::uint64_t>(value)}, 0);
      if (added) {
        const core::Labels labels = grouping.labels[group].with(label, format_plain(value));
        const auto [known, is_new] = rows.try_emplace(labels, out.rows());
        if (is_new) out.add(labels);
        place->second = known->second;
      }
      double& count = out.values(place->second)[step];
      count = is_absent(count) ? 1 : count + 1;
    }
  }
  return out;
}

/// Each operation's state for the cells of groups × steps.
struct SumTotals {
  std::vector<double> total;  // absent() before the first value
  std::vector<double> lost;
  void resize(std::size_t cells) {
    total.resize(cells, absent());
    lost.resize(cells, 0);
  }
  void add(std::size_t cell, double value) {
    if (is_absent(total[cell])) {
      total[cell] = value;
    } else {
      add_compensated(total[cell], lost[cell], value);
    }
  }
  double result(std::size_t cell) const { return is_absent(total[cell]) ? absent() : total[cell] + lost[cell]; }
};

struct MeanTotals {
  std::vector<Mean> means;
  void resize(std::size_t cells) { means.resize(cells); }
  void add(std::size_t cell, double value) { means[cell].add(value); }
  double result(std::size_t cell) const { return means[cell].count() == 0 ? absent() : means[cell].value(); }
};

template <bool Greatest>
struct ExtremeTotals {
  std::vector<double> best;
  void resize(std::size_t cells) { best.resize(cells, absent()); }
  void add(std::size_t cell, double value) {
    double& known = best[cell];  // absent() is a NaN too
    if ((Greatest ? value > known : value < known) || std::isnan(known)) known = value;
  }
  double result(std::size_t cell) const { return best[cell]; }
};

struct CountTotals {
  std::vector<double> counts;
  bool only_presence = false;
  void resize(std::size_t cells) { counts.resize(cells, 0); }
  void add(std::size_t cell, double) { ++counts[cell]; }
  double result(std::size_t cell) const { return counts[cell] == 0 ? absent() : only_presence ? 1 : counts[cell]; }
};

/// Welford's running mean and sum of squares.
struct VarianceTotals {
  struct Cell {
    double count = 0;
    double mean = 0;
    double squares = 0;
  };
  std::vector<Cell> cells;
  bool root = false;
  void resize(std::size_t count) { cells.resize(count); }
  void add(std::size_t index, double value) {
    Cell& cell = cells[index];
    const double delta = value - cell.mean;
    cell.mean += delta / ++cell.count;
    cell.squares += delta * (value - cell.mean);
  }
  double result(std::size_t index) const {
    const Cell& cell = cells[index];
    if (cell.count == 0) return absent();
    return root ? std::sqrt(cell.squares / cell.count) : cell.squares / cell.count;
  }
};

}  // namespace

struct Reducer::Totals {
  std::variant<SumTotals, MeanTotals, ExtremeTotals<true>, ExtremeTotals<false>, CountTotals, VarianceTotals> kind;
};

namespace {

decltype(Reducer::Totals::kind) totals_of(AggregateOp op) {
  switch (op) {
    case AggregateOp::avg: return MeanTotals();
    case AggregateOp::min: return ExtremeTotals<false>();
    case AggregateOp::max: return ExtremeTotals<true>();
    case AggregateOp::count: return CountTotals();
    case AggregateOp::group: return CountTotals{.counts = {}, .only_presence = true};
    case AggregateOp::stdvar: return VarianceTotals();
    case AggregateOp::stddev: return VarianceTotals{.cells = {}, .root = true};
    default: return SumTotals();
  }
}

}  // namespace

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

Reducer::Reducer(const Aggregate& node, std::size_t steps)
    : projection_(node.labels, !node.without),
      groups_(projection_, 16),
      steps_(steps),
      totals_(std::make_unique<Totals>(totals_of(node.op))) {}

Reducer::~Reducer() = default;

bool Reducer::takes(AggregateOp op) {
  switch (op) {
    case AggregateOp::sum:
    case AggregateOp::avg:
    case AggregateOp::min:
    case AggregateOp::max:
    case AggregateOp::count:
    case AggregateOp::group:
    case AggregateOp::stddev:
    case AggregateOp::stdvar: return true;
    default: return false;
  }
}

void Reducer::add(const core::Labels& labels, std::span<const double> values) {
  const std::size_t cell = groups_.find_or_add(labels) * steps_;
  std::visit(
      [&](auto& totals) {
        totals.resize(groups_.size() * steps_);
        for (std::size_t step = 0; step < values.size(); ++step) {
          if (!is_absent(values[step])) totals.add(cell + step, values[step]);
        }
      },
      totals_->kind);
}

Frame Reducer::take() {
  Frame out(steps_);
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    const auto values = out.add(projection_.of(groups_.member(group)));
    std::visit(
        [&](const auto& totals) {
          for (std::size_t step = 0; step < steps_; ++step) values[step] = totals.result(group * steps_ + step);
        },
        totals_->kind);
    out.drop_last_if_empty();
  }
  return out;
}

core::Result<Frame> aggregate(const Aggregate& node, Frame input, std::span<const double> parameter,
                              const std::string& label) {
  const auto grouping = group_rows(node, input);
  if (!grouping) return std::unexpected(grouping.error());
  switch (node.op) {
    case AggregateOp::count_values: return count_values(input, *grouping, label);
    case AggregateOp::quantile: return quantiles(input, *grouping, parameter);
    case AggregateOp::limit_ratio: return limit_ratio(std::move(input), parameter);
    case AggregateOp::topk:
    case AggregateOp::bottomk:
    case AggregateOp::limitk: return pick(node.op, std::move(input), *grouping, parameter);
    default: return core::fail(core::ErrorKind::internal, "an aggregation for the Reducer");
  }
}

}  // namespace weir::promql
