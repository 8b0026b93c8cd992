#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/reader.h"
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

/// Whether the message says that its alerts are over while the incident they were of is not.
bool incident_goes_on(const core::Notification& notification);

/// What a cause is told after: "Likely cause", "Likely cause was" when it is over, "The incident goes on, likely
/// cause".
std::string_view cause_label(const core::Notification& notification);

/// The cause where nothing stands before it: "<cause>", "was: <cause>", "the incident goes on: <cause>"; "" without
/// one.
std::string plain_cause(const core::Notification& notification);

/// "[FIRING:2] <title>", "[RESOLVED] <title>", "[RESOLVED] <title> (the incident goes on)", on one line.
std::string headline(const core::Notification& notification);

/// "critical", "warning" or another of the alerts' severities, the worst of those that fire; "" without any.
std::string_view worst_severity(const std::vector<core::Alert>& alerts);

/// What the alerts have in common and are about: ("Consumer group", "billing") …, at most 8.
std::vector<std::pair<std::string, std::string>> subject_facts(const core::Notification& notification);
/// The same as a text: "consumer group billing, cluster prod".
std::string plain_subject(const core::Notification& notification);

/// Who is in charge and what the graph of data's ways says of the alerts: ("Owner", "finance"), ("Pipeline", "money"),
/// ("Downstream", "table fct_orders in warehouse"), ("Catalog", a link); of alerts that differ at most three texts, 400
/// bytes each. Downstream only of a message that tells of something firing.
std::vector<std::pair<std::string, std::string>> impact_facts(const core::Notification& notification);
/// The same with names as fields have them: ("owner", "finance").
std::vector<std::pair<std::string, std::string>> impact_fields(const core::Notification& notification);

/// A line for each of at most `most` alerts, and how many more there are.
std::string plain_alerts(const core::Notification& notification, std::size_t most);

/// What tells messages about the same from others: 16 hex digits made of receiver and group.
std::string dedup_key(const core::Notification& notification);

/// At most `most` bytes, cut between characters with "…".
std::string cut(std::string_view text, std::size_t most);

/// Hints that keys of Alertmanager's which are given have no effect.
void not_applied(config::MapReader& reader, std::initializer_list<std::string_view> keys);

}  // namespace weir::notify
