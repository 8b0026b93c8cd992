#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "config/reader.h"
#include "quality/check.h"
#include "quality/expression.h"
#include "quality/probe.h"
#include "quality/validity.h"

namespace weir::quality {

/// What a check file says around its checks.
struct Surroundings {
  std::map<std::string, std::string> variables = {};  // `${name}` in texts is replaced before anything is parsed
  std::map<std::string, Validity> columns = {};       // of the dataset: `configurations for <table>`
  /// The condition of a table's filter by its name; null when the file declares none.
  std::function<const std::string*(const std::vector<std::string>& table, const std::string& name)> filter = {};
};

/// What the parser of a kind of check is given. It reads the settings that are its own through `reader` (what nobody
/// asks for is an error), notes every mistake, and returns null after one.
struct ProbeContext {
  const config::Node& line;      // the check as written
  const config::Node& settings;  // what stands under it: a mapping, or null
  config::MapReader& reader;     // of the settings
  const Expression& expression;  // of a metric form: its arguments; the metric's word in a line form is ""
  Check& check;                  // change and thresholds as read so far; a line form with own thresholds sets them
  const std::vector<std::string>& table;
  config::Diagnostics& diagnostics;
  const std::string& what;  // names the check in messages
  const Surroundings& around;

  /// Notes a mistake `offset` bytes into the check's line, or at a node.
  void error(std::size_t offset, const std::string& message) const;
  void error(const config::Node& node, const std::string& message) const;
  /// One line of text under `key`, "" when absent or wrong (then noted).
  std::string setting(std::string_view key) const;
  /// A zone such as "when < 10" under `key`.
  std::optional<Condition> zone(std::string_view key) const;
  /// The SQL condition under `filter`, "" when absent or wrong (then noted).
  std::string condition() const;
  /// The values of a column that the check is about: `filter`, the validity settings under it, and the column's own.
  Scope scope(const std::string& column) const;
  /// The same for a kind of check whose values are all alike: only `filter` counts.
  Scope rows(const std::string& column) const;
  /// The path of a file named beside the check file.
  std::string beside(const std::string& file) const;
};

/// A check about one number of the grammar `[change … for] word[(arguments)] [condition]`.
struct MetricForm {
  std::string_view word;
  ProbePtr (*parse)(ProbeContext& context);
};

/// A check with a shape of its own: `schema`, `values in (a) must exist in b (c)`, `failed rows`.
struct LineForm {
  std::string_view name;                                                    // for messages
  bool (*matches)(const config::Node& line, const config::Node& settings);  // whether a check is of this form
  /// How it has thresholds: as `warn:` and `fail:` conditions that are read before; or it does all that itself.
  enum class Thresholds { required, optional, own } thresholds;
  ProbePtr (*parse)(ProbeContext& context);
};

/// The kinds of checks there are. Another is a file of its own and a line in one of these tables.
std::span<const MetricForm> metric_forms();
std::span<const LineForm> line_forms();

}  // namespace weir::quality
