/// libpqxx 6.4 drops libpq's result object (2 KB) when it throws because the connection broke in a statement, and
/// PostgreSQL's ODBC driver one when a statement fails. The leak sanitizer asks for this by name; without the sanitizer
/// nobody calls it.
extern "C" const char* __lsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx\nleak:psqlodbc\nleak:libodbc\n"; }
