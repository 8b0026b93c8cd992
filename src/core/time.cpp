#include "core/time.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace weir::core {
namespace {

struct Unit {
  std::string_view suffix;
  std::int64_t milliseconds;
};

// Prometheus's units: a year is 365 days, a week 7.
constexpr std::array<Unit, 7> kUnits{{{"y", 365LL * 24 * 3600 * 1000},
                                      {"w", 7LL * 24 * 3600 * 1000},
                                      {"d", 24LL * 3600 * 1000},
                                      {"h", 3600LL * 1000},
                                      {"m", 60LL * 1000},
                                      {"s", 1000LL},
                                      {"ms", 1LL}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Digits at the beginning, taken away.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

void skip(std::string_view& text, std::string_view any) {
  if (!text.empty() && any.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
}

/// "+02:00", "-0800", "Z", "": minutes east of Greenwich.
std::optional<int> offset_of(std::string_view text) {
  if (text.empty() || text == "Z") return 0;
  if (text.front() != '+' && text.front() != '-') return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  skip(text, ":");
  const auto minutes = take_digits(text, 2);
  return hours && minutes && text.empty() ? std::optional(sign * (*hours * 60 + *minutes)) : std::nullopt;
}

}  // namespace

double to_seconds(Duration duration) { return static_cast<double>(duration.count()) / 1000.0; }
double to_seconds(Time time) { return to_seconds(time.time_since_epoch()); }

Time time_from_seconds(double seconds) { return Time(Duration(std::llround(seconds * 1000.0))); }

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorKind::invalid, "\"" + std::string(text) + "\" is not a duration (write 30s, 5m, 1h30m, 7d)");
  };
  if (text == "0") return Duration(0);
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  std::size_t at = 0;
  if (text.empty()) return bad();
  while (at < text.size()) {
    std::int64_t number = 0;
    const std::size_t start = at;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      if (__builtin_mul_overflow(number, std::int64_t{10}, &number) ||
          __builtin_add_overflow(number, std::int64_t{text[at] - '0'}, &number)) {
        return bad();
      }
    }
    if (at == start) return bad();
    std::size_t end = at;
    while (end < text.size() && !is_digit(text[end])) ++end;
    const std::string_view suffix = text.substr(at, end - at);
    std::size_t unit = next_unit;
    while (unit < kUnits.size() && kUnits[unit].suffix != suffix) ++unit;
    if (unit == kUnits.size()) return bad();
    if (__builtin_mul_overflow(number, kUnits[unit].milliseconds, &number) ||
        __builtin_add_overflow(total, number, &total)) {
      return bad();
    }
    next_unit = unit + 1;
    at = end;
  }
  return Duration(total);
}

std::string format_duration(Duration duration) {
  if (duration.count() == 0) return "0s";
  std::string text = duration.count() < 0 ? "-" : "";
  auto rest = duration.count() < 0 ? 0 - static_cast<std::uint64_t>(duration.count())
                                   : static_cast<std::uint64_t>(duration.count());
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<std::uint64_t>(unit.milliseconds);
    // Years and weeks only when exact: "400d" reads better than "1y5w".
    if ((unit.suffix == "y" || unit.suffix == "w") && rest % size != 0) continue;
    if (rest >= size) {
      text += std::to_string(rest / size);
      text += unit.suffix;
      rest %= size;
    }
  }
  return text;
}

std::optional<Time> parse_iso_time(std::string_view text) {
  std::array<int, 6> parts{};
  constexpr std::array<std::size_t, 6> kDigits = {4, 2, 2, 2, 2, 2};
  constexpr std::array<std::string_view, 6> kAfter = {"-", "-", "T ", ":", ":", ""};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto digits = take_digits(text, kDigits[i]);
    if (!digits) return std::nullopt;
    parts[i] = *digits;
    skip(text, kAfter[i]);
  }
  long milliseconds = 0;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    for (long scale = 100; !text.empty() && text.front() >= '0' && text.front() <= '9';
         text.remove_prefix(1), scale /= 10) {
      milliseconds += (text.front() - '0') * scale;
    }
  }
  const auto offset = offset_of(text);
  const std::chrono::year_month_day day{std::chrono::year(parts[0]),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!offset || !day.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return std::nullopt;
  return Time(std::chrono::sys_days(day)) + std::chrono::hours(parts[3]) + std::chrono::minutes(parts[4] - *offset) +
         std::chrono::seconds(parts[5]) + std::chrono::milliseconds(milliseconds);
}

std::string format_rfc3339(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return buffer.data();
}

}  // namespace weir::core
