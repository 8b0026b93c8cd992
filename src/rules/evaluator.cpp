#include "rules/evaluator.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <variant>

#include "rules/absence.h"
#include "rules/overlay.h"

namespace weir::rules {
namespace {

constexpr std::size_t kMostAnswersKept = 16;  // of queries in the texts of one rule

core::Transition removed(core::Alert alert, core::Time now) {
  core::Transition transition;
  transition.from = alert.state;
  transition.at = now;
  transition.reason = "rule removed";
  alert.state = core::AlertState::inactive;
  alert.resolved_at = now;
  transition.alert = std::move(alert);
  return transition;
}

/// By the word alone: what only looks as if it asked is evaluated on its own, that is all.
bool texts_ask(const Rule& rule) {
  const auto asks = [](const TemplatedText& text) { return text.text.find("query") != std::string::npos; };
  return std::ranges::any_of(rule.labels, asks) || std::ranges::any_of(rule.annotations, asks);
}

core::Labels alerts_series(const core::Alert& alert) {
  return alert.labels.with(core::kMetricName, "ALERTS").with("alertstate", core::to_string(alert.state));
}

/// What makes a rule the same before and after a reload; of equal ones the n-th stays the n-th.
std::string identity(const Group& group, const Rule& rule) {
  std::string text = fmt::format("{}\n{}\n{}", group.name, rule.alerting(), rule.name);
  for (const TemplatedText& label : rule.labels) text += fmt::format("\n{}={}", label.name, label.text);
  return text;
}

}  // namespace

struct Evaluator::Run {
  const Group& group;
  Overlay source;
  core::Time now;
  core::Time at;  // what the expressions are evaluated for: now − query_offset
  const Observed& observed;
  Evaluation result = {};

  void emit(const core::Labels& labels, double value) {
    result.batch.samples.push_back({labels, at, value});
    source.add(result.batch.samples.back());
  }
};

Evaluator::Evaluator(std::vector<Group> groups, EvaluatorOptions options) : options_(std::move(options)) {
  set_groups(std::move(groups));
}

void Evaluator::set_groups(std::vector<Group> groups) {
  groups_ = std::move(groups);
  states_.clear();
  reads_.clear();
  recorders_.clear();
  for (const Group& group : groups_) {
    states_.emplace_back(group.rules.size());
    GroupReads& reads = reads_.emplace_back();
    for (const Rule& rule : group.rules) {
      if (!rule.alerting()) {
        recorders_.emplace(rule.name, &rule);
        reads.records.insert(rule.name);
      }
      reads.alerting = reads.alerting || rule.alerting();
      reads.asks = reads.asks || texts_ask(rule);
      for (const SelectorUse& use : rule.selectors) {
        const auto name = std::ranges::find_if(use.matchers, [](const core::Matcher& matcher) {
          return matcher.name == core::kMetricName && matcher.op == core::MatchOp::equal;
        });
        if (name == use.matchers.end()) {
          reads.anything = true;
        } else if (!name->value.starts_with("ALERTS")) {
          // What rules say of alerts is no input to wait for: a group that reads its own would feed itself.
          reads.names.insert(name->value);
        } else {
          reads.alerts = true;
        }
      }
    }
  }
}

Evaluation Evaluator::evaluate(std::size_t group, const core::SeriesSource& source, core::Time now,
                               const Observed& observed) {
  const Group& evaluated = groups_[group];
  Run run{evaluated, Overlay(source), now, now - evaluated.query_offset, observed};
  if (!orphans_.empty()) {  // then nothing runs beside it
    for (const core::Labels& series : orphans_) run.emit(series, core::stale_marker());
    orphans_.clear();
  }
  for (std::size_t i = 0; i < evaluated.rules.size(); ++i) {
    const Rule& rule = evaluated.rules[i];
    RuleState& state = states_[group][i];
    const std::chrono::nanoseconds began = options_.stopwatch ? options_.stopwatch() : std::chrono::nanoseconds(0);
    if (state.emitted.empty() && rule.alerting()) lay_restored(state, run);
    const auto done = rule.alerting() ? evaluate_alert(rule, state, run) : evaluate_record(rule, state, run);
    if (!done && rule.alerting()) fail_alerts(rule, state, run);
    if (rule.alerting()) show_alerts(state, run);
    if (!done) note_error(rule, state, done.error(), run);
    run.result.took.push_back(options_.stopwatch ? options_.stopwatch() - began : began);
  }
  return std::move(run.result);
}

void Evaluator::note_error(const Rule& rule, const RuleState& state, core::Error error, Run& run) {
  error.message = fmt::format("rule \"{}\": {}", rule.name, error.message);
  error.where = rule.position.to_string();
  for (const core::Labels& series : state.emitted) {
    if (!rule.alerting()) run.result.batch.faults.push_back({error, series});
  }
  run.result.errors.push_back(std::move(error));
}

core::Result<std::vector<Element>> Evaluator::query(const promql::Expr& expr, const Run& run, core::Time at) const {
  auto value = promql::evaluate(expr, run.source, at, options_.limits);
  if (!value) return std::unexpected(std::move(value.error()));
  std::vector<Element> elements;
  if (auto* vector = std::get_if<promql::Vector>(&*value)) {
    for (auto& sample : *vector) elements.push_back({std::move(sample.labels), sample.value});
  } else if (const auto* scalar = std::get_if<promql::Scalar>(&*value)) {
    elements.push_back({{}, scalar->value});
  } else {
    return core::fail(core::ErrorKind::invalid, "the expression gives neither a vector nor a scalar");
  }
  return elements;
}

/// At `now`, without the group's query_offset, as Prometheus has it. All alerts of a rule share the answers.
TemplateQuery Evaluator::template_query(const Run& run) const {
  using Answer = core::Result<std::vector<TemplateSample>>;
  const auto ask = [this, &run](const std::string& expression) -> Answer {
    const auto parsed = promql::parse(expression);
    if (!parsed) return std::unexpected(parsed.error());
    auto elements = query(*parsed, run, run.now);
    if (!elements) return std::unexpected(std::move(elements.error()));
    std::vector<TemplateSample> samples;
    for (Element& element : *elements) samples.push_back({std::move(element.labels), element.value});
    return samples;
  };
  const auto known = std::make_shared<std::map<std::string, Answer>>();
  return [ask, known](const std::string& expression) -> Answer {
    if (const auto found = known->find(expression); found != known->end()) return found->second;
    Answer answer = ask(expression);
    if (known->size() < kMostAnswersKept) known->emplace(expression, answer);
    return answer;
  };
}

core::Result<void> Evaluator::evaluate_alert(const Rule& rule, RuleState& state, Run& run) {
  const auto elements = query(*rule.expr, run, run.at);
  if (!elements) return std::unexpected(elements.error());
  PresenceProbe probe(rule, run.source, run.at, options_.presence);
  const StepOptions options{run.group.name, run.group.limit, options_.external_labels, options_.external_url,
                            template_query(run)};
  PresenceProbe of_restored = probe;
  of_restored.rule_out(run.observed, recorders_);
  const auto presence = [&](const ActiveAlert& before) {
    if (options_.missing_is_false) return Presence::present;
    return before.restored ? of_restored(before.alert.labels) : probe(before.alert.labels);
  };
  auto stepped = step(rule, state.alerts, *elements, presence, run.now, options);
  if (!stepped) return std::unexpected(std::move(stepped.error()));
  state.alerts = std::move(stepped->alerts);
  std::ranges::move(stepped->transitions, std::back_inserter(run.result.transitions));
  for (const auto& [labels, entry] : state.alerts) {
    if (entry.absent_since) run.result.absent.push_back(entry.alert);
  }
  note_absences(rule, state, run);
  return {};
}

void Evaluator::note_absences(const Rule& rule, RuleState& state, Run& run) const {
  StepResult stepped = step_absences(rule, state.alerts, state.absences, run.now,
                                     {.group = run.group.name, .after = options_.absent_after});
  state.absences = std::move(stepped.alerts);
  std::ranges::move(stepped.transitions, std::back_inserter(run.result.transitions));
}

void Evaluator::fail_alerts(const Rule& rule, RuleState& state, Run& run) const {
  if (rule.on_error == OnError::keep) return;
  StepResult stepped = step_failed(rule, state.alerts, run.now);
  state.alerts = std::move(stepped.alerts);
  std::ranges::move(stepped.transitions, std::back_inserter(run.result.transitions));
  // Whether data are back is unknown, but what tells of an alert ends with it.
  if (rule.on_error == OnError::resolve) note_absences(rule, state, run);
}

void Evaluator::lay_restored(const RuleState& state, Run& run) {
  for (const AlertMap* alerts : {&state.alerts, &state.absences}) {
    for (const auto& [labels, entry] : *alerts) {
      if (entry.alert.state != core::AlertState::inactive) run.source.add({alerts_series(entry.alert), run.at, 1});
    }
  }
}

void Evaluator::show_alerts(RuleState& state, Run& run) {
  std::unordered_set<core::Labels> shown;
  const auto show = [&](const core::Labels& labels, const ActiveAlert& entry) {
    if (entry.alert.state == core::AlertState::inactive) return;
    const core::Labels alerts = alerts_series(entry.alert);
    const core::Labels since = labels.with(core::kMetricName, "ALERTS_FOR_STATE");
    run.emit(alerts, 1);
    run.emit(since, std::floor(core::to_seconds(entry.alert.active_at)));
    shown.insert(alerts);
    shown.insert(since);
  };
  for (const auto& [labels, entry] : state.alerts) show(labels, entry);
  for (const auto& [labels, entry] : state.absences) show(labels, entry);
  for (const core::Labels& before : state.emitted) {
    if (!shown.contains(before)) run.emit(before, core::stale_marker());
  }
  state.emitted = std::move(shown);
}

core::Result<void> Evaluator::evaluate_record(const Rule& rule, RuleState& state, Run& run) {
  const auto elements = query(*rule.expr, run, run.at);
  if (!elements) return std::unexpected(elements.error());
  std::vector<core::Sample> recorded;
  std::unordered_set<core::Labels> emitted;
  for (const Element& element : *elements) {
    core::LabelsBuilder labels(element.labels);
    labels.set(core::kMetricName, rule.name);
    for (const TemplatedText& label : rule.labels) labels.set(label.name, label.text);
    recorded.push_back({labels.build(), run.at, element.value});
    if (!emitted.insert(recorded.back().labels).second) {
      return core::fail(core::ErrorKind::invalid, fmt::format("two elements of the result have the same labels {}",
                                                              recorded.back().labels.to_string()));
    }
  }
  if (run.group.limit > 0 && recorded.size() > run.group.limit) {
    return core::fail(core::ErrorKind::limit,
                      fmt::format("exceeded the group's limit of {} with {} series", run.group.limit, recorded.size()));
  }
  for (const core::Sample& sample : recorded) run.emit(sample.labels, sample.value);
  PresenceProbe probe(rule, run.source, run.at, options_.presence);
  for (const core::Labels& before : state.emitted) {
    if (emitted.contains(before)) continue;
    // A marker would tell alerts on this series that it is gone; when its data only stopped coming, it just lapses.
    if (!options_.missing_is_false && probe(before) == Presence::absent) {
      emitted.insert(before);
      run.result.batch.faults.push_back(
          {{core::ErrorKind::unavailable, fmt::format("no data for {}", before.to_string()), true, {}}, before});
    } else {
      run.emit(before, core::stale_marker());
    }
  }
  state.emitted = std::move(emitted);
  return {};
}

bool Evaluator::feeds(const GroupReads& before, const GroupReads& after) {
  if (after.anything || after.asks) return true;
  if (before.alerting && after.alerts) return true;
  return std::ranges::any_of(before.records, [&](const std::string& name) { return after.names.contains(name); });
}

std::size_t Evaluator::independent(std::span<const std::size_t> groups) const {
  // The first to be evaluated after a reload also marks what ended.
  if (!orphans_.empty()) return std::min<std::size_t>(groups.size(), 1);
  std::size_t count = 0;
  for (; count < groups.size(); ++count) {
    const GroupReads& next = reads_[groups[count]];
    const bool fed =
        std::ranges::any_of(groups.first(count), [&](std::size_t before) { return feeds(reads_[before], next); });
    if (fed) break;
  }
  return count;
}

std::vector<std::size_t> Evaluator::groups_reading(std::span<const std::string> metric_names) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < reads_.size(); ++i) {
    const bool reads =
        std::ranges::any_of(metric_names, [&](const std::string& name) { return reads_[i].names.contains(name); });
    if (reads || (reads_[i].anything && !metric_names.empty())) found.push_back(i);
  }
  return found;
}

Evaluator::RuleState* Evaluator::find_rule(const core::Alert& alert) {
  const bool absence = is_data_absent(alert);
  const core::Labels labels = absence ? original_labels(alert.labels) : alert.labels;
  const std::string_view name = absence ? labels.get("alertname") : std::string_view(alert.rule);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].name != alert.group) continue;
    for (std::size_t r = 0; r < groups_[g].rules.size(); ++r) {
      const Rule& rule = groups_[g].rules[r];
      if (rule.alerting() && rule.name == name && labels.includes(rule.constant_labels)) return &states_[g][r];
    }
  }
  return nullptr;
}

std::vector<core::Transition> Evaluator::restore(std::vector<core::Alert> alerts, core::Time now) {
  std::vector<core::Transition> ends;
  for (core::Alert& alert : alerts) {
    RuleState* state = find_rule(alert);
    if (alert.state == core::AlertState::inactive && (state == nullptr || !alert.resolved_at)) continue;
    if (state == nullptr) {
      ends.push_back(removed(std::move(alert), now));
    } else {
      const core::Labels labels = alert.labels;
      AlertMap& into = is_data_absent(alert) ? state->absences : state->alerts;
      into.insert_or_assign(labels, ActiveAlert{std::move(alert), std::nullopt, true});
    }
  }
  return ends;
}

void Evaluator::forget() {
  for (std::vector<RuleState>& group : states_) {
    for (RuleState& state : group) {
      state.alerts.clear();
      state.absences.clear();
    }
  }
}

std::vector<core::Transition> Evaluator::reload(std::vector<Group> groups, core::Time now) {
  std::multimap<std::string, RuleState> before;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t r = 0; r < groups_[g].rules.size(); ++r) {
      before.emplace(identity(groups_[g], groups_[g].rules[r]), std::move(states_[g][r]));
    }
  }
  set_groups(std::move(groups));
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t r = 0; r < groups_[g].rules.size(); ++r) {
      const auto kept = before.lower_bound(identity(groups_[g], groups_[g].rules[r]));
      if (kept == before.end() || kept->first != identity(groups_[g], groups_[g].rules[r])) continue;
      states_[g][r] = std::move(kept->second);
      before.erase(kept);
    }
  }
  std::vector<core::Transition> ends;
  for (auto& [name, state] : before) {
    orphans_.insert(orphans_.end(), state.emitted.begin(), state.emitted.end());
    for (AlertMap* alerts : {&state.alerts, &state.absences}) {
      for (auto& [labels, entry] : *alerts) {
        if (entry.alert.state != core::AlertState::inactive) ends.push_back(removed(std::move(entry.alert), now));
      }
    }
  }
  return ends;
}

std::vector<core::GeneratedAlert> Evaluator::generated() const {
  std::vector<core::GeneratedAlert> alerts;
  for (std::size_t group = 0; group < states_.size(); ++group) {
    for (const RuleState& rule : states_[group]) {
      for (const AlertMap* of : {&rule.alerts, &rule.absences})
        for (const auto& [labels, entry] : *of) alerts.push_back({entry.alert, groups_[group].interval});
    }
  }
  return alerts;
}

std::vector<core::Alert> Evaluator::active() const {
  std::vector<core::Alert> alerts;
  for (core::GeneratedAlert& each : generated()) {
    if (each.alert.state != core::AlertState::inactive) alerts.push_back(std::move(each.alert));
  }
  return alerts;
}

}  // namespace weir::rules
