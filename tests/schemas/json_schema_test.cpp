#include <gtest/gtest.h>

#include "schemas/model.h"

namespace weir::schemas {
namespace {

Model read(std::string_view text) {
  auto model = parse(Format::json, text);
  EXPECT_TRUE(model) << model.error().describe();
  return model ? *model : Model{};
}

TEST(JsonSchema, PropertiesAreFieldsAndObjectsWithinAreTypes) {
  const Model model = read(R"({"title":"Order","type":"object","required":["id"],"additionalProperties":false,
    "properties":{
      "id":{"type":"integer"},
      "note":{"type":["string","null"],"default":null},
      "at":{"type":"string","format":"date-time"},
      "address":{"type":"object","properties":{"zip":{"type":"string"}}},
      "lines":{"type":"array","items":{"type":"object","properties":{"sku":{"type":"string"}}}},
      "money":{"$ref":"money.json"},
      "line":{"$ref":"#/definitions/Line"},
      "colour":{"enum":["RED","BLUE",3]},
      "either":{"oneOf":[{"type":"string"},{"type":"number"}]}},
    "definitions":{"Line":{"type":"object","properties":{"sku":{"type":"string"}}}}})");
  EXPECT_EQ(model.record, "Order");
  std::vector<std::string> types;
  for (const Field& field : model.types.front().fields) types.push_back(field.name + ": " + field.type);
  EXPECT_EQ(types, (std::vector<std::string>{"address: object", "at: date-time", "colour: enum",
                                             "either: string or number", "id: integer", "line: Line",
                                             "lines: array of object", "money: money.json", "note: string or null"}));
  EXPECT_TRUE(model.types.front().closed);
  EXPECT_EQ(model.imports, std::vector<std::string>{"money.json"});
  EXPECT_NE(model.find("address"), nullptr);
  EXPECT_NE(model.find("lines[]"), nullptr);
  EXPECT_NE(model.find("Line"), nullptr);
  ASSERT_NE(model.find("colour"), nullptr);
  EXPECT_EQ(model.find("colour")->symbols, (std::vector<std::string>{"RED", "BLUE", "3"}));
}

TEST(JsonSchema, ASchemaThatRefersToItselfEnds) {
  EXPECT_EQ(read(R"({"properties":{"next":{"$ref":"#"},"prev":{"$ref":"#/properties/next"}}})").types.size(), 1U);
}

TEST(JsonSchema, WhatIsNoSchemaIsRefused) {
  for (const std::string text :
       {"<html>", "[]", "5", R"({"properties":[]})", R"({"properties":{"a":5}})", R"({"properties":{"a":{"type":5}}})",
        R"({"properties":{"a":{"enum":5}}})", R"({"properties":{"a":{"type":[5]}}})"}) {
    EXPECT_FALSE(parse(Format::json, text)) << text;
  }
  EXPECT_TRUE(parse(Format::json, "true"));
}

TEST(JsonSchema, TypesThatWouldHaveTheSameNameAreToldApart) {
  const Model model = read(R"({"properties":{"a.b":{"enum":[1]},"a":{"properties":{"b":{"enum":[2]}}}},
    "definitions":{"a":{"enum":[3]}}})");
  EXPECT_EQ(model.find("a.b")->symbols, std::vector<std::string>{"2"});
  EXPECT_EQ(model.find("a.b (2)")->symbols, std::vector<std::string>{"1"});
  EXPECT_EQ(model.find("a (2)")->symbols, std::vector<std::string>{"3"});
}

TEST(JsonSchema, AlternativesAreBounded) {
  std::string many = R"({"properties":{"a":{"oneOf":[true)";
  for (std::size_t i = 0; i < kMostAlternatives; ++i) many += ",true";
  const auto model = parse(Format::json, many + "]}}}");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, core::ErrorKind::limit);
}

TEST(JsonSchema, DepthIsBounded) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += R"({"type":"object","properties":{"a":)";
  deep += "true";
  for (int i = 0; i < 10'000; ++i) deep += "}}";
  const auto model = parse(Format::json, deep);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, core::ErrorKind::limit);
}

}  // namespace
}  // namespace weir::schemas
