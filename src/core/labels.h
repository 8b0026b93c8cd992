#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/shared_bytes.h"

namespace weir::core {

/// The label that carries a metric's name.
inline constexpr std::string_view kMetricName = "__name__";

/// An immutable set of labels, sorted by name; a label with an empty value is the same as none.
/// One shared allocation with the hash precomputed: copies are cheap and safe between threads, so a
/// collector that sees the same series each cycle keeps its Labels rather than building them anew.
class Labels {
 public:
  using Pair = std::pair<std::string_view, std::string_view>;

  class Iterator {
   public:
    using value_type = Pair;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    Iterator() = default;
    Pair operator*() const { return owner_->at(index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++index_;
      return before;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    friend class Labels;
    Iterator(const Labels* owner, std::size_t index) : owner_(owner), index_(index) {}
    const Labels* owner_ = nullptr;
    std::size_t index_ = 0;
  };

  Labels() = default;
  /// In any order; of a name given twice the last counts.
  Labels(std::initializer_list<Pair> pairs);
  explicit Labels(std::span<const Pair> pairs);
  /// A metric's labels: `Labels::metric("kafka_brokers", {{"cluster", "prod"}})`.
  static Labels metric(std::string_view name, std::initializer_list<Pair> pairs);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  Pair at(std::size_t index) const;
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

  /// The value, or "" where the label is absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return !get(name).empty(); }
  /// The value of `__name__`.
  std::string_view name() const { return get(kMetricName); }
  /// Whether texts may hold all values as they are: ASCII without a quote, a backslash, a line feed.
  bool plain() const;
  /// True when every label of `other` is here with the same value.
  bool includes(const Labels& other) const;

  Labels with(std::string_view name, std::string_view value) const;
  Labels without(std::string_view name) const;

  /// 64-bit FNV-1a over the sorted labels: the same in every process, so it serves as a fingerprint.
  std::uint64_t hash() const;

  /// `name{a="1",b="2"}` with Prometheus's escapes; `{}` when empty.
  std::string to_string() const;

  bool operator==(const Labels& other) const;
  std::strong_ordering operator<=>(const Labels& other) const;

 private:
  struct View;
  SharedBytes data_;
};

/// Collects labels one at a time; bounded only by the caller.
class LabelsBuilder {
 public:
  LabelsBuilder() = default;
  explicit LabelsBuilder(const Labels& start);
  LabelsBuilder& set(std::string_view name, std::string_view value);
  LabelsBuilder& erase(std::string_view name);
  std::string_view get(std::string_view name) const;
  Labels build() const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

/// Appends `value` with backslash, double quote and line feed escaped as in the exposition format.
void append_escaped(std::string& out, std::string_view value);

}  // namespace weir::core

template <>
struct std::hash<weir::core::Labels> {
  std::size_t operator()(const weir::core::Labels& labels) const noexcept { return labels.hash(); }
};
