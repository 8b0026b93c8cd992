#include "collectors/json_pointer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace weir::collectors {
namespace {

using nlohmann::json;

TEST(JsonPointerTest, LeadsWhereRfc6901Says) {
  // The document of RFC 6901, section 5.
  const json root = json::parse(R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"k\"l":6," ":7,"m~n":8})");
  const std::pair<const char*, const char*> cases[] = {
      {"/foo/0", "\"bar\""}, {"/", "0"},     {"/a~1b", "1"}, {"/c%d", "2"},  {"/e^f", "3"},
      {"/g|h", "4"},         {"/k\"l", "6"}, {"/ ", "7"},    {"/m~0n", "8"}, {"/foo/1", "\"baz\""}};
  for (const auto& [pointer, value] : cases) {
    const json* found = JsonPointer::parse(pointer)->find(root);
    ASSERT_NE(found, nullptr) << pointer;
    EXPECT_EQ(*found, json::parse(value)) << pointer;
  }
  EXPECT_EQ(JsonPointer::parse("")->find(root), &root);
  for (const char* nothing : {"/foo/2", "/foo/-", "/foo/00x", "/nope", "/foo/0/x", "//x"}) {
    EXPECT_EQ(JsonPointer::parse(nothing)->find(root), nullptr) << nothing;
  }
  EXPECT_FALSE(JsonPointer::parse("foo"));
}

TEST(JsonPointerTest, AStarIsEveryMemberOrElementAndItsNamesAreTold) {
  const json root = json::parse(R"({"a":{"t":[{"id":1},{"id":2}]},"b":{"t":[{"id":3}]},"c":5})");
  std::vector<std::string> seen;
  JsonPointer::parse("/*/t/*/id")->each(root, [&](const json& value, const std::vector<std::string>& names) {
    seen.push_back(names[0] + "/" + names[1] + "=" + value.dump());
    return seen.size() < 10;
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"a/0=1", "a/1=2", "b/0=3"}));
  EXPECT_EQ(*JsonPointer::parse("/*/t/*/id")->find(root), 1);
}

TEST(JsonValueTest, NumbersTextsAndTimesAreReadAsServicesWriteThem) {
  EXPECT_EQ(json_number(json::parse("\"12.5\"")), 12.5);
  EXPECT_EQ(json_number(json::parse("true")), 1);
  EXPECT_EQ(json_number(json::parse("\"12 s\"")), std::nullopt);
  EXPECT_EQ(json_number(json::parse("[]")), std::nullopt);
  const core::Time wanted(std::chrono::seconds(1'700'000'000));
  for (const char* text :
       {"1700000000", "1700000000000", "1700000000000000", "\"2023-11-14T22:13:20Z\"", "\"1700000000\""}) {
    EXPECT_EQ(json_time(json::parse(text)), wanted) << text;
  }
  for (const char* text : {"0", "-1", "\"\"", "null", "true", "\"soon\""}) {
    EXPECT_EQ(json_time(json::parse(text)), std::nullopt) << text;
  }
}

TEST(JsonParseTest, WhatIsNoJsonSaysWhatItIs) {
  EXPECT_NE(parse_json("<html>", 64).error().message.find("web page"), std::string::npos);
  EXPECT_NE(parse_json("{\"a\": ", 64).error().message.find("cut off"), std::string::npos);
  EXPECT_NE(parse_json(" ", 64).error().message.find("empty"), std::string::npos);
  const auto deep = parse_json(std::string(100'000, '['), 64);
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().kind, core::ErrorKind::limit);
}

}  // namespace
}  // namespace weir::collectors
