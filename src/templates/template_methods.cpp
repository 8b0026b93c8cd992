// The methods of what toTime and toDuration give: those of Go's time.Time and time.Duration that a text has a use for.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <optional>

#include "templates/template_data.h"
#include "templates/template_functions.h"
#include "templates/template_message.h"

namespace weir::templates {
namespace {

using namespace std::chrono;
using Result = core::Result<TemplateValue>;
using Arguments = std::span<const TemplateValue>;

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};

/// A time in UTC, taken apart.
struct Civil {
  explicit Civil(core::Time time)
      : day(floor<days>(time)), date(day), clock(time - day), year(static_cast<int>(date.year())) {}
  sys_days day;
  year_month_day date;
  hh_mm_ss<core::Duration> clock;
  int year;
  unsigned month() const { return static_cast<unsigned>(date.month()); }
  unsigned day_of_month() const { return static_cast<unsigned>(date.day()); }
  int day_of_year() const { return static_cast<int>((day - sys_days(date.year() / January / 1)).count()) + 1; }
  std::string_view month_name() const { return kMonths[month() - 1]; }
  std::string_view weekday_name() const { return kDays[weekday(day).c_encoding()]; }
  int hour() const { return static_cast<int>(clock.hours().count()); }
  int hour_of_twelve() const { return (hour() + 11) % 12 + 1; }
};

std::string padded(std::int64_t number, int width) { return fmt::format("{:0{}}", number, width); }

/// One element of Go's reference layout, Mon Jan 2 15:04:05 MST 2006.
struct Element {
  std::string_view layout;
  std::string (*text)(const Civil& time);
};

/// The longer come first where one begins with another.
const std::array kElements{
    Element{"January", [](const Civil& t) { return std::string(t.month_name()); }},
    Element{"Jan", [](const Civil& t) { return std::string(t.month_name().substr(0, 3)); }},
    Element{"Monday", [](const Civil& t) { return std::string(t.weekday_name()); }},
    Element{"Mon", [](const Civil& t) { return std::string(t.weekday_name().substr(0, 3)); }},
    Element{"MST", [](const Civil&) { return std::string("UTC"); }},
    Element{"2006", [](const Civil& t) { return padded(t.year, 4); }},
    Element{"-07:00:00", [](const Civil&) { return std::string("+00:00:00"); }},
    Element{"-070000", [](const Civil&) { return std::string("+000000"); }},
    Element{"-07:00", [](const Civil&) { return std::string("+00:00"); }},
    Element{"-0700", [](const Civil&) { return std::string("+0000"); }},
    Element{"-07", [](const Civil&) { return std::string("+00"); }},
    Element{"Z07:00:00", [](const Civil&) { return std::string("Z"); }},
    Element{"Z070000", [](const Civil&) { return std::string("Z"); }},
    Element{"Z07:00", [](const Civil&) { return std::string("Z"); }},
    Element{"Z0700", [](const Civil&) { return std::string("Z"); }},
    Element{"Z07", [](const Civil&) { return std::string("Z"); }},
    Element{"002", [](const Civil& t) { return padded(t.day_of_year(), 3); }},
    Element{"01", [](const Civil& t) { return padded(t.month(), 2); }},
    Element{"02", [](const Civil& t) { return padded(t.day_of_month(), 2); }},
    Element{"03", [](const Civil& t) { return padded(t.hour_of_twelve(), 2); }},
    Element{"04", [](const Civil& t) { return padded(t.clock.minutes().count(), 2); }},
    Element{"05", [](const Civil& t) { return padded(t.clock.seconds().count(), 2); }},
    Element{"06", [](const Civil& t) { return padded(t.year % 100, 2); }},
    Element{"15", [](const Civil& t) { return padded(t.hour(), 2); }},
    Element{"1", [](const Civil& t) { return fmt::format("{}", t.month()); }},
    Element{"__2", [](const Civil& t) { return fmt::format("{:>3}", t.day_of_year()); }},
    Element{"_2006", [](const Civil& t) { return "_" + padded(t.year, 4); }},
    Element{"_2", [](const Civil& t) { return fmt::format("{:>2}", t.day_of_month()); }},
    Element{"2", [](const Civil& t) { return fmt::format("{}", t.day_of_month()); }},
    Element{"3", [](const Civil& t) { return fmt::format("{}", t.hour_of_twelve()); }},
    Element{"4", [](const Civil& t) { return fmt::format("{}", t.clock.minutes().count()); }},
    Element{"5", [](const Civil& t) { return fmt::format("{}", t.clock.seconds().count()); }},
    Element{"PM", [](const Civil& t) { return std::string(t.hour() < 12 ? "AM" : "PM"); }},
    Element{"pm", [](const Civil& t) { return std::string(t.hour() < 12 ? "am" : "pm"); }},
};

/// "Jan" in "January" is none of its own, nor in "Janus".
bool matches(std::string_view layout, std::string_view element) {
  if (!layout.starts_with(element)) return false;
  const bool short_month = element == "Jan";
  return !short_month || layout.size() == 3 || layout[3] < 'a' || layout[3] > 'z';
}

/// ".000", ",000" with as many digits, ".999" without zeros at the end; nothing where more digits follow.
std::optional<std::pair<std::size_t, std::string>> fraction(std::string_view layout, const Civil& time) {
  if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',') || (layout[1] != '0' && layout[1] != '9')) {
    return std::nullopt;
  }
  std::size_t end = 1;
  while (end < layout.size() && layout[end] == layout[1]) ++end;
  if (end < layout.size() && layout[end] >= '0' && layout[end] <= '9') return std::nullopt;
  std::string digits = padded(time.clock.subseconds().count(), 3) + std::string(end, '0');
  digits.resize(end - 1);
  if (layout[1] == '9') {
    while (!digits.empty() && digits.back() == '0') digits.pop_back();
  }
  return std::pair(end, digits.empty() ? "" : layout[0] + digits);
}

/// Go's Time.Format.
std::string formatted(core::Time moment, std::string_view layout) {
  const Civil time(moment);
  std::string out;
  while (!layout.empty()) {
    if (const auto part = fraction(layout, time)) {
      out += part->second;
      layout.remove_prefix(part->first);
      continue;
    }
    const auto* const found =
        std::ranges::find_if(kElements, [&](const Element& each) { return matches(layout, each.layout); });
    out += found == kElements.end() ? std::string(1, layout[0]) : found->text(time);
    layout.remove_prefix(found == kElements.end() ? 1 : found->layout.size());
  }
  return out;
}

struct Method {
  std::string_view name;
  std::size_t arguments;
  Result (*call)(core::Time time, Arguments arguments);
};

std::unexpected<core::Error> wrong_type(std::string_view wanted, const TemplateValue& given) {
  return core::fail(core::ErrorKind::invalid,
                    fmt::format("wrong type for value; expected {}; got {}", wanted, template_type(given)));
}

template <class Compare>
Result compared(core::Time time, Arguments arguments) {
  const auto* other = std::get_if<TemplateTime>(arguments.data());
  if (other == nullptr) return wrong_type("time.Time", arguments[0]);
  return Compare()(time, other->value);
}

Result format(core::Time time, Arguments arguments) {
  const auto* layout = std::get_if<std::string>(arguments.data());
  if (layout == nullptr) return wrong_type("string", arguments[0]);
  return formatted(time, *layout);
}

Result add(core::Time time, Arguments arguments) {
  const auto* by = std::get_if<TemplateDuration>(arguments.data());
  if (by == nullptr) return wrong_type("time.Duration", arguments[0]);
  const auto sum = template_time(core::to_seconds(time) + by->seconds);
  if (!sum) return std::unexpected(sum.error());
  return TemplateTime{*sum};
}

Result difference(core::Time time, Arguments arguments) {
  const auto* other = std::get_if<TemplateTime>(arguments.data());
  if (other == nullptr) return wrong_type("time.Time", arguments[0]);
  return TemplateDuration{core::to_seconds(time) - core::to_seconds(other->value)};
}

template <class Number>
TemplateValue whole(Number number) {
  return static_cast<std::int64_t>(number);
}

const std::array kTimeMethods{
    Method{"Format", 1, format},
    Method{"Add", 1, add},
    Method{"Sub", 1, difference},
    Method{"After", 1, compared<std::greater<>>},
    Method{"Before", 1, compared<std::less<>>},
    Method{"Equal", 1, compared<std::equal_to<>>},
    Method{"UTC", 0, [](core::Time t, Arguments) -> Result { return TemplateTime{t}; }},
    Method{"String", 0, [](core::Time t, Arguments) -> Result { return template_text(TemplateTime{t}); }},
    Method{"IsZero", 0, [](core::Time t, Arguments) -> Result { return t == kTemplateNoTime; }},
    Method{"Unix", 0,
           [](core::Time t, Arguments) -> Result { return whole(floor<seconds>(t).time_since_epoch().count()); }},
    Method{"UnixMilli", 0, [](core::Time t, Arguments) -> Result { return whole(t.time_since_epoch().count()); }},
    Method{"Year", 0, [](core::Time t, Arguments) -> Result { return whole(Civil(t).year); }},
    Method{"Month", 0, [](core::Time t, Arguments) -> Result { return std::string(Civil(t).month_name()); }},
    Method{"Day", 0, [](core::Time t, Arguments) -> Result { return whole(Civil(t).day_of_month()); }},
    Method{"Weekday", 0, [](core::Time t, Arguments) -> Result { return std::string(Civil(t).weekday_name()); }},
    Method{"YearDay", 0, [](core::Time t, Arguments) -> Result { return whole(Civil(t).day_of_year()); }},
    Method{"Hour", 0, [](core::Time t, Arguments) -> Result { return whole(Civil(t).hour()); }},
    Method{"Minute", 0, [](core::Time t, Arguments) -> Result { return whole(Civil(t).clock.minutes().count()); }},
    Method{"Second", 0, [](core::Time t, Arguments) -> Result { return whole(Civil(t).clock.seconds().count()); }},
    Method{"Nanosecond", 0,
           [](core::Time t, Arguments) -> Result { return whole(Civil(t).clock.subseconds().count() * 1'000'000); }},
};

struct DurationMethod {
  std::string_view name;
  TemplateValue (*call)(double seconds);
};

const std::array kDurationMethods{
    DurationMethod{"Hours", [](double s) -> TemplateValue { return s / 3600; }},
    DurationMethod{"Minutes", [](double s) -> TemplateValue { return s / 60; }},
    DurationMethod{"Seconds", [](double s) -> TemplateValue { return s; }},
    DurationMethod{"Milliseconds", [](double s) { return whole(std::trunc(s * 1e3)); }},
    DurationMethod{"Microseconds", [](double s) { return whole(std::trunc(s * 1e6)); }},
    DurationMethod{"Nanoseconds", [](double s) { return whole(std::trunc(s * 1e9)); }},
    DurationMethod{"Abs", [](double s) -> TemplateValue { return TemplateDuration{std::abs(s)}; }},
    DurationMethod{"String", [](double s) -> TemplateValue { return template_text(TemplateDuration{s}); }},
};

Result wrong_count(std::string_view name, std::size_t wanted, std::size_t given) {
  return core::fail(core::ErrorKind::invalid,
                    fmt::format("wrong number of args for {}: want {} got {}", name, wanted, given));
}

}  // namespace

Result call_template_method(const TemplateValue& receiver, std::string_view name, Arguments arguments) {
  auto of_message = call_message_method(receiver, name, arguments);
  if (of_message || of_message.error().kind != core::ErrorKind::not_found) return of_message;
  if (const auto* kv = std::get_if<TemplateKv>(&receiver); kv != nullptr && arguments.empty())
    return std::string(kv->labels.get(name));
  if (const auto* time = std::get_if<TemplateTime>(&receiver)) {
    const auto* const found = std::ranges::find(kTimeMethods, name, &Method::name);
    if (found != kTimeMethods.end()) {
      if (arguments.size() != found->arguments) return wrong_count(name, found->arguments, arguments.size());
      return found->call(time->value, arguments);
    }
  } else if (const auto* duration = std::get_if<TemplateDuration>(&receiver)) {
    const auto* const found = std::ranges::find(kDurationMethods, name, &DurationMethod::name);
    if (found != kDurationMethods.end()) {
      if (!arguments.empty()) return wrong_count(name, 0, arguments.size());
      return found->call(duration->seconds);
    }
  } else if (!arguments.empty()) {
    return core::fail(core::ErrorKind::invalid, fmt::format("{} is not a method but has arguments", name));
  }
  return core::fail(core::ErrorKind::invalid,
                    fmt::format("can't evaluate field {} in type {}", name, template_type(receiver)));
}

}  // namespace weir::templates
