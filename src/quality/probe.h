#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/measurement.h"
#include "core/time.h"
#include "quality/judge.h"
#include "quality/planner.h"
#include "sql/source.h"

namespace weir::quality {

/// A statement of a check's own, besides the SELECT it shares with the other checks of its dataset. Two checks that
/// need the same one share its answer.
struct Statement {
  std::string sql = {};
  std::vector<sql::Value> parameters = {};
  std::string source = {};  // an entry of `sources:`; "" is the dataset's own
  std::size_t rows = 1;     // of the answer, at most
  /// Instead of `sql`: the rows of this table are counted, in the SQL of the source that has it.
  std::vector<std::string> count_of = {};
  std::string where = {};  // of count_of: a condition, "" for none
  /// Not run where a valid unique index has no column but these: then nothing is there twice. The answer is then a
  /// table without columns and rows.
  std::vector<std::string> unless_unique = {};
  /// It reads nothing but the dataset's table, and its answer changes only with that.
  bool own_table = false;
  bool operator==(const Statement&) const = default;
};

/// What a probe asks of the database.
struct Needs {
  std::vector<Aggregate> aggregates = {};  // of the dataset's one SELECT; count(*) is always there
  std::vector<Statement> statements = {};  // each a query of its own
  bool columns = false;                    // names and types from the catalog
  std::string impossible = {};             // why this source cannot tell, "" when it can
};

/// A column of a table as the catalog has it.
struct Column {
  std::string name;
  std::string type;  // as the engine writes it: "character varying(20)"
};

/// Where the rows are that a check objects to, as SQL: `SELECT … FROM <from> WHERE (<where>)`.
struct FailingRows {
  std::string from;
  std::string where = {};       // "" for all of them
  std::string columns_of = {};  // what stands before a column of the dataset: "weir_source."
};

/// What came back for a probe's needs. Lives for one call.
struct Findings {
  const Observation& scan;
  std::span<const core::Result<sql::Table>> answers;  // of the statements, in their order
  std::span<const Column> columns;                    // in order; empty unless asked for
  const Dataset& dataset;
  const sql::Dialect& dialect;
  core::Time now;
  std::span<const core::Measurement> history = {};  // as many of Probe::history() as there are, oldest first
  std::optional<core::Time> load = std::nullopt;    // when the newest row came, where a freshness check tells
  std::string_view kept = {};                       // of a probe that keeps text: its last, "" when there is none
};

/// One group's value of a check with several: "country=DE".
struct GroupValue {
  std::string group;
  Measured measured;
};

/// What one check looks at and how it is seen: a kind of check is one file with a class of these and its parser,
/// and one line of the table in registry.cpp. Pure: it writes SQL and reads answers, and touches no database.
class Probe {
 public:
  virtual ~Probe() = default;
  /// What messages call it: "missing_count(customer_id)".
  virtual std::string text() const = 0;
  /// Unlike that of any probe that may measure another value: the text with all settings that matter.
  virtual std::string identity() const { return text(); }
  /// The columns it reads, as written: one of them is the label `column`, and a missing one is named with a hint.
  virtual std::vector<std::string> columns() const { return {}; }
  /// The columns that it says the table has, as a contract does.
  virtual std::vector<std::string> declared() const { return {}; }
  /// The unit of its value: thresholds must be in it.
  virtual Unit unit() const { return Unit::plain; }
  /// Whether "change for" may stand before it.
  virtual bool may_change() const { return false; }

  virtual Needs needs(const Dataset& dataset, const sql::Dialect& dialect) const = 0;
  /// The number that thresholds, changes and anomaly detection are about, or why there is none.
  virtual Measured measure(const Findings& findings) const = 0;
  /// What a check finds that is no matter of one number (a schema's violations); by default the number is held
  /// against the check's thresholds.
  virtual Verdict verdict(const Check& check, const Findings& findings) const;

  /// The series (`weir_dataset_…`) that shows what it measured of its column, "" for none.
  virtual std::string_view series() const { return {}; }
  virtual std::optional<double> series_value(const Findings& findings) const { return measure(findings).value; }
  /// When the newest row came: freshness tells one load from the next.
  virtual std::optional<core::Time> newest(const Findings& findings) const;
  /// True when it gives a value for each of several groups instead of one.
  virtual bool grouped() const { return false; }
  virtual std::vector<GroupValue> groups(const Findings& findings) const;
  /// How many measurements of the past its verdict wants to see; more than 0 also has its own kept.
  virtual std::size_t history() const { return 0; }
  /// Whether its verdicts have a foresight.
  virtual bool foresees() const { return false; }
  /// Whether its verdict is about what was seen the last time, kept as text (Verdict::keep, Findings::kept).
  virtual bool keeps() const { return false; }
  /// The rows it objects to, for a sample of them; nothing where single rows are not what is wrong.
  virtual std::optional<FailingRows> failing_rows(const Dataset& dataset, const sql::Dialect& dialect) const;
};

using ProbePtr = std::shared_ptr<const Probe>;

/// When the newest row came, by the freshness checks of the dataset: tells one load from the next. A time in
/// the future is none: it would make every later load look old.
std::optional<core::Time> load_time(const Findings& findings);

}  // namespace weir::quality
