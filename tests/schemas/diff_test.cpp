#include "schemas/diff.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weir::schemas {
namespace {

Model read(Format format, const std::string& text) {
  auto model = parse(format, text);
  EXPECT_TRUE(model) << text << ": " << model.error().describe();
  return model ? *model : Model{};
}

/// Each change with the letters of what it breaks: b for backward, f for forward.
std::vector<std::string> changes(Format format, const std::string& older, const std::string& newer) {
  std::vector<std::string> found;
  for (const Change& change : diff(read(format, older), read(format, newer))) {
    found.push_back(change.text + (change.breaks_backward ? " [b]" : "") + (change.breaks_forward ? " [f]" : ""));
  }
  return found;
}

using Texts = std::vector<std::string>;

std::string record(const std::string& fields) {
  return R"({"type":"record","name":"Order","namespace":"shop","fields":[)" + fields + "]}";
}

Texts avro(const std::string& older, const std::string& newer) {
  return changes(Format::avro, record(older), record(newer));
}

TEST(Diff, AvroFieldsAddedAndRemoved) {
  const std::string id = R"({"name":"id","type":"long"})";
  EXPECT_EQ(avro(id, id), Texts{});
  EXPECT_EQ(avro(id, id + R"(,{"name":"n","type":"int"})"), Texts{"added field n (int) without a default [b]"});
  EXPECT_EQ(avro(id, id + R"(,{"name":"n","type":"int","default":0})"), Texts{"added field n (int)"});
  EXPECT_EQ(avro(id + R"(,{"name":"n","type":"int"})", id), Texts{"removed field n (int), which had no default [f]"});
  EXPECT_EQ(avro(id + R"(,{"name":"n","type":"int","default":0})", id), Texts{"removed field n (int)"});
}

TEST(Diff, AvroPromotionsBreakOneWayOnly) {
  const auto field = [](const std::string& type) { return R"({"name":"n","type":)" + type + "}"; };
  EXPECT_EQ(avro(field("\"int\""), field("\"long\"")), Texts{"changed the type of field n from int to long [f]"});
  EXPECT_EQ(avro(field("\"long\""), field("\"int\"")), Texts{"changed the type of field n from long to int [b]"});
  EXPECT_EQ(avro(field("\"string\""), field("\"bytes\"")), Texts{"changed the type of field n from string to bytes"});
  EXPECT_EQ(avro(field("\"string\""), field("\"int\"")),
            Texts{"changed the type of field n from string to int [b] [f]"});
  EXPECT_EQ(avro(field("\"int\""), field(R"(["null","int"])")),
            Texts{"changed the type of field n from int to null or int [f]"});
  EXPECT_EQ(avro(field(R"(["null","int"])"), field("\"int\"")),
            Texts{"changed the type of field n from null or int to int [b]"});
  EXPECT_EQ(avro(field("\"long\""), field(R"({"type":"long","logicalType":"timestamp-millis"})")),
            Texts{"changed the type of field n from long to timestamp-millis"});
}

TEST(Diff, ElementsOfArraysAndMapsArePromotedToo) {
  const auto list = [](const std::string& type) {
    return R"({"name":"n","type":{"type":"array","items":)" + type + "}}";
  };
  EXPECT_EQ(avro(list("\"int\""), list("\"long\"")),
            Texts{"changed the type of field n from array of int to array of long [f]"});
  EXPECT_EQ(avro(list("\"int\""), list(R"(["null","int"])")),
            Texts{"changed the type of field n from array of int to array of null or int [f]"});
  EXPECT_EQ(avro(list("\"int\""), R"({"name":"n","type":"int"})"),
            Texts{"changed the type of field n from array of int to int [b] [f]"});
  EXPECT_EQ(changes(Format::json, R"({"properties":{"a":{"type":"array","items":{"type":"integer"}}}})",
                    R"({"properties":{"a":{"type":"array","items":{"type":"number"}}}})"),
            Texts{"changed the type of field a from array of integer to array of number [f]"});
  const std::string head = "syntax = \"proto3\";\n";
  EXPECT_EQ(changes(Format::protobuf, head + "message A { repeated int32 a = 1; }",
                    head + "message A { repeated int64 a = 1; }"),
            Texts{"changed the type of field a from list of int32 to list of int64"});
}

TEST(Diff, AvroAliasesAreRenames) {
  EXPECT_EQ(avro(R"({"name":"a","type":"int"})", R"({"name":"b","type":"int","aliases":["a"]})"),
            Texts{"renamed field a to b [f]"});
  EXPECT_EQ(avro(R"({"name":"a","type":"int"})", R"({"name":"b","type":"int"})"),
            (Texts{"added field b (int) without a default [b]", "removed field a (int), which had no default [f]"}));
  EXPECT_EQ(
      avro(R"({"name":"a","type":"int"})", R"({"name":"a","type":"int"},{"name":"b","type":"int","aliases":["a"]})"),
      Texts{"added field b (int) without a default [b]"});
}

TEST(Diff, AvroDefaultsGivenAndTaken) {
  EXPECT_EQ(avro(R"({"name":"a","type":"int"})", R"({"name":"a","type":"int","default":1})"),
            Texts{"gave field a a default"});
  EXPECT_EQ(avro(R"({"name":"a","type":"int","default":1})", R"({"name":"a","type":"int"})"),
            Texts{"took the default of field a away"});
}

TEST(Diff, AvroEnumSymbols) {
  const auto field = [](const std::string& symbols, const std::string& rest = "") {
    return R"({"name":"c","type":{"type":"enum","name":"Colour","symbols":[)" + symbols + "]" + rest + "}}";
  };
  EXPECT_EQ(avro(field(R"("A")"), field(R"("A","B")")), Texts{"added symbol B to enum Colour [f]"});
  EXPECT_EQ(avro(field(R"("A","B")"), field(R"("A")")), Texts{"removed symbol B from enum Colour [b]"});
  EXPECT_EQ(avro(field(R"("A","B")"), field(R"("A")", R"(,"default":"A")")),
            Texts{"removed symbol B from enum Colour"});
}

TEST(Diff, AvroRecordsWithinAndRecordsRenamed) {
  const auto line = [](const std::string& fields) {
    return R"({"name":"line","type":{"type":"record","name":"Line","fields":[)" + fields + "]}}";
  };
  EXPECT_EQ(avro(line(R"({"name":"sku","type":"string"})"), line("")),
            Texts{"removed field Line.sku (string), which had no default [f]"});
  EXPECT_EQ(changes(Format::avro, R"({"type":"record","name":"a.Order","fields":[]})",
                    R"({"type":"record","name":"a.Purchase","fields":[]})"),
            Texts{"renamed a.Order to a.Purchase without an alias [b] [f]"});
  EXPECT_EQ(changes(Format::avro, R"({"type":"record","name":"a.Order","fields":[]})",
                    R"({"type":"record","name":"b.Order","fields":[]})"),
            Texts{"renamed a.Order to b.Order"});
}

Texts proto(const std::string& older, const std::string& newer) {
  const std::string head = "syntax = \"proto2\"; package shop;\n";
  return changes(Format::protobuf, head + older, head + newer);
}

TEST(Diff, ProtobufFieldsAreToldApartByNumber) {
  EXPECT_EQ(proto("message A { optional int32 a = 1; }", "message A { optional int32 b = 1; }"),
            Texts{"renamed field a to b"});
  EXPECT_EQ(proto("message A { optional int32 a = 1; }", "message A { optional int32 a = 2; }"),
            (Texts{"added field a (int32)", "removed field a (int32)"}));
  EXPECT_EQ(proto("message A { optional int32 a = 1; }", "message A { optional int64 a = 1; }"),
            Texts{"changed the type of field a from int32 to int64"});
  EXPECT_EQ(proto("message A { optional int32 a = 1; }", "message A { optional string a = 1; }"),
            Texts{"changed the type of field a from int32 to string [b] [f]"});
  EXPECT_EQ(proto("message A { }", "message A { required int32 a = 1; }"), Texts{"added required field a (int32) [b]"});
  EXPECT_EQ(proto("message A { optional int32 a = 1; }", "message A { required int32 a = 1; }"),
            Texts{"made field a required [b]"});
}

TEST(Diff, ProtobufOneofsMessagesAndEnums) {
  EXPECT_EQ(proto("message A { optional int32 a = 1; }", "message A { oneof x { int32 a = 1; } }"),
            Texts{"moved field a into the oneof x [b]"});
  EXPECT_EQ(proto("message A { oneof x { int32 a = 1; int32 b = 2; } }", "message A { oneof x { int32 a = 1; } }"),
            Texts{"removed field b (int32) from the oneof x [b]"});
  EXPECT_EQ(proto("message A { } message B { }", "message A { }"), Texts{"removed message B [b] [f]"});
  EXPECT_EQ(proto("message A { }", "message A { } enum E { X = 0; }"), Texts{"added enum E"});
  EXPECT_EQ(proto("enum E { X = 0; Y = 1; }", "enum E { X = 0; Z = 2; }"),
            (Texts{"added symbol Z to enum E", "removed symbol Y from enum E"}));
}

TEST(Diff, ProtobufSymbolsAreToldApartByNumber) {
  EXPECT_EQ(proto("enum E { X = 0; Y = 1; }", "enum E { X = 0; Z = 1; }"), Texts{"renamed symbol Y of enum E to Z"});
  EXPECT_EQ(proto("enum E { X = 0; Y = 1; Z = 2; }", "enum E { X = 0; Y = 2; Z = 1; }"),
            (Texts{"changed the number of symbol Y of enum E from 1 to 2 [b] [f]",
                   "changed the number of symbol Z of enum E from 2 to 1 [b] [f]"}));
}

TEST(Diff, ATypeThatBecomesOfAnotherKind) {
  const auto field = [](const std::string& type) { return R"({"name":"n","type":)" + type + "}"; };
  EXPECT_EQ(avro(field(R"({"type":"enum","name":"N","symbols":["A"]})"),
                 field(R"({"type":"record","name":"N","fields":[]})")),
            Texts{"made N no enum any more [b] [f]"});
}

TEST(Diff, JsonRequiredClosedAndEnums) {
  const auto json = [](const std::string& older, const std::string& newer) {
    return changes(Format::json, older, newer);
  };
  const std::string a = R"({"type":"object","properties":{"a":{"type":"integer"}}})";
  EXPECT_EQ(json(a, R"({"properties":{"a":{"type":"integer"}},"required":["a"]})"), Texts{"made field a required [b]"});
  EXPECT_EQ(json(R"({"properties":{"a":{"type":"integer"}},"required":["a"]})", a), Texts{"made field a optional [f]"});
  EXPECT_EQ(json(a, R"({"properties":{"a":{"type":"number"}}})"),
            Texts{"changed the type of field a from integer to number [f]"});
  EXPECT_EQ(json(a, R"({"properties":{"a":{"type":"integer"},"b":{"type":"string"}}})"),
            Texts{"added optional field b (string) [b]"});
  EXPECT_EQ(json(a, R"({"properties":{"a":{"type":"integer"}},"additionalProperties":false})"),
            Texts{"no longer allows other fields in the object [b]"});
  EXPECT_EQ(json(R"({"properties":{"a":{"enum":["x","y"]}}})", R"({"properties":{"a":{"enum":["x"]}}})"),
            Texts{"removed symbol y from enum a [b]"});
  EXPECT_EQ(json(R"({"properties":{"o":{"type":"object","properties":{"z":{"type":"string"}}}}})",
                 R"({"properties":{"o":{"type":"object","properties":{}}}})"),
            Texts{"removed optional field o.z (string) [f]"});
}

TEST(Diff, FormatsThatDifferAreOneChange) {
  const Model older = read(Format::avro, record(""));
  const Model newer = read(Format::json, "{}");
  ASSERT_EQ(diff(older, newer).size(), 1U);
  EXPECT_EQ(diff(older, newer)[0].text, "changed the format from AVRO to JSON");
}

TEST(Diff, WordsPutWhatBreaksFirstAndAreFew) {
  std::vector<Change> many;
  for (int i = 0; i < 7; ++i) many.push_back({fmt::format("added field f{}", i), "f", false, false});
  many.push_back({"removed field x", "x", false, true});
  EXPECT_EQ(describe(many, 2), "removed field x; added field f0; and 6 more changes");
  EXPECT_EQ(describe({}), "");
  EXPECT_EQ(breaking(many, true, false).size(), 0U);
  EXPECT_EQ(breaking(many, false, true).size(), 1U);
}

}  // namespace
}  // namespace weir::schemas
