#include "promql/frame.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

namespace weir::promql {

void Frame::reserve(std::size_t rows) {
  labels_.reserve(rows);
  values_.reserve(rows * steps_);
}

std::span<double> Frame::add(core::Labels labels) {
  labels_.push_back(std::move(labels));
  values_.resize(values_.size() + steps_, absent());
  return values(rows() - 1);
}

void Frame::drop_last_if_empty() {
  if (!std::ranges::all_of(values(rows() - 1), is_absent)) return;
  labels_.pop_back();
  values_.resize(values_.size() - steps_);
}

bool Frame::names_differ() const {
  if (labels_.empty()) return false;
  const std::string_view first = labels_.front().name();
  return std::ranges::any_of(labels_, [&](const core::Labels& labels) { return labels.name() != first; });
}

core::Result<void> Frame::settle_names() {
  if (!names_dropped_) return {};
  const bool may_collide = names_differ();
  for (core::Labels& labels : labels_) labels = labels.without(core::kMetricName);
  names_dropped_ = false;
  return may_collide ? join_equal() : core::Result<void>();
}

core::Result<void> Frame::settle_names_if(bool read) {
  return names_dropped_ && (read || names_differ()) ? settle_names() : core::Result<void>();
}

core::Result<void> Frame::join_equal() {
  std::unordered_map<core::Labels, std::size_t> places;
  places.reserve(rows());
  std::size_t kept = 0;
  for (std::size_t row = 0; row < rows(); ++row) {
    const auto [place, added] = places.try_emplace(labels_[row], kept);
    if (added) {
      if (kept != row) {
        labels_[kept] = labels_[row];
        std::ranges::copy(values(row), values(kept).begin());
      }
      ++kept;
      continue;
    }
    const std::span<double> target = values(place->second);
    const std::span<const double> source = std::as_const(*this).values(row);
    for (std::size_t step = 0; step < steps_; ++step) {
      if (is_absent(source[step])) continue;
      if (!is_absent(target[step])) {
        return core::fail(core::ErrorKind::invalid,
                          "vector cannot contain metrics with the same labelset: " + labels_[row].to_string());
      }
      target[step] = source[step];
    }
  }
  labels_.resize(kept);
  values_.resize(kept * steps_);
  return {};
}

Frame times_of(const Steps& steps) {
  Frame frame(steps.count);
  const auto values = frame.add(core::Labels());
  for (std::size_t step = 0; step < values.size(); ++step) values[step] = core::to_seconds(steps.at(step));
  return frame;
}

Projection::Projection(const std::vector<std::string>& names, bool only_named)
    : names_(names), only_named_(only_named) {
  std::ranges::sort(names_);
  names_.erase(std::ranges::unique(names_).begin(), names_.end());
  reads_name_ = only_named && std::ranges::binary_search(names_, core::kMetricName);
}

bool Projection::keeps(std::string_view name) const {
  if (only_named_) return std::ranges::binary_search(names_, name);
  return name != core::kMetricName && !std::ranges::binary_search(names_, name);
}

std::size_t Projection::hash(const core::Labels& labels) const {
  const std::hash<std::string_view> text;
  std::size_t hash = 0;
  if (only_named_) {
    for (const std::string& name : names_) hash = hash * 1'000'003 + text(labels.get(name));
    return hash;
  }
  for (const auto& [name, value] : labels) {
    if (keeps(name)) hash = (hash * 1'000'003 + text(name)) * 1'000'003 + text(value);
  }
  return hash;
}

bool Projection::equal(const core::Labels& a, const core::Labels& b) const {
  if (only_named_)
    return std::ranges::all_of(names_, [&](const std::string& name) { return a.get(name) == b.get(name); });
  auto left = a.begin();
  auto right = b.begin();
  while (true) {
    while (left != a.end() && !keeps((*left).first)) ++left;
    while (right != b.end() && !keeps((*right).first)) ++right;
    if (left == a.end() || right == b.end()) return left == a.end() && right == b.end();
    if (*left != *right) return false;
    ++left;
    ++right;
  }
}

core::Labels Projection::of(const core::Labels& labels) const {
  std::vector<core::Labels::Pair> kept;
  for (const auto& pair : labels) {
    if (keeps(pair.first)) kept.push_back(pair);
  }
  return core::Labels(std::span<const core::Labels::Pair>(kept));
}

Groups::Groups(const Projection& projection, std::size_t expected)
    : projection_(projection), table_(std::bit_ceil(std::max<std::size_t>(16, 2 * expected)), kNone) {}

std::size_t Groups::slot(const core::Labels& labels, std::size_t hash) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = (hash ^ (hash >> 32U)) & mask;
  while (table_[slot] != kNone &&
         (hashes_[table_[slot]] != hash || !projection_.equal(members_[table_[slot]], labels))) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

std::size_t Groups::find(const core::Labels& labels) const { return table_[slot(labels, projection_.hash(labels))]; }

std::size_t Groups::find_or_add(const core::Labels& labels) {
  const std::size_t hash = projection_.hash(labels);
  std::size_t place = slot(labels, hash);
  if (table_[place] != kNone) return table_[place];
  members_.push_back(labels);
  hashes_.push_back(hash);
  if (2 * members_.size() > table_.size()) {
    table_.assign(2 * table_.size(), kNone);
    for (std::size_t group = 0; group + 1 < members_.size(); ++group)
      table_[slot(members_[group], hashes_[group])] = group;
    place = slot(labels, hash);
  }
  return table_[place] = members_.size() - 1;
}

}  // namespace weir::promql
