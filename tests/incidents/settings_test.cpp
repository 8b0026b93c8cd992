#include "incidents/settings.h"

#include <gtest/gtest.h>

namespace weir::incidents {
namespace {

using namespace std::chrono_literals;

IncidentSettings parse(const std::string& text, config::Diagnostics& diagnostics) {
  return parse_incidents_section(config::parse_yaml(text, "weir.yml", diagnostics), diagnostics);
}

TEST(IncidentSettings, TheWindowIsHalfAnHourUnlessGiven) {
  config::Diagnostics diagnostics;
  EXPECT_EQ(parse("{}", diagnostics).reopen_within, 30min);
  EXPECT_EQ(parse("reopen_within: 2h", diagnostics).reopen_within, 2h);
  EXPECT_EQ(parse("reopen_within: 0s", diagnostics).reopen_within, 0s);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
}

TEST(IncidentSettings, WhatIsWrongIsNamedWithItsPlace) {
  for (const char* text : {"reopen_within: 8d", "reopen_within: soon", "reopen: 30m"}) {
    config::Diagnostics diagnostics;
    parse(text, diagnostics);
    ASSERT_FALSE(diagnostics.ok()) << text;
    EXPECT_NE(diagnostics.to_string().find("weir.yml:1:"), std::string::npos) << diagnostics.to_string();
  }
}

}  // namespace
}  // namespace weir::incidents
