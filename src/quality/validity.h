#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "sql/dialect.h"

namespace weir::quality {

/// A list of values as a check file has them: all texts, or all numbers as written.
struct Values {
  std::vector<std::string> items;
  bool numbers = false;
};

/// Which values of a column count as missing and which as valid: SodaCL's settings of these names, under a check or
/// under "configurations for <table>".
struct Validity {
  std::optional<Values> missing_values;
  std::optional<std::string> missing_regex;
  std::optional<std::string> missing_format;
  std::optional<Values> valid_values;
  std::optional<Values> invalid_values;
  std::optional<std::string> valid_regex;
  std::optional<std::string> invalid_regex;
  std::optional<std::string> valid_format;
  std::optional<std::string> invalid_format;
  std::optional<double> valid_min;
  std::optional<double> valid_max;
  std::optional<double> valid_length;
  std::optional<double> valid_min_length;
  std::optional<double> valid_max_length;
  std::optional<bool> include_null;

  /// True when nothing is set.
  bool empty() const { return identity().empty(); }
  /// True when something says which values are valid or invalid.
  bool judges() const;
  /// Takes over what is set elsewhere and not here; lists are added to.
  void merge(const Validity& defaults);
  /// Text that differs when the settings do, "" when nothing is set.
  std::string identity() const;
};

/// SodaCL's keys: "missing values", "valid min length" …
const std::vector<std::string>& validity_keys();

/// Reads the value under one of these keys; a mistake is noted, `what` names the thing in it. False for a key that is
/// none of them.
bool read_validity(std::string_view key, const config::Node& value, Validity& validity, const std::string& what,
                   config::Diagnostics& diagnostics);

/// Some rows of a dataset, some values of a column: what a check's filter and validity settings let through.
struct Scope {
  std::string column;  // as written, without quotes
  std::string filter;  // a SQL condition, "" for none
  Validity validity;

  /// What tells two scopes of one column apart: "" without filter and settings.
  std::string identity() const;
};

/// The SQL of a scope in one dialect, by the rules of Soda 3: a missing value is neither valid nor invalid; valid is
/// what every "valid …" setting takes and no "invalid …" setting does.
class ScopeSql {
 public:
  ScopeSql(const Scope& scope, const sql::Dialect& dialect);

  /// Conditions on a row; the filter is not in them.
  std::string missing() const;
  std::string valid() const;
  std::string invalid() const;
  /// The condition with the filter.
  std::string filtered(const std::string& condition) const;
  /// How many rows the condition holds for, within the filter.
  std::string count(const std::string& condition) const;
  /// How many rows the filter lets through.
  std::string rows() const;
  /// The column, NULL for what the filter or the settings do not let through; a number where a format says that the
  /// text is one.
  std::string value() const;
  /// The column, NULL for what the filter does not let through.
  std::string filtered_column() const;
  /// Why the engine cannot tell, "" when it can.
  const std::string& impossible() const { return impossible_; }

 private:
  std::string matches(const std::string& regex) const;
  std::string format(const std::string& name) const;
  std::string in(const Values& values) const;
  std::string number_of(const std::string& text, bool money) const;
  std::string bound(std::string_view comparison, double value) const;
  std::vector<std::string> valid_conditions() const;
  std::vector<std::string> invalid_conditions() const;
  std::string or_null(const std::string& condition) const;

  const Scope& scope_;
  const sql::Dialect& dialect_;
  std::string column_;
  mutable std::string impossible_;
};

}  // namespace weir::quality
