#include "lineage/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lineage/lineage_fixture.h"

namespace weir::lineage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> ways(const View& view) {
  std::vector<std::string> all;
  for (const ViewEdge& edge : view.edges)
    all.push_back(to_text(view.nodes[edge.from].node) + " > " + to_text(view.nodes[edge.to].node));
  return all;
}

std::vector<std::string> findings(const View& view, const std::string& kind) {
  std::vector<std::string> texts;
  for (const Finding& finding : view.findings) {
    if (finding.kind == kind) texts.push_back(finding.text);
  }
  return texts;
}

TEST(GraphTest, MergesWhatSeveralSeeWithWhatIsDeclared) {
  Graph graph(pipelines("- {name: a, flow: [topic:p/x, group:p/g]}"));
  graph.take("kafka/p", batch({edge("topic:p/x", "group:p/g", "kafka")}), kNow);
  graph.take("openlineage", batch({edge("topic:p/x", "group:p/g", "openlineage", {{"id", "id"}})}), kNow);
  const auto view = graph.view(kNow);
  ASSERT_EQ(view->edges.size(), 1U);
  EXPECT_THAT(view->edges[0].seen_by, ElementsAre("declared", "kafka", "openlineage"));
  EXPECT_EQ(view->edges[0].columns, (std::vector<core::ColumnLink>{{"id", "id"}}));
}

TEST(GraphTest, WhatASourceNoLongerTellsIsGoneUnlessItsBatchHasAFault) {
  Graph graph;
  graph.take("kafka/p", batch({edge("topic:p/x", "group:p/g")}), kNow);
  core::Batch partly;
  partly.faults.push_back({});
  graph.take("kafka/p", partly, kNow + std::chrono::minutes(1));
  EXPECT_EQ(graph.view(kNow)->edges.size(), 1U);
  core::Batch no_value;
  no_value.faults.push_back({.error = {}, .scope = {}, .no_value = true});
  graph.take("kafka/p", no_value, kNow + std::chrono::minutes(2));
  EXPECT_EQ(graph.view(kNow)->edges.size(), 0U);
}

TEST(GraphTest, ASourceThatIsSilentKeepsItsEdgesUntilTheyExpire) {
  Graph graph({}, {.nodes = 10, .edges = 10, .expire = std::chrono::hours(1)});
  graph.take("kafka/p", batch({edge("topic:p/x", "group:p/g")}), kNow);
  graph.take("kafka/p", batch({edge("topic:p/x", "group:p/g")}), kNow + std::chrono::minutes(1));
  EXPECT_EQ(graph.view(kNow + std::chrono::minutes(61))->edges.size(), 1U);
  EXPECT_EQ(graph.view(kNow + std::chrono::minutes(62))->edges.size(), 0U);
}

TEST(GraphTest, ASteadyGraphIsTheSameObject) {
  Graph graph;
  graph.take("kafka/p", batch({edge("topic:p/x", "group:p/g")}), kNow);
  const auto view = graph.view(kNow);
  graph.take("kafka/p", batch({edge("topic:p/x", "group:p/g")}), kNow + std::chrono::seconds(15));
  graph.take("checks/w", batch({}), kNow);
  EXPECT_EQ(graph.view(kNow + std::chrono::seconds(15)), view);
}

TEST(GraphTest, IsBoundedAndCountsWhatItRefuses) {
  Graph graph(pipelines("- {name: a, flow: [topic:p/z1, group:p/z2]}"), {.nodes = 4, .edges = 3});
  std::vector<core::Edge> many;
  for (int i = 0; i < 5; ++i) many.push_back(edge("topic:p/x" + std::to_string(i), "group:p/g"));
  graph.take("kafka/p", batch(many), kNow);
  const auto view = graph.view(kNow);
  EXPECT_LE(view->nodes.size(), 4U);
  EXPECT_LE(view->edges.size(), 3U);
  EXPECT_EQ(view->edges.size() + view->refused_edges, 6U);
  EXPECT_TRUE(view->find({"topic", "p", "z1"})) << "what was declared goes first";
  graph.take("kafka/q", batch({edge("topic:q/x", "group:q/g")}), kNow);
  EXPECT_EQ(graph.view(kNow)->edges.size() + graph.view(kNow)->refused_edges, 7U);
}

TEST(GraphTest, PatternsStandForWhatIsThere) {
  Graph graph(pipelines("- {name: a, flow: [\"topic:p/orders.*\", group:p/g]}"));
  graph.know({node("topic:p/orders.eu"), node("topic:p/orders.us"), node("topic:p/other"), node("topic:q/orders.eu")});
  EXPECT_THAT(ways(*graph.view(kNow)), ElementsAre("topic:p/orders.eu > group:p/g", "topic:p/orders.us > group:p/g"));
}

TEST(GraphTest, NamesOfOneTableAreJoinedUnderTheOneThatHasSeries) {
  Graph graph(pipelines("- {name: a, flow: [topic:p/x, table:w/orders]}"));
  graph.know({node("table:w/public.orders")});
  graph.take("dbt", batch({edge("table:w/shop.PUBLIC.Orders", "table:w/mart.revenue")}), kNow);
  const auto view = graph.view(kNow);
  EXPECT_THAT(ways(*view),
              ElementsAre("table:w/public.orders > table:w/mart.revenue", "topic:p/x > table:w/public.orders"));
  EXPECT_EQ(view->find(node("table:w/orders")), view->find(node("table:w/public.orders")));
  EXPECT_EQ(view->find(node("table:w/REVENUE")), view->find(node("table:w/mart.revenue")));
  EXPECT_FALSE(view->find(node("table:other/orders")));
}

TEST(GraphTest, ANameThatMayBeTwoTablesStaysByItselfAndIsFound) {
  Graph graph;
  graph.take("dbt", batch({edge("table:w/orders", "table:w/z"), edge("table:w/a.orders", "table:w/b.orders")}), kNow);
  const auto view = graph.view(kNow);
  EXPECT_EQ(view->nodes.size(), 4U);
  EXPECT_THAT(findings(*view, "duplicate"), ElementsAre(HasSubstr("table orders in w may be a.orders or b.orders")));
}

TEST(GraphTest, FindsCyclesAlsoOfOneNodeAndVeryLongOnes) {
  Graph graph;
  std::vector<core::Edge> edges{edge("topic:p/x", "job:j/a"), edge("job:j/a", "topic:p/x"), edge("job:j/s", "job:j/s"),
                                edge("topic:p/y", "job:j/a")};
  graph.take("a", batch(edges), kNow);
  EXPECT_THAT(findings(*graph.view(kNow), "cycle"),
              ElementsAre("job a in j → topic x in p → job a in j", "job s in j → job s in j"));
  Graph chain;
  edges.clear();
  for (int i = 0; i < 15'000; ++i)
    edges.push_back(edge("job:j/" + std::to_string(i), "job:j/" + std::to_string((i + 1) % 15'000)));
  chain.take("a", batch(edges), kNow);
  EXPECT_THAT(findings(*chain.view(kNow), "cycle"), ElementsAre(HasSubstr("…")));
}

TEST(GraphTest, UnknownNodesAreFoundOnceAllCollectorsWereSeen) {
  Graph graph(pipelines("- {name: a, flow: [topic:p/x, group:p/g, dashboard:d], nodes: [\"topic:p/none.*\"]}"));
  graph.know({node("topic:p/x")});
  EXPECT_THAT(findings(*graph.view(kNow), "unknown_node"), IsEmpty());
  graph.watch({{"kafka/p", true}});
  EXPECT_THAT(findings(*graph.view(kNow), "unknown_node"),
              ElementsAre(HasSubstr("consumer group g in p"), HasSubstr("\"topic:p/none.*\"")));
  graph.take("kafka/p", batch({edge("topic:p/x", "group:p/g")}), kNow);
  EXPECT_EQ(findings(*graph.view(kNow), "unknown_node").size(), 1U);
}

TEST(GraphTest, ACollectorThatSeesNothingHidesWhatItWouldTellOfAndNothingElse) {
  Graph graph(pipelines("- {name: a, flow: [topic:p/x, topic:q/x, table:w/t, table:v/t, subject:r/s]}"));
  graph.watch({{"kafka/p", false}, {"kafka/q", true}, {"checks/v", false}, {"checks/w", true}});
  EXPECT_THAT(findings(*graph.view(kNow), "unknown_node"),
              ElementsAre(HasSubstr("topic x in q"), HasSubstr("table t in w")));
  graph.watch({{"kafka/q", true}, {"checks/w", true}, {"http_json/connect", false}});
  EXPECT_THAT(findings(*graph.view(kNow), "unknown_node"), ElementsAre(HasSubstr("topic x in q")))
      << "a connector may lead to the tables, and to what is in a cluster that nobody looks at";
  graph.watch({{"schema_registry/r", true}, {"kafka/q", false}});
  EXPECT_THAT(findings(*graph.view(kNow), "unknown_node"), ElementsAre(HasSubstr("subject s in r")));
}

TEST(GraphTest, AWayDeclaredTwiceIsFound) {
  Graph graph(pipelines("- {name: a, flow: [topic:p/x, table:w/y], edges: [{from: topic:p/x, to: table:w/y}]}"));
  EXPECT_THAT(findings(*graph.view(kNow), "duplicate"), ElementsAre(HasSubstr("twice")));
}

TEST(GraphTest, WhatLiesBetweenMembersIsInThePipelineToo) {
  Graph graph(pipelines("- {name: a, nodes: [topic:p/x, table:w/y]}"));
  graph.take("connect",
             batch({edge("topic:p/x", "connector:c/sink"), edge("connector:c/sink", "table:w/y"),
                    edge("topic:p/x", "group:p/other")}),
             kNow);
  const auto view = graph.view(kNow);
  EXPECT_THAT(view->nodes[*view->find(node("connector:c/sink"))].pipelines, ElementsAre(0));
  EXPECT_THAT(view->nodes[*view->find(node("group:p/other"))].pipelines, IsEmpty());
}

}  // namespace
}  // namespace weir::lineage
