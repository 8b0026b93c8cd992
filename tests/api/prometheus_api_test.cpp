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
  for (const char* time :
       {"yesterday", "NaN", "1e300", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00:00X", ""}) {
    EXPECT_EQ(failure(std::string("query=up&time=") + time, 400), "bad_data") << time;
  }
}

TEST_F(PrometheusApiTest, WhatCannotBeEvaluatedIsAnExecutionError) {
  EXPECT_EQ(failure("query=up%20%2B%20on()%20up", 422), "execution");
  fake_.series.break_down();
  EXPECT_EQ(failure("query=up", 422), "execution");
}

}  // namespace
}  // namespace weir::api
