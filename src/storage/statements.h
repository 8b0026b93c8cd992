#pragma once

#include <string_view>

/// Every statement the store runs, in the SQL that SQLite and PostgreSQL share.
namespace weir::storage::sql {

inline constexpr std::string_view kPutAlert =
    "INSERT INTO alerts (fingerprint, rule_group, rule, alert) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (fingerprint, rule_group, rule) DO UPDATE SET alert = excluded.alert";
inline constexpr std::string_view kRemoveAlert =
    "DELETE FROM alerts WHERE fingerprint = $1 AND rule_group = $2 AND rule = $3";
inline constexpr std::string_view kAlerts = "SELECT alert FROM alerts ORDER BY rule_group, rule, fingerprint";

inline constexpr std::string_view kAddTransition =
    "INSERT INTO transitions (at, fingerprint, rule_group, rule, from_state, to_state, reason, alert) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
inline constexpr std::string_view kTransitions =
    "SELECT at, from_state, to_state, reason, alert FROM transitions WHERE at >= $1 ORDER BY at DESC, id DESC LIMIT $2";

inline constexpr std::string_view kPutIncident =
    "INSERT INTO incidents (id, incident_key, title, severity, cause, labels, opened_at, resolved_at, details, owner, "
    "merged_into, firing, search_text) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
    "ON CONFLICT (id) DO UPDATE SET title = excluded.title, severity = excluded.severity, cause = excluded.cause, "
    "labels = excluded.labels, resolved_at = excluded.resolved_at, details = excluded.details, owner = excluded.owner, "
    "merged_into = excluded.merged_into, firing = excluded.firing, search_text = excluded.search_text";
// An incident is handed over whole at every change: what did not change in it is not written again.
inline constexpr std::string_view kPutIncidentAlert =
    "INSERT INTO incident_alerts (incident_id, position, alert) VALUES ($1, $2, $3) "
    "ON CONFLICT (incident_id, position) DO UPDATE SET alert = excluded.alert "
    "WHERE incident_alerts.alert <> excluded.alert";
inline constexpr std::string_view kCutIncidentAlerts =
    "DELETE FROM incident_alerts WHERE incident_id = $1 AND position >= $2";
inline constexpr std::string_view kPutTimelineEntry =
    "INSERT INTO incident_timeline (incident_id, position, at, kind, entry) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (incident_id, position) DO UPDATE SET at = excluded.at, kind = excluded.kind, entry = excluded.entry "
    "WHERE incident_timeline.at <> excluded.at OR incident_timeline.kind <> excluded.kind "
    "OR incident_timeline.entry <> excluded.entry";
inline constexpr std::string_view kCutTimeline =
    "DELETE FROM incident_timeline WHERE incident_id = $1 AND position >= $2";
inline constexpr std::string_view kIncidents =
    "SELECT id, incident_key, title, severity, cause, labels, opened_at, resolved_at, details FROM incidents "
    "WHERE ($1 = '' OR id = $1) AND ($2 = 0 OR resolved_at IS NULL) ORDER BY opened_at DESC, id LIMIT $3";
// `replace` tells whether a text is in another in the same way everywhere: by bytes.
inline constexpr std::string_view kSearchIncidents =
    "SELECT id, incident_key, title, severity, cause, labels, opened_at, resolved_at, details FROM incidents "
    "WHERE ($1 = 0 OR ($1 = 1 AND resolved_at IS NULL) OR ($1 = 2 AND resolved_at IS NOT NULL)) "
    "AND ($2 = '' OR owner = $2) AND ($3 = '' OR severity = $3) AND ($4 = '' OR replace(labels, $4, '') <> labels "
    "OR EXISTS (SELECT 1 FROM incident_alerts a WHERE a.incident_id = incidents.id "
    "AND replace(a.alert, $4, '') <> a.alert)) "
    "AND coalesce(resolved_at, $5) >= $5 AND opened_at <= $6 AND (opened_at < $7 OR (opened_at = $7 AND id > $8)) "
    "AND search_text LIKE $9 ESCAPE '\\' AND search_text LIKE $10 ESCAPE '\\' AND search_text LIKE $11 ESCAPE '\\' "
    "AND search_text LIKE $12 ESCAPE '\\' AND search_text LIKE $13 ESCAPE '\\' AND search_text LIKE $14 ESCAPE '\\' "
    "ORDER BY opened_at DESC, id LIMIT $15";
// Over, and yet alerts of theirs may change them, or are to go where they were merged into.
inline constexpr std::string_view kLingeringIncidents =
    "SELECT id, incident_key, title, severity, cause, labels, opened_at, resolved_at, details FROM incidents "
    "WHERE resolved_at IS NOT NULL AND (resolved_at >= $1 OR firing > 0 OR merged_into IN (SELECT id FROM incidents "
    "WHERE resolved_at IS NULL OR resolved_at >= $1 OR firing > 0)) ORDER BY resolved_at DESC, id LIMIT $2";
inline constexpr std::string_view kIncidentAlerts =
    "SELECT alert FROM incident_alerts WHERE incident_id = $1 ORDER BY position";
inline constexpr std::string_view kTimeline =
    "SELECT at, kind, entry FROM incident_timeline WHERE incident_id = $1 ORDER BY position";

inline constexpr std::string_view kAddMessage =
    "INSERT INTO outbox (idempotency_key, receiver, integration, order_key, notification, created_at, next_attempt_at, "
    "attempts, last_error) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '') ON CONFLICT (idempotency_key) DO NOTHING";
// The head of each (receiver, integration, order_key) whose time has come; of one incident, whose id begins the key,
// only the oldest, since merging gives it several groups. SQLite numbers parameters as they first appear. Receivers
// take turns, so that one with many waiting messages leaves room for the others.
inline constexpr std::string_view kDue =
    "SELECT sequence, idempotency_key, notification, created_at, next_attempt_at, attempts, last_error, "
    "coalesce((SELECT r.reference FROM message_references r WHERE r.receiver = heads.receiver "
    "AND r.integration = heads.integration AND r.order_key = heads.order_key), '') FROM ("
    "SELECT o.*, row_number() OVER (PARTITION BY o.receiver, o.integration ORDER BY o.next_attempt_at, o.sequence) "
    "AS turn FROM outbox o WHERE o.next_attempt_at <= $1 AND o.sequence IN (SELECT min(sequence) FROM outbox "
    "WHERE delivered_at IS NULL AND dead_at IS NULL AND ($2 = '' OR (receiver = $2 AND integration = $3)) "
    "GROUP BY receiver, integration, order_key) "
    "AND o.sequence IN (SELECT min(sequence) FROM outbox WHERE delivered_at IS NULL AND dead_at IS NULL "
    "AND ($2 = '' OR (receiver = $2 AND integration = $3)) GROUP BY receiver, integration, CASE WHEN idempotency_key "
    "LIKE 'group-%' THEN order_key ELSE substr(idempotency_key, 1, 16) END) "
    "AND ($2 = '' OR (o.receiver = $2 AND o.integration = $3))) AS heads "
    "ORDER BY turn, sequence LIMIT $4";
inline constexpr std::string_view kDelivered =
    "UPDATE outbox SET delivered_at = $1, attempts = attempts + 1, last_error = '' "
    "WHERE sequence = $2 AND delivered_at IS NULL AND dead_at IS NULL";
inline constexpr std::string_view kPutReference =
    "INSERT INTO message_references (receiver, integration, order_key, reference, at) "
    "SELECT receiver, integration, order_key, $1, $2 FROM outbox WHERE sequence = $3 "
    "ON CONFLICT (receiver, integration, order_key) DO UPDATE SET reference = excluded.reference, at = excluded.at";
inline constexpr std::string_view kRetryLater =
    "UPDATE outbox SET next_attempt_at = $1, last_error = $2, attempts = attempts + 1 "
    "WHERE sequence = $3 AND delivered_at IS NULL AND dead_at IS NULL";
inline constexpr std::string_view kGiveUp =
    "UPDATE outbox SET dead_at = $1, last_error = $2, attempts = attempts + 1 "
    "WHERE sequence = $3 AND delivered_at IS NULL AND dead_at IS NULL";
inline constexpr std::string_view kPendingMessages =
    "SELECT count(*) FROM outbox WHERE delivered_at IS NULL AND dead_at IS NULL";

// Their keys begin with the incident's id where they are about one incident.
// Those about this one or what was merged into it alone, and those about several of its time.
inline constexpr std::string_view kMessagesOf =
    "SELECT created_at, receiver, integration, notification, attempts, delivered_at, dead_at, last_error, "
    "idempotency_key FROM outbox WHERE idempotency_key LIKE $1 ESCAPE '\\' OR "
    "EXISTS (SELECT 1 FROM incidents WHERE merged_into = $2 AND outbox.idempotency_key LIKE incidents.id || '-%') OR "
    "(idempotency_key LIKE 'group-%' AND created_at >= $3 AND created_at <= $4) ORDER BY sequence LIMIT $5";

inline constexpr std::string_view kAddMeasurement =
    "INSERT INTO measurements (check_id, at, value, mark, feedback) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (check_id, at) DO UPDATE SET value = excluded.value, mark = excluded.mark";
inline constexpr std::string_view kNewestMeasurements =
    "SELECT check_id, at, value, mark, feedback FROM measurements WHERE check_id = $1 ORDER BY at DESC LIMIT $2";
inline constexpr std::string_view kMeasurementFeedback =
    "UPDATE measurements SET feedback = $1 WHERE check_id = $2 AND at = $3";
inline constexpr std::string_view kAllMeasurements =
    "SELECT check_id, at, value, mark, feedback FROM measurements WHERE at >= $1 AND ($2 = '' OR check_id = $2) "
    "ORDER BY check_id, at";

inline constexpr std::string_view kPutGroup =
    "INSERT INTO notification_groups (name, record) VALUES ($1, $2) "
    "ON CONFLICT (name) DO UPDATE SET record = excluded.record";
inline constexpr std::string_view kRemoveGroup = "DELETE FROM notification_groups WHERE name = $1";
inline constexpr std::string_view kGroups = "SELECT name, record FROM notification_groups ORDER BY name";

inline constexpr std::string_view kForgetStates[] = {"DELETE FROM alerts", "DELETE FROM notification_groups"};

inline constexpr std::string_view kPutSilence =
    "INSERT INTO silences (id, ends_at, silence) VALUES ($1, $2, $3) "
    "ON CONFLICT (id) DO UPDATE SET ends_at = excluded.ends_at, silence = excluded.silence";
inline constexpr std::string_view kSilences = "SELECT silence FROM silences ORDER BY id";
inline constexpr std::string_view kPruneSilences = "DELETE FROM silences WHERE ends_at < $1";

inline constexpr std::string_view kPutText =
    "INSERT INTO texts (name, text) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET text = excluded.text";
inline constexpr std::string_view kText = "SELECT text FROM texts WHERE name = $1";
inline constexpr std::string_view kTextUsed = "UPDATE texts SET used = $1 WHERE name = $2";
// Of before there was such a time.
inline constexpr std::string_view kTextsUsed = "UPDATE texts SET used = $1 WHERE used = 0";

inline constexpr std::string_view kPrune[] = {
    "DELETE FROM transitions WHERE at < $1",
    "DELETE FROM incidents WHERE resolved_at < $1",
    "DELETE FROM outbox WHERE coalesce(delivered_at, dead_at) < $1",
    "DELETE FROM measurements WHERE at < $1",
    "DELETE FROM texts WHERE used < $1",
    "DELETE FROM message_references WHERE at < $1 OR reference = ''",
};

}  // namespace weir::storage::sql
