#include "schemas/columns.h"

#include <gtest/gtest.h>

namespace weir::schemas {
namespace {

using Texts = std::vector<std::string>;

Model order() {
  return *parse(Format::avro, R"({"type":"record","name":"Order","fields":[
    {"name":"orderId","type":"long"},
    {"name":"amount","type":["null","double"]},
    {"name":"placed_at","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"note","type":["null","string"]},
    {"name":"lines","type":{"type":"array","items":"string"}}]})");
}

TEST(Columns, WhatFitsIsNoDifference) {
  const std::vector<core::Column> columns{{"order_id", "bigint"},
                                          {"AMOUNT", "double precision"},
                                          {"placed_at", "timestamp with time zone"},
                                          {"note", "character varying"},
                                          {"lines", "jsonb"},
                                          {"_loaded_at", "timestamp"}};
  EXPECT_EQ(column_differences(order(), columns, {"_loaded_at"}), Texts{});
}

TEST(Columns, WhatIsMissingAndWhatHasAnotherType) {
  const std::vector<core::Column> columns{
      {"order_id", "varchar(20)"}, {"amount", "integer"}, {"placed_at", "timestamp"}, {"lines", "text"}, {"x", "int"}};
  EXPECT_EQ(column_differences(order(), columns, {}), (Texts{"field orderId is long and its column is varchar(20)",
                                                             "field amount is null or double and its column is integer",
                                                             "field note has no column", "column x has no field"}));
}

TEST(Columns, ASchemaWithoutFieldsIsSaidToHaveNone) {
  EXPECT_EQ(column_differences(*parse(Format::avro, "\"string\""), {}, {}).size(), 1U);
}

}  // namespace
}  // namespace weir::schemas
