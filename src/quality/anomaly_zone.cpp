#include "quality/anomaly_zone.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>

namespace weir::quality::anomaly {
namespace {

using std::chrono::seconds;

constexpr std::size_t kHeader = 44;
constexpr std::size_t kMaxFile = 1 << 20;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = (static_cast<unsigned char>(bytes.front()) & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) value = (value << 8U) | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

/// The counts of a header, in the order of the file.
struct Counts {
  std::size_t ut, standard, leap, times, types, characters;
  std::size_t size(std::size_t time_bytes) const {
    return times * (time_bytes + 1) + types * 6 + characters + leap * (time_bytes + 4) + standard + ut;
  }
};

std::optional<Counts> header(std::string_view bytes) {
  if (bytes.size() < kHeader || !bytes.starts_with("TZif")) return std::nullopt;
  std::array<std::size_t, 6> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::int64_t number = big_endian(bytes.substr(20 + i * 4, 4));
    if (number < 0 || number > 100'000) return std::nullopt;
    numbers[i] = static_cast<std::size_t>(number);
  }
  return Counts{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
}

/// The POSIX rule of the footer, "CET-1CEST,M3.5.0,M10.5.0/3": names, offsets, and when summer begins and ends.
class Rule {
 public:
  struct Date {
    int month = 0, week = 0, weekday = 0;  // the week-th weekday of the month, week 5 is the last
    seconds time{7200};
  };

  static std::optional<Rule> parse(std::string_view text) {
    Rule rule;
    rule.text_ = text;
    if (!rule.name() || !rule.offset(rule.standard_)) return std::nullopt;
    rule.standard_ = -rule.standard_;
    if (rule.text_.empty()) return rule;
    if (!rule.name()) return std::nullopt;
    rule.summer_ = rule.standard_ + seconds(3600);
    if (!rule.text_.starts_with(',')) {
      if (!rule.offset(rule.summer_)) return std::nullopt;
      rule.summer_ = -rule.summer_;
    }
    rule.has_summer_ = rule.date(rule.begin_) && rule.date(rule.end_);
    // Rules by the day of the year are in no zone of today; the last change then holds on.
    return rule;
  }

  void append(int year, std::vector<Zone::Change>& changes) const {
    if (!has_summer_) return;
    std::array<Zone::Change, 2> both{{{moment(year, begin_, standard_), core::Duration(summer_)},
                                      {moment(year, end_, summer_), core::Duration(standard_)}}};
    if (both[1].from < both[0].from) std::swap(both[0], both[1]);
    for (const Zone::Change& change : both) {
      if (changes.empty() || change.from > changes.back().from) changes.push_back(change);
    }
  }
  seconds standard() const { return standard_; }

 private:
  bool name() {
    std::size_t length = 0;
    if (text_.starts_with('<')) {
      length = text_.find('>');
      if (length == std::string_view::npos) return false;
      ++length;
    } else {
      while (length < text_.size() && ((text_[length] | 0x20) >= 'a' && (text_[length] | 0x20) <= 'z')) ++length;
    }
    text_.remove_prefix(length);
    return length >= 3;
  }

  bool number(int& value) {
    const auto [end, failure] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (failure != std::errc{} || value < 0 || value > 200) return false;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return true;
  }

  bool take(char wanted) {
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool offset(seconds& value) {
    const bool negative = take('-');
    if (!negative) take('+');
    int hours = 0, minutes = 0, rest = 0;
    if (!number(hours)) return false;
    if (take(':') && !number(minutes)) return false;
    if (take(':') && !number(rest)) return false;
    value = seconds(hours * 3600 + minutes * 60 + rest);
    if (negative) value = -value;
    return true;
  }

  bool date(Date& date) {
    if (!take(',') || !take('M') || !number(date.month) || !take('.') || !number(date.week) || !take('.') ||
        !number(date.weekday)) {
      return false;
    }
    if (take('/') && !offset(date.time)) return false;
    return date.month >= 1 && date.month <= 12 && date.week >= 1 && date.week <= 5 && date.weekday <= 6;
  }

  static core::Time moment(int year, const Date& date, seconds offset) {
    using namespace std::chrono;
    const year_month month = std::chrono::year(year) / date.month;
    const weekday day(static_cast<unsigned>(date.weekday));
    const sys_days found = date.week == 5 ? sys_days(month / day[last]) : sys_days(month / day[date.week]);
    return core::Time(time_point_cast<core::Duration>(found + date.time - offset));
  }

  std::string_view text_;
  seconds standard_{0}, summer_{0};
  Date begin_, end_;
  bool has_summer_ = false;
};

core::Result<Zone> not_a_zone(std::string_view why) {
  return core::fail(core::ErrorKind::invalid, "is no time zone file: " + std::string(why));
}

/// What is after the counts of a version 2 block: times, their types, the types' offsets.
struct Block {
  std::vector<Zone::Change> changes;
  core::Duration first{0};
};

std::optional<Block> read_block(std::string_view data, const Counts& counts) {
  Block block;
  const std::string_view kinds = data.substr(counts.times * 8, counts.times);
  const std::string_view types = data.substr(counts.times * 9, counts.types * 6);
  const auto offset_of = [&](std::size_t type) {
    return core::Duration(seconds(big_endian(types.substr(type * 6, 4))));
  };
  block.first = offset_of(0);
  for (std::size_t i = 0; i < counts.times; ++i) {
    const auto type = static_cast<unsigned char>(kinds[i]);
    const std::int64_t at = big_endian(data.substr(i * 8, 8));
    if (type >= counts.types) return std::nullopt;
    if (at < -10'000'000'000 || at > 100'000'000'000) continue;  // "always so far"
    const Zone::Change change{core::Time(seconds(at)), offset_of(type)};
    if (!block.changes.empty() && change.from <= block.changes.back().from) return std::nullopt;
    block.changes.push_back(change);
  }
  return block;
}

}  // namespace

core::Duration Zone::offset(core::Time time) const {
  const auto after = std::ranges::upper_bound(changes_, time, {}, &Change::from);
  return after == changes_.begin() ? first_ : std::prev(after)->offset;
}

core::Result<Zone> parse_zone(std::string_view bytes, int until_year) {
  const auto old_counts = header(bytes);
  if (!old_counts) return not_a_zone("no TZif header");
  if (bytes[4] < '2') return not_a_zone("version 1, without 64-bit times");
  const std::size_t start = kHeader + old_counts->size(4);
  if (start > bytes.size()) return not_a_zone("cut short");
  const auto counts = header(bytes.substr(start));
  if (!counts || counts->types == 0) return not_a_zone("no second header");
  const std::string_view data = bytes.substr(start + kHeader);
  if (data.size() < counts->size(8)) return not_a_zone("cut short");
  auto block = read_block(data, *counts);
  if (!block) return not_a_zone("times out of order");
  std::string_view footer = data.substr(counts->size(8));
  if (footer.starts_with('\n')) footer.remove_prefix(1);
  footer = footer.substr(0, footer.find('\n'));
  if (const auto rule = Rule::parse(footer)) {
    if (block->changes.empty()) block->first = rule->standard();
    using namespace std::chrono;
    // Nothing that is measured is older than Weir's own history.
    int year = 2000;
    if (!block->changes.empty()) {
      year = std::max(year, static_cast<int>(year_month_day(floor<days>(block->changes.back().from)).year()));
    }
    for (; year <= until_year; ++year) rule->append(year, block->changes);
  }
  return Zone(block->first, std::move(block->changes));
}

core::Result<Zone> load_zone(const std::string& name, const std::string& directory) {
  if (name == "UTC") return Zone();
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '-' || c == '+';
  };
  if (name.empty() || name.front() == '/' || name.size() > 64 || !std::ranges::all_of(name, allowed)) {
    return core::fail(core::ErrorKind::invalid, "is no name of a time zone, which is like Europe/Berlin", name);
  }
  std::ifstream file(directory + "/" + name, std::ios::binary);
  std::string bytes(kMaxFile, '\0');
  if (file) file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(file.is_open() ? static_cast<std::size_t>(file.gcount()) : 0);
  if (bytes.empty()) {
    return core::fail(core::ErrorKind::not_found, "is not among this system's time zones (" + directory + ")", name);
  }
  auto zone = parse_zone(bytes);
  if (!zone) {
    core::Error error = zone.error();
    error.where = name;
    return std::unexpected(std::move(error));
  }
  return zone;
}

}  // namespace weir::quality::anomaly
