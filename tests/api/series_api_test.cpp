#include "api/series_api.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/fake_backend.h"

namespace weir::api {
namespace {

using core::Labels;
using nlohmann::json;

class SeriesApiTest : public testing::Test {
 protected:
  SeriesApiTest() {
    fake_.series.add(Labels::metric("up", {{"job", "b"}}), FakeBackend::now(), 1);
    fake_.series.add(Labels::metric("up", {{"job", "a"}, {"zone", "z"}}), FakeBackend::now(), 1);
    fake_.series.add(Labels::metric("old", {{"job", "c"}, {"age", "x"}}), core::Time(std::chrono::seconds(10)), 1);
  }
  using Handler = net::ServerResponse (*)(const Backend&, const net::ServerRequest&);
  json ask(Handler handler, const std::string& query, int status = 200) {
    net::ServerRequest request;
    request.method = "GET";
    request.query = query;
    return read(handler(fake_.backend(), request), status);
  }
  json values(const std::string& name, const std::string& query, int status = 200) {
    net::ServerRequest request;
    request.query = query;
    return read(label_values(fake_.backend(), request, name), status);
  }
  static json read(const net::ServerResponse& response, int status) {
    EXPECT_EQ(response.status, status) << *response.body;
    EXPECT_EQ(response.content_type, "application/json");
    return json::parse(*response.body);
  }
  FakeBackend fake_;
};

TEST_F(SeriesApiTest, SeriesAreLabelsInOrderEachOnce) {
  EXPECT_EQ(ask(series, "match[]=up&match[]=up%7Bjob%3D%22a%22%7D"),
            json::parse(R"({"status":"success","data":[{"__name__":"up","job":"a","zone":"z"},
                                                        {"__name__":"up","job":"b"}]})"));
  EXPECT_EQ(ask(series, "match[]=none")["data"], json::array());
}

TEST_F(SeriesApiTest, StartAndEndBoundTheSeries) {
  EXPECT_EQ(ask(series, "match[]=old&start=0&end=20")["data"].size(), 1U);
  EXPECT_EQ(ask(series, "match[]=old&start=20")["data"].size(), 0U);
  EXPECT_EQ(ask(series, "match[]=up&start=20&end=10")["data"].size(), 0U);
  EXPECT_EQ(ask(series, "match[]=old&start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z")["data"]
                .size(),
            1U);
}

TEST_F(SeriesApiTest, WhatIsCutOffIsAWarning) {
  const json cut = ask(series, "match[]=up&limit=1");
  EXPECT_EQ(cut["data"].size(), 1U);
  EXPECT_EQ(cut["warnings"], json::array({"results truncated due to limit"}));
  EXPECT_FALSE(ask(series, "match[]=up&limit=2").contains("warnings"));
  EXPECT_EQ(ask(labels, "limit=1")["warnings"].size(), 1U);
}

TEST_F(SeriesApiTest, LabelNamesAndValuesAreSorted) {
  EXPECT_EQ(ask(labels, "")["data"], json::array({"__name__", "age", "job", "zone"}));
  EXPECT_EQ(ask(labels, "match[]=up%7Bjob%3D%22b%22%7D")["data"], json::array({"__name__", "job"}));
  EXPECT_EQ(ask(labels, "match[]=none")["data"], json::array());
  EXPECT_EQ(values("job", "")["data"], json::array({"a", "b", "c"}));
  EXPECT_EQ(values("job", "match[]=up")["data"], json::array({"a", "b"}));
  EXPECT_EQ(values("zone", "match[]=up")["data"], json::array({"z"}));
  EXPECT_EQ(values("nope", "")["data"], json::array());
}

TEST_F(SeriesApiTest, ARangeOfLongAgoIsLookedUpInTheSamples) {
  Backend backend = fake_.backend();
  backend.now = [] { return core::Time(std::chrono::hours(5)); };
  net::ServerRequest request;
  request.query = "start=0&end=20";
  EXPECT_EQ(json::parse(*labels(backend, request).body)["data"], json::array({"__name__", "age", "job"}));
  EXPECT_EQ(json::parse(*label_values(backend, request, "job").body)["data"], json::array({"c"}));
}

TEST_F(SeriesApiTest, LabelNamesMayBeEscaped) {
  fake_.series.add(Labels::metric("up", {{"http.code", "200"}, {"größe_x", "1"}}), FakeBackend::now(), 1);
  EXPECT_EQ(values("U__http_2e_code", "")["data"], json::array({"200"}));
  EXPECT_EQ(values("U__gr_f6__df_e__x", "")["data"], json::array({"1"}));
  EXPECT_EQ(values("U__a_zz_", "")["data"], json::array());
  EXPECT_EQ(values("U__a_110000_", "")["data"], json::array());
  EXPECT_EQ(values("\xff", "", 400)["errorType"], "bad_data");
}

TEST_F(SeriesApiTest, BadInputIsNamed) {
  EXPECT_EQ(ask(series, "", 400)["error"], "no match[] parameter provided");
  EXPECT_EQ(ask(series, "match[]=up&start=x", 400)["error"],
            "invalid parameter \"start\": Invalid time value for 'start': cannot parse \"x\" to a valid timestamp");
  EXPECT_EQ(ask(series, "match[]={}", 400)["error"],
            "invalid parameter \"match[]\": match[] must contain at least one non-empty matcher");
  EXPECT_EQ(ask(labels, "match[]={}", 400)["error"], "match[] must contain at least one non-empty matcher");
  EXPECT_EQ(values("job", "limit=x", 400)["errorType"], "bad_data");
  EXPECT_EQ(ask(metadata, "limit=x", 400)["error"], "limit must be a number");
  EXPECT_EQ(ask(metadata, "limit_per_metric=x", 400)["error"], "limit_per_metric must be a number");
}

TEST_F(SeriesApiTest, AStoreThatRefusesIsAnExecutionError) {
  fake_.series.break_down();
  for (const auto handler : {series, labels}) EXPECT_EQ(ask(handler, "match[]=up", 422)["errorType"], "execution");
  EXPECT_EQ(values("job", "match[]=up", 422)["errorType"], "execution");
}

TEST_F(SeriesApiTest, MetadataIsOfTheMetricsThatAreShown) {
  static constexpr std::array kMetrics{core::MetricInfo{"up", core::MetricType::gauge, "whether \"it\" is"},
                                       core::MetricInfo{"down", core::MetricType::counter, "no"},
                                       core::MetricInfo{"any", core::MetricType::untyped, "?"}};
  fake_.metrics.describe(kMetrics);
  core::Batch batch;
  batch.samples = {{Labels::metric("up", {}), FakeBackend::now(), 1},
                   {Labels::metric("any", {}), FakeBackend::now(), 1},
                   {Labels::metric("unheard_of", {}), FakeBackend::now(), 1}};
  fake_.metrics.update("a", std::make_shared<const core::Batch>(batch), FakeBackend::now());
  const json any = json::parse(R"([{"type":"unknown","help":"?","unit":""}])");
  EXPECT_EQ(ask(metadata, "")["data"],
            (json{{"any", any}, {"up", json::parse(R"([{"type":"gauge","help":"whether \"it\" is","unit":""}])")}}));
  EXPECT_EQ(ask(metadata, "limit=1")["data"], (json{{"any", any}}));
  EXPECT_EQ(ask(metadata, "limit=0")["data"], json::object());
  EXPECT_EQ(ask(metadata, "metric=any&limit_per_metric=1")["data"], (json{{"any", any}}));
  EXPECT_EQ(ask(metadata, "metric=down")["data"], json::object());
}

}  // namespace
}  // namespace weir::api
