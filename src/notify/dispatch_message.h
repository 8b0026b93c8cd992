#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/incident.h"
#include "notify/dispatch.h"

namespace weir::notify {

/// The annotation of an alert that flaps, for whoever shows the message.
inline constexpr std::string_view kFlapping = "flapping";

/// What a group looks like at a flush: only what may be told.
struct Visible {
  std::vector<GroupMember> firing;    // by labels
  std::vector<GroupMember> resolved;  // by labels
  std::vector<std::uint64_t> firing_ids;
  std::vector<std::uint64_t> resolved_ids;
  std::vector<std::uint64_t> silenced_ids;  // fire, and only a silence hides them
};

/// Whether the integration is to be told, by what it was told before (nullptr: nothing): Alertmanager's rule, and the
/// end of what was told as firing and ended while it was silenced.
bool needs_telling(const core::ToldState* told, const Visible& visible, bool send_resolved, core::Duration repeat,
                   core::Time now);

/// What the group is about as far as those of `alerts` are that fire, or all where none does: of a group by incident
/// its labels with the values that these have, for the incident's own may be those of other alerts; what they have in
/// common where they have none of these.
core::Labels labels_for(const AlertGroup& group, const std::vector<core::Alert>& alerts);

/// The message of one group for one integration. `what` is what makes its key unique beside what it tells.
core::OutboxMessage group_message(const AlertGroup& group, const Integration& integration, const Visible& visible,
                                  const std::map<std::string, core::IncidentNote>& incidents, core::Time now);

/// "N more": what an integration is told in place of many messages.
core::OutboxMessage digest_message(const std::string& receiver, const Integration& integration, const Digest& digest,
                                   const std::vector<GroupMember>& firing, std::size_t groups, core::Time now);

/// `{a="1", b="2"}`, as a Go program prints labels.
std::string go_labels(const core::Labels& labels);

}  // namespace weir::notify
