#include "app/prometheus_client.h"

#include <cmath>
#include <gmock/gmock.h>

#include "app/fake_http.h"

namespace weir::app {
namespace {

using testing::HasSubstr;

TEST(PrometheusClient, AsksWithEscapedParameters) {
  test::FakeHttp http;
  http.body = R"({"status":"success","data":{"resultType":"scalar","result":[1,"2"]}})";
  const PrometheusClient client(http, "http://h:1/");
  ASSERT_TRUE(client.query("m{a=\"b c\"} + 1", core::time_from_seconds(1.5)));
  EXPECT_EQ(http.urls.at(0), "http://h:1/api/v1/query?query=m%7Ba%3D%22b%20c%22%7D%20%2B%201&time=1.500");
  (void)client.query_range("m", core::time_from_seconds(0), core::time_from_seconds(60), std::chrono::seconds(15));
  EXPECT_EQ(http.urls.at(1), "http://h:1/api/v1/query_range?query=m&start=0.000&end=60.000&step=15.000");
}

TEST(PrometheusClient, ReadsEveryTypeOfResult) {
  const auto vector = parse_query_answer(
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"m","a":"b"},"value":[1.5,"+Inf"]}]}})");
  ASSERT_TRUE(vector);
  const auto& sample = std::get<promql::Vector>(*vector).at(0);
  EXPECT_EQ(sample.labels.to_string(), "m{a=\"b\"}");
  EXPECT_EQ(sample.time, core::time_from_seconds(1.5));
  EXPECT_TRUE(std::isinf(sample.value));
  const auto matrix = parse_query_answer(
      R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[0,"1"],[1,"NaN"]]}]}})");
  ASSERT_TRUE(matrix);
  const auto& points = std::get<promql::Matrix>(*matrix).at(0).points;
  ASSERT_EQ(points.size(), 2U);
  EXPECT_TRUE(std::isnan(points[1].value));
  const auto text = parse_query_answer(R"({"status":"success","data":{"resultType":"string","result":[0,"x"]}})");
  EXPECT_EQ(std::get<promql::Text>(text.value()).text, "x");
}

TEST(PrometheusClient, TheServersErrorIsTheError) {
  const auto answer = parse_query_answer(R"({"status":"error","errorType":"bad_data","error":"no such thing"})");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, core::ErrorKind::invalid);
  EXPECT_EQ(answer.error().message, "no such thing (bad_data)");
}

TEST(PrometheusClient, WhatIsNotThatApiIsAProtocolError) {
  for (const char* text : {"", "x", "[]", "{}", R"({"status":"success"})", R"({"status":"success","data":{}})",
                           R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}})",
                           R"({"status":"success","data":{"resultType":"vector","result":5}})"}) {
    const auto answer = parse_query_answer(text);
    EXPECT_TRUE(!answer && answer.error().kind == core::ErrorKind::protocol) << text;
  }
  test::FakeHttp http;
  http.content_type = "text/html";
  http.status = 404;
  const auto answer = PrometheusClient(http, "http://h").query("m");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, core::ErrorKind::protocol);
  EXPECT_THAT(answer.error().message, HasSubstr("status 404 at /api/v1/query"));
}

TEST(PrometheusClient, AlertingRulesAreReadAndOthersLeftOut) {
  test::FakeHttp http;
  http.body = R"({"status":"success","data":{"groups":[{"name":"g","file":"r.yml","rules":[
    {"type":"recording","name":"r","query":"m"},
    {"type":"alerting","name":"A","query":"m > 1","state":"firing","duration":60}]}]}})";
  const auto rules = PrometheusClient(http, "http://h").alerting_rules();
  ASSERT_TRUE(rules);
  ASSERT_EQ(rules->size(), 1U);
  EXPECT_EQ(rules->at(0).query, "m > 1");
  EXPECT_EQ(rules->at(0).hold_seconds, 60);
  EXPECT_EQ(rules->at(0).group, "g");
}

}  // namespace
}  // namespace weir::app
