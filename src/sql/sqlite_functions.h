#pragma once

struct sqlite3;

namespace weir::sql {

/// Gives a connection the functions that SQLite lacks, for `sqlite_dialect()`:
///
/// weir_sum(x): exact for whole numbers, compensated (Neumaier) for others; NULL of nothing.
/// weir_stddev_pop, _stddev_samp, weir_var_pop, _var_samp (x): Welford's method, one pass.
/// weir_percentile_cont, _disc (x, p): as SQL's WITHIN GROUP; holds all values, at most 20 million, else "too big".
/// weir_matches(text, pattern): RE2, `.` takes newlines as PostgreSQL's does; an unreadable pattern is an error.
/// weir_session(): a text that no other connection has.
///
/// The aggregates skip NULL and give the text 'text' for a column that holds text or blobs. Returns an SQLite code.
int add_functions(sqlite3* database);

}  // namespace weir::sql
