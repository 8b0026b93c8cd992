#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "core/time.h"

namespace weir::quality {

class Probe;

enum class Unit { plain, percent, duration };

/// A set of numbers: a comparison with one bound or with two.
struct Condition {
  enum class Op { less, less_equal, equal, greater_equal, greater, not_equal, between, not_between };
  Op op = Op::equal;
  double low = 0;             // the bound, or the lower of two; a duration in seconds
  double high = 0;            // of between
  bool low_included = true;   // of between
  bool high_included = true;  // of between
  Unit unit = Unit::plain;

  /// False for NaN, whatever the operator.
  bool holds(double value) const;
  /// Whether one of its bounds is from `from` to `to`.
  bool has_bound_within(double from, double to) const;
  /// True when every number that it holds for is one that `other` holds for.
  bool within(const Condition& other) const;
  /// "> 0", "between 10 and 20", "< 1h30m", as it is written in check files.
  std::string to_string() const;
};

/// `change [avg|min|max last N] [percent] for <metric>`, `change same day last week for <metric>`: the difference to
/// earlier loads, not the value itself.
struct Change {
  enum class Aggregate { avg, min, max };
  enum class SameDay { no, last_week, last_month };
  Aggregate aggregate = Aggregate::min;
  int last = 1;
  SameDay same_day = SameDay::no;
  bool percent = false;

  std::string to_string() const;  // "change avg last 7 percent for"
};

/// How many failing rows may be shown, and which of their columns.
struct SampleSettings {
  std::size_t limit = 0;  // none
  std::vector<std::string> columns = {};
};

/// One line of a check file. Either `expected` is given (what passes), or the warn and fail zones are.
struct Check {
  std::shared_ptr<const Probe> probe;  // what is measured; never null in a check that was read
  std::optional<Change> change;
  std::optional<Condition> expected;
  std::optional<Condition> warn_when;
  std::optional<Condition> fail_when;
  std::string name;  // given by `name:`, else the text as written; unique within its dataset
  std::map<std::string, std::string> attributes;  // owner, severity, dimension …
  SampleSettings samples;
  std::string given_identity;  // `identity:`, which stays when the check is rewritten
  config::Position position;

  /// What is measured, without thresholds: "change percent for row_count".
  std::string measure() const;
  /// The same as is unique for what is measured, settings included: identifies its measurements in the history.
  std::string identity() const;
  /// The whole check in canonical form: the same for two that mean the same.
  std::string canonical() const;
};

/// A table that is measured by what came to it: see incremental.h.
struct IncrementalSettings {
  std::string column;                                 // when a row came, never changed later
  core::Duration lateness = std::chrono::hours(2);    // rows come no later than this
  core::Duration reconcile = std::chrono::hours(24);  // a full scan at least this often
  bool exact_percentiles = false;                     // of the whole table each time, not from sketches
};

/// A section "for each dataset": checks of every table whose name fits.
struct ForEach {
  std::string alias;                 // `${alias}` in the checks is the table's name
  std::vector<std::string> include;  // SQL LIKE patterns: % is any text, _ any character; "schema.pattern"
  std::vector<std::string> exclude;
  std::function<std::vector<Check>(const std::string& table)> checks;  // as read for that table

  /// Whether a table is meant; `visible` when its name alone finds it.
  bool fits(std::string_view schema, std::string_view table, bool visible) const;
};

/// The checks of one table and filter: they share one SELECT.
struct Dataset {
  std::vector<std::string> table;  // the parts of its name: schema, table
  std::string filter;              // the filter's name, "" for none
  std::string where;               // the filter's SQL condition
  std::vector<Check> checks;
  std::optional<IncrementalSettings> incremental = {};  // of a dataset without filter
  std::shared_ptr<const ForEach> for_each = {};         // then there is no table yet: a run reads the catalog
  config::Position position;

  /// The label `dataset`: "fct_orders", "sales.fct_orders [recent]".
  std::string label() const;
};

/// A number as messages show it: 6 significant decimals, 13 of one that is 100,000 or more, no trailing zeros.
std::string show_number(double value);
/// The same in its unit: "12.5%", "1h30m".
std::string show_value(double value, Unit unit);

}  // namespace weir::quality
