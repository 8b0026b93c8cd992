#pragma once

#include <string>
#include <string_view>

namespace weir::collectors {

/// What a stack trace says went wrong, on one line: its first line, and the innermost of its causes. Of Java's
/// ("Caused by: …") and Python's (whose last line is the error); of any other text the first line. Packages of classes
/// are left out.
std::string trace_summary(std::string_view trace);

}  // namespace weir::collectors
