#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "collectors/schema_registry.h"

namespace weir::collectors {

// What the parts of SchemaRegistryCollector share.

namespace registry_metrics {
inline constexpr std::string_view kSubjects = "schema_registry_subjects";
inline constexpr std::string_view kDeletedSubjects = "schema_registry_subjects_soft_deleted";
inline constexpr std::string_view kVersions = "schema_registry_subject_versions";
inline constexpr std::string_view kLatest = "schema_registry_subject_latest_version";
inline constexpr std::string_view kLevel = "schema_registry_subject_compatibility_level";
inline constexpr std::string_view kCompatible = "schema_registry_subject_compatible";
inline constexpr std::string_view kIncompatibleVersions = "schema_registry_subject_incompatible_versions";
inline constexpr std::string_view kDeletedVersions = "schema_registry_subject_soft_deleted_versions";
inline constexpr std::string_view kInfo = "schema_registry_subject_info";
inline constexpr std::string_view kLastChange = "schema_registry_subject_last_change_timestamp_seconds";
inline constexpr std::string_view kFinding = "schema_registry_subject_finding";
inline constexpr std::string_view kFindings = "schema_registry_findings";
inline constexpr std::string_view kCandidate = "schema_registry_candidate_compatible";
inline constexpr std::string_view kChecks = "schema_registry_compatibility_checks_total";
}  // namespace registry_metrics

struct SchemaRegistryCollector::Cycle {
  const core::CollectContext& context;
  core::Batch batch = {};
  std::optional<std::string> global_level = {};
  std::map<std::string, std::optional<std::string>> context_levels = {};
  std::set<std::string, std::less<>> faulty = {};  // subjects of which something could not be seen
  std::set<std::string, std::less<>> faulty_candidates = {};
  std::set<std::string, std::less<>> listed = {};
  std::set<std::string, std::less<>> candidates = {};          // subjects of the candidates of this cycle
  std::optional<std::set<std::string, std::less<>>> all = {};  // with those deleted softly
  std::vector<std::string> none = {};                          // subjects first seen with the level NONE
  mutable std::map<std::string, std::size_t> findings = {};
  std::pair<core::Time, std::string> dated_ahead = {};  // the latest such version, and its subject
  int failures = 0;                                     // in a row
  bool gave_up = false;
};

}  // namespace weir::collectors
