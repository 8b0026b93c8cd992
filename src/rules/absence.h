#pragma once

#include <string>
#include <string_view>

#include "core/alert.h"
#include "core/labels.h"
#include "core/time.h"
#include "rules/state.h"

namespace weir::rules {

/// Name of the alerts that tell of alerts which are only kept because their data stopped coming.
inline constexpr std::string_view kDataAbsent = "DataAbsent";
/// Their labels that name the original and its severity.
inline constexpr std::string_view kAbsentAlert = "absent_alert";
inline constexpr std::string_view kAbsentSeverity = "absent_severity";

/// True of Weir's own DataAbsent alerts, not of a rule that somebody gave that name.
bool is_data_absent(const core::Alert& alert);

/// The original's labels with alertname DataAbsent and severity warning; what they were is in absent_alert and
/// absent_severity.
core::Labels absent_labels(const core::Labels& original);
/// The inverse of absent_labels.
core::Labels original_labels(const core::Labels& absent);

struct AbsenceOptions {
  std::string group;
  core::Duration after{};  // of evaluations without data
  core::Duration resolved_retention = std::chrono::minutes(15);
};

/// The DataAbsent alerts of one rule after its step: one fires for each of `alerts` that evaluations have found without
/// data for `after` (ActiveAlert::absent_since, which is the time passed to step(), so without clocks), and resolves
/// with the reason "data are back" or "the alert ended". Rules with another no_data than keep get none.
StepResult step_absences(const Rule& rule, const AlertMap& alerts, const AlertMap& previous, core::Time now,
                         const AbsenceOptions& options);

}  // namespace weir::rules
