#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/alert.h"
#include "core/error.h"
#include "rules/group.h"
#include "rules/presence.h"

#include "templates/template.h"

namespace weir::rules {

/// One element of the vector an alerting rule's expression gave.
struct Element {
  core::Labels labels;
  double value = 0;
};

struct ActiveAlert {
  core::Alert alert;
  std::optional<core::Time> absent_since;  // its data stopped coming then; unset while they come
  bool restored = false;                   // of the last run, and nothing has been seen of it since
};

/// The alerts of one rule by their labels: pending, firing, and those resolved in the last 15 minutes.
using AlertMap = std::map<core::Labels, ActiveAlert>;

struct StepOptions {
  std::string group;
  std::size_t limit = 0;  // of pending and firing alerts, 0 is none
  core::Labels external_labels;
  std::string external_url;
  TemplateQuery query = {};  // for texts that ask
  core::Duration resolved_retention = std::chrono::minutes(15);
};

struct StepResult {
  AlertMap alerts;
  std::vector<core::Transition> transitions;  // in the order of labels
};

/// Asked about each active alert the vector no longer holds.
using PresenceOf = std::function<Presence(const ActiveAlert&)>;

/// One evaluation of an alerting rule, after Prometheus's AlertingRule.Eval: new elements become pending, and firing
/// once `for` has passed since they first held; firing ones that no longer hold go on firing for keep_firing_for, then
/// resolve. It departs from Prometheus where data are missing: an alert whose data stopped coming stays as it is unless
/// the rule's no_data says otherwise, and one whose subject was deleted resolves at once with the reason "deleted", or
/// "no longer observed" where only that it has no data is known.
/// Errors, after which the caller keeps `previous`: two elements with equal labels (invalid), the limit (limit).
core::Result<StepResult> step(const Rule& rule, const AlertMap& previous, std::span<const Element> vector,
                              const PresenceOf& presence, core::Time now, const StepOptions& options);

/// What becomes of the alerts when the rule could not be evaluated, as its on_error says; the reason is "evaluation
/// failed". Keep is the identity.
StepResult step_failed(const Rule& rule, const AlertMap& previous, core::Time now);

}  // namespace weir::rules
