#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/incident.h"
#include "core/time.h"

namespace weir::core {

/// What a person does about an incident.
enum class DeedKind { acknowledge, assign, comment, resolve, reopen, merge, silence };

/// Timelines have a kind of entry for each: "acknowledged", "assigned", "commented", "resolved", "reopened", "merged",
/// "silenced".
struct Deed {
  DeedKind kind = DeedKind::comment;
  std::string incident = {};       // its id
  std::string by = {};             // who does it
  std::string text = {};           // assign: the new owner, "" for nobody; comment: the words; resolve, reopen: why;
                                   // merge: the id of the incident that goes on; silence: the silence's id
  std::optional<Time> until = {};  // of a silence
};

/// Which incidents of the history are wanted; all that is set must hold.
struct IncidentSearch {
  enum class State { all, open, resolved };
  State state = State::all;
  std::vector<std::string> words = {};  // each in title, cause, labels, alerts' names, owner or what people wrote
  std::string owner = {};
  std::string severity = {};
  std::string label_name = {};  // a label that one of its alerts has
  std::string label_value = {};
  std::optional<Time> from = {};  // not over before
  std::optional<Time> to = {};    // opened by then
  /// The next page: those after the incident with this id that opened then.
  std::optional<Time> before = {};
  std::string before_id = {};
};

/// The most words of one search.
inline constexpr std::size_t kMostSearchWords = 6;

/// How long things took, in an incident's life; unset while they have not happened.
struct IncidentTimes {
  std::optional<Duration> to_detect;       // from when the condition held to when it was opened
  std::optional<Duration> to_acknowledge;  // from when it was opened
  std::optional<Duration> to_resolve;      // from when it was opened
};

IncidentTimes times_of(const Incident& incident);

/// What became of one message about an incident.
struct ToldMessage {
  Time created_at;
  std::string receiver;
  std::string integration;
  std::string status;  // "firing" or "resolved"
  int attempts = 0;
  std::optional<Time> delivered_at;
  std::optional<Time> given_up_at;
  std::string last_error;
  bool with_others = false;  // it tells of other incidents too
};

}  // namespace weir::core
