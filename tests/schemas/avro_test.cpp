#include <gtest/gtest.h>

#include "schemas/model.h"

namespace weir::schemas {
namespace {

Model read(std::string_view text, std::vector<Referenced> references = {}) {
  auto model = parse(Format::avro, text, references);
  EXPECT_TRUE(model) << model.error().describe();
  return model ? *model : Model{};
}

core::Error mistake(std::string_view text) {
  const auto model = parse(Format::avro, text);
  EXPECT_FALSE(model) << text;
  return model ? core::Error{} : model.error();
}

TEST(Avro, FieldsHaveTheirTypesInWords) {
  const Model model = read(R"({"type":"record","name":"Order","namespace":"shop","fields":[
    {"name":"id","type":"long"},
    {"name":"note","type":["null","string"],"default":null,"aliases":["remark"]},
    {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
    {"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[{"name":"sku","type":"string"}]}}},
    {"name":"first","type":["null","Line"]},
    {"name":"colour","type":{"type":"enum","name":"Colour","symbols":["RED","BLUE"],"default":"RED"}},
    {"name":"extra","type":{"type":"map","values":"double"}},
    {"name":"hash","type":{"type":"fixed","name":"Hash","size":16}}]})");
  EXPECT_EQ(model.record, "shop.Order");
  const Type& order = model.types.front();
  std::vector<std::string> types;
  for (const Field& field : order.fields) types.push_back(field.name + ": " + field.type);
  EXPECT_EQ(types,
            (std::vector<std::string>{"id: long", "note: null or string", "at: timestamp-millis",
                                      "price: decimal(9, 2)", "lines: array of Line", "first: null or Line",
                                      "colour: Colour", "extra: map of double", "hash: Hash (fixed, 16 bytes)"}));
  EXPECT_TRUE(order.fields[0].required);
  EXPECT_TRUE(order.fields[1].has_default);
  EXPECT_EQ(order.fields[1].aliases, std::vector<std::string>{"remark"});
  ASSERT_NE(model.find("shop.Colour"), nullptr);
  EXPECT_EQ(model.find("shop.Colour")->symbols, (std::vector<std::string>{"RED", "BLUE"}));
  EXPECT_TRUE(model.find("shop.Colour")->has_default);
  EXPECT_TRUE(model.unknown.empty());
}

TEST(Avro, ARecordMayHoldItself) {
  const Model model =
      read(R"({"type":"record","name":"Node","fields":[{"name":"next","type":["null","Node"],"default":null}]})");
  EXPECT_EQ(model.types.size(), 1U);
  EXPECT_TRUE(model.unknown.empty());
}

TEST(Avro, ATypeOfAReferenceIsKnownAndNoneOfItsOwn) {
  const std::string order = R"({"type":"record","name":"shop.Order","fields":[{"name":"price","type":"money.Money"}]})";
  const std::string money = R"({"type":"record","name":"money.Money","fields":[{"name":"cents","type":"long"}]})";
  const Model model = read(order, {{"money.Money", money}});
  EXPECT_EQ(model.types.size(), 1U);
  EXPECT_EQ(model.imports, std::vector<std::string>{"money.Money"});
  EXPECT_TRUE(model.unknown.empty());
  EXPECT_EQ(read(order).unknown, std::vector<std::string>{"money.Money"});
}

TEST(Avro, ABareTypeIsASchemaWithoutFields) {
  EXPECT_TRUE(read("\"string\"").types.empty());
  EXPECT_TRUE(read("string").types.empty());
  EXPECT_EQ(read(R"(["null","string"])").record, "");
}

TEST(Avro, WhatIsWrongIsNamed) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"<html>", "not JSON"},
      {"{", "not JSON"},
      {"{}", "without \"type\""},
      {"5", "not number"},
      {R"({"type":"record","fields":[]})", "without a name"},
      {R"({"type":"record","name":"A"})", "no list of fields"},
      {R"({"type":"record","name":"A","fields":[{"name":"x"}]})", "lacks its name or type"},
      {R"({"type":"record","name":"A","fields":[{"name":"x","type":{"type":"array"}}]})", "field x: an array without"},
      {R"({"type":"enum","name":"A","symbols":[1]})", "no text"},
      {R"(["null",["int"]])", "union stands directly"},
      {"[]", "no types"},
      {R"({"type":"record","name":"A","fields":[{"name":"x","type":"int"},{"name":"x","type":"int"}]})",
       "field x twice"},
      {R"({"type":"record","name":"A","fields":[{"name":"x","type":{"type":"enum","name":"A","symbols":[]}}]})",
       "defined twice"}};
  for (const auto& [text, words] : cases) {
    EXPECT_NE(mistake(text).message.find(words), std::string::npos) << text << ": " << mistake(text).message;
  }
}

TEST(Avro, DepthAndSizeAreBounded) {
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += R"({"type":"array","items":)";
  deep += "\"int\"" + std::string(1000, '}');
  EXPECT_EQ(mistake(deep).kind, core::ErrorKind::limit);
  EXPECT_EQ(mistake(std::string(kLargestSchema + 1, ' ')).kind, core::ErrorKind::limit);
  std::string many = "[\"int\"";
  for (std::size_t i = 0; i < kMostAlternatives; ++i) many += ",\"int\"";
  EXPECT_EQ(mistake(many + "]").kind, core::ErrorKind::limit);
  std::string wide = R"({"type":"record","name":"A","fields":[)";
  for (std::size_t i = 0; i <= kMostFields; ++i) wide += R"({"name":"f)" + std::to_string(i) + R"(","type":"int"},)";
  wide.back() = ']';
  EXPECT_EQ(mistake(wide + "}").kind, core::ErrorKind::limit);
}

}  // namespace
}  // namespace weir::schemas
