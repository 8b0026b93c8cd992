#include <gtest/gtest.h>

#include "schemas/model.h"

namespace weir::schemas {
namespace {

Model read(std::string_view text) {
  auto model = parse(Format::protobuf, text);
  EXPECT_TRUE(model) << model.error().describe();
  return model ? *model : Model{};
}

TEST(Protobuf, FieldsHaveTheirNumbersAndTypes) {
  const Model model = read(R"(
    syntax = "proto3";
    package shop;
    import "money.proto";
    message Order {
      int64 id = 1;
      optional string note = 2;
      repeated Line lines = 3;
      map<string, Line> by_sku = 4;
      money.Money price = 5;
      Colour colour = 6;
      oneof payment { string card = 7; string iban = 8; }
      message Line { string sku = 1; }
    }
    enum Colour { RED = 0; BLUE = 1; }
  )");
  EXPECT_EQ(model.record, "shop.Order");
  EXPECT_EQ(model.imports, std::vector<std::string>{"money.proto"});
  std::vector<std::string> types;
  for (const Field& field : model.types.front().fields) types.push_back(field.name + ": " + field.type);
  EXPECT_EQ(types, (std::vector<std::string>{"id: int64", "note: string", "lines: list of Order.Line",
                                             "by_sku: map of string to Order.Line", "price: money.Money",
                                             "colour: Colour", "card: string", "iban: string"}));
  EXPECT_EQ(model.types.front().fields[6].oneof, "payment");
  EXPECT_EQ(model.types.front().fields[1].oneof, "");
  EXPECT_EQ(model.types.front().fields[4].number, 5);
  ASSERT_NE(model.find("shop.Colour"), nullptr);
  EXPECT_EQ(model.find("shop.Colour")->symbols, (std::vector<std::string>{"RED", "BLUE"}));
}

TEST(Protobuf, AMistakeHasItsPlace) {
  const auto model = parse(Format::protobuf, "syntax = \"proto3\";\nmessage Order {\n  int64 id;\n}\n");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, core::ErrorKind::invalid);
  EXPECT_NE(model.error().message.find("line 3, column 11"), std::string::npos) << model.error().message;
}

TEST(Protobuf, WhatIsNoSchemaIsRefused) {
  for (const std::string text :
       {"<html>", "{\"type\":\"record\"}", "message", "\"a", "/*", "\x01\x02",
        "message A { int32 a = 99999999999999999999; }", "message A { optional int32 a = 1; optional int32 b = 1; }",
        "message A { } message A { }"}) {
    EXPECT_FALSE(parse(Format::protobuf, text)) << text;
  }
}

TEST(Protobuf, DepthIsBounded) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "message A {";
  const auto model = parse(Format::protobuf, deep);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, core::ErrorKind::limit);
}

}  // namespace
}  // namespace weir::schemas
