#include "sql/postgres_values.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace weir::sql {
namespace {

constexpr unsigned kBool = 16, kInt8 = 20, kText = 25, kFloat8 = 701, kDate = 1082, kTimestampTz = 1184,
                   kNumeric = 1700;

core::Time at(double seconds) { return core::time_from_seconds(seconds); }

TEST(PostgresValues, AreOfTheirType) {
  EXPECT_EQ(postgres_value(kBool, "t"), Value(std::int64_t{1}));
  EXPECT_EQ(postgres_value(kBool, "f"), Value(std::int64_t{0}));
  EXPECT_EQ(postgres_value(kInt8, "-9223372036854775808"), Value(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(postgres_value(kNumeric, "12.50"), Value(12.5));
  EXPECT_EQ(postgres_value(kText, "12"), Value(std::string("12")));
  EXPECT_EQ(postgres_value(kDate, "1970-01-02"), Value(at(86400)));
  EXPECT_EQ(postgres_value(kTimestampTz, "1970-01-01 00:00:01.5+00"), Value(at(1.5)));
}

TEST(PostgresValues, KeepWhatNoDoubleHolds) {
  EXPECT_TRUE(std::isnan(std::get<double>(postgres_value(kNumeric, "NaN"))));
  EXPECT_EQ(postgres_value(kFloat8, "-Infinity"), Value(-std::numeric_limits<double>::infinity()));
  EXPECT_EQ(postgres_value(kNumeric, "1" + std::string(400, '0')), Value(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(postgres_value(kNumeric, "-1" + std::string(400, '0')), Value(-std::numeric_limits<double>::infinity()));
  EXPECT_EQ(postgres_value(kNumeric, "0." + std::string(400, '0') + "1"), Value(0.0));
}

TEST(PostgresValues, LeaveOddTimesAsText) {
  for (const char* text : {"infinity", "-infinity", "10000-01-01", "0044-03-15 00:00:00 BC", "2026-02-30", ""}) {
    EXPECT_TRUE(std::holds_alternative<std::string>(postgres_value(kTimestampTz, text))) << text;
  }
}

TEST(IsoTime, ReadsFractionsAndZonesOfUtc) {
  EXPECT_EQ(parse_iso_time("2026-01-02 03:04:05.678901+00"), at(1767323045.678));
  EXPECT_EQ(parse_iso_time("2026-01-02T03:04:05Z"), at(1767323045));
  EXPECT_EQ(parse_iso_time("2026-01-02 03:04:05"), at(1767323045));
  EXPECT_EQ(parse_iso_time("2026-01-02 03:04:05+02"), std::nullopt);
  EXPECT_EQ(parse_iso_time("2026-01-02 03:04"), std::nullopt);
  EXPECT_EQ(parse_iso_time("2026-1-2"), std::nullopt);
}

}  // namespace
}  // namespace weir::sql
