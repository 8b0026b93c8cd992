#include "quality/anomaly_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace weir::quality::anomaly {
namespace {

using ::testing::HasSubstr;

core::Time at(int year, unsigned month, unsigned day, int hour) {
  return core::Time(std::chrono::sys_days(std::chrono::year(year) / month / day)) + std::chrono::hours(hour);
}

/// A version 2 file without any change of its own: all is in the footer.
std::string file(const std::string& footer, std::int32_t first = 0) {
  const auto number = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> static_cast<unsigned>(shift));
    return bytes;
  };
  const std::string header =
      "TZif2" + std::string(15, '\0') + number(0) + number(0) + number(0) + number(0) + number(1) + number(4);
  const std::string type = number(static_cast<std::uint32_t>(first)) + std::string(2, '\0') + std::string("UTC\0", 4);
  return header + type + header + type + "\n" + footer + "\n";
}

TEST(AnomalyZone, TheFootersRuleHoldsForYearsToCome) {
  const auto berlin = parse_zone(file("CET-1CEST,M3.5.0,M10.5.0/3"));
  ASSERT_TRUE(berlin.has_value());
  EXPECT_EQ(berlin->offset(at(2025, 7, 1, 0)), std::chrono::hours(2));
  EXPECT_EQ(berlin->offset(at(2025, 10, 26, 0)), std::chrono::hours(2));
  EXPECT_EQ(berlin->offset(at(2025, 10, 26, 1)), std::chrono::hours(1));
  EXPECT_EQ(berlin->offset(at(2031, 3, 30, 0)), std::chrono::hours(1));
  EXPECT_EQ(berlin->offset(at(2031, 3, 30, 1)), std::chrono::hours(2));
}

TEST(AnomalyZone, SouthernSummersAndPlainOffsets) {
  const auto sydney = parse_zone(file("AEST-10AEDT,M10.1.0,M4.1.0/3"));
  ASSERT_TRUE(sydney.has_value());
  EXPECT_EQ(sydney->offset(at(2025, 1, 1, 0)), std::chrono::hours(11));
  EXPECT_EQ(sydney->offset(at(2025, 6, 1, 0)), std::chrono::hours(10));
  const auto kolkata = parse_zone(file("IST-5:30", 19800));
  ASSERT_TRUE(kolkata.has_value());
  EXPECT_EQ(kolkata->offset(at(2025, 6, 1, 0)), std::chrono::minutes(330));
  const auto numeric = parse_zone(file("<-03>3", -10800));
  ASSERT_TRUE(numeric.has_value());
  EXPECT_EQ(numeric->offset(at(2025, 6, 1, 0)), std::chrono::hours(-3));
}

TEST(AnomalyZone, DamagedFilesAreRefused) {
  const std::string whole = file("CET-1CEST,M3.5.0,M10.5.0/3");
  const std::size_t footer = whole.find("\nCET");
  for (std::size_t length = 0; length < footer; ++length) {
    EXPECT_FALSE(parse_zone(whole.substr(0, length)).has_value()) << length;
  }
  EXPECT_FALSE(parse_zone("no such thing at all, but long enough for a header of 44 bytes").has_value());
  std::string counts = whole;
  counts[20] = '\x7f';
  EXPECT_FALSE(parse_zone(counts).has_value());
}

TEST(AnomalyZone, NamesAreCheckedBeforeTheDiskIs) {
  EXPECT_TRUE(load_zone("UTC").has_value());
  for (const char* name : {"", "/etc/passwd", "../../etc/passwd", "Europe/Nowhere", "a b"}) {
    EXPECT_FALSE(load_zone(name).has_value()) << name;
  }
  EXPECT_THAT(load_zone("Europe/Nowhere", "/nowhere").error().describe(), HasSubstr("Europe/Nowhere"));
}

TEST(AnomalyZone, TheSystemsZonesAgreeWithTheCalendar) {
  const auto york = load_zone("America/New_York");
  ASSERT_TRUE(york) << york.error().describe();
  EXPECT_EQ(york->offset(at(2025, 1, 15, 12)), std::chrono::hours(-5));
  EXPECT_EQ(york->offset(at(2025, 7, 15, 12)), std::chrono::hours(-4));
  EXPECT_EQ(york->offset(at(2025, 11, 2, 5)), std::chrono::hours(-4));
  EXPECT_EQ(york->offset(at(2025, 11, 2, 6)), std::chrono::hours(-5));
  EXPECT_EQ(york->offset(at(2045, 7, 15, 12)), std::chrono::hours(-4));
}

}  // namespace
}  // namespace weir::quality::anomaly
