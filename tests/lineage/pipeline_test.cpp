#include "lineage/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::lineage {
namespace {

using testing::HasSubstr;

std::vector<Pipeline> read(const std::string& text, config::Diagnostics& diagnostics) {
  return parse_pipelines(config::parse_yaml(text, "weir.yml", diagnostics), diagnostics);
}

std::string mistakes(const std::string& text) {
  config::Diagnostics diagnostics;
  read(text, diagnostics);
  return diagnostics.to_string();
}

TEST(NodeTextTest, ReadsKindPlaceAndName) {
  EXPECT_EQ(parse_node("topic:prod/orders")->node, (core::Node{"topic", "prod", "orders"}));
  EXPECT_EQ(parse_node("group:prod/billing")->node, (core::Node{"consumer group", "prod", "billing"}));
  EXPECT_EQ(parse_node("table:warehouse/public.orders")->node, (core::Node{"table", "warehouse", "public.orders"}));
  EXPECT_EQ(parse_node("dashboard:revenue")->node, (core::Node{"dashboard", "", "revenue"}));
  EXPECT_EQ(parse_node("job:airflow://prod/load/all")->node, (core::Node{"job", "airflow://prod", "load/all"}));
  EXPECT_TRUE(parse_node("topic:prod/orders.*")->glob);
  EXPECT_FALSE(parse_node("topic:prod/orders")->glob);
}

TEST(NodeTextTest, RefusesWhatIsNoNode) {
  for (const char* text : {"", "orders", "topic:", ":prod/orders", "topic:/orders", "topic:prod/", "9:a/b", "a/b:c"})
    EXPECT_FALSE(parse_node(text)) << text;
}

TEST(NodeTextTest, IsWrittenAsItIsRead) {
  for (const char* text : {"topic:prod/orders", "group:prod/billing", "dashboard:revenue", "job:airflow://prod/load"})
    EXPECT_EQ(to_text(parse_node(text)->node), text);
  EXPECT_EQ(describe({"consumer group", "prod", "billing"}), "consumer group billing in prod");
}

TEST(PipelineTest, AFlowIsEachStepAfterTheOneBefore) {
  config::Diagnostics diagnostics;
  const auto pipelines = read(R"(
- name: orders
  owner: shop
  criticality: high
  description: what customers buy
  sla: {freshness: 1h, latency: 5m}
  flow: [topic:prod/orders, [group:prod/billing, group:prod/fraud], table:warehouse/orders]
  edges: [{from: topic:prod/orders, to: topic:prod/orders.dlt}]
  nodes: ["topic:prod/audit.*"]
)",
                              diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  ASSERT_EQ(pipelines.size(), 1U);
  const Pipeline& orders = pipelines[0];
  EXPECT_EQ(orders.owner, "shop");
  EXPECT_EQ(orders.sla.freshness, std::chrono::hours(1));
  EXPECT_EQ(orders.sla.latency, std::chrono::minutes(5));
  EXPECT_EQ(orders.nodes.size(), 6U);
  std::vector<std::string> edges;
  for (const auto& [from, to] : orders.edges) edges.push_back(from.text + " > " + to.text);
  EXPECT_THAT(edges, testing::ElementsAre(
                         "topic:prod/orders > group:prod/billing", "topic:prod/orders > group:prod/fraud",
                         "group:prod/billing > table:warehouse/orders", "group:prod/fraud > table:warehouse/orders",
                         "topic:prod/orders > topic:prod/orders.dlt"));
}

TEST(PipelineTest, AllMistakesAreNamedAtTheirPlaces) {
  const std::string said = mistakes(R"(
- {name: a, flow: [orders, topic:prod/x], criticality: huge, sla: {freshnes: 1h}}
- {name: a, nodes: [topic:prod/x]}
- {name: b}
- {name: d, flow: []}
- {name: c, edges: [{from: topic:p/x}], sla: {latency: 0}}
)");
  EXPECT_THAT(said, HasSubstr("weir.yml:2:20: pipeline \"a\": \"orders\" is no node: write kind:place/name"));
  EXPECT_THAT(said, HasSubstr("criticality"));
  EXPECT_THAT(said, HasSubstr("did you mean \"freshness\"?"));
  EXPECT_THAT(said, HasSubstr("the name \"a\" is given twice"));
  EXPECT_THAT(said, HasSubstr("say what is in it: flow, edges or nodes"));
  EXPECT_THAT(said, HasSubstr("pipeline \"d\": \"flow\": names nothing"));
  EXPECT_THAT(said, HasSubstr("\"to\""));
  EXPECT_THAT(said, HasSubstr("must be longer than nothing"));
  EXPECT_THAT(mistakes("orders"), HasSubstr("expected a list"));
}

TEST(PipelineTest, AWayWrittenTwiceIsRemembered) {
  config::Diagnostics diagnostics;
  const auto pipelines =
      read("- {name: a, flow: [topic:p/x, table:w/y], edges: [{from: topic:p/x, to: table:w/y}]}", diagnostics);
  EXPECT_EQ(pipelines[0].edges.size(), 1U);
  EXPECT_EQ(pipelines[0].repeated.size(), 1U);
}

TEST(LineageSectionTest, HasBounds) {
  config::Diagnostics diagnostics;
  const GraphLimits limits = parse_lineage_section(
      config::parse_yaml("{max_nodes: 100, max_edges: 200, expire: 2d}", "weir.yml", diagnostics), diagnostics);
  EXPECT_EQ(limits.nodes, 100U);
  EXPECT_EQ(limits.edges, 200U);
  EXPECT_EQ(limits.expire, std::chrono::days(2));
  parse_lineage_section(config::parse_yaml("{expire: 1s}", "weir.yml", diagnostics), diagnostics);
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("at least 1m"));
}

}  // namespace
}  // namespace weir::lineage
