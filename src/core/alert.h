#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/time.h"

namespace weir::core {

enum class AlertState { inactive, pending, firing };
std::string_view to_string(AlertState state);
std::optional<AlertState> parse_alert_state(std::string_view text);

/// One active alert: a rule together with one set of labels.
struct Alert {
  std::uint64_t fingerprint = 0;  // hash of labels
  std::string group;              // rule group's name
  std::string rule;               // the alerting rule's name, as in the label alertname
  Labels labels;                  // with alertname, severity and the rule's own; without __name__
  Labels annotations;             // templates expanded
  AlertState state = AlertState::inactive;
  Time active_at;  // when the expression first held
  std::optional<Time> fired_at;
  std::optional<Time> resolved_at;
  double value = 0;                            // of the expression, at the last evaluation that gave one
  std::optional<Time> keep_firing_since = {};  // the condition is false since then, keep_firing_for holds it
};

/// An alert as its rule has it, pending, firing or resolved in the last 15 minutes, with the interval of the rule's
/// group.
struct GeneratedAlert {
  Alert alert;
  Duration interval;
};

/// A change of an alert's state. `alert` is as it is afterwards.
struct Transition {
  Alert alert;
  AlertState from = AlertState::inactive;
  AlertState to = AlertState::inactive;
  Time at;
  std::string reason;  // "" for an ordinary change, "deleted" when what it is about is gone
};

}  // namespace weir::core
