#include "quality/logical_type.h"

#include <gtest/gtest.h>
#include <string>

namespace weir::quality {
namespace {

struct LogicalCase {
  std::string actual;
  std::string kinds;  // all logical types that it is of, in the order of logical_types()
};

class LogicalTypeTest : public testing::TestWithParam<LogicalCase> {};

TEST_P(LogicalTypeTest, IsOfJustTheseKinds) {
  std::string kinds;
  for (const std::string_view logical : logical_types()) {
    if (is_of_logical_type(logical, GetParam().actual)) kinds += (kinds.empty() ? "" : " ") + std::string(logical);
  }
  EXPECT_EQ(kinds, GetParam().kinds) << GetParam().actual;
}

INSTANTIATE_TEST_SUITE_P(
    Types, LogicalTypeTest,
    testing::Values(LogicalCase{"bigint", "number integer"}, LogicalCase{"INT UNSIGNED", "number integer"},
                    LogicalCase{"Nullable(Int64)", "number integer"}, LogicalCase{"NUMBER(38,0)", "number integer"},
                    LogicalCase{"numeric(10, 2)", "number"}, LogicalCase{"numeric", "number"},
                    LogicalCase{"NUMBER", "number integer"}, LogicalCase{"double precision", "number"},
                    LogicalCase{"character varying(20)", "string"}, LogicalCase{"uuid", "string"},
                    LogicalCase{"LowCardinality(Nullable(String))", "string"},
                    LogicalCase{"public.mood", "string object"}, LogicalCase{"boolean", "boolean"},
                    LogicalCase{"tinyint(1)", "number integer boolean"}, LogicalCase{"date", "date"},
                    LogicalCase{"timestamp(3) without time zone", "timestamp"},
                    LogicalCase{"DateTime64(6, 'UTC')", "timestamp"}, LogicalCase{"time without time zone", "time"},
                    LogicalCase{"jsonb", "string object array"}, LogicalCase{"text[]", "array"},
                    LogicalCase{"ARRAY<STRING>", "array"}, LogicalCase{"STRUCT<a INT64>", "object"},
                    LogicalCase{"", "string date timestamp time number integer object array boolean"},
                    LogicalCase{"int(", "number integer"}, LogicalCase{"nullable(", "string object"}));

TEST(LogicalTypesTest, AnUnknownLogicalTypeIsNone) { EXPECT_FALSE(is_of_logical_type("text", "text")); }

}  // namespace
}  // namespace weir::quality
