#include "core/labels.h"

#include <algorithm>
#include <cstring>

namespace weir::core {

// Layout of the bytes: the hash, how many labels, then 2 * count end offsets (name, value, name, value …) into the
// text, then the text itself. Offsets take two bytes unless the text is too long for that, which the count's
// highest bit tells; the next one tells that the values are plain.
struct Labels::View {
  static constexpr std::size_t kCountAt = sizeof(std::uint64_t);
  static constexpr std::size_t kEndsAt = kCountAt + sizeof(std::uint32_t);
  static constexpr std::uint32_t kWide = 1U << 31U;
  static constexpr std::uint32_t kPlain = 1U << 30U;

  const char* bytes;

  explicit View(const SharedBytes& data) : bytes(data.data()) {}
  template <class Number>
  Number number(std::size_t at) const {
    Number value = 0;
    std::memcpy(&value, bytes + at, sizeof value);
    return value;
  }
  std::uint64_t hash() const { return number<std::uint64_t>(0); }
  std::uint32_t count() const { return number<std::uint32_t>(kCountAt) & ~(kWide | kPlain); }
  bool plain() const { return (number<std::uint32_t>(kCountAt) & kPlain) != 0; }
  bool wide() const { return (number<std::uint32_t>(kCountAt) & kWide) != 0; }
  std::uint32_t end(std::size_t slot) const {
    return wide() ? number<std::uint32_t>(kEndsAt + 4 * slot) : number<std::uint16_t>(kEndsAt + 2 * slot);
  }
  const char* text() const { return bytes + kEndsAt + 2 * static_cast<std::size_t>(count()) * (wide() ? 4 : 2); }
};

namespace {

constexpr std::uint64_t kFnvOffset = 14695981039346656037ULL;
constexpr std::uint64_t kFnvPrime = 1099511628211ULL;

std::uint64_t fnv1a(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kFnvPrime;
  return (hash ^ 0xffU) * kFnvPrime;  // a separator that no UTF-8 text contains
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != '"' && c != '\\' && c != '\n'; });
}

}  // namespace

Labels::Labels(std::initializer_list<Pair> pairs) : Labels(std::span<const Pair>(pairs.begin(), pairs.size())) {}

Labels::Labels(std::span<const Pair> given) {
  std::vector<Pair> pairs(given.begin(), given.end());
  std::ranges::stable_sort(pairs, {}, &Pair::first);
  std::vector<Pair> kept;
  kept.reserve(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const bool replaced = i + 1 < pairs.size() && pairs[i + 1].first == pairs[i].first;
    if (!replaced && !pairs[i].second.empty()) kept.push_back(pairs[i]);
  }
  if (kept.empty()) return;

  std::size_t text_size = 0;
  for (const Pair& pair : kept) text_size += pair.first.size() + pair.second.size();
  const std::size_t width = text_size > 0xffff ? 4 : 2;
  SharedBytes data(static_cast<std::uint32_t>(View::kEndsAt + 2 * kept.size() * width + text_size));
  char* ends = data.fill() + View::kEndsAt;
  char* text = ends + 2 * kept.size() * width;
  std::uint64_t hash = kFnvOffset;
  std::size_t used = 0;
  for (const Pair& pair : kept) {
    for (const std::string_view part : {pair.first, pair.second}) {
      if (!part.empty()) std::memcpy(text + used, part.data(), part.size());
      used += part.size();
      const auto wide = static_cast<std::uint32_t>(used);
      const auto narrow = static_cast<std::uint16_t>(used);
      std::memcpy(ends, width == 2 ? static_cast<const void*>(&narrow) : &wide, width);
      ends += width;
      hash = fnv1a(hash, part);
    }
  }
  const bool plain = std::ranges::all_of(kept, is_plain, &Pair::second);
  const std::uint32_t count =
      static_cast<std::uint32_t>(kept.size()) | (width == 4 ? View::kWide : 0) | (plain ? View::kPlain : 0);
  std::memcpy(data.fill(), &hash, sizeof hash);
  std::memcpy(data.fill() + View::kCountAt, &count, sizeof count);
  data_ = std::move(data);
}

Labels Labels::metric(std::string_view name, std::initializer_list<Pair> pairs) {
  std::vector<Pair> all(pairs.begin(), pairs.end());
  all.emplace_back(kMetricName, name);
  return Labels(std::span<const Pair>(all));
}

std::size_t Labels::size() const { return data_ ? View(data_).count() : 0; }

bool Labels::plain() const { return !data_ || View(data_).plain(); }

Labels::Pair Labels::at(std::size_t index) const {
  const View view(data_);
  const std::size_t slot = 2 * index;
  const std::uint32_t name_start = slot == 0 ? 0 : view.end(slot - 1);
  const std::uint32_t name_end = view.end(slot);
  return {{view.text() + name_start, name_end - name_start}, {view.text() + name_end, view.end(slot + 1) - name_end}};
}

std::string_view Labels::get(std::string_view name) const {
  for (std::size_t i = 0, n = size(); i < n; ++i) {
    const Pair pair = at(i);
    if (pair.first == name) return pair.second;
  }
  return {};
}

bool Labels::includes(const Labels& other) const {
  return std::ranges::all_of(other, [&](const Pair& pair) { return get(pair.first) == pair.second; });
}

Labels Labels::with(std::string_view name, std::string_view value) const {
  std::vector<Pair> pairs(begin(), end());
  pairs.emplace_back(name, value);
  return Labels(std::span<const Pair>(pairs));
}

Labels Labels::without(std::string_view name) const {
  std::vector<Pair> pairs;
  for (const Pair& pair : *this) {
    if (pair.first != name) pairs.push_back(pair);
  }
  return Labels(std::span<const Pair>(pairs));
}

std::uint64_t Labels::hash() const { return data_ ? View(data_).hash() : kFnvOffset; }

std::string Labels::to_string() const {
  std::string out(name());
  const bool only_name = size() == 1 && !out.empty();
  if (only_name) return out;
  out += '{';
  bool first = true;
  for (const auto& [label, value] : *this) {
    if (label == kMetricName) continue;
    if (!first) out += ',';
    first = false;
    out += label;
    out += "=\"";
    append_escaped(out, value);
    out += '"';
  }
  out += '}';
  return out;
}

bool Labels::operator==(const Labels& other) const {
  if (data_ == other.data_) return true;
  if (!data_ || !other.data_) return false;
  return data_.size() == other.data_.size() && std::memcmp(data_.data(), other.data_.data(), data_.size()) == 0;
}

std::strong_ordering Labels::operator<=>(const Labels& other) const {
  if (data_ == other.data_) return std::strong_ordering::equal;
  return std::lexicographical_compare_three_way(begin(), end(), other.begin(), other.end());
}

LabelsBuilder::LabelsBuilder(const Labels& start) {
  for (const auto& [name, value] : start) pairs_.emplace_back(name, value);
}

LabelsBuilder& LabelsBuilder::set(std::string_view name, std::string_view value) {
  erase(name);
  pairs_.emplace_back(name, value);
  return *this;
}

LabelsBuilder& LabelsBuilder::erase(std::string_view name) {
  std::erase_if(pairs_, [&](const auto& pair) { return pair.first == name; });
  return *this;
}

std::string_view LabelsBuilder::get(std::string_view name) const {
  for (const auto& pair : pairs_) {
    if (pair.first == name) return pair.second;
  }
  return {};
}

Labels LabelsBuilder::build() const {
  std::vector<Labels::Pair> views(pairs_.begin(), pairs_.end());
  return Labels(std::span<const Labels::Pair>(views));
}

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '"': out += "\\\""; break;
      case '\n': out += "\\n"; break;
      default: out += c;
    }
  }
}

}  // namespace weir::core
