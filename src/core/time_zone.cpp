#include "core/time_zone.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <span>

namespace weir::core {
namespace {

constexpr std::size_t kLargest = 1U << 20U;

Error wrong(const std::string& what) { return {ErrorKind::invalid, "the time zone's file " + what, false, ""}; }

/// Big-endian numbers, one after the other.
class Bytes {
 public:
  explicit Bytes(std::string_view data) : data_(data) {}
  bool has(std::size_t count) const { return data_.size() >= count; }
  std::int64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = (value << 8U) | static_cast<unsigned char>(data_[i]);
    data_.remove_prefix(size);
    return size == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
  }
  std::string_view take(std::size_t count) {
    const std::string_view taken = data_.substr(0, count);
    data_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() const { return data_; }

 private:
  std::string_view data_;
};

struct Header {
  std::size_t utc = 0, standard = 0, leaps = 0, times = 0, types = 0, characters = 0;
  std::size_t size(std::size_t word) const {
    return times * word + times + types * 6 + characters + leaps * (word + 4) + standard + utc;
  }
};

std::optional<Header> read_header(Bytes& bytes) {
  if (!bytes.has(44) || bytes.take(4) != "TZif" || bytes.take(1) < "2") return std::nullopt;
  bytes.take(15);
  Header header;
  for (std::size_t* count :
       {&header.utc, &header.standard, &header.leaps, &header.times, &header.types, &header.characters}) {
    *count = static_cast<std::size_t>(bytes.number(4));
    if (*count > 100'000) return std::nullopt;
  }
  return header;
}

std::int64_t day_number(int year, int month, int day) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / month / day).time_since_epoch().count();
}

int year_of(std::int64_t seconds) {
  using namespace std::chrono;
  return int(year_month_day(floor<days>(sys_seconds(std::chrono::seconds(seconds)))).year());
}

}  // namespace

/// POSIX's TZ: "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30".
class TimeZone::FooterParser {
 public:
  explicit FooterParser(std::string_view text) : text_(text) {}

  std::optional<Rule> run() {
    Rule rule;
    if (!skip_name()) return std::nullopt;
    const auto standard = take_time();
    if (!standard) return std::nullopt;
    rule.standard = -*standard;  // POSIX counts west of Greenwich
    if (text_.empty()) return rule;
    if (!skip_name()) return std::nullopt;
    rule.summer = rule.standard + 3600;
    if (!text_.empty() && text_.front() != ',') {
      const auto summer = take_time();
      if (!summer) return std::nullopt;
      rule.summer = -*summer;
    }
    const auto begins = take_day();
    const auto ends = take_day();
    if (!begins || !ends || !text_.empty()) return std::nullopt;
    rule.begins = *begins;
    rule.ends = *ends;
    return rule;
  }

 private:
  bool skip(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool skip_name() {
    std::size_t length = 0;
    if (skip('<')) {
      length = std::min(text_.find('>'), text_.size());
      text_.remove_prefix(length);
      return skip('>') && length > 0;
    }
    while (length < text_.size() && std::isalpha(static_cast<unsigned char>(text_[length])) != 0) ++length;
    text_.remove_prefix(length);
    return length >= 3;
  }
  std::optional<int> take_number() {
    int number = 0;
    std::size_t digits = 0;
    for (; digits < text_.size() && digits < 4 && text_[digits] >= '0' && text_[digits] <= '9'; ++digits)
      number = number * 10 + (text_[digits] - '0');
    text_.remove_prefix(digits);
    return digits > 0 ? std::optional(number) : std::nullopt;
  }
  /// "-1", "3:30", "02:00:00" in seconds.
  std::optional<int> take_time() {
    const int sign = skip('-') ? -1 : 1;
    if (sign == 1) skip('+');
    int seconds = 0;
    for (const int unit : {3600, 60, 1}) {
      if (unit != 3600 && !skip(':')) break;
      const auto number = take_number();
      if (!number || *number > 200) return std::nullopt;
      seconds += *number * unit;
    }
    return sign * seconds;
  }
  std::optional<YearDay> take_day() {
    if (!skip(',')) return std::nullopt;
    YearDay day;
    if (skip('M')) {
      day.month = take_number().value_or(0);
      day.week = skip('.') ? take_number().value_or(0) : 0;
      day.day = skip('.') ? take_number().value_or(7) : 7;
      if (day.month < 1 || day.month > 12 || day.week < 1 || day.week > 5 || day.day > 6) return std::nullopt;
    } else {
      day.kind = skip('J') ? YearDay::Kind::julian : YearDay::Kind::zero_based;
      const auto number = take_number();
      if (!number || *number > 365) return std::nullopt;
      day.day = *number;
    }
    if (skip('/')) {
      const auto time = take_time();
      if (!time) return std::nullopt;
      day.seconds = *time;
    }
    return day;
  }

  std::string_view text_;
};

/// Seconds since 1970 of the wall clock's change in a year.
std::int64_t TimeZone::YearDay::of(int year) const {
  std::int64_t found = day_number(year, 1, 1);
  if (kind == Kind::zero_based) {
    found += day;
  } else if (kind == Kind::julian) {  // 29 February is never counted
    found += day - 1 + (std::chrono::year(year).is_leap() && day >= 60 ? 1 : 0);
  } else {
    const std::int64_t first = day_number(year, month, 1);
    const auto weekday = static_cast<int>((first % 7 + 11) % 7);  // 1 January 1970 was a Thursday
    found = first + (day - weekday + 7) % 7 + 7 * (week - 1);
    const std::int64_t after = month == 12 ? day_number(year + 1, 1, 1) : day_number(year, month + 1, 1);
    if (found >= after) found -= 7;
  }
  return found * 86400 + seconds;
}

int TimeZone::Rule::offset_at(std::int64_t seconds) const {
  if (!summer) return standard;
  const int year = year_of(seconds + standard);
  const std::int64_t from = begins.of(year) - standard;
  const std::int64_t to = ends.of(year) - *summer;
  const bool is_summer = from < to ? seconds >= from && seconds < to : seconds >= from || seconds < to;
  return is_summer ? *summer : standard;
}

Result<TimeZone> TimeZone::load(std::string_view name, const std::string& folder) {
  const bool odd = name.empty() || name.size() > 100 || name.front() == '/' ||
                   name.find("..") != std::string_view::npos || std::ranges::any_of(name, [](unsigned char c) {
                     return std::isalnum(c) == 0 && c != '_' && c != '-' && c != '+' && c != '/';
                   });
  if (odd) return fail(ErrorKind::invalid, "is no name of a time zone; write one such as Europe/Berlin");
  if (name == "UTC") return TimeZone();
  std::ifstream stream(folder + "/" + std::string(name), std::ios::binary);
  if (!stream)
    return fail(ErrorKind::not_found, "is no time zone that this system knows; write one such as Europe/Berlin");
  std::string data(kLargest, '\0');
  stream.read(data.data(), static_cast<std::streamsize>(data.size()));
  data.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
  return parse(data);
}

Result<TimeZone> TimeZone::parse(std::string_view data) {
  Bytes bytes(data);
  const auto old = read_header(bytes);
  if (!old || !bytes.has(old->size(4))) return std::unexpected(wrong("is none"));
  bytes.take(old->size(4));
  const auto header = read_header(bytes);
  if (!header || header->types == 0 || !bytes.has(header->size(8))) return std::unexpected(wrong("is cut off"));
  std::vector<Transition> transitions(header->times);
  for (Transition& each : transitions) each.at = bytes.number(8);
  const std::string_view indexes = bytes.take(header->times);
  std::vector<int> offsets(header->types);
  for (int& offset : offsets) {
    offset = static_cast<int>(bytes.number(4));
    bytes.take(2);
  }
  for (std::size_t i = 0; i < transitions.size(); ++i) {
    const auto type = static_cast<std::size_t>(static_cast<unsigned char>(indexes[i]));
    if (type >= offsets.size()) return std::unexpected(wrong("is damaged"));
    transitions[i].offset = offsets[type];
  }
  bytes.take(header->characters + header->leaps * 12 + header->standard + header->utc);
  TimeZone zone;
  zone.first_ = offsets.front();
  zone.transitions_ = std::move(transitions);
  std::string_view footer = bytes.rest();
  if (footer.size() > 2 && footer.front() == '\n' && footer.back() == '\n') {
    footer = footer.substr(1, footer.size() - 2);
    zone.rule_ = FooterParser(footer).run();
    if (!zone.rule_) return std::unexpected(wrong("has a rule that cannot be read"));
  }
  return zone;
}

std::chrono::seconds TimeZone::offset_at(Time time) const {
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  const auto after = std::ranges::upper_bound(transitions_, seconds, {}, &Transition::at);
  if (after == transitions_.end() && rule_) return std::chrono::seconds(rule_->offset_at(seconds));
  return std::chrono::seconds(after == transitions_.begin() ? first_ : std::prev(after)->offset);
}

Time TimeZone::first_at(std::chrono::local_seconds local) const {
  using namespace std::chrono;
  const Time as_utc{duration_cast<core::Duration>(local.time_since_epoch())};
  // Offsets around the wanted moment; with two of them the larger gives the earlier moment.
  const seconds before = offset_at(as_utc - hours(26));
  const seconds after = offset_at(as_utc + hours(26));
  for (const seconds offset : {std::max(before, after), std::min(before, after)}) {
    const Time time = as_utc - offset;
    if (offset_at(time) == offset) return time;
  }
  // Skipped: the change is where the old offset ends.
  Time low = as_utc - hours(26);
  Time high = as_utc + hours(26);
  while (high - low > core::Duration(1000)) {
    const Time middle = low + floor<seconds>((high - low) / 2);
    (offset_at(middle) == before ? low : high) = middle;
  }
  return high;
}

}  // namespace weir::core
