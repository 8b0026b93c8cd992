#include "rules/backtest.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::rules {

core::Duration BacktestedAlert::firing(core::Time end) const {
  core::Duration sum{0};
  for (const FiringSpan& span : spans) sum += span.to.value_or(end) - span.from;
  return sum;
}

std::size_t BacktestedRule::fired() const {
  std::size_t count = 0;
  for (const BacktestedAlert& one : alerts) count += one.spans.size();
  return count;
}

Backtest::Backtest(const Group& group, const Rule& rule) : group_(group), rule_(rule) {
  result_.group = group.name;
  result_.alert = rule.name;
}

core::Result<void> Backtest::feed(const promql::Matrix& series, core::Time start, core::Time end, core::Duration step) {
  if (step <= core::Duration::zero()) return core::fail(core::ErrorKind::invalid, "the step must be more than 0");
  std::vector<std::size_t> next(series.size());
  std::vector<Element> elements;
  for (core::Time now = start; now <= end; now += step) {
    elements.clear();
    for (std::size_t i = 0; i < series.size(); ++i) {
      const std::vector<core::Point>& points = series[i].points;
      while (next[i] < points.size() && points[next[i]].time < now) ++next[i];
      if (next[i] < points.size() && points[next[i]].time == now)
        elements.push_back({series[i].labels, points[next[i]].value});
    }
    if (auto done = step_once(elements, now); !done) return done;
  }
  return {};
}

core::Result<void> Backtest::step_once(const std::vector<Element>& elements, core::Time now) {
  StepOptions options;
  options.group = group_.name;
  options.limit = group_.limit;
  auto stepped = step(
      rule_, state_, elements, [](const ActiveAlert&) { return Presence::present; }, now, options);
  if (!stepped) {
    if (result_.failures++ == 0) result_.error = stepped.error();
    return {};
  }
  state_ = std::move(stepped->alerts);
  for (const core::Transition& transition : stepped->transitions) note(transition);
  if (spans_.size() <= kMostAlerts && span_count_ <= kMostSpans) return {};
  return core::fail(
      core::ErrorKind::limit,
      fmt::format("{} would have fired too often to show it all: more than {} different alerts or {} times", rule_.name,
                  kMostAlerts, kMostSpans));
}

void Backtest::note(const core::Transition& transition) {
  if (transition.to == core::AlertState::firing) {
    spans_[transition.alert.labels].push_back({transition.at, std::nullopt});
    ++span_count_;
  } else if (transition.from == core::AlertState::firing) {
    spans_[transition.alert.labels].back().to = transition.at;
  } else if (transition.from == core::AlertState::pending) {
    ++result_.pending_only;
  }
}

BacktestedRule Backtest::result() const {
  BacktestedRule result = result_;
  for (const auto& [labels, spans] : spans_) result.alerts.push_back({labels, spans});
  return result;
}

}  // namespace weir::rules
