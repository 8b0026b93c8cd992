#include "api/routes.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/fake_backend.h"

namespace weir::api {
namespace {

using nlohmann::json;

class RoutesTest : public testing::Test {
 protected:
  net::ServerResponse get(const std::string& path, const std::string& query = "") { return ask("GET", path, query); }
  net::ServerResponse ask(const std::string& method, const std::string& path, const std::string& query = "") {
    net::ServerRequest request;
    request.method = method;
    request.path = path;
    request.query = query;
    request.headers = headers_;
    return answer(fake_.backend(), request);
  }
  FakeBackend fake_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

TEST_F(RoutesTest, MetricsAreTheRenderedPieces) {
  core::Batch batch;
  batch.samples = {{core::Labels::metric("up", {}), FakeBackend::now(), 1}};
  fake_.metrics.update("a", std::make_shared<const core::Batch>(batch), FakeBackend::now());
  const auto response = get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  ASSERT_EQ(response.parts.size(), 1U);
  EXPECT_EQ(*response.parts[0], "up 1\n");
}

TEST_F(RoutesTest, AClusterHasItsOwnMetricsAndAnUnknownOneIsNotFound) {
  core::Batch batch;
  batch.samples = {{core::Labels::metric("lag", {{"cluster", "prod"}, {"topic", "a"}}), FakeBackend::now(), 1}};
  fake_.metrics.update("a", std::make_shared<const core::Batch>(batch), FakeBackend::now());
  const auto response = get("/metrics/prod");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(*response.body, "lag{topic=\"a\"} 1\n");
  EXPECT_EQ(get("/metrics/test").status, 404);
  EXPECT_EQ(get("/metrics/").status, 404);
  EXPECT_EQ(ask("POST", "/metrics/prod").status, 405);
}

TEST_F(RoutesTest, IsHealthyAtOnceAndReadyOnceEveryCollectorHasRun) {
  fake_.collectors = {
      {.name = "kafka/prod", .ran = true, .success = false, .last_success = {}, .duration = {}, .error = "down"},
      {.name = "checks/db", .ran = false, .success = false, .last_success = {}, .duration = {}, .error = ""}};
  EXPECT_EQ(get("/-/healthy").status, 200);
  const auto waiting = get("/-/ready");
  EXPECT_EQ(waiting.status, 503);
  EXPECT_NE(waiting.body->find("checks/db"), std::string::npos);
  fake_.collectors[1].ran = true;
  EXPECT_EQ(get("/-/ready").status, 200);
}

TEST_F(RoutesTest, ListsIncidents) {
  core::Incident incident;
  incident.id = "aa";
  fake_.history = std::vector<core::Incident>{incident};
  const auto response = get("/api/weir/v1/incidents", "limit=7");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json::parse(*response.body)["incidents"][0]["id"], "aa");
  EXPECT_EQ(fake_.asked_limit, 8U) << "one more tells whether there are more";
  EXPECT_EQ(json::parse(*response.body)["next"], nullptr);
}

TEST_F(RoutesTest, RefusesALimitThatIsNone) {
  for (const char* limit : {"0", "-1", "x", "", "10001", "99999999999999999999", "5x"}) {
    EXPECT_EQ(get("/api/weir/v1/incidents", std::string("limit=") + limit).status, 400) << limit;
  }
}

TEST_F(RoutesTest, ShowsOneIncidentOr404) {
  EXPECT_EQ(get("/api/weir/v1/incidents/aa").status, 404);
  core::Incident incident;
  incident.id = "aa";
  fake_.history = std::vector<core::Incident>{incident};
  const auto response = get("/api/weir/v1/incidents/aa");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json::parse(*response.body)["id"], "aa");
  EXPECT_EQ(fake_.asked_id, "aa");
  EXPECT_EQ(get("/api/weir/v1/incidents/").status, 404);
}

TEST_F(RoutesTest, AnIncidentThatIsNotInMemoryWhileStorageIsAwayIs503WithTheReason) {
  fake_.history = core::fail(core::ErrorKind::storage, "disk I/O error", "weir.db");
  const auto response = get("/api/weir/v1/incidents/aa");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(json::parse(*response.body)["error"], "the history of incidents is away: weir.db: disk I/O error");
  fake_.incidents.emplace_back().id = "aa";
  EXPECT_EQ(json::parse(*get("/api/weir/v1/incidents/aa").body)["id"], "aa");
}

TEST_F(RoutesTest, ServesThePageAndItsAssets) {
  fake_.assets = {{"/index.html", "text/html; charset=utf-8", "\"1\"", "<html>"},
                  {"/assets/page.js", "text/javascript", "\"2\"", "1"}};
  const auto page = get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(*page.body, "<html>");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(*get("/assets/page.js").body, "1");
  headers_ = {{"if-none-match", "\"1\""}};
  const auto same = get("/");
  EXPECT_EQ(same.status, 304);
  headers_ = {{"if-none-match", "W/\"1\""}};
  EXPECT_EQ(get("/").status, 304) << "of a compressed copy";
  EXPECT_EQ(same.body, nullptr);
  EXPECT_EQ(get("/assets/page.js").status, 200);
}

TEST_F(RoutesTest, AnythingElseIs404) {
  for (const char* path :
       {"/none", "/assets/../etc/passwd", "/api/v1/nothing", "/metrics/", "//", "/api/weir/v1/incidentsx"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

TEST_F(RoutesTest, UnknownPathsOfThePrometheusApiAreItsErrors) {
  for (const char* path : {"/api/v1/nothing", "/api/v1/label//values", "/api/v1/label/x", "/api/v1/"}) {
    const auto response = get(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(json::parse(*response.body)["errorType"], "not_found");
  }
}

TEST_F(RoutesTest, ServesThePrometheusApi) {
  fake_.series.add(core::Labels::metric("up", {{"job", "a"}}), FakeBackend::now(), 1);
  for (const char* path :
       {"query", "query_range", "query_exemplars", "format_query", "parse_query", "series", "labels",
        "label/job/values", "metadata", "rules", "alerts", "status/buildinfo", "status/runtimeinfo"}) {
    const auto response = get(std::string("/api/v1/") + path, "query=up&match[]=up&start=1000&end=1001&step=1");
    EXPECT_EQ(response.status, 200) << path << *response.body;
    EXPECT_EQ(json::parse(*response.body)["status"], "success");
  }
  EXPECT_EQ(json::parse(*get("/api/v1/label/job/values").body)["data"], json::array({"a"}));
}

TEST_F(RoutesTest, EachPathHasItsMethods) {
  using Header = std::pair<std::string, std::string>;
  for (const char* path : {"/api/v1/query", "/api/v1/labels", "/api/v1/series", "/api/v1/query_range"})
    EXPECT_NE(ask("POST", path, "query=1&match[]=up").status, 405) << path;
  for (const char* path : {"/metrics", "/-/ready", "/api/v1/label/job/values", "/api/v1/rules", "/"}) {
    const auto refused = ask("POST", path);
    EXPECT_EQ(refused.status, 405) << path;
    EXPECT_EQ(refused.headers.at(0), (Header{"Allow", "GET, HEAD"}));
  }
  EXPECT_EQ(ask("PUT", "/api/v1/query", "query=1").headers.at(0), (Header{"Allow", "GET, HEAD, POST"}));
  EXPECT_EQ(get("/-/reload").headers.at(0), (Header{"Allow", "POST, PUT"}));
  EXPECT_EQ(fake_.reloads, 0);
}

TEST_F(RoutesTest, ReloadsOnPostAndPut) {
  EXPECT_EQ(ask("POST", "/-/reload").status, 200);
  EXPECT_EQ(ask("PUT", "/-/reload").status, 200);
  EXPECT_EQ(fake_.reloads, 2);
  EXPECT_EQ(*ask("POST", "/-/reload").body, "");
  fake_.reloaded = "changes that need a restart were not applied: kafka";
  EXPECT_EQ(*ask("POST", "/-/reload").body, "changes that need a restart were not applied: kafka\n");
  fake_.reloaded = core::fail(core::ErrorKind::invalid, "rules.yml:3:5: wrong");
  const auto failed = ask("POST", "/-/reload");
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(*failed.body, "failed to reload config: rules.yml:3:5: wrong\n");
}

TEST_F(RoutesTest, APageOfAnotherSiteCannotReload) {
  headers_ = {{"sec-fetch-site", "cross-site"}};
  EXPECT_EQ(ask("POST", "/-/reload").status, 403);
  EXPECT_EQ(fake_.reloads, 0);
  headers_ = {{"sec-fetch-site", "same-origin"}};
  EXPECT_EQ(ask("POST", "/-/reload").status, 200);
}

TEST_F(RoutesTest, APageOfAnotherSiteInAnOldBrowserCannotReload) {
  for (const char* origin : {"http://evil.com", "null", "http://weir:9090.evil.com"}) {
    headers_ = {{"origin", origin}, {"host", "weir:9090"}};
    EXPECT_EQ(ask("POST", "/-/reload").status, 403) << origin;
  }
  EXPECT_EQ(fake_.reloads, 0);
  headers_ = {{"origin", "http://weir:9090"}, {"host", "weir:9090"}};
  EXPECT_EQ(ask("POST", "/-/reload").status, 200);
}

class FakeResponder final : public net::Responder {
 public:
  explicit FakeResponder(std::vector<int>& statuses) : statuses_(statuses) {}
  void send(net::ServerResponse response) override { statuses_.push_back(response.status); }

 private:
  std::vector<int>& statuses_;
};

TEST_F(RoutesTest, WhatMayTakeAWhileLeavesTheLoop) {
  std::vector<std::function<void()>> tasks;
  std::vector<int> statuses;
  Backend backend = fake_.backend();
  bool full = false;
  backend.background = [&](std::function<void()> task) {
    if (!full) tasks.push_back(std::move(task));
    return !full;
  };
  const auto ask_for = [&](const std::string& path) {
    net::ServerRequest request;
    request.method = "GET";
    request.path = path;
    if (path == "/api/v1/query") request.query = "query=1";
    serve(backend, request, std::make_shared<FakeResponder>(statuses));
  };
  ask_for("/-/ready");
  ask_for("/-/healthy");
  EXPECT_EQ(statuses, (std::vector<int>{200, 200})) << "answered at once";
  for (const char* path :
       {"/metrics", "/api/v1/query", "/api/weir/v1/overview", "/api/weir/v1/incidents", "/api/weir/v1/incidents/aa"})
    ask_for(path);
  EXPECT_EQ(statuses.size(), 2U);
  for (const auto& task : tasks) task();
  EXPECT_EQ(statuses, (std::vector<int>{200, 200, 200, 200, 200, 200, 404}));
  full = true;
  ask_for("/api/v1/query");
  EXPECT_EQ(statuses.back(), 503);
  ask_for("/metrics");
  EXPECT_EQ(statuses.back(), 200) << "what scrapes is never refused";
}

TEST_F(RoutesTest, ALargePageIsCompressedOffTheLoopOrNotAtAll) {
  core::Batch batch;
  for (int i = 0; i < 5000; ++i)
    batch.samples.push_back({core::Labels::metric("up", {{"n", std::to_string(i)}}), FakeBackend::now(), 1});
  fake_.metrics.update("a", std::make_shared<const core::Batch>(batch), FakeBackend::now());
  std::vector<std::function<void()>> tasks;
  Backend backend = fake_.backend();
  bool full = false;
  backend.brief = [&](std::function<void()> task) {
    if (!full) tasks.push_back(std::move(task));
    return !full;
  };
  std::vector<net::ServerResponse> responses;
  class Keeper final : public net::Responder {
   public:
    explicit Keeper(std::vector<net::ServerResponse>& kept) : kept_(kept) {}
    void send(net::ServerResponse response) override { kept_.push_back(std::move(response)); }

   private:
    std::vector<net::ServerResponse>& kept_;
  };
  net::ServerRequest request;
  request.method = "GET";
  request.path = "/metrics";
  request.headers = {{"accept-encoding", "gzip"}};
  serve(backend, request, std::make_shared<Keeper>(responses));
  EXPECT_TRUE(responses.empty());
  ASSERT_EQ(tasks.size(), 1U);
  tasks[0]();
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_LT(responses[0].body->size(), 40'000U);
  full = true;
  serve(backend, request, std::make_shared<Keeper>(responses));
  ASSERT_EQ(responses.size(), 2U);
  EXPECT_EQ(responses[1].parts.size(), 1U);
}

class FakeStream final : public net::EventStream {
 public:
  bool write(std::string_view text) override {
    if (gone) return false;
    written += text;
    return true;
  }
  void close() override { gone = true; }
  std::string written;
  bool gone = false;
};

TEST(EventHubTest, TellsEveryStreamWithARisingNumber) {
  EventHub hub;
  const auto first = std::make_shared<FakeStream>();
  const auto second = std::make_shared<FakeStream>();
  hub.add(first);
  hub.publish("cycle");
  hub.add(second);
  hub.publish("alert");
  EXPECT_EQ(first->written,
            "event: update\ndata: {\"reason\":\"cycle\",\"seq\":1}\n\nevent: update\ndata: "
            "{\"reason\":\"alert\",\"seq\":2}\n\n");
  EXPECT_EQ(second->written, "event: update\ndata: {\"reason\":\"alert\",\"seq\":2}\n\n");
  hub.keep_alive();
  EXPECT_TRUE(second->written.ends_with("\n\n: alive\n\n"));
}

TEST(EventHubTest, ForgetsStreamsThatAreGone) {
  EventHub hub;
  const auto stream = std::make_shared<FakeStream>();
  hub.add(stream);
  stream->close();
  hub.publish("cycle");
  EXPECT_EQ(stream.use_count(), 1);
}

}  // namespace
}  // namespace weir::api
