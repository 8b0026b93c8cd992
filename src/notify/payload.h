#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/alert.h"
#include "core/incident.h"

namespace weir::notify {

/// What the notifiers' payloads have in common.

/// "firing" or "resolved".
std::string_view status_of(const core::Alert& alert);

/// The labels that all of them have with the same value.
core::Labels common_labels(const std::vector<core::Alert>& alerts);
core::Labels common_annotations(const std::vector<core::Alert>& alerts);

/// The incident's place on Weir's page; the page itself without an incident; "" without an external URL.
std::string page_link(const std::string& external_url, const std::string& incident_id);

/// The incident's title, or the first alert's name where there is none.
std::string title_of(const core::Notification& notification);

}  // namespace weir::notify
