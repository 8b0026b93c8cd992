/// libpqxx 6.4 loses the result of a query whose connection broke: a few hundred bytes each time. What Weir itself
/// allocates counts as ever.
extern "C" const char* __lsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx\n"; }
