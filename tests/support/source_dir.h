#pragma once

#include <string>

namespace weir::test {

/// The folder of this repository that the tests were built of, absolute. Not a definition of every file: each compiler
/// cache would hold them once for every folder.
std::string source_dir();

}  // namespace weir::test
