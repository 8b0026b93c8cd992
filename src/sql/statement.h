#pragma once

#include <string_view>

#include "core/error.h"
#include "core/time.h"
#include "sql/source.h"

namespace weir::sql {

/// How an engine reads quotes, as far as it is known.
struct Quoting {
  bool brackets = false;          // names in [brackets] too
  bool backslash_escapes = true;  // in texts; where it depends on settings both ways must be harmless
};

/// Whether a text is one statement that only reads: it begins with SELECT, WITH, VALUES, TABLE, EXPLAIN or DESCRIBE,
/// holds no second statement and, outside of quotes and comments, no keyword that writes. Stricter than any engine:
/// what some engines take for quotes or comments and others do not (`$`, `#`, q'[…]', nested comments, --x) is
/// refused. The guard of engines that have no read-only transaction; a role that may only read is the other one.
core::Result<void> check_reads_only(std::string_view statement, Quoting quoting, std::string_view where);

/// What is left for a query until the sooner of its bounds; an error (timeout) when there is nothing left, or
/// (cancelled) when Weir shuts down.
core::Result<core::Duration> time_left(const QueryLimits& limits, core::Duration statement_timeout,
                                       std::string_view where);

/// Notes each duration that is not from 1ms to 1h; for the parse functions of the source types.
template <class Reader>
core::Duration bounded_duration(Reader& reader, std::string_view key, core::Duration fallback) {
  const core::Duration value = reader.duration(key, fallback);
  if (value < std::chrono::milliseconds(1) || value > std::chrono::hours(1)) {
    reader.error(key, "must be from 1ms to 1h");
  }
  return value;
}

}  // namespace weir::sql
