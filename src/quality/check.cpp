#include "quality/check.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>

#include "quality/probe.h"

namespace weir::quality {
namespace {

std::string_view symbol(Condition::Op op) {
  switch (op) {
    case Condition::Op::less: return "<";
    case Condition::Op::less_equal: return "<=";
    case Condition::Op::equal: return "=";
    case Condition::Op::greater_equal: return ">=";
    case Condition::Op::greater: return ">";
    case Condition::Op::not_equal: return "!=";
    case Condition::Op::between: return "between";
    case Condition::Op::not_between: return "not between";
  }
  return "=";
}

}  // namespace

bool Condition::holds(double value) const {
  if (std::isnan(value)) return false;
  const bool above = low_included ? value >= low : value > low;
  const bool below = high_included ? value <= high : value < high;
  switch (op) {
    case Op::less: return value < low;
    case Op::less_equal: return value <= low;
    case Op::equal: return value == low;
    case Op::greater_equal: return value >= low;
    case Op::greater: return value > low;
    case Op::not_equal: return value != low;
    case Op::between: return above && below;
    case Op::not_between: return !(above && below);
  }
  return false;
}

bool Condition::has_bound_within(double from, double to) const {
  const bool two = op == Op::between || op == Op::not_between;
  return (low >= from && low <= to) || (two && high >= from && high <= to);
}

bool Condition::within(const Condition& other) const {
  // Between two neighbouring bounds neither changes its mind, so that one number of each stretch tells.
  std::vector<double> bounds = {low, high, other.low, other.high};
  std::ranges::sort(bounds);
  std::vector<double> samples = {-std::numeric_limits<double>::infinity(), bounds[0]};
  for (std::size_t i = 1; i < bounds.size(); ++i) {
    samples.push_back(std::midpoint(bounds[i - 1], bounds[i]));
    samples.push_back(bounds[i]);
  }
  samples.push_back(std::numeric_limits<double>::infinity());
  return std::ranges::none_of(samples, [&](double sample) { return holds(sample) && !other.holds(sample); });
}

std::string Condition::to_string() const {
  if (op != Op::between && op != Op::not_between) return fmt::format("{} {}", symbol(op), show_value(low, unit));
  return fmt::format("{} {}{} and {}{}", symbol(op), low_included ? "" : "(", show_value(low, unit),
                     show_value(high, unit), high_included ? "" : ")");
}

std::string Change::to_string() const {
  constexpr std::string_view kWords[] = {"avg", "min", "max"};
  std::string text = "change ";
  if (same_day != SameDay::no) {
    text += same_day == SameDay::last_week ? "same day last week " : "same day last month ";
  } else if (last != 1 || aggregate != Aggregate::min) {
    text += fmt::format("{} last {} ", kWords[static_cast<std::size_t>(aggregate)], last);
  }
  return text + (percent ? "percent for" : "for");
}

std::string Check::measure() const { return change ? change->to_string() + " " + probe->text() : probe->text(); }

std::string Check::identity() const {
  if (!given_identity.empty()) return given_identity;
  return change ? change->to_string() + " " + probe->identity() : probe->identity();
}

std::string Check::canonical() const {
  std::string text = measure();
  if (expected) text += " " + expected->to_string();
  if (warn_when) text += " warn when " + warn_when->to_string();
  if (fail_when) text += " fail when " + fail_when->to_string();
  return text;
}

namespace {

/// SQL's LIKE, in time proportional to pattern times text.
bool like(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '_' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

}  // namespace

bool ForEach::fits(std::string_view schema, std::string_view table, bool visible) const {
  const auto matches = [&](const std::string& pattern) {
    const std::size_t dot = pattern.find('.');
    if (dot == std::string::npos) return visible && like(pattern, table);
    return like(pattern.substr(0, dot), schema) && like(pattern.substr(dot + 1), table);
  };
  return std::ranges::any_of(include, matches) && std::ranges::none_of(exclude, matches);
}

std::string Dataset::label() const {
  if (for_each) return "for each dataset " + for_each->alias;
  std::string text;
  for (const std::string& part : table) text += (text.empty() ? "" : ".") + part;
  return filter.empty() ? text : text + " [" + filter + "]";
}

std::string show_number(double value) {
  if (value == 0) return "0";
  // Counts are shown whole however large they are.
  if (std::trunc(value) == value && std::abs(value) < 1e15) return fmt::format("{:.0f}", value);
  // Of large numbers as much behind the point as tells them apart.
  if (std::abs(value) >= 1e5 && std::abs(value) < 1e12) return fmt::format("{:.{}g}", value, 13);
  return fmt::format("{:.6g}", value);
}

std::string show_value(double value, Unit unit) {
  if (unit == Unit::percent) return show_number(value) + "%";
  if (unit == Unit::plain || !std::isfinite(value) || std::abs(value) > 1e12) return show_number(value);
  const core::Duration magnitude(static_cast<core::Duration::rep>(std::llround(std::abs(value) * 1000)));
  // Seconds are as fine as a person needs once there are minutes.
  const bool coarse = magnitude >= std::chrono::minutes(1);
  const std::string text =
      core::format_duration(coarse ? core::Duration(std::chrono::round<std::chrono::seconds>(magnitude)) : magnitude);
  return value < 0 ? "-" + text : text;
}

}  // namespace weir::quality
