#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/labels.h"
#include "core/series_source.h"
#include "core/time.h"

namespace weir::promql {

/// The times that an expression is evaluated at, at once: first, first + step …
struct Steps {
  core::Time first;
  core::Duration step{1};
  std::size_t count = 1;

  core::Time at(std::size_t index) const { return first + step * static_cast<core::Duration::rep>(index); }
  core::Time last() const { return at(count - 1); }
};

/// Marks a step at which a series has no value: no operation yields this NaN's payload.
inline double absent() { return core::stale_marker(); }
inline bool is_absent(double value) { return core::is_stale_marker(value); }

/// The value of an expression at a run of steps: series, each with one value or absent() a step. A scalar is one row
/// without labels.
class Frame {
 public:
  explicit Frame(std::size_t steps) : steps_(steps) {}

  std::size_t steps() const { return steps_; }
  std::size_t rows() const { return labels_.size(); }
  const core::Labels& labels(std::size_t row) const { return labels_[row]; }
  void set_labels(std::size_t row, core::Labels labels) { labels_[row] = std::move(labels); }
  std::span<double> values(std::size_t row) { return {values_.data() + row * steps_, steps_}; }
  std::span<const double> values(std::size_t row) const { return {values_.data() + row * steps_, steps_}; }

  void reserve(std::size_t rows);
  /// A new row, absent at every step; valid until the next one.
  std::span<double> add(core::Labels labels);
  /// Takes the last row back, when it has no value at any step.
  void drop_last_if_empty();

  /// Metric names are to be left out. Done late, since what reads the frame often has no use for them.
  void drop_names() { names_dropped_ = true; }
  bool names_dropped() const { return names_dropped_; }
  /// Leaves the names out, if that is to be done, and joins rows that have the same labels then.
  /// Errors (invalid): two of them have a value at the same step.
  core::Result<void> settle_names();
  /// The same, but puts it off where it cannot fail and names are not `read`.
  core::Result<void> settle_names_if(bool read);
  /// Joins rows with the same labels. Errors as settle_names().
  core::Result<void> join_equal();

 private:
  bool names_differ() const;

  std::size_t steps_;
  std::vector<core::Labels> labels_;
  std::vector<double> values_;  // row after row
  bool names_dropped_ = false;
};

/// One row without labels: the time of each step in seconds.
Frame times_of(const Steps& steps);

/// The part of a label set that aggregations group by and vectors match on: the labels named, or all but those and
/// the metric's name.
class Projection {
 public:
  Projection(const std::vector<std::string>& names, bool only_named);

  bool reads_name() const { return reads_name_; }
  std::size_t hash(const core::Labels& labels) const;
  bool equal(const core::Labels& a, const core::Labels& b) const;
  core::Labels of(const core::Labels& labels) const;

 private:
  bool keeps(std::string_view name) const;

  std::vector<std::string> names_;  // sorted
  bool only_named_;
  bool reads_name_;
};

/// Numbers label sets by their projection, from 0 in order of appearance.
class Groups {
 public:
  Groups(const Projection& projection, std::size_t expected);

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t find_or_add(const core::Labels& labels);
  /// kNone where there is none.
  std::size_t find(const core::Labels& labels) const;
  std::size_t size() const { return members_.size(); }
  /// The label set that opened a group.
  const core::Labels& member(std::size_t group) const { return members_[group]; }

 private:
  std::size_t slot(const core::Labels& labels, std::size_t hash) const;

  const Projection& projection_;
  std::vector<core::Labels> members_;
  std::vector<std::size_t> hashes_;  // by group
  std::vector<std::size_t> table_;   // open addressing; kNone is free
};

}  // namespace weir::promql
