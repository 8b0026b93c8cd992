#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/alert.h"
#include "core/labels.h"
#include "core/silence.h"
#include "core/time.h"

namespace weir::core {

/// What of an incident its notifications say.
struct IncidentNote {
  std::string id;
  std::string title;
  std::string cause;
  Labels labels;
  std::string owner = {};
  std::vector<std::string> evidence = {};
  bool acknowledged = false;     // somebody works on it: it is not repeated
  bool open = false;             // when it was last heard of
  std::string merged_into = {};  // the incident that goes on, whose id messages have from then on
  bool operator==(const IncidentNote&) const = default;
};

/// What one integration was last told of a group: the ids of the alerts that fired and that had resolved then.
struct ToldState {
  std::string integration;
  std::vector<std::uint64_t> firing;    // ascending
  std::vector<std::uint64_t> resolved;  // ascending
  Time at;
  bool merged = false;                       // told within the receiver's digest
  std::vector<std::uint64_t> silenced = {};  // ascending: told of as firing before, silenced since; their end is told
};

/// What a restart must know of a group of alerts; which alerts fire is known from the alerts themselves.
struct GroupRecord {
  std::string key = {};
  Time next_flush = {};
  bool flushed = false;  // at least once: its next change waits for group_interval
  std::vector<ToldState> told = {};
  std::vector<std::pair<Alert, std::string>> resolved = {};  // that receivers are to hear of, with their incident's id
  std::vector<IncidentNote> incidents = {};                  // of those
  bool gone = false;                                         // nothing is left of the group: to be forgotten
};

/// An alert that fires, and who is told of it.
struct RoutedAlert {
  Alert alert;
  std::vector<std::string> receivers;
  Suppression suppression;
  std::string incident_id;
};

struct RoutedGroup {
  std::string receiver;
  Labels labels;
  std::vector<std::size_t> alerts;  // places in NotificationView::alerts
};

/// Who is told of what, as the page and the API show it; immutable once published.
struct NotificationView {
  std::vector<RoutedAlert> alerts;
  std::vector<RoutedGroup> groups;
  std::vector<std::string> receivers;
};

}  // namespace weir::core
