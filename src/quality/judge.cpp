#include "quality/judge.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "quality/probe.h"

namespace weir::quality {
namespace {

constexpr core::Duration kDay = std::chrono::hours(24);
constexpr core::Duration kUnmarkedLoad = std::chrono::hours(24);  // how long the same value is the same load

Unit unit_of(const Check& check) { return check.change && check.change->percent ? Unit::percent : check.probe->unit(); }

/// `"row_count > 0": row_count is 0, expected > 0`, the name only where it adds something.
Verdict verdict_of(const Check& check, double value, std::string note) {
  Verdict verdict;
  verdict.value = value;
  std::string threshold;
  if (check.fail_when && check.fail_when->holds(value)) {
    verdict.outcome = Outcome::fail;
    threshold = "fails when " + check.fail_when->to_string();
  } else if (check.warn_when && check.warn_when->holds(value)) {
    verdict.outcome = Outcome::warn;
    threshold = "warns when " + check.warn_when->to_string();
  } else {
    verdict.outcome = !check.expected || check.expected->holds(value) ? Outcome::pass : Outcome::fail;
    if (check.expected) threshold = "expected " + check.expected->to_string();
  }
  verdict.message = fmt::format("{} is {}", check.measure(), show_value(value, unit_of(check)));
  if (!note.empty()) verdict.message += " (" + note + ")";
  if (!threshold.empty()) verdict.message += ", " + threshold;
  return verdict;
}

/// Midnight (UTC) of the day a week or a month before; where that month is too short, of its last day.
core::Time same_day(Change::SameDay which, core::Time time) {
  const auto today = std::chrono::floor<std::chrono::days>(time);
  if (which == Change::SameDay::last_week) return today - std::chrono::days(7);
  const std::chrono::year_month_day date{today};
  const auto month = std::chrono::year_month(date.year(), date.month()) - std::chrono::months(1);
  const auto last = (month / std::chrono::last).day();
  return std::chrono::sys_days(month / std::min(date.day(), last));
}

double aggregate(Change::Aggregate how, const std::vector<double>& values) {
  if (how == Change::Aggregate::min) return *std::ranges::min_element(values);
  if (how == Change::Aggregate::max) return *std::ranges::max_element(values);
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass: return "pass";
    case Outcome::warn: return "warn";
    case Outcome::fail: return "fail";
    case Outcome::error: return "error";
  }
  return "error";
}

Observation::Observation(const ScanPlan& plan, const sql::Row& row) {
  for (std::size_t i = 0; i < plan.aggregates.size() && i < row.size(); ++i) values_[plan.aggregates[i].sql] = row[i];
}

const sql::Value& Observation::value(std::string_view aggregate) const {
  static const sql::Value kNull;
  const auto found = values_.find(aggregate);
  return found == values_.end() ? kNull : found->second;
}

void Observation::add(const Observation& other) {
  values_.insert(other.values_.begin(), other.values_.end());
  ways_.insert(other.ways_.begin(), other.ways_.end());
}

const Observation::Way* Observation::way(std::string_view aggregate) const {
  const auto found = ways_.find(aggregate);
  return found == ways_.end() ? nullptr : &found->second;
}

double Observation::row_count() const { return to_number(value("count(*)")).value_or(0); }

std::optional<double> to_number(const sql::Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return std::nullopt;
}

std::string absence(const Observation& observation, std::string_view column) {
  if (observation.row_count() == 0) return "the table is empty";
  return fmt::format("{} holds nothing but NULL, or nothing that can be read", column);
}

Measured measure_number(const sql::Value& value, const Observation& observation, std::string_view column) {
  if (std::holds_alternative<std::monostate>(value)) return {std::nullopt, absence(observation, column)};
  const auto number = to_number(value);
  if (!number) return {std::nullopt, fmt::format("{} is not a numeric column", column)};
  if (std::isnan(*number)) return {std::nullopt, fmt::format("{} holds NaN, which no threshold can judge", column)};
  return {number, ""};
}

Verdict cannot_tell(const Check& check, const std::string& problem) {
  Verdict verdict;
  verdict.message = fmt::format("{} could not be evaluated: {}", check.measure(), problem);
  verdict.problem = problem;
  return verdict;
}

Verdict judge(const Check& check, const Measured& measured) {
  if (!measured.value) return cannot_tell(check, measured.problem);
  return verdict_of(check, *measured.value, measured.note);
}

namespace {

bool objected_to(const core::Measurement& each) {
  return each.feedback == core::Feedback::wrong ||
         (each.mark == core::Mark::anomalous && each.feedback != core::Feedback::fine);
}

bool begins_level(const core::Measurement& each) {
  return each.mark == core::Mark::anomalous && each.feedback == core::Feedback::fine;
}

/// Leaves those that a load may be compared with.
void keep_yardsticks(std::vector<core::Measurement>& loads, Baseline& result) {
  const auto last_good = std::find_if_not(loads.rbegin(), loads.rend(), objected_to);
  result.objected = static_cast<std::size_t>(last_good - loads.rbegin());
  std::erase_if(loads, objected_to);
  const auto level = std::find_if(loads.rbegin(), loads.rend(), begins_level);
  if (level == loads.rend()) return;
  result.new_level = true;
  loads.erase(loads.begin(), level.base() - 1);
}

}  // namespace

Baseline baseline(const Change& change, double value, std::optional<core::Time> load,
                  const std::vector<core::Measurement>& history, core::Time now) {
  Baseline result;
  std::vector<core::Measurement> loads;
  for (const core::Measurement& measurement : history) {
    // A load that was measured while it grew has several entries of one time: the last counts.
    if (!loads.empty() && loads.back().time == measurement.time) loads.pop_back();
    loads.push_back(measurement);
  }
  if (load) {
    const auto present = [&](const core::Measurement& each) { return each.time >= *load; };
    result.known_load = std::ranges::any_of(
        loads, [&](const auto& each) { return each.time > *load || (each.time == *load && each.value == value); });
    result.accepted = std::ranges::any_of(
        loads, [&](const auto& each) { return each.time == *load && each.value == value && begins_level(each); });
    std::erase_if(loads, present);
  } else if (!loads.empty() && loads.back().value == value && now - loads.back().time < kUnmarkedLoad) {
    result.known_load = true;
    result.accepted = begins_level(loads.back());
    loads.pop_back();
  }
  keep_yardsticks(loads, result);
  if (change.same_day != Change::SameDay::no) {
    const auto day = same_day(change.same_day, load.value_or(now));
    const auto within = [&](const core::Measurement& each) { return each.time >= day && each.time < day + kDay; };
    const auto last = std::find_if(loads.rbegin(), loads.rend(), within);
    if (last != loads.rend()) result.values.push_back(last->value);
    return result;
  }
  const auto count = std::min(loads.size(), static_cast<std::size_t>(change.last));
  for (std::size_t i = loads.size() - count; i < loads.size(); ++i) result.values.push_back(loads[i].value);
  return result;
}

Verdict judge_change(const Check& check, const Measured& measured, const Baseline& baseline) {
  if (!measured.value) return cannot_tell(check, measured.problem);
  if (!std::isfinite(*measured.value)) return cannot_tell(check, check.probe->text() + " is infinite");
  const Change& change = *check.change;
  const auto wanted = static_cast<std::size_t>(change.last);
  if (baseline.values.size() < wanted && (!baseline.new_level || baseline.values.empty())) {
    Verdict verdict;
    verdict.outcome = Outcome::pass;
    verdict.learning = true;
    verdict.message =
        fmt::format("{}: learning ({} of {} measurements)", check.measure(), baseline.values.size(), wanted);
    return verdict;
  }
  const double before = aggregate(change.aggregate, baseline.values);
  double difference = *measured.value - before;
  if (change.percent && difference != 0) {
    if (before == 0) return cannot_tell(check, "a change from 0 has no percentage");
    difference = difference / before * 100;
  }
  const Unit unit = check.probe->unit();
  Verdict verdict = verdict_of(check, difference,
                               fmt::format("{} after {}", show_value(*measured.value, unit), show_value(before, unit)));
  if (baseline.accepted && verdict.outcome != Outcome::pass) {
    verdict.outcome = Outcome::pass;
    verdict.message += "; this load was marked as fine";
  }
  return verdict;
}

std::optional<core::Measurement> to_remember(const std::string& identity, const Verdict& verdict, double value,
                                             const Baseline& baseline, std::optional<core::Time> load, core::Time now) {
  constexpr std::size_t kMostInARow = 16;
  if (verdict.outcome == Outcome::error || baseline.known_load || !std::isfinite(value)) return std::nullopt;
  core::Measurement measurement{identity, load.value_or(now), value};
  if (verdict.outcome == Outcome::pass) return measurement;
  measurement.mark = core::Mark::anomalous;
  return baseline.objected < kMostInARow ? std::optional(measurement) : std::nullopt;
}

}  // namespace weir::quality
