#include "runtime/memory.h"

#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <string>

namespace weir::runtime {
namespace {

/// Resident kilobytes of files' pages: of the program and its libraries.
long file_pages() {
  std::ifstream file("/proc/self/smaps_rollup");
  std::map<std::string, long> sizes;
  std::string line;
  std::getline(file, line);
  for (std::string key, unit; file >> key;) {
    file >> sizes[key];
    std::getline(file, unit);
  }
  return sizes["Rss:"] - sizes["Anonymous:"];
}

TEST(ReturnProgramPagesTest, ThePagesOfFilesGoAndTheProgramGoesOn) {
  const long before = file_pages();
  return_program_pages();
  EXPECT_LT(file_pages(), before / 2);
}

}  // namespace
}  // namespace weir::runtime
