#include "api/prometheus_api.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/fake_backend.h"

namespace weir::api {
namespace {

using core::Labels;
using nlohmann::json;

class PrometheusApiTest : public testing::Test {
 protected:
  PrometheusApiTest() {
    const auto at = [](int seconds) { return core::Time(std::chrono::seconds(seconds)); };
    fake_.series.add(Labels::metric("up", {{"job", "a"}}), {{at(940), 0}, {at(970), 1}, {at(1000), 1}});
    fake_.series.add(Labels::metric("up", {{"job", "b"}}), {{at(1000), 0.5}});
  }
  net::ServerResponse ask(const std::string& parameters) {
    net::ServerRequest request;
    request.method = "GET";
    request.path = "/api/v1/query";
    request.query = parameters;
    return query(fake_.backend(), request);
  }
  json range(const std::string& parameters, int status = 200) {
    net::ServerRequest request;
    request.method = "GET";
    request.query = parameters;
    const auto response = query_range(fake_.backend(), request);
    EXPECT_EQ(response.status, status) << *response.body;
    return json::parse(*response.body);
  }
  json data(const std::string& parameters) {
    const net::ServerResponse response = ask(parameters);
    EXPECT_EQ(response.status, 200) << *response.body;
    EXPECT_EQ(response.content_type, "application/json");
    const json answer = json::parse(*response.body);
    EXPECT_EQ(answer["status"], "success");
    return answer["data"];
  }
  json failure(const std::string& parameters, int status) {
    const net::ServerResponse response = ask(parameters);
    EXPECT_EQ(response.status, status) << *response.body;
    const json answer = json::parse(*response.body);
    EXPECT_EQ(answer["status"], "error");
    EXPECT_FALSE(answer["error"].get<std::string>().empty());
    return answer["errorType"];
  }
  FakeBackend fake_;
};

TEST_F(PrometheusApiTest, AVectorIsLabelsTimeAndTheValueAsText) {
  EXPECT_EQ(
      data("query=up%7Bjob%3D%22a%22%7D"),
      json::parse(R"({"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1000,"1"]}]})"));
}

TEST_F(PrometheusApiTest, TheTimeIsAParameter) {
  EXPECT_EQ(data("query=up%7Bjob%3D%22a%22%7D&time=940.5")["result"][0]["value"], json::parse(R"([940.5,"0"])"));
  EXPECT_EQ(data("query=up%7Bjob%3D%22a%22%7D&time=1970-01-01T00:16:00Z")["result"][0]["value"],
            json::parse(R"([960,"0"])"));
  EXPECT_EQ(data("query=up%7Bjob%3D%22a%22%7D&time=1970-01-01T01:16:00.25%2B01:00")["result"][0]["value"],
            json::parse(R"([960.25,"0"])"));
}

TEST_F(PrometheusApiTest, ScalarsStringsAndMatrices) {
  EXPECT_EQ(data("query=1%2F0"), json::parse(R"({"resultType":"scalar","result":[1000,"+Inf"]})"));
  EXPECT_EQ(data("query=%22x%22"), json::parse(R"({"resultType":"string","result":[1000,"x"]})"));
  EXPECT_EQ(
      data("query=up%7Bjob%3D%22a%22%7D%5B1m%5D"),
      json::parse(
          R"({"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a"},"values":[[970,"1"],[1000,"1"]]}]})"));
}

TEST_F(PrometheusApiTest, NothingFoundIsAnEmptyVector) {
  EXPECT_EQ(data("query=none"), json::parse(R"({"resultType":"vector","result":[]})"));
}

TEST_F(PrometheusApiTest, AFormMayCarryTheQuery) {
  net::ServerRequest request;
  request.method = "POST";
  request.path = "/api/v1/query";
  request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  request.body = "query=sum(up)";
  EXPECT_EQ(json::parse(*query(fake_.backend(), request).body)["data"]["result"][0]["value"],
            json::parse(R"([1000,"1.5"])"));
}

TEST_F(PrometheusApiTest, WhatCannotBeReadIsBadData) {
  EXPECT_EQ(failure("query=up%7B", 400), "bad_data");
  EXPECT_EQ(failure("", 400), "bad_data");
  for (const char* time : {"yesterday", "NaN", "1e300", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00:00X"}) {
    EXPECT_EQ(failure(std::string("query=up&time=") + time, 400), "bad_data") << time;
  }
}

TEST_F(PrometheusApiTest, WhatCannotBeEvaluatedIsAnExecutionError) {
  EXPECT_EQ(failure("query=up%20%2B%20on()%20up", 422), "execution");
  fake_.series.break_down();
  EXPECT_EQ(failure("query=up", 422), "execution");
}

TEST_F(PrometheusApiTest, AnEmptyTimeIsNow) {
  EXPECT_EQ(data("query=1&time=")["result"], json::parse(R"([1000,"1"])"));
}

TEST_F(PrometheusApiTest, ARangeIsAMatrix) {
  EXPECT_EQ(range("query=up%7Bjob%3D%22a%22%7D&start=940&end=1000&step=30s")["data"],
            json::parse(R"({"resultType":"matrix","result":[
              {"metric":{"__name__":"up","job":"a"},"values":[[940,"0"],[970,"1"],[1000,"1"]]}]})"));
  EXPECT_EQ(range("query=1&start=5&end=10&step=2.5")["data"]["result"],
            json::parse(R"([{"metric":{},"values":[[5,"1"],[7.5,"1"],[10,"1"]]}])"));
  EXPECT_EQ(range("query=none&start=1&end=2&step=1")["data"]["result"], json::array());
}

TEST_F(PrometheusApiTest, RangesAreRefusedWithPrometheusMessages) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"query=up", "invalid parameter \"start\": cannot parse \"\" to a valid timestamp"},
      {"query=up&start=1", "invalid parameter \"end\": cannot parse \"\" to a valid timestamp"},
      {"query=up&start=5&end=1&step=1", "invalid parameter \"end\": end timestamp must not be before start time"},
      {"query=up&start=5&end=10", "invalid parameter \"step\": cannot parse \"\" to a valid duration"},
      {"query=up&start=5&end=10&step=0",
       "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive "
       "integer"},
      {"query=up&start=5&end=10&step=-1",
       "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive "
       "integer"},
      {"query=up&start=0&end=11001&step=1",
       "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"},
      {"query=up&step=1m&start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z",
       "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"},
      {"query=up%5B1m%5D&start=5&end=10&step=1",
       "invalid parameter \"query\": invalid expression type \"range vector\" for range query, must be Scalar or "
       "instant Vector"},
      {"query=%22x%22&start=5&end=10&step=1",
       "invalid parameter \"query\": invalid expression type \"string\" for range query, must be Scalar or instant "
       "Vector"}};
  for (const auto& [query, message] : cases) {
    const json answer = range(query, 400);
    EXPECT_EQ(answer["errorType"], "bad_data");
    EXPECT_EQ(answer["error"], message);
  }
  EXPECT_EQ(range("query=1&start=0&end=11000&step=1")["data"]["result"][0]["values"].size(), 11'001U);
}

TEST_F(PrometheusApiTest, TheTimeoutIsTheCallers) {
  EXPECT_EQ(failure("query=up&timeout=x", 400), "bad_data");
  EXPECT_EQ(failure("query=up&lookback_delta=1m", 400), "bad_data");
  EXPECT_EQ(data("query=up&timeout=1h&lookback_delta=300")["result"].size(), 2U);
}

TEST_F(PrometheusApiTest, ALimitCutsSeriesAndSaysSo) {
  const auto response = ask("query=up&limit=1");
  const json answer = json::parse(*response.body);
  EXPECT_EQ(answer["data"]["result"].size(), 1U);
  EXPECT_EQ(answer["warnings"], json::array({"results truncated due to limit"}));
  EXPECT_FALSE(json::parse(*ask("query=up&limit=2").body).contains("warnings"));
  EXPECT_EQ(range("query=up&start=1000&end=1000&step=1&limit=1")["warnings"].size(), 1U);
  EXPECT_EQ(failure("query=up&limit=-1", 400), "bad_data");
}

TEST_F(PrometheusApiTest, QueriesAreFormatted) {
  net::ServerRequest request;
  request.query = "query=sum(up)by(job)";
  EXPECT_EQ(*format_query(fake_.backend(), request).body, R"x({"status":"success","data":"sum by (job) (up)"})x");
  request.query = "query=sum(";
  EXPECT_EQ(format_query(fake_.backend(), request).status, 400);
}

TEST_F(PrometheusApiTest, ThereAreNoExemplars) {
  net::ServerRequest request;
  request.query = "query=up&start=1&end=2";
  EXPECT_EQ(*query_exemplars(fake_.backend(), request).body, R"({"status":"success","data":[]})");
  request.query = "query=up&start=2&end=1";
  EXPECT_EQ(json::parse(*query_exemplars(fake_.backend(), request).body)["error"],
            "end timestamp must not be before start timestamp");
  request.query = "query=";
  EXPECT_EQ(query_exemplars(fake_.backend(), request).status, 400);
}

TEST_F(PrometheusApiTest, EachErrorTypeHasItsStatus) {
  using core::ErrorKind;
  const std::vector<std::tuple<ErrorKind, int, std::string>> cases{
      {ErrorKind::invalid, 422, "execution"},       {ErrorKind::limit, 422, "execution"},
      {ErrorKind::timeout, 503, "timeout"},         {ErrorKind::cancelled, 499, "canceled"},
      {ErrorKind::unavailable, 503, "unavailable"}, {ErrorKind::not_found, 404, "not_found"},
      {ErrorKind::storage, 500, "internal"}};
  for (const auto& [kind, status, type] : cases) {
    const auto response = execution_failure({kind, "why", false});
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(json::parse(*response.body), (json{{"status", "error"}, {"errorType", type}, {"error", "why"}}));
  }
}

}  // namespace
}  // namespace weir::api
