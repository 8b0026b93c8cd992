#include "promql/binary.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace weir::promql {
namespace {

bool is_comparison(Operator op) { return op >= Operator::eq && op <= Operator::ge; }

double arithmetic(Operator op, double a, double b) {
  switch (op) {
    case Operator::add: return a + b;
    case Operator::sub: return a - b;
    case Operator::mul: return a * b;
    case Operator::div: return a / b;
    case Operator::mod: return std::fmod(a, b);
    case Operator::pow: return std::pow(a, b);
    default: return std::atan2(a, b);
  }
}

bool compare(Operator op, double a, double b) {
  switch (op) {
    case Operator::eq: return a == b;
    case Operator::ne: return a != b;
    case Operator::lt: return a < b;
    case Operator::gt: return a > b;
    case Operator::le: return a <= b;
    default: return a >= b;
  }
}

/// The result for one pair, absent() where a comparison filters it out. A filter keeps `kept`.
double operate(const Binary& node, double a, double b, double kept) {
  if (!is_comparison(node.op)) return arithmetic(node.op, a, b);
  const bool holds = compare(node.op, a, b);
  if (node.return_bool) return holds ? 1 : 0;
  return holds ? kept : absent();
}

Frame scalars(const Binary& node, Frame left, const Frame& right) {
  const auto a = left.values(0);
  const auto b = right.values(0);
  for (std::size_t step = 0; step < a.size(); ++step) a[step] = operate(node, a[step], b[step], a[step]);
  return left;
}

/// At which steps a group has a member.
class Presence {
 public:
  Presence(const Projection& projection, const Frame& frame)
      : groups_(projection, frame.rows()), steps_(frame.steps()) {
    for (std::size_t row = 0; row < frame.rows(); ++row) {
      const std::size_t group = groups_.find_or_add(frame.labels(row));
      present_.resize(groups_.size() * steps_, false);
      const auto values = frame.values(row);
      for (std::size_t step = 0; step < steps_; ++step) {
        if (!is_absent(values[step])) present_[group * steps_ + step] = true;
      }
    }
  }

  /// Leaves of a row only the steps at which its group has a member, or has none.
  void keep(const core::Labels& labels, std::span<double> values, bool with_member) const {
    const std::size_t group = groups_.find(labels);
    for (std::size_t step = 0; step < steps_; ++step) {
      const bool has = group != Groups::kNone && present_[group * steps_ + step];
      if (has != with_member) values[step] = absent();
    }
  }

 private:
  Groups groups_;
  std::size_t steps_;
  std::vector<bool> present_;
};

core::Result<Frame> set_operation(const Binary& node, Frame left, Frame right) {
  const Projection projection(node.matching.labels, node.matching.on);
  if (node.op != Operator::or_) {
    const Presence known(projection, right);
    for (std::size_t row = 0; row < left.rows(); ++row)
      known.keep(left.labels(row), left.values(row), node.op == Operator::and_);
    return left;
  }
  const Presence known(projection, left);
  left.reserve(left.rows() + right.rows());
  for (std::size_t row = 0; row < right.rows(); ++row) {
    known.keep(right.labels(row), right.values(row), false);
    std::ranges::copy(right.values(row), left.add(right.labels(row)).begin());
    left.drop_last_if_empty();
  }
  if (auto joined = left.join_equal(); !joined) return std::unexpected(joined.error());
  return left;
}

/// Vector matching. Sides are called "many" and "one" after the cardinality; one to one has the left as "many".
class Matcher {
 public:
  Matcher(const Binary& node, const Frame& left, const Frame& right)
      : node_(node),
        one_left_(node.matching.cardinality == Matching::Cardinality::one_to_many),
        many_(one_left_ ? right : left),
        one_(one_left_ ? left : right),
        projection_(node.matching.labels, node.matching.on),
        groups_(projection_, one_.rows()),
        out_(left.steps()) {}

  core::Result<Frame> run() {
    for (std::size_t row = 0; row < one_.rows(); ++row) {
      const std::size_t group = groups_.find_or_add(one_.labels(row));
      if (group == partners_.size()) partners_.emplace_back();
      partners_[group].push_back(row);
    }
    find_busy_steps();
    for (const auto& rows : partners_) {
      if (auto unique = check_unique(rows); !unique) return std::unexpected(unique.error());
    }
    matched_.resize(one_to_one() ? partners_.size() * out_.steps() : 0, false);
    for (std::size_t row = 0; row < many_.rows(); ++row) {
      const std::size_t group = groups_.find(many_.labels(row));
      if (group == Groups::kNone) continue;
      for (const std::size_t partner : partners_[group]) {
        if (auto paired = pair(row, partner, group); !paired) return std::unexpected(paired.error());
      }
    }
    auto joined = out_.join_equal();
    if (!joined && one_to_one()) return std::unexpected(joined.error());
    if (!joined) {
      return core::fail(core::ErrorKind::invalid,
                        "multiple matches for labels: grouping labels must ensure unique matches");
    }
    return std::move(out_);
  }

 private:
  bool one_to_one() const { return node_.matching.cardinality == Matching::Cardinality::one_to_one; }

  core::Labels result_labels(const core::Labels& many, const core::Labels& one) const {
    const Matching& matching = node_.matching;
    if (one_to_one() && matching.on) {
      const core::Labels kept = projection_.of(many);
      return drops_name(node_) ? kept.without(core::kMetricName) : kept;
    }
    core::LabelsBuilder builder(many);
    if (drops_name(node_)) builder.erase(core::kMetricName);
    if (one_to_one()) {
      for (const std::string& label : matching.labels) builder.erase(label);
      return builder.build();
    }
    for (const std::string& label : matching.include) {
      const std::string_view value = one.get(label);
      value.empty() ? builder.erase(label) : builder.set(label, value);
    }
    return builder.build();
  }

  /// Where the "many" side has nothing there is nothing to match, and so no error.
  void find_busy_steps() {
    busy_.assign(out_.steps(), false);
    for (std::size_t row = 0; row < many_.rows(); ++row) {
      const auto values = many_.values(row);
      for (std::size_t step = 0; step < values.size(); ++step) {
        if (!is_absent(values[step])) busy_[step] = true;
      }
    }
  }

  core::Result<void> check_unique(const std::vector<std::size_t>& rows) const {
    for (std::size_t step = 0; rows.size() > 1 && step < one_.steps(); ++step) {
      const core::Labels* first = nullptr;
      for (const std::size_t row : rows) {
        if (is_absent(one_.values(row)[step]) || !busy_[step]) continue;
        if (first != nullptr) {
          return core::fail(core::ErrorKind::invalid,
                            "found duplicate series for the match group " + projection_.of(*first).to_string() +
                                " on the " + (one_left_ ? "left" : "right") + " hand-side of the operation: [" +
                                one_.labels(row).to_string() + ", " + first->to_string() +
                                "];many-to-many matching not allowed: matching labels must be unique on one side");
        }
        first = &one_.labels(row);
      }
    }
    return {};
  }

  core::Result<void> pair(std::size_t row, std::size_t partner, std::size_t group) {
    const auto many = many_.values(row);
    const auto one = one_.values(partner);
    const auto out = out_.add(result_labels(many_.labels(row), one_.labels(partner)));
    for (std::size_t step = 0; step < out.size(); ++step) {
      if (is_absent(many[step]) || is_absent(one[step])) continue;
      const double a = one_left_ ? one[step] : many[step];
      const double b = one_left_ ? many[step] : one[step];
      out[step] = operate(node_, a, b, a);
      if (!one_to_one() || is_absent(out[step])) continue;
      if (matched_[group * out.size() + step]) {
        return core::fail(
            core::ErrorKind::invalid,
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
      }
      matched_[group * out.size() + step] = true;
    }
    out_.drop_last_if_empty();
    return {};
  }

  const Binary& node_;
  bool one_left_;
  const Frame& many_;
  const Frame& one_;
  Projection projection_;
  Groups groups_;
  std::vector<std::vector<std::size_t>> partners_;  // rows of the "one" side by group
  std::vector<bool> busy_;                          // steps at which the "many" side has something
  std::vector<bool> matched_;                       // by group and step, for one to one
  Frame out_;
};

}  // namespace

bool drops_name(const Binary& node) { return !is_comparison(node.op) || node.return_bool; }

void apply_scalar(const Binary& node, std::span<double> values, std::span<const double> scalar, bool scalar_left) {
  for (std::size_t step = 0; step < values.size(); ++step) {
    const double value = values[step];
    if (is_absent(value)) continue;
    values[step] = scalar_left ? operate(node, scalar[step], value, value) : operate(node, value, scalar[step], value);
  }
}

core::Result<Frame> apply(const Binary& node, Frame left, Frame right) {
  if (node.left->type == ValueType::scalar) return scalars(node, std::move(left), right);
  for (Frame* side : {&left, &right}) {
    if (auto settled = side->settle_names(); !settled) return std::unexpected(settled.error());
  }
  if (node.op >= Operator::and_) return set_operation(node, std::move(left), std::move(right));
  return Matcher(node, left, right).run();
}

}  // namespace weir::promql
