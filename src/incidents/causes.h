#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/alert.h"
#include "core/batch.h"
#include "core/series_source.h"
#include "incidents/evidence.h"

namespace weir::incidents {

struct Cause {
  std::string sentence;                   // names the topic, group or table
  double score = 0;                       // 0 to 1, how well the evidence fits
  std::optional<core::Node> origin = {};  // what is ill, where that is not what the alert is about
  // Filled in by likely_cause():
  std::string hypothesis = {};             // "consumer_down"; "" where none fits
  std::vector<std::string> evidence = {};  // what it rests on, with numbers; what was less likely
  core::Labels about = {};                 // of the alert that it explains
};

/// What goes wrong downstream of a fault, and what of it may make a thing ill.
enum class Harm : std::uint8_t {
  none = 0,
  missing = 1,      // less data, later, or none
  wrong = 2,        // data that cannot be read or is not right
  excess = 4,       // more data than usual, or the same again
  unavailable = 8,  // what holds the data does not take or give it
  unseen = 16,      // Weir cannot look
};
constexpr Harm operator|(Harm a, Harm b) {
  return static_cast<Harm>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool overlap(Harm a, Harm b) { return (static_cast<unsigned>(a) & static_cast<unsigned>(b)) != 0; }

/// One explanation an alert may have. Pure; nothing when the evidence does not support it.
struct Hypothesis {
  std::string_view name;
  std::optional<Cause> (*examine)(const Evidence& evidence);
  Harm gives = Harm::none;  // to what is downstream
  Harm takes = Harm::none;  // what may be at the root of it upstream
};

/// Of the hypothesis of this name; what nothing explains ("") may come from anything, and lead to missing or wrong
/// data.
Hypothesis hypothesis(std::string_view name);

/// All of them; a new one is a function and a line in causes.cpp.
std::span<const Hypothesis> hypotheses();

/// What causes are looked for in.
struct Surroundings {
  const core::SeriesSource& series;
  const std::vector<core::Event>& events;
  core::Time now;
  std::span<const core::Fault> faults = {};  // what cannot be seen or has no value at present
};

/// Where an error says that it is one of Weir's own; what of it is named behind the slash.
inline constexpr std::string_view kStorageFault = "storage";
inline constexpr std::string_view kOwnSetAside = "storage/set-aside";
inline constexpr std::string_view kOwnRewritten = "storage/rewritten";
inline constexpr std::string_view kOwnEvents = "openlineage";
inline constexpr const char* kOwnCatalog = "catalog/";
inline constexpr const char* kOwnRules = "rules/";
inline constexpr const char* kOwnReceiver = "receiver/";
inline constexpr const char* kOwnLoss = "lost/";
inline constexpr const char* kOwnHeartbeat = "heartbeat/";
inline constexpr const char* kOwnSnapshot = "series/";

/// The best supported explanation of the firing ones among these alerts, with what it rests on; without any, a sentence
/// with score 0 that says what is known. Causes for which `preferred` holds go before all others.
Cause likely_cause(const std::vector<core::Alert>& alerts, const Surroundings& surroundings,
                   const std::function<bool(const Cause&)>& preferred = {});

// Kafka
std::optional<Cause> consumer_down(const Evidence& evidence);
std::optional<Cause> consumer_stuck(const Evidence& evidence);
std::optional<Cause> consumer_too_slow(const Evidence& evidence);
std::optional<Cause> traffic_surge(const Evidence& evidence);
std::optional<Cause> messages_deleted_unread(const Evidence& evidence);
std::optional<Cause> poison_messages(const Evidence& evidence);
std::optional<Cause> deserialization_errors(const Evidence& evidence);
std::optional<Cause> source_stopped(const Evidence& evidence);
std::optional<Cause> settings_changed(const Evidence& evidence);
std::optional<Cause> broker_gone(const Evidence& evidence);
std::optional<Cause> partitions_unassigned(const Evidence& evidence);
std::optional<Cause> message_fails(const Evidence& evidence);
std::optional<Cause> group_rewound(const Evidence& evidence);
std::optional<Cause> topic_deleted(const Evidence& evidence);
std::optional<Cause> topic_renewed(const Evidence& evidence);
std::optional<Cause> rebalance_storm(const Evidence& evidence);
std::optional<Cause> partition_skewed(const Evidence& evidence);
std::optional<Cause> retention_reaches_group(const Evidence& evidence);
std::optional<Cause> random_group_names(const Evidence& evidence);
std::optional<Cause> log_directory_offline(const Evidence& evidence);
std::optional<Cause> replicas_lag(const Evidence& evidence);
std::optional<Cause> transaction_hangs(const Evidence& evidence);
std::optional<Cause> canaries_lost(const Evidence& evidence);
std::optional<Cause> canaries_slow(const Evidence& evidence);
std::optional<Cause> canaries_refused(const Evidence& evidence);
// Machines
std::optional<Cause> disk_near_full(const Evidence& evidence);
// Schemas and tables
std::optional<Cause> candidate_incompatible(const Evidence& evidence);
std::optional<Cause> schema_incompatible(const Evidence& evidence);
std::optional<Cause> schema_finding(const Evidence& evidence);
std::optional<Cause> schema_of_topic(const Evidence& evidence);
std::optional<Cause> load_late(const Evidence& evidence);
std::optional<Cause> load_size(const Evidence& evidence);
std::optional<Cause> load_duplicated(const Evidence& evidence);
std::optional<Cause> distribution_shift(const Evidence& evidence);
std::optional<Cause> schema_changed(const Evidence& evidence);
std::optional<Cause> check_outcome(const Evidence& evidence);
std::optional<Cause> check_error(const Evidence& evidence);
// Services
std::optional<Cause> connector_failed(const Evidence& evidence);
std::optional<Cause> connector_stopped(const Evidence& evidence);
std::optional<Cause> pipeline_late(const Evidence& evidence);
std::optional<Cause> pipeline_run_failed(const Evidence& evidence);
std::optional<Cause> finding_told(const Evidence& evidence);
// Weir itself
std::optional<Cause> checks_unseen(const Evidence& evidence);
std::optional<Cause> own_link_down(const Evidence& evidence);
std::optional<Cause> own_part_fails(const Evidence& evidence);
std::optional<Cause> own_outbox_waits(const Evidence& evidence);
std::optional<Cause> own_series_refused(const Evidence& evidence);
std::optional<Cause> own_network_gone(const Evidence& evidence);

}  // namespace weir::incidents
