#include "rules/state.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::rules {
namespace {

using core::AlertState;

std::string_view reason_of(Presence presence) {
  switch (presence) {
    case Presence::present: return "";
    case Presence::deleted: return "deleted";
    case Presence::absent: return "no data";
    case Presence::unseen: return "no longer observed";
  }
  return "";
}

core::Labels expand(const std::vector<TemplatedText>& texts, const TemplateData& data, const core::Labels& start) {
  core::LabelsBuilder labels(start);
  for (const TemplatedText& text : texts) {
    auto value = text.value.expand(data);
    labels.set(text.name, value ? *value : fmt::format("<error expanding template: {}>", value.error().message));
  }
  return labels.build();
}

class Step {
 public:
  Step(const Rule& rule, const AlertMap& previous, core::Time now, const StepOptions& options)
      : rule_(rule), previous_(previous), now_(now), options_(options) {}

  core::Result<void> take(const Element& element) {
    const TemplateData data{element.labels,        element.value,  options_.external_labels,
                            options_.external_url, options_.query, now_};
    core::Labels labels = expand(rule_.labels, data, element.labels.without(core::kMetricName));
    labels = labels.with("alertname", rule_.name);
    if (result_.alerts.contains(labels)) {
      return core::fail(core::ErrorKind::invalid,
                        fmt::format("two elements of the result have the same labels {}", labels.to_string()));
    }
    const auto known = previous_.find(labels);
    const bool active = known != previous_.end() && known->second.alert.state != AlertState::inactive;
    core::Alert alert = active ? known->second.alert : fresh_alert(labels);
    const AlertState before = active ? alert.state : AlertState::inactive;
    alert.value = element.value;
    alert.annotations = expand(rule_.annotations, data, {});
    alert.keep_firing_since.reset();
    advance(alert);
    keep(std::move(alert), before, "");
    return {};
  }

  /// What was active and is not in the vector.
  void miss_others(const PresenceOf& presence) {
    for (const auto& [labels, before] : previous_) {
      if (!result_.alerts.contains(labels)) miss(before, presence);
    }
  }

  StepResult fail() {
    for (const auto& [labels, before] : previous_) {
      ActiveAlert entry = before;
      const AlertState state = before.alert.state;
      if (state == AlertState::inactive || rule_.on_error == OnError::keep) {
        result_.alerts.emplace(labels, std::move(entry));
      } else if (rule_.on_error == OnError::resolve) {
        resolve(std::move(entry.alert), "evaluation failed");
      } else {
        advance(entry.alert);
        note(entry.alert, state, "evaluation failed");
        result_.alerts.emplace(labels, std::move(entry));
      }
    }
    return std::move(result_);
  }

  core::Result<StepResult> finish() {
    std::size_t active = 0;
    for (const auto& [labels, entry] : result_.alerts) active += entry.alert.state != AlertState::inactive ? 1 : 0;
    if (options_.limit > 0 && active > options_.limit) {
      return core::fail(core::ErrorKind::limit,
                        fmt::format("exceeded the group's limit of {} with {} alerts", options_.limit, active));
    }
    std::ranges::sort(result_.transitions, {}, [](const core::Transition& t) { return t.alert.labels; });
    return std::move(result_);
  }

 private:
  core::Alert fresh_alert(const core::Labels& labels) const {
    core::Alert alert;
    alert.fingerprint = labels.hash();
    alert.group = options_.group;
    alert.rule = rule_.name;
    alert.labels = labels;
    alert.state = AlertState::pending;
    alert.active_at = now_;
    return alert;
  }

  void miss(const ActiveAlert& before, const PresenceOf& presence) {
    if (before.alert.state == AlertState::inactive) {
      if (now_ - *before.alert.resolved_at <= options_.resolved_retention)
        result_.alerts.emplace(before.alert.labels, before);
      return;
    }
    const Presence found = presence(before);
    if (found == Presence::absent && rule_.no_data != NoData::resolve) return miss_data(before);
    core::Alert alert = before.alert;
    if (found == Presence::present && keeps_firing(alert)) return keep(std::move(alert), AlertState::firing, "");
    resolve(std::move(alert), reason_of(found));
  }

  void advance(core::Alert& alert) const {
    if (alert.state != AlertState::pending || now_ - alert.active_at < rule_.hold) return;
    alert.state = AlertState::firing;
    alert.fired_at = now_;
  }

  bool keeps_firing(core::Alert& alert) const {
    if (alert.state != AlertState::firing || rule_.keep_firing_for <= core::Duration::zero()) return false;
    if (!alert.keep_firing_since) alert.keep_firing_since = now_;
    return now_ - *alert.keep_firing_since < rule_.keep_firing_for;
  }

  void miss_data(const ActiveAlert& before) {
    ActiveAlert entry = before;
    if (!entry.absent_since) entry.absent_since = now_;
    if (rule_.no_data == NoData::alert) advance(entry.alert);
    note(entry.alert, before.alert.state, "no data");
    result_.alerts.emplace(entry.alert.labels, std::move(entry));
  }

  void resolve(core::Alert alert, std::string_view reason) {
    const AlertState before = alert.state;
    alert.state = AlertState::inactive;
    alert.resolved_at = now_;
    alert.keep_firing_since.reset();
    // What never fired is nothing to remember.
    if (before == AlertState::pending) return note(alert, before, reason);
    keep(std::move(alert), before, reason);
  }

  void keep(core::Alert alert, AlertState before, std::string_view reason) {
    note(alert, before, reason);
    const core::Labels labels = alert.labels;
    result_.alerts.emplace(labels, ActiveAlert{std::move(alert), std::nullopt, false});
  }

  void note(const core::Alert& alert, AlertState before, std::string_view reason) {
    if (alert.state != before) result_.transitions.push_back({alert, before, alert.state, now_, std::string(reason)});
  }

  const Rule& rule_;
  const AlertMap& previous_;
  core::Time now_;
  const StepOptions& options_;
  StepResult result_;
};

}  // namespace

core::Result<StepResult> step(const Rule& rule, const AlertMap& previous, std::span<const Element> vector,
                              const PresenceOf& presence, core::Time now, const StepOptions& options) {
  Step step(rule, previous, now, options);
  for (const Element& element : vector) {
    if (auto taken = step.take(element); !taken) return std::unexpected(taken.error());
  }
  step.miss_others(presence);
  return step.finish();
}

StepResult step_failed(const Rule& rule, const AlertMap& previous, core::Time now) {
  const StepOptions options;
  return Step(rule, previous, now, options).fail();
}

}  // namespace weir::rules
