#include "rules/presence.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace weir::rules {
namespace {

// What Weir's collectors are told apart by: a fresh series of another cluster says nothing about this one.
constexpr std::array<std::string_view, 6> kScopeLabels{"cluster", "registry", "source", "collector", "job", "instance"};

bool mentions(const std::vector<core::Matcher>& matchers, std::string_view name) {
  return std::ranges::find(matchers, name, &core::Matcher::name) != matchers.end();
}

/// Labels a sibling series may differ in: those the selector pins, such as state="Empty" of a one-hot metric.
bool pinned(const SelectorUse& use, std::string_view name) {
  return mentions(use.matchers, name) && std::ranges::find(kScopeLabels, name) == kScopeLabels.end();
}

/// The metric that a selector names; "" where it names none.
std::string_view metric_of(const SelectorUse& use) {
  const auto name = std::ranges::find_if(use.matchers, [](const core::Matcher& matcher) {
    return matcher.name == core::kMetricName && matcher.op == core::MatchOp::equal;
  });
  return name == use.matchers.end() ? std::string_view() : std::string_view(name->value);
}

}  // namespace

Presence classify(std::span<const SelectorEvidence> evidence) {
  bool alive = false;
  bool deleted = false;
  bool unseen = false;
  bool unknown = false;
  bool decided = false;  // by a required selector
  for (const SelectorEvidence& selector : evidence) {
    if (selector.role == SelectorRole::irrelevant) continue;
    if (selector.lapsed > 0) return Presence::absent;
    if (selector.fresh > 0 || selector.collected) {
      alive = true;
    } else if (selector.deleted > 0 || selector.ruled_out) {
      (selector.deleted > 0 ? deleted : unseen) = true;
      decided = decided || selector.role == SelectorRole::required;
    } else if (selector.role == SelectorRole::required) {
      return Presence::absent;
    } else {
      unknown = true;
    }
  }
  if (alive && !decided) return Presence::present;
  if (deleted) return Presence::deleted;
  if (unseen && !unknown) return Presence::unseen;
  return unknown ? Presence::absent : Presence::present;
}

PresenceProbe::PresenceProbe(const Rule& rule, const core::SeriesSource& source, core::Time at, PresenceOptions options)
    : rule_(rule),
      source_(source),
      at_(at),
      options_(options),
      siblings_(rule.selectors.size()),
      ever_(rule.selectors.size()) {}

void PresenceProbe::rule_out(Observed observed, const Recorders& recorders) {
  observed_ = std::move(observed);
  recorders_ = &recorders;
}

Presence PresenceProbe::operator()(const core::Labels& alert_labels) {
  if (answers_.empty()) {
    for (const SelectorUse& use : rule_.selectors) answers_.push_back(ask(use));
  }
  const core::Labels labels = identifying(alert_labels);
  std::vector<SelectorEvidence> evidence;
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    const SelectorUse& use = rule_.selectors[i];
    if (answers_[i].failed) return Presence::absent;
    const SeriesTally::Counts counts = count(answers_[i], labels, nullptr);
    SelectorEvidence found{counts.fresh, counts.lapsed, counts.deleted, false, use.role, false};
    if (found.fresh == 0 && found.lapsed == 0) {
      if (!siblings_[i]) siblings_[i] = ask_siblings(use);
      found.collected = count(*siblings_[i], labels, &use).fresh > 0;
      found.ruled_out = found.deleted == 0 && !found.collected && ruled_out(i, labels);
    }
    evidence.push_back(found);
  }
  return classify(evidence);
}

bool PresenceProbe::ruled_out(std::size_t selector, const core::Labels& labels) {
  const SelectorUse& use = rule_.selectors[selector];
  const std::string_view name = metric_of(use);
  if (!observed_ || !observed_(name.empty() ? labels : labels.with(core::kMetricName, name))) return false;
  if (!ever_[selector]) {
    // Data that come now rule nothing out, though a selector with an offset does not reach them yet.
    Answer answer;
    const auto found = source_.select({use.matchers, at_ - use.offset - options_.memory, core::Time::max(), true});
    answer.failed = !found;
    for (const core::SeriesView& series : found ? *found : std::vector<core::SeriesView>())
      answer.series.push_back({series.labels, SeriesCondition::fresh});
    ever_[selector] = std::move(answer);
  }
  return !ever_[selector]->failed && count(*ever_[selector], labels, nullptr).fresh == 0 && unfed(use, labels);
}

/// Recorded series come later than what they are made of: a rate needs two points, an offset its time.
bool PresenceProbe::unfed(const SelectorUse& use, const core::Labels& labels) const {
  constexpr int kDeepest = 5;
  const std::string_view name = metric_of(use);
  if (name.empty()) return recorders_->empty();
  const auto [first, last] = recorders_->equal_range(name);
  return std::all_of(first, last, [&](const auto& recorder) {
    if (depth_ >= kDeepest) return false;
    PresenceProbe probe(*recorder.second, source_, at_, options_);
    probe.rule_out(observed_, *recorders_);
    probe.depth_ = depth_ + 1;
    const Presence found = probe(labels);
    return found == Presence::unseen || found == Presence::deleted;
  });
}

SeriesTally::Counts PresenceProbe::count(Answer& answer, const core::Labels& labels, const SelectorUse* pinning) {
  Names names;
  for (const auto& [name, value] : labels) {
    if (name != core::kMetricName && (pinning == nullptr || !pinned(*pinning, name))) names.emplace_back(name);
  }
  const auto tally = answer.tallies.find(names);
  if (tally != answer.tallies.end()) return tally->second.matching(labels);
  return answer.tallies.emplace(names, SeriesTally(answer.series, names)).first->second.matching(labels);
}

core::Labels PresenceProbe::identifying(const core::Labels& alert_labels) const {
  core::LabelsBuilder labels(alert_labels);
  labels.erase("alertname");
  for (const TemplatedText& label : rule_.labels) labels.erase(label.name);
  for (const std::string& name : rule_.rewritten_labels) labels.erase(name);
  return labels.build();
}

PresenceProbe::Answer PresenceProbe::ask_siblings(const SelectorUse& use) const {
  std::vector<core::Matcher> matchers;
  std::ranges::copy_if(use.matchers, std::back_inserter(matchers), [&](const core::Matcher& matcher) {
    return (matcher.name == core::kMetricName && matcher.op == core::MatchOp::equal) || !pinned(use, matcher.name);
  });
  // A selector that names no metric has no siblings to speak of.
  if (!mentions(matchers, core::kMetricName)) return {};
  return ask({.matchers = std::move(matchers), .offset = use.offset});
}

PresenceProbe::Answer PresenceProbe::ask(const SelectorUse& use) const {
  Answer answer;
  const core::Time at = at_ - use.offset;
  const auto newest = source_.select({use.matchers, at - options_.memory, at, true});
  if (!newest) return {.failed = true};
  std::map<core::Labels, std::vector<core::Point>> recent;
  if (use.range > core::Duration::zero()) {
    const auto points = source_.select({use.matchers, at - use.range - options_.look_back, at, false});
    if (!points) return {.failed = true};
    for (const core::SeriesView& series : *points) recent[series.labels] = series.points;
  }
  for (const core::SeriesView& series : *newest) {
    if (series.points.empty()) continue;
    const core::Point& last = series.points.back();
    FoundSeries found{series.labels, SeriesCondition::lapsed};
    if (core::is_stale_marker(last.value)) {
      found.condition = SeriesCondition::deleted;
    } else if (use.range > core::Duration::zero() ? feeds_range(use, recent[series.labels], at)
                                                  : at - last.time < options_.look_back) {
      found.condition = SeriesCondition::fresh;
    }
    answer.series.push_back(std::move(found));
  }
  return answer;
}

bool PresenceProbe::feeds_range(const SelectorUse& use, const std::vector<core::Point>& points, core::Time at) {
  std::vector<core::Time> times;
  std::size_t inside = 0;
  for (const core::Point& point : points) {
    if (core::is_stale_marker(point.value)) continue;
    times.push_back(point.time);
    inside += at - point.time <= use.range ? 1 : 0;
  }
  if (inside < use.least_points || times.empty()) return false;
  if (times.size() < 2) return true;
  const core::Duration spacing = (times.back() - times.front()) / static_cast<std::int64_t>(times.size() - 1);
  return at - times.back() <= 3 * spacing;
}

}  // namespace weir::rules
