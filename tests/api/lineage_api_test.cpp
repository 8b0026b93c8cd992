#include "api/lineage_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/fake_backend.h"
#include "api/routes.h"

namespace weir::api {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

core::Node topic(const std::string& name) { return {"topic", "p", name}; }
core::Node table(const std::string& name) { return {"table", "w", name}; }

class LineageApiTest : public testing::Test {
 protected:
  LineageApiTest() {
    config::Diagnostics diagnostics;
    lineage::Graph graph(lineage::parse_pipelines(
        config::parse_yaml("- {name: money, owner: finance, criticality: critical, sla: {freshness: 1h}, "
                           "flow: [table:w/raw, table:w/mart]}",
                           "weir.yml", diagnostics),
        diagnostics));
    core::Batch batch;
    batch.edges = {{topic("orders"), table("raw"), "kafka", {{"id", "order_id"}}},
                   {table("raw"), table("mart"), "dbt"},
                   {topic("other"), {"consumer group", "p", "g"}, "kafka"}};
    graph.take("a", batch, FakeBackend::now());
    view_ = graph.view(FakeBackend::now());
    fake_.lineage.view = [this] { return view_; };
    fake_.lineage.node_of = [](const core::Labels& labels) {
      if (labels.has("topic"))
        return core::Node{"topic", std::string(labels.get("cluster")), std::string(labels.get("topic"))};
      return core::Node{"table", std::string(labels.get("source")), std::string(labels.get("dataset"))};
    };
    fake_.lineage.severity_rank = [](std::string_view severity) { return severity == "critical" ? 2 : 1; };
    fake_.lineage.catalogs = lineage::parse_catalogs(
        config::parse_yaml("- {type: datahub, url: \"https://dh\", platforms: {w: postgres}}", "weir.yml", diagnostics),
        diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  }

  json get(const std::string& path, const std::string& query = "", int status = 200) {
    net::ServerRequest request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    const auto response = answer(fake_.backend(), request);
    EXPECT_EQ(response.status, status) << *response.body;
    return json::parse(*response.body);
  }
  net::ServerResponse post(const std::string& body) {
    net::ServerRequest request;
    request.method = "POST";
    request.path = "/api/v1/lineage";
    request.headers = headers_;
    request.body = body;
    return answer(fake_.backend(), request);
  }
  static std::vector<std::string> texts(const json& nodes) {
    std::vector<std::string> all;
    for (const json& node : nodes) all.push_back(node["text"]);
    return all;
  }

  FakeBackend fake_;
  std::shared_ptr<const lineage::View> view_;
  std::vector<std::pair<std::string, std::string>> headers_{{"content-type", "application/json"}};
};

TEST_F(LineageApiTest, TheGraphHasTheHealthOfEachNode) {
  fake_.alerts = {alert("Lag", core::AlertState::firing,
                        core::Labels{{"cluster", "p"}, {"topic", "orders"}, {"severity", "critical"}})};
  fake_.series.add(core::Labels::metric("weir_check_status", {{"source", "w"}, {"dataset", "mart"}, {"check", "c"}}),
                   FakeBackend::now(), 1);
  const json page = get("/api/lineage");
  ASSERT_EQ(page["nodes"].size(), 5U);
  EXPECT_EQ(page["edges"].size(), 3U);
  EXPECT_EQ(page["total_nodes"], 5);
  EXPECT_EQ(page["truncated"], false);
  std::map<std::string, json> nodes;
  for (const json& node : page["nodes"]) nodes[node["text"]] = node;
  EXPECT_EQ(nodes["topic:p/orders"]["status"], "critical");
  EXPECT_EQ(nodes["topic:p/orders"]["alerts"], json({"Lag"}));
  EXPECT_EQ(nodes["table:w/mart"]["status"], "warning");
  EXPECT_EQ(nodes["table:w/mart"]["pipelines"], json({"money"}));
  EXPECT_EQ(nodes["group:p/g"]["status"], "ok");
  EXPECT_EQ(page["pipelines"][0]["owner"], "finance");
  EXPECT_EQ(page["pipelines"][0]["freshness_seconds"], 3600);
  EXPECT_EQ(page["pipelines"][0]["latency_seconds"], nullptr);
  EXPECT_EQ(get("/api/weir/v1/lineage"), page);
}

TEST_F(LineageApiTest, IsCutToThoseThatMatterMostAndToAPipeline) {
  const json cut = get("/api/lineage", "limit=2");
  EXPECT_THAT(texts(cut["nodes"]), ElementsAre("table:w/mart", "table:w/raw"));
  EXPECT_EQ(cut["truncated"], true);
  EXPECT_EQ(cut["edges"].size(), 1U);
  EXPECT_EQ(get("/api/lineage", "pipeline=money")["nodes"].size(), 2U);
  get("/api/lineage", "pipeline=none", 404);
  for (const char* limit : {"0", "-1", "2001", "x", "1x"}) get("/api/lineage", std::string("limit=") + limit, 400);
}

TEST_F(LineageApiTest, ANodeHasWhatIsUpAndDownstream) {
  fake_.alerts = {alert("Lag", core::AlertState::firing,
                        core::Labels{{"cluster", "p"}, {"topic", "orders"}, {"severity", "critical"}})};
  core::Incident incident;
  incident.id = "aa";
  incident.title = "Table mart";
  incident.alerts = {alert("Late", core::AlertState::firing, core::Labels{{"source", "w"}, {"dataset", "mart"}})};
  fake_.incidents = {incident};
  const json page = get("/api/lineage/node", "kind=table&place=w&name=MART");
  EXPECT_EQ(page["node"]["text"], "table:w/mart");
  EXPECT_THAT(texts(page["upstream"]), ElementsAre("table:w/raw", "topic:p/orders"));
  EXPECT_EQ(page["upstream"][1]["depth"], 2);
  EXPECT_EQ(page["downstream"].size(), 0U);
  EXPECT_EQ(page["nearest_unwell_upstream"]["text"], "topic:p/orders");
  EXPECT_EQ(page["incidents"][0]["id"], "aa");
  EXPECT_EQ(page["pipelines"][0]["name"], "money");
  EXPECT_EQ(page["links"][0]["urn"], "urn:li:dataset:(urn:li:dataPlatform:postgres,mart,PROD)");
  EXPECT_EQ(page["edges"].size(), 2U);
  EXPECT_EQ(
      get("/api/lineage/node", "kind=topic&place=p&name=orders&direction=downstream&depth=1")["downstream"].size(), 1U);
  EXPECT_EQ(get("/api/lineage/node", "kind=group&place=p&name=g")["node"]["kind"], "consumer group");
}

TEST_F(LineageApiTest, MistakesOfANodesQueryAreNamed) {
  EXPECT_THAT(get("/api/lineage/node", "kind=table&place=w&name=none", 404)["error"].get<std::string>(),
              HasSubstr("no table none in w"));
  get("/api/lineage/node", "place=w", 400);
  get("/api/lineage/node", "kind=table&place=w&name=mart&depth=9999", 400);
  get("/api/lineage/node", "kind=table&place=w&name=mart&direction=sideways", 400);
}

TEST_F(LineageApiTest, AnIncidentSaysWhatItReaches) {
  core::Incident incident;
  incident.id = "aa";
  incident.alerts = {alert("Lag", core::AlertState::firing, core::Labels{{"cluster", "p"}, {"topic", "orders"}})};
  fake_.history = std::vector{incident};
  const json lineage = get("/api/weir/v1/incidents/aa")["lineage"];
  EXPECT_EQ(lineage["node"]["text"], "topic:p/orders");
  EXPECT_THAT(texts(lineage["downstream"]), ElementsAre("table:w/raw", "table:w/mart"));
  EXPECT_EQ(lineage["pipelines"][0]["owner"], "finance");
  incident.alerts = {alert("Odd", core::AlertState::firing, core::Labels{{"source", "w"}, {"dataset", "none"}})};
  fake_.history = std::vector{incident};
  EXPECT_EQ(get("/api/weir/v1/incidents/aa")["lineage"]["links"].size(), 1U) << "a catalog may know it all the same";
  fake_.lineage = {};
  EXPECT_EQ(get("/api/weir/v1/incidents/aa")["lineage"], nullptr);
}

TEST_F(LineageApiTest, EventsAreRefusedUnlessTheyAreReceived) {
  EXPECT_EQ(post("{}").status, 404);
  std::string got;
  fake_.lineage.receive = [&](const std::string& body) -> core::Result<void> {
    got = body;
    if (body == "bad") return core::fail(core::ErrorKind::invalid, "\"run\" is missing");
    if (body == "big") return core::fail(core::ErrorKind::limit, "too many datasets");
    if (body == "busy") return core::fail(core::ErrorKind::unavailable, "5 events wait already");
    return {};
  };
  EXPECT_EQ(post("{}").status, 201);
  EXPECT_EQ(got, "{}");
  EXPECT_EQ(post("bad").status, 400);
  EXPECT_THAT(*post("bad").body, HasSubstr("is missing"));
  EXPECT_EQ(post("big").status, 413);
  EXPECT_EQ(post("busy").status, 503);
  headers_ = {{"content-type", "text/plain"}};
  EXPECT_EQ(post("{}").status, 415);
  headers_ = {{"content-type", "application/json"}, {"content-encoding", "br"}};
  EXPECT_EQ(post("{}").status, 415);
  headers_ = {{"content-type", "application/json"}, {"content-encoding", "gzip"}};
  EXPECT_EQ(post("{}").status, 400) << "not packed";
  // {"a": 1} as gzip(1) packs it
  constexpr std::string_view kPacked(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\x56\x4a\x54\xb2\x52\x30\xac\x05\x00\x97\x8e\xa1\xfb\x08\x00\x00"
      "\x00",
      28);
  EXPECT_EQ(post(std::string(kPacked)).status, 201);
  EXPECT_EQ(got, "{\"a\": 1}");
  headers_ = {{"content-type", "application/json"}, {"origin", "https://evil"}, {"host", "localhost:9877"}};
  EXPECT_EQ(post("{}").status, 403);
}

TEST_F(LineageApiTest, SendersShowTheToken) {
  fake_.lineage.receive = [](const std::string&) -> core::Result<void> { return {}; };
  fake_.lineage.token = core::Secret("secret");
  EXPECT_EQ(post("{}").status, 401);
  for (const char* wrong : {"Bearer secre", "Bearer secret2", "Bearer ", "Basic secret", "Bearer sEcret"}) {
    headers_ = {{"content-type", "application/json"}, {"authorization", wrong}};
    EXPECT_EQ(post("{}").status, 401) << wrong;
  }
  headers_ = {{"content-type", "application/json"}, {"authorization", "Bearer secret"}};
  EXPECT_EQ(post("{}").status, 201);
  EXPECT_EQ(get("/api/v1/lineage", "", 405)["error"], "GET is not for this path");
}

}  // namespace
}  // namespace weir::api
