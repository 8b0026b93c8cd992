# What nearly every file includes, parsed once: half of the time of a build went into it.
set(precompiled <algorithm> <chrono> <functional> <map> <memory> <mutex> <optional> <ranges> <set> <span> <sstream> <string>
  <unordered_map> <variant> <vector> <fmt/format.h>)

add_library(weir_precompiled OBJECT cmake/precompiled.cpp)
target_link_libraries(weir_precompiled PRIVATE fmt::fmt)
target_precompile_headers(weir_precompiled PRIVATE ${precompiled})

if(WEIR_TESTS)
  find_package(GTest REQUIRED)
  add_library(weir_tests_precompiled OBJECT cmake/precompiled.cpp)
  target_link_libraries(weir_tests_precompiled PRIVATE fmt::fmt GTest::gmock)
  target_precompile_headers(weir_tests_precompiled PRIVATE ${precompiled} <gmock/gmock.h> <gtest/gtest.h>)
endif()
