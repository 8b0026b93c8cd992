#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/time.h"
#include "sql/source.h"

/// The zero-scan gate: when nothing was written to a table, what was measured of it holds. It must never say so
/// wrongly, so it believes an engine's counters only where they can be:
/// - a mark is read before the scan that it is kept with: what is written meanwhile is seen by the next mark;
/// - counters are compared whole, and with them what changes when they are lost: the server's start, resets of its
///   statistics, the file of the table;
/// - counters that come late (PostgreSQL) count only while no session may hold any back since the mark before;
/// - tables whose content does not come from writes to them (views, foreign tables, row security) have no mark.
namespace weir::quality {

/// What an engine says of a table's writes at one moment.
struct WriteMark {
  sql::Row counters;
  std::string epoch;                // another one: the counters began anew
  double clock = 0;                 // the server's, seconds since 1970
  std::optional<double> unsettled;  // the counters may lack what was committed up to then
};

/// The mark of `change_counters` and `counter_delay` as answered; `delay` is null for an engine that has none. Nothing
/// where any of them says that it cannot be believed.
std::optional<WriteMark> write_mark(const core::Result<sql::Table>& counters, const core::Result<sql::Table>* delay);

/// Whether nothing was committed to the table between the two marks.
bool unchanged(const WriteMark& before, const WriteMark& now);

/// Whether SQL of a check file, written for the dialect of this name, gives the same for the same rows at any time and
/// for anyone. Only what is known to is: any other function, and words and literals for the present time, are not.
bool is_stable(std::string_view sql, std::string_view engine);

}  // namespace weir::quality
