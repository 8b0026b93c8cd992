#include "quality/sketch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "quality/incremental.h"
#include "quality/judge.h"

namespace weir::quality {
namespace {

using Bin = std::pair<std::int32_t, std::int64_t>;

/// The bins of doubles go from ln(2^−1075) to ln(2^1024) over the width: −74,500 to 71,000.
constexpr std::int64_t kFarthest = 100'000;

std::int32_t place_of(int sign, std::int64_t bin) {
  return sign == 0 ? 0 : static_cast<std::int32_t>(sign * (bin + kFarthest));
}

/// The number that is off from any of its bin by at most kRelativeError.
double middle_of(std::int32_t place) {
  if (place == 0) return 0;
  const double bin = static_cast<double>(std::abs(place) - kFarthest);
  const double gamma = std::exp(Sketch::bin_width());
  const double middle = std::exp(bin * Sketch::bin_width()) * 2 / (gamma + 1);
  return place < 0 ? -middle : middle;
}

}  // namespace

double Sketch::bin_width() { return std::log((1 + kRelativeError) / (1 - kRelativeError)); }

void Sketch::add(int sign, std::int64_t bin, std::int64_t count) {
  const std::int32_t place = place_of(sign, bin);
  auto at = std::ranges::lower_bound(bins_, place, {}, &Bin::first);
  if (collapsed_ && at == bins_.begin()) {
    at->second += count;
  } else if (at != bins_.end() && at->first == place) {
    at->second += count;
  } else {
    bins_.insert(at, {place, count});
  }
  collapse();
}

void Sketch::merge(const Sketch& other) {
  std::vector<Bin> all;
  all.reserve(bins_.size() + other.bins_.size());
  std::ranges::merge(bins_, other.bins_, std::back_inserter(all), {}, &Bin::first, &Bin::first);
  // Below the higher of two collapsed ends nothing is known apart any more.
  std::int32_t lowest = all.empty() ? 0 : all.front().first;
  if (collapsed_) lowest = std::max(lowest, bins_.front().first);
  if (other.collapsed_) lowest = std::max(lowest, other.bins_.front().first);
  bins_.clear();
  for (const auto& [place, count] : all) {
    const std::int32_t target = std::max(place, lowest);
    if (!bins_.empty() && bins_.back().first == target) {
      bins_.back().second += count;
    } else {
      bins_.emplace_back(target, count);
    }
  }
  collapsed_ = collapsed_ || other.collapsed_;
  collapse();
}

void Sketch::collapse() {
  if (bins_.size() <= kMostBins) return;
  const auto kept = bins_.begin() + static_cast<std::ptrdiff_t>(bins_.size() - kMostBins);
  for (auto each = bins_.begin(); each != kept; ++each) kept->second += each->second;
  bins_.erase(bins_.begin(), kept);
  collapsed_ = true;
}

std::int64_t Sketch::size() const {
  std::int64_t total = 0;
  for (const auto& [place, count] : bins_) total += count;
  return total;
}

std::optional<double> Sketch::quantile(double p) const {
  const double wanted = std::max(1.0, std::ceil(p * static_cast<double>(size())));
  std::int64_t seen = 0;
  for (const auto& [place, count] : bins_) {
    seen += count;
    if (static_cast<double>(seen) < wanted) continue;
    if (collapsed_ && place == bins_.front().first) return std::nullopt;
    return middle_of(place);
  }
  return std::nullopt;
}

std::optional<Sketch> Sketch::of(std::vector<Bin> bins, bool collapsed) {
  if (collapsed && bins.empty()) return std::nullopt;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (bins[i].second < 1 || std::abs(static_cast<std::int64_t>(bins[i].first)) > 2 * kFarthest) return std::nullopt;
    if (i > 0 && bins[i - 1].first >= bins[i].first) return std::nullopt;
  }
  Sketch sketch;
  sketch.bins_ = std::move(bins);
  sketch.collapsed_ = collapsed;
  sketch.collapse();
  return sketch;
}

std::string sketch_query(const Dataset& dataset, const Aggregate& aggregate, std::optional<std::int64_t> from,
                         std::int64_t to, const sql::Dialect& dialect) {
  const std::string& of = aggregate.of;
  std::string sql = fmt::format(
      "SELECT weir_half, weir_sign, weir_bin, count(*) FROM (SELECT {0} AS weir_half, CASE WHEN {1} > 0 THEN 1 "
      "WHEN {1} < 0 THEN -1 WHEN {1} = 0 THEN 0 END AS weir_sign, CASE WHEN {1} <> 0 THEN {2} ELSE 0 END AS weir_bin "
      "FROM {3} WHERE {1} IS NOT NULL",
      half_of(dataset, to, dialect), of, dialect.log_bin(of, Sketch::bin_width()), dialect.table(dataset.table));
  if (from) sql += " AND " + from_on(dataset, *from, dialect);
  return sql + ") weir_bins GROUP BY weir_half, weir_sign, weir_bin";
}

std::optional<SketchHalves> read_sketches(const sql::Table& answer) {
  std::vector<Bin> halves[2];
  for (const sql::Row& row : answer.rows) {
    if (row.size() != 4) return std::nullopt;
    const auto half = to_number(row[0]);
    const auto sign = to_number(row[1]);
    const auto bin = to_number(row[2]);
    const auto count = to_number(row[3]);
    if (!half || !sign || !bin || !count) return std::nullopt;
    const bool fine = (*half == 0 || *half == 1) && (*sign == -1 || *sign == 0 || *sign == 1) &&
                      std::abs(*bin) < kFarthest && *count >= 1;
    if (!fine) return std::nullopt;
    halves[*half == 0 ? 0 : 1].emplace_back(place_of(static_cast<int>(*sign), std::llround(*bin)),
                                            std::llround(*count));
  }
  for (auto& bins : halves) std::ranges::sort(bins);
  auto before = Sketch::of(std::move(halves[0]), false);
  auto after = Sketch::of(std::move(halves[1]), false);
  if (!before || !after) return std::nullopt;
  return SketchHalves{std::move(*before), std::move(*after)};
}

bool is_number_type(std::string_view type) {
  constexpr std::array<std::string_view, 24> kNumbers = {
      "int",     "integer", "bigint",     "smallint", "tinyint", "mediumint", "byteint",       "uint",
      "numeric", "decimal", "bignumeric", "number",   "dec",     "real",      "float",         "double",
      "long",    "short",   "byte",       "hugeint",  "serial",  "bigserial", "binary_double", "binary_float"};
  std::string lower(type);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string_view wrapper : {"lowcardinality(", "nullable("}) {
    if (lower.starts_with(wrapper)) lower.erase(0, wrapper.size());
  }
  if (lower.find('[') != std::string::npos) return false;  // of arrays
  const std::size_t end = lower.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789");
  std::string word = lower.substr(0, end);
  while (!word.empty() && std::isdigit(static_cast<unsigned char>(word.back())) != 0) word.pop_back();
  return std::ranges::find(kNumbers, word) != kNumbers.end();
}

}  // namespace weir::quality
