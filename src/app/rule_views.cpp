#include "app/rule_views.h"

#include <algorithm>
#include <utility>

#include "promql/parser.h"

namespace weir::app {
namespace {

core::Labels as_written(const std::vector<rules::TemplatedText>& texts) {
  core::LabelsBuilder labels;
  for (const rules::TemplatedText& text : texts) labels.set(text.name, text.text);
  return labels.build();
}

core::Labels annotations_of(const rules::Rule& rule) {
  core::Labels written = as_written(rule.annotations);
  if (rule.on_error == rules::OnError::alert) written = written.with("weir_on_error", "alert");
  if (rule.on_error == rules::OnError::resolve) written = written.with("weir_on_error", "resolve");
  switch (rule.no_data) {
    case rules::NoData::keep: return written;  // as if it were not given
    case rules::NoData::alert: return written.with("weir_no_data", "alert");
    case rules::NoData::resolve: return written.with("weir_no_data", "resolve");
  }
  return written;
}

api::RuleView view_of(const rules::Rule& rule) {
  api::RuleView view;
  view.alerting = rule.alerting();
  view.name = rule.name;
  view.query = promql::to_string(*rule.expr);
  view.hold = rule.hold;
  view.keep_firing_for = rule.keep_firing_for;
  view.labels = as_written(rule.labels);
  view.annotations = annotations_of(rule);
  return view;
}

api::RuleGroupView view_of(const rules::Group& group) {
  api::RuleGroupView view;
  view.name = group.name;
  view.file = group.file;
  view.interval = group.interval;
  view.limit = group.limit;
  for (const rules::Rule& rule : group.rules) view.rules.push_back(view_of(rule));
  return view;
}

bool same_rules(const api::RuleGroupView& a, const api::RuleGroupView& b) {
  return a.name == b.name && a.file == b.file &&
         std::ranges::equal(a.rules, b.rules, [](const api::RuleView& x, const api::RuleView& y) {
           return x.alerting == y.alerting && x.name == y.name && x.query == y.query && x.labels == y.labels;
         });
}

void take_over(api::RuleGroupView& view, const api::RuleGroupViews& before) {
  const auto same = std::ranges::find_if(before, [&](const auto& old) { return same_rules(*old, view); });
  if (same == before.end()) return;
  view.last = (*same)->last;
  for (std::size_t i = 0; i < view.rules.size(); ++i) view.rules[i].last = (*same)->rules[i].last;
}

void show_alerts(api::RuleGroupView& view, const rules::Evaluator& evaluator, std::size_t group) {
  for (std::size_t i = 0; i < view.rules.size(); ++i) {
    std::vector<core::Alert>& alerts = view.rules[i].alerts;
    alerts.clear();
    for (const auto& [labels, entry] : evaluator.alerts(group, i)) {
      if (entry.alert.state != core::AlertState::inactive) alerts.push_back(entry.alert);
    }
  }
}

/// The message that the evaluator has for a rule, without the rule's name that stands before it.
std::string error_of(const rules::Rule& rule, const rules::Evaluation& evaluation) {
  const std::string where = rule.position.to_string();
  const auto found = std::ranges::find(evaluation.errors, where, &core::Error::where);
  if (found == evaluation.errors.end()) return {};
  const std::string prefix = "rule \"" + rule.name + "\": ";
  return found->message.starts_with(prefix) ? found->message.substr(prefix.size()) : found->message;
}

}  // namespace

void RuleViews::show_all(const rules::Evaluator& evaluator) {
  const api::RuleGroupViews before = std::exchange(groups_, {});
  for (std::size_t group = 0; group < evaluator.groups().size(); ++group) {
    api::RuleGroupView view = view_of(evaluator.groups()[group]);
    take_over(view, before);
    show_alerts(view, evaluator, group);
    groups_.push_back(std::make_shared<const api::RuleGroupView>(std::move(view)));
  }
}

void RuleViews::show(const rules::Evaluator& evaluator, std::size_t group, const rules::Evaluation& evaluation,
                     core::Time now, double seconds) {
  auto view = std::make_shared<api::RuleGroupView>(*groups_[group]);
  const rules::Group& rules = evaluator.groups()[group];
  view->last = {now, seconds, {}};
  for (std::size_t i = 0; i < view->rules.size(); ++i) {
    const std::chrono::duration<double> took = evaluation.took.at(i);
    view->rules[i].last = {now, took.count(), error_of(rules.rules[i], evaluation)};
  }
  show_alerts(*view, evaluator, group);
  groups_[group] = std::move(view);
}

}  // namespace weir::app
