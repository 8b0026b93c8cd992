#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/alert.h"
#include "core/lineage.h"

namespace weir::core {

struct TimelineEntry {
  Time at;
  std::string kind;  // "opened", "grew", "recovered", "resolved", "reopened", "event", "notified", core/deed.h's
  std::string text;  // one sentence
};

/// What people did about an incident.
struct Handling {
  std::string owner;  // who looks after it, "" for nobody; at first whom the pipeline belongs to
  std::string acknowledged_by;
  std::optional<Time> acknowledged_at;
  std::string merged_into;  // the incident that goes on with its alerts, "" for none

  bool operator==(const Handling&) const = default;
};

/// What the likely cause rests on.
struct Reasons {
  std::string hypothesis;                  // "consumer_down"; "" where none fits
  double score = 0;                        // 0 to 1, how well the evidence fits
  std::vector<std::string> evidence = {};  // sentences
  std::optional<Node> origin = {};         // the most upstream thing that is ill
  std::vector<Node> affected = {};         // downstream of it, the nearest first

  bool operator==(const Reasons&) const = default;
};

/// The cause of an incident until what told it recovered, while other alerts of it go on firing.
struct EarlierCause {
  Reasons reasons;
  std::string cause;
  Time until;

  bool operator==(const EarlierCause&) const = default;
};

/// Alerts that belong together, from the first that fired to the last that resolved.
struct Incident {
  std::string id;   // 16 hex digits, derived from key and opened_at: known before it is stored
  std::string key;  // what groups alerts: same key, same open incident
  std::string title;
  std::string severity;          // the highest of its alerts': "critical", "warning", "info"
  std::string cause;             // one sentence, the likely cause
  Labels labels;                 // what its alerts have in common
  std::optional<Time> began_at;  // when the condition of the first of its alerts came to hold
  Time opened_at;
  std::optional<Time> resolved_at;
  Handling handling;
  Reasons reasons;
  std::vector<Alert> alerts;  // every alert that ever took part, newest state
  std::vector<TimelineEntry> timeline;
  std::optional<EarlierCause> earlier = {};  // while what it led to heals

  bool open() const { return !resolved_at; }
};

/// What a receiver is to be told. Its payload is rendered by the notifier at delivery.
struct Notification {
  std::string receiver;
  std::string status;     // "firing" or "resolved"
  std::string group_key;  // Alertmanager's groupKey
  Labels group_labels;
  std::string incident_id;
  std::string incident_title;
  std::string cause;
  std::vector<Alert> alerts;
  std::string integration = {};            // which of the receiver's configurations: "webhook/0"
  std::size_t truncated_alerts = 0;        // left out of `alerts`, which is bounded
  std::string owner = {};                  // of the incident
  std::vector<std::string> evidence = {};  // for the cause, sentences
  std::string incident_state = {};         // "open" (of several: any of them) or "resolved"; "" without an incident
};

/// A notification waiting in the outbox. Delivered at least once, in order of `sequence` within a
/// (receiver, incident); `idempotency_key` is the same on every attempt.
struct OutboxMessage {
  std::int64_t sequence = 0;  // assigned by storage
  std::string idempotency_key;
  Notification notification;
  Time created_at;
  Time next_attempt_at;
  int attempts = 0;
  std::string last_error;
  std::string reference = {};  // what the integration noted of the group's message before, see notify::Receipt
};

}  // namespace weir::core
