#pragma once

namespace weir::runtime {

/// Has the C library give freed memory back to the system. A cycle allocates as much again as what is kept, on
/// several threads; glibc would hold on to the peaks of each. To be called first in the process.
void return_freed_memory();

/// Gives the pages within the heap back that hold nothing: after a large cycle they lie scattered, where only this
/// finds them. Some milliseconds for tens of megabytes.
void return_unused_pages();

/// Lets go of the pages of the program's and its libraries' files: most of them only the start needs, and those in use
/// come back from the system's cache at their next use, in microseconds.
void return_program_pages();

}  // namespace weir::runtime
