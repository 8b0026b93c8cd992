#pragma once

#include <map>
#include <string>

#include "core/error.h"
#include "quality/check.h"
#include "quality/judge.h"
#include "sql/source.h"

namespace weir::quality {

/// What one dataset's scan saw. `unreadable` holds the checks the database refuses to compute (a column that
/// does not exist, a type without an average), with its reason.
struct Scan {
  Observation observation;
  std::map<const Check*, core::Error> unreadable;
};

/// Measures all of a dataset in one SELECT. When the database refuses it, each check is tried without reading a
/// row, and the rest is measured without those that fail, so that one bad column spoils nothing but its own
/// checks. Errors: the table itself cannot be read (not_found, denied, invalid: a definite answer), or the
/// source did not answer (unavailable, timeout, cancelled …).
core::Result<Scan> scan(const Dataset& dataset, sql::SqlSource& source, const sql::QueryLimits& limits);

/// True for an answer about the thing asked, false for the lack of one.
bool is_definite(const core::Error& error);

}  // namespace weir::quality
