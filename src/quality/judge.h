#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/measurement.h"
#include "core/time.h"
#include "quality/check.h"
#include "quality/planner.h"
#include "sql/source.h"

namespace weir::quality {

/// As in weir_check_status: 0 to 3.
enum class Outcome { pass, warn, fail, error };
std::string_view to_string(Outcome outcome);

/// What a scan gave, by the aggregates of its plan. Owns what it shows.
class Observation {
 public:
  Observation() = default;
  /// One row of the plan's columns.
  Observation(const ScanPlan& plan, const sql::Row& row);
  /// NULL when the scan did not have it.
  const sql::Value& value(std::string_view aggregate) const;
  double row_count() const;
  /// Takes over what the other saw besides.
  void add(const Observation& other);

  /// How an aggregate was measured where that is not plain: its value is off by at most a share of it (0 for none),
  /// and what a message says of it.
  struct Way {
    double relative_error = 0;
    std::string note;
  };
  void set_way(const std::string& aggregate, Way way) { ways_[aggregate] = std::move(way); }
  void set_value(const std::string& aggregate, sql::Value value) { values_[aggregate] = std::move(value); }
  /// Null for what was measured plainly.
  const Way* way(std::string_view aggregate) const;

 private:
  std::map<std::string, sql::Value, std::less<>> values_;
  std::map<std::string, Way, std::less<>> ways_;
};

/// A metric's value, or why there is none.
struct Measured {
  std::optional<double> value;
  std::string problem = {};  // a phrase that follows the check's name: "the table is empty"
  std::string note = {};     // what the message says besides the value
};

/// A scan's value as a number: whole or floating-point; text, times and NULL are none.
std::optional<double> to_number(const sql::Value& value);
/// The same as measured, with the reason where there is none: NULL, NaN and text are never a number.
Measured measure_number(const sql::Value& value, const Observation& observation, std::string_view column);
/// Why a column gave no value: nothing in the table is another matter than nothing in the column.
std::string absence(const Observation& observation, std::string_view column);

/// What anomaly detection expected of a value, and what it found.
struct Foresight {
  std::string_view state;  // anomaly::to_string()
  bool judged = false;     // while learning there is nothing but the state
  double expected = 0, low = 0, high = 0;
  double score = 0;  // in robust standard deviations, signed
};

struct Verdict {
  Outcome outcome = Outcome::error;
  std::optional<double> value;  // of the measure: for a change check the change
  std::string message;          // one sentence with the check's name, value and threshold
  std::string problem = {};     // why it could not be evaluated: "the table is empty"
  bool learning = false;        // a change check with too few loads to compare with: passes, and says so
  /// Of a probe that judges by its own history: what to add to it whatever the outcome; the run sets `check`.
  std::optional<core::Measurement> measurement = {};
  std::optional<Foresight> foresight = {};
  std::optional<std::string> keep = {};  // of a probe that keeps text: what to show it the next time
};

/// The verdict on a check that gave no value, or that the source refuses to compute.
Verdict cannot_tell(const Check& check, const std::string& problem);

/// Holds a value against a check's thresholds; fail counts before warn.
Verdict judge(const Check& check, const Measured& measured);

/// The earlier loads of a change check.
struct Baseline {
  std::vector<double> values;  // at most as many as the check asks for, oldest first; never the present load's
  bool known_load = false;     // the present load's very measurement is in the history already
  bool accepted = false;       // a person marked the present load as fine
  bool new_level = false;      // they begin with a load that a person marked as fine: fewer than asked for will do
  std::size_t objected = 0;    // how many of the newest loads in a row were objected to
};

/// Which measurements of the history a value is compared with. The history has one measurement a load: a
/// daemon measures every minute what is loaded once a day, and the same load measured a thousand times must not
/// wash out the loads before it. A load is told from the one before by its load time where a freshness check
/// gives one; elsewhere by its value, or after a day with the same value. Loads that were objected to are left out; one
/// of them that a person marked as fine begins a new level, and none before it counts.
Baseline baseline(const Change& change, double value, std::optional<core::Time> load,
                  const std::vector<core::Measurement>& history, core::Time now);

/// As judge() for a check with `change`: the value is the difference to the aggregate of the baseline, in
/// percent of that aggregate where the check says so. A check passes as learning until the baseline is complete.
Verdict judge_change(const Check& check, const Measured& measured, const Baseline& baseline);

/// What to add to the history after judging: the measurement of a new load. A failing or warning one is marked as
/// anomalous and never a yardstick for later loads, unless a person marks it as fine; only the first of many in a row
/// are kept. The time is the load's where it is known.
std::optional<core::Measurement> to_remember(const std::string& identity, const Verdict& verdict, double value,
                                             const Baseline& baseline, std::optional<core::Time> load, core::Time now);

}  // namespace weir::quality
