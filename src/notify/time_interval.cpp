#include "notify/time_interval.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <span>
#include <string_view>

#include "config/reader.h"

namespace weir::notify {
namespace {

using Range = TimeInterval::Range;

constexpr std::array<std::string_view, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// A name's place, counted from `first`, or a number.
std::optional<int> name_or_number(std::string_view text, std::span<const std::string_view> names, int first) {
  const auto found = std::ranges::find(names, lower(text));
  if (found != names.end()) return static_cast<int>(found - names.begin()) + first;
  return number(text);
}

struct Kind {
  std::string_view key;
  std::span<const std::string_view> names;
  int first;
  int least;
  int most;
  bool numbers;  // beside names
};

/// "monday:friday", "1:5", "-7:-1", "march".
std::optional<Range> parse_range(std::string_view text, const Kind& kind) {
  const std::size_t colon = text.find(':');
  const auto one = [&](std::string_view part) -> std::optional<int> {
    if (!kind.numbers && number(part)) return std::nullopt;
    const auto value = name_or_number(part, kind.names, kind.first);
    if (!value || *value < kind.least || *value > kind.most || (kind.least < 0 && *value == 0)) return std::nullopt;
    return value;
  };
  const auto begin = one(text.substr(0, colon));
  const auto end = colon == std::string_view::npos ? begin : one(text.substr(colon + 1));
  if (!begin || !end) return std::nullopt;
  // From a day counted from the start to one from the end the order is only known in a month.
  const bool mixed = *begin > 0 && *end < 0;
  if (*begin < 0 && *end > 0) return std::nullopt;
  if (!mixed && *begin > *end) return std::nullopt;
  return Range{*begin, *end};
}

/// The name that an unknown one of the range may be meant to be: ` (did you mean "monday"?)`, else "".
std::string meant(std::string_view text, const Kind& kind) {
  const std::vector<std::string> names(kind.names.begin(), kind.names.end());
  const std::size_t colon = text.find(':');
  for (const std::string_view part :
       {text.substr(0, colon), text.substr(colon == text.npos ? text.size() : colon + 1)}) {
    if (std::ranges::find(names, lower(part)) != names.end() || number(part)) continue;
    if (std::string found = config::did_you_mean(lower(part), names); !found.empty()) return found;
  }
  return {};
}

std::vector<Range> read_ranges(config::MapReader& reader, const Kind& kind) {
  std::vector<Range> ranges;
  for (const config::Node* item : reader.list(kind.key)) {
    const auto range = item->is_scalar() ? parse_range(item->text(), kind) : std::nullopt;
    if (range) {
      ranges.push_back(*range);
    } else {
      const std::string name = meant(item->text(), kind);
      const std::string rule = name.empty() ? "; its beginning must not be after its end" : name;
      reader.error(*item, fmt::format("\"{}\": \"{}\" is no range such as {}{}", kind.key, item->text(),
                                      kind.numbers ? "1:5 or 3" : "monday:friday", rule));
    }
  }
  return ranges;
}

/// Minutes of the day of "09:30"; "24:00" is its end.
std::optional<int> parse_clock(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon != 2 || text.size() != 5) return std::nullopt;
  const auto hours = number(std::string_view(text).substr(0, 2));
  const auto minutes = number(std::string_view(text).substr(3));
  if (!hours || !minutes || *hours < 0 || *minutes < 0 || *minutes > 59) return std::nullopt;
  const int total = *hours * 60 + *minutes;
  return total > 24 * 60 ? std::nullopt : std::optional(total);
}

Range read_times(const config::Node& node, config::Diagnostics& diagnostics, const std::string& what) {
  config::MapReader reader(node, diagnostics, what + ", times");
  const auto start = parse_clock(reader.required_text("start_time"));
  const auto end = parse_clock(reader.required_text("end_time"));
  if (reader.has("start_time") && !start) reader.error("start_time", "is no time such as 09:00");
  if (reader.has("end_time") && !end) reader.error("end_time", "is no time such as 17:30 or 24:00");
  if (start && end && *start >= *end)
    reader.error("end_time", "must be after start_time; hours past midnight are a second range");
  reader.finish();
  return {start.value_or(0), end.value_or(0)};
}

/// The zone of the machine, as Go knows it.
core::Result<core::TimeZone> local_zone() {
  if (const char* name = std::getenv("TZ"); name != nullptr) return core::TimeZone::load(*name == '\0' ? "UTC" : name);
  auto zone = core::TimeZone::load("localtime", "/etc");
  return zone || zone.error().kind != core::ErrorKind::not_found ? std::move(zone) : core::TimeZone();
}

TimeInterval parse_interval(const config::Node& node, config::Diagnostics& diagnostics, const std::string& what) {
  config::MapReader reader(node, diagnostics, what);
  TimeInterval interval;
  for (const config::Node* item : reader.list("times"))
    interval.minutes.push_back(read_times(*item, diagnostics, what));
  interval.weekdays = read_ranges(reader, {"weekdays", kWeekdays, 0, 0, 6, false});
  interval.days = read_ranges(reader, {"days_of_month", {}, 0, -31, 31, true});
  interval.months = read_ranges(reader, {"months", kMonths, 1, 1, 12, true});
  interval.years = read_ranges(reader, {"years", {}, 0, 0, 9999, true});
  if (const std::string location = reader.text("location"); !location.empty() && location != "UTC") {
    auto zone = location == "Local" ? local_zone() : core::TimeZone::load(location);
    if (zone) {
      interval.zone = std::move(*zone);
    } else {
      reader.error("location", fmt::format("\"{}\" {}", location, zone.error().message));
    }
  }
  reader.finish();
  return interval;
}

void parse_section(const config::Node* section, std::string_view key, config::Diagnostics& diagnostics,
                   std::vector<NamedIntervals>& all) {
  if (section == nullptr || section->is_null()) return;
  if (!section->is_sequence()) {
    diagnostics.error(section->position(), fmt::format("{}: expected a list, found {}", key, section->kind_name()));
    return;
  }
  for (const config::Node& node : section->items()) {
    const config::Node* name = node.find("name");
    const std::string what =
        name == nullptr ? std::string("time interval") : fmt::format("time interval \"{}\"", name->text());
    config::MapReader reader(node, diagnostics, what);
    NamedIntervals named{.name = reader.required_text("name"), .intervals = {}};
    for (const config::Node* item : reader.list("time_intervals"))
      named.intervals.push_back(parse_interval(*item, diagnostics, what));
    reader.finish();
    const bool known = std::ranges::find(all, named.name, &NamedIntervals::name) != all.end();
    if (known && !named.name.empty()) diagnostics.error(node.position(), what + ": the name is taken already");
    all.push_back(std::move(named));
  }
}

bool within(const std::vector<Range>& ranges, int value) {
  return ranges.empty() ||
         std::ranges::any_of(ranges, [&](const Range& range) { return range.first <= value && value <= range.second; });
}

bool within_days(const std::vector<Range>& ranges, int day, int last) {
  const auto from_start = [&](int value) { return value < 0 ? last + 1 + value : value; };
  return ranges.empty() || std::ranges::any_of(ranges, [&](const Range& range) {
           const int begin = std::max(from_start(range.first), 1);
           const int end = std::min(from_start(range.second), last);
           return begin <= day && day <= end;
         });
}

}  // namespace

bool TimeInterval::contains(core::Time time) const {
  using namespace std::chrono;
  const auto local = floor<seconds>(time) + zone.offset_at(time);
  const auto day = floor<std::chrono::days>(local);
  const int minute = static_cast<int>(duration_cast<std::chrono::minutes>(local - day).count());
  const year_month_day date{day};
  const int last = static_cast<int>(
      static_cast<unsigned>(year_month_day_last(date.year() / date.month() / std::chrono::last).day()));
  if (!minutes.empty() &&
      std::ranges::none_of(minutes, [&](const Range& range) { return range.first <= minute && minute < range.second; }))
    return false;
  return within_days(days, static_cast<int>(static_cast<unsigned>(date.day())), last) &&
         within(months, static_cast<int>(static_cast<unsigned>(date.month()))) &&
         within(years, static_cast<int>(date.year())) && within(weekdays, static_cast<int>(weekday(day).c_encoding()));
}

bool NamedIntervals::contains(core::Time time) const {
  return std::ranges::any_of(intervals, [&](const TimeInterval& interval) { return interval.contains(time); });
}

std::vector<NamedIntervals> parse_time_intervals(const config::Node* time_intervals, const config::Node* mute_intervals,
                                                 config::Diagnostics& diagnostics) {
  std::vector<NamedIntervals> all;
  parse_section(time_intervals, "time_intervals", diagnostics, all);
  parse_section(mute_intervals, "mute_time_intervals", diagnostics, all);
  return all;
}

}  // namespace weir::notify
