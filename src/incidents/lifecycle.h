#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/deed.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/silence.h"

namespace weir::incidents {

inline constexpr std::size_t kMostName = 100;     // bytes of who does it, and of an owner
inline constexpr std::size_t kMostReason = 1000;  // bytes
inline constexpr std::size_t kMostComment = 4000;
/// What people did finds room in a timeline that events have filled.
inline constexpr std::size_t kMostEntries = 600;

/// What one deed needs to see.
struct Scene {
  core::Incident incident;
  std::optional<core::Incident> other;  // merge: the one that goes on; reopen: an open one of the same thing
};

/// The incidents that the deed changes, as they are afterwards; the one that it is about comes first. Pure.
/// Errors: invalid (a text that is empty, too long or no UTF-8; what cannot be done in the incident's present state,
/// with what to do instead), limit (the timeline is full).
core::Result<std::vector<core::Incident>> carry_out(const core::Deed& deed, Scene scene, core::Time now);

/// Somebody works on it: repeats of its notifications are held back. Again by another: that one does.
core::Result<core::Incident> acknowledge(core::Incident incident, std::string_view by, core::Time now);
/// "" is nobody.
core::Result<core::Incident> assign(core::Incident incident, std::string_view by, std::string_view owner,
                                    core::Time now);
/// Also when it is over.
core::Result<core::Incident> comment(core::Incident incident, std::string_view by, std::string_view text,
                                     core::Time now);
/// Ends it, also while its alerts fire; those stay its alerts, and one that fires anew reopens it.
core::Result<core::Incident> resolve(core::Incident incident, std::string_view by, std::string_view reason,
                                     core::Time now);
/// Whenever it was. Nobody has acknowledged it then.
core::Result<core::Incident> reopen(core::Incident incident, std::string_view by, std::string_view reason,
                                    core::Time now);
/// What is so after both: `from` ends and says where it went, `into` has its alerts and what happened in it.
struct Merged {
  core::Incident from;
  core::Incident into;
};
core::Result<Merged> merge(core::Incident from, core::Incident into, std::string_view by, core::Time now);

/// Reopens what ended, since an alert of it fired; the caller notes that alert.
void reopen_by_alert(core::Incident& incident);

/// Silences of its alerts that fire, of all where none does: one for each kind (alertname) and 20 alerts, of what the
/// labels that these have say. Errors (invalid): the duration is not from 1m to 365d, nobody does it, a text is too
/// long, it has no alerts.
core::Result<std::vector<core::Silence>> silences_for(const core::Incident& incident, std::string_view by,
                                                      std::string_view comment, core::Duration duration,
                                                      core::Time now);

}  // namespace weir::incidents
