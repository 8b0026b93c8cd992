#include "quality/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <fmt/format.h>
#include <vector>

namespace weir::quality {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view what;
  int least;
  int most;
};
constexpr std::array kFields = {Field{"minute", 0, 59}, Field{"hour", 0, 23}, Field{"day of the month", 1, 31},
                                Field{"month", 1, 12}, Field{"day of the week", 0, 7}};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::string& word : split(text, ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

std::optional<int> number_of(std::string_view text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(number)
                                                                                    : std::nullopt;
}

std::optional<int> value_of(std::string text, const Field& field) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (field.what == "month") {
    const auto month = std::ranges::find(kMonths, text);
    if (month != kMonths.end()) return static_cast<int>(month - kMonths.begin()) + 1;
  }
  if (field.what == "day of the week") {
    const auto day = std::ranges::find(kWeekdays, text);
    if (day != kWeekdays.end()) return static_cast<int>(day - kWeekdays.begin());
  }
  const auto number = number_of(text);
  return number && *number >= field.least && *number <= field.most ? number : std::nullopt;
}

/// One of the five; "" when it is right.
template <std::size_t Size>
std::string read_field(const std::string& text, const Field& field, std::bitset<Size>& set) {
  const auto wrong = [&](const std::string& part) {
    return fmt::format("\"{}\" is no {}: expected {} to {}, *, a range 1-5, a list 1,2 or a step */15", part,
                       field.what, field.least, field.most);
  };
  for (const std::string& part : split(text, ',')) {
    const std::size_t slash = part.find('/');
    const std::string range = part.substr(0, slash);
    const std::optional<int> step =
        slash == std::string::npos ? std::optional(1) : number_of(std::string_view(part).substr(slash + 1));
    if (!step || *step < 1 || *step > field.most) return wrong(part);
    int from = field.least;
    int to = field.most;
    if (range != "*") {
      const std::size_t dash = range.find('-');
      const auto first = value_of(range.substr(0, dash), field);
      const auto last = dash == std::string::npos ? first : value_of(range.substr(dash + 1), field);
      if (!first || !last || *first > *last) return wrong(part);
      from = *first;
      to = dash == std::string::npos && slash != std::string::npos ? field.most : *last;
    }
    for (int i = from; i <= to; i += *step) set.set(static_cast<std::size_t>(i));
  }
  return "";
}

}  // namespace

std::expected<Cron, std::string> Cron::parse(std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  if (words.size() != kFields.size()) {
    return std::unexpected(fmt::format("expected five fields (minute hour day month weekday), found {}", words.size()));
  }
  Cron cron;
  for (const std::string& mistake :
       {read_field(words[0], kFields[0], cron.minutes_), read_field(words[1], kFields[1], cron.hours_),
        read_field(words[2], kFields[2], cron.days_), read_field(words[3], kFields[3], cron.months_),
        read_field(words[4], kFields[4], cron.weekdays_)}) {
    if (!mistake.empty()) return std::unexpected(mistake);
  }
  if (cron.weekdays_.test(7)) cron.weekdays_.set(0);
  cron.any_day_ = words[2].starts_with('*');
  cron.any_weekday_ = words[4].starts_with('*');
  return cron;
}

bool Cron::day_fits(std::chrono::local_days day) const {
  const std::chrono::year_month_day date(day);
  const bool of_month = days_.test(static_cast<unsigned>(date.day()));
  const bool of_week = weekdays_.test(std::chrono::weekday(day).c_encoding());
  if (!months_.test(static_cast<unsigned>(date.month()))) return false;
  return any_day_ || any_weekday_ ? of_month && of_week : of_month || of_week;
}

std::optional<int> Cron::minute_of_day_from(int minute) const {
  for (int at = minute; at < 24 * 60; ++at) {
    const auto hour = static_cast<std::size_t>(at / 60);
    if (!hours_.test(hour)) {
      at = static_cast<int>(hour) * 60 + 59;  // on to the next hour
    } else if (minutes_.test(static_cast<std::size_t>(at % 60))) {
      return at;
    }
  }
  return std::nullopt;
}

std::optional<core::Time> Cron::next(core::Time now, const TimeZone& zone) const {
  using namespace std::chrono;
  const auto local = floor<minutes>(local_seconds(floor<seconds>(now).time_since_epoch() + zone.offset_at(now)));
  local_days day = floor<days>(local);
  auto minute = static_cast<int>((local - day).count());
  for (int tried = 0; tried < 5 * 366; ++tried) {
    for (auto found = day_fits(day) ? minute_of_day_from(minute) : std::nullopt; found;
         found = minute_of_day_from(*found + 1)) {
      const core::Time time = zone.first_at(local_seconds(day) + minutes(*found));
      if (time > now) return time;
    }
    day += days(1);
    minute = 0;
  }
  return std::nullopt;
}

}  // namespace weir::quality
