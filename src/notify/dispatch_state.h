#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "notify/dispatch.h"

namespace weir::notify {

/// Puts an alert that began or ceased to fire into the groups that it reaches. One that ceased enters only groups that
/// have it. The keys of those groups go to `touched`, if given.
void enter(DispatchState& state, const Route& root, std::uint64_t id, const GroupMember& member, core::Time now,
           std::set<std::string>* touched);

core::IncidentNote note_of(const core::Incident& incident);
core::GroupRecord record_of(const std::string& key, const AlertGroup& group,
                            const std::map<std::string, core::IncidentNote>& incidents);
core::GroupRecord record_of(const std::string& endpoint, const Digest& digest);
std::string digest_key(const std::string& endpoint);

/// The incident that goes on with what this one is about: itself, or where it was merged into as far as that is known;
/// nullptr where it is not known itself.
const core::IncidentNote* living(const std::map<std::string, core::IncidentNote>& incidents, const std::string& id);

/// Incidents that no group has an alert of.
void forget_incidents(DispatchState& state);

}  // namespace weir::notify
