#include "api/query_tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/fake_backend.h"

namespace weir::api {
namespace {

using nlohmann::json;

std::string encoded(std::string_view text) {
  std::string out;
  for (const unsigned char byte : text) out += fmt::format("%{:02X}", byte);
  return out;
}

class QueryTreeTest : public testing::Test {
 protected:
  net::ServerResponse ask(const std::string& query) {
    net::ServerRequest request;
    request.query = "query=" + encoded(query);
    return parse_query(fake_.backend(), request);
  }
  json tree(const std::string& query) {
    const auto response = ask(query);
    EXPECT_EQ(response.status, 200) << *response.body;
    return json::parse(*response.body)["data"];
  }

  FakeBackend fake_;
};

TEST_F(QueryTreeTest, ASelectorHasItsMatchersWithTheNameLast) {
  EXPECT_EQ(tree("a{b!=\"c\",d=~\"e\"} offset -1m @ 2.5"), json::parse(R"({
    "type": "vectorSelector", "name": "a", "offset": -60000, "timestamp": 2500, "startOrEnd": null,
    "anchored": false, "smoothed": false,
    "matchers": [{"name": "b", "value": "c", "type": "!="}, {"name": "d", "value": "e", "type": "=~"},
                 {"name": "__name__", "value": "a", "type": "="}]})"));
  const json quoted = tree("{\"a.b\",c!~\"d\"}[5m] @ end()");
  EXPECT_EQ(quoted, json::parse(R"({
    "type": "matrixSelector", "name": "", "range": 300000, "offset": 0, "timestamp": null, "startOrEnd": "end",
    "anchored": false, "smoothed": false,
    "matchers": [{"name": "__name__", "value": "a.b", "type": "="}, {"name": "c", "value": "d", "type": "!~"}]})"));
}

TEST_F(QueryTreeTest, OperatorsSayHowVectorsMatch) {
  const json grouped = tree("a > bool on (x) group_left (y) b");
  EXPECT_EQ(grouped["type"], "binaryExpr");
  EXPECT_EQ(grouped["op"], ">");
  EXPECT_EQ(grouped["bool"], true);
  EXPECT_EQ(grouped["lhs"]["name"], "a");
  EXPECT_EQ(grouped["rhs"]["name"], "b");
  EXPECT_EQ(grouped["matching"], json::parse(R"({"card": "many-to-one", "labels": ["x"], "on": true, "include": ["y"],
                                                  "fillValues": {"lhs": null, "rhs": null}})"));
  EXPECT_EQ(tree("a / b")["matching"]["card"], "one-to-one");
  EXPECT_EQ(tree("a / ignoring (x) group_right b")["matching"]["card"], "one-to-many");
  EXPECT_EQ(tree("a unless b")["matching"]["card"], "many-to-many");
  EXPECT_TRUE(tree("a * 2")["matching"].is_null());
  EXPECT_TRUE(tree("1 + 2")["matching"].is_null());
}

TEST_F(QueryTreeTest, AggregationsHaveTheirGroupingAndParameter) {
  EXPECT_EQ(tree("topk without (x) (3, (a))")["param"], (json{{"type", "numberLiteral"}, {"val", "3"}}));
  const json sum = tree("sum(a)");
  EXPECT_EQ(sum["type"], "aggregation");
  EXPECT_EQ(sum["op"], "sum");
  EXPECT_TRUE(sum["param"].is_null());
  EXPECT_EQ(sum["grouping"], json::array());
  EXPECT_EQ(sum["without"], false);
  EXPECT_EQ(sum["expr"]["type"], "vectorSelector");
}

TEST_F(QueryTreeTest, CallsHaveTheirSignature) {
  const json call = tree("round(a)");
  EXPECT_EQ(call["type"], "call");
  EXPECT_EQ(call["func"], json::parse(R"({"name": "round", "argTypes": ["vector", "scalar"], "variadic": 1,
                                          "returnType": "vector"})"));
  EXPECT_EQ(call["args"].size(), 1U);
  EXPECT_EQ(tree("label_join(a, \"x\", \",\")")["func"]["variadic"], -1);
  EXPECT_EQ(tree("rate(a[5m])")["func"], json::parse(R"({"name": "rate", "argTypes": ["matrix"], "variadic": 0,
                                                         "returnType": "vector"})"));
  EXPECT_EQ(tree("time()")["args"], json::array());
}

TEST_F(QueryTreeTest, TheOtherNodes) {
  const json subquery = tree("(-a)[1h:5m] @ start() offset 1s");
  EXPECT_EQ(subquery["type"], "subquery");
  EXPECT_EQ(subquery["range"], 3'600'000);
  EXPECT_EQ(subquery["step"], 300'000);
  EXPECT_EQ(subquery["offset"], 1000);
  EXPECT_EQ(subquery["startOrEnd"], "start");
  EXPECT_EQ(subquery["expr"]["type"], "parenExpr");
  EXPECT_EQ(subquery["expr"]["expr"]["type"], "unaryExpr");
  EXPECT_EQ(subquery["expr"]["expr"]["op"], "-");
  EXPECT_EQ(tree("a[1h:]")["step"], 0);
  EXPECT_EQ(tree("1e22"), (json{{"type", "numberLiteral"}, {"val", "10000000000000000000000"}}));
  EXPECT_EQ(tree("'ü'"), (json{{"type", "stringLiteral"}, {"val", "ü"}}));
  EXPECT_EQ(tree("\"\\xff\"")["val"], "\xef\xbf\xbd");
}

TEST_F(QueryTreeTest, WhatDoesNotParseIsBadData) {
  const auto response = ask("sum(");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(json::parse(*response.body)["errorType"], "bad_data");
}

TEST_F(QueryTreeTest, ALongChainIsAnswered) {
  std::string chain = "a";
  for (int i = 0; i < 1000; ++i) chain += " + a";
  EXPECT_EQ(ask(chain).status, 200);
}

}  // namespace
}  // namespace weir::api
