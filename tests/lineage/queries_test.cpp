#include "lineage/queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lineage/lineage_fixture.h"

namespace weir::lineage {
namespace {

using testing::ElementsAre;

class QueriesTest : public testing::Test {
 protected:
  QueriesTest() {
    graph_.take("a",
                batch({edge("topic:p/orders", "group:p/billing"), edge("group:p/billing", "table:w/raw"),
                       edge("table:w/raw", "table:w/mart"), edge("table:w/mart", "dashboard:revenue"),
                       edge("topic:p/orders", "group:p/fraud"), edge("table:w/mart", "table:w/raw")}),
                kNow);
    view_ = graph_.view(kNow);
  }
  std::size_t at(const std::string& text) const { return *view_->find(node(text)); }
  std::vector<std::string> texts(const std::vector<Reached>& found) const {
    std::vector<std::string> all;
    for (const Reached& each : found)
      all.push_back(to_text(view_->nodes[each.node].node) + " " + std::to_string(each.depth));
    return all;
  }

  Graph graph_{
      pipelines("- {name: money, owner: finance, criticality: critical, flow: [table:w/raw, table:w/mart]}\n"
                "- {name: risk, owner: security, flow: [topic:p/orders, group:p/fraud]}")};
  std::shared_ptr<const View> view_;
};

TEST_F(QueriesTest, ReachesTheNearestFirstWithinTheDepth) {
  EXPECT_THAT(texts(reach(*view_, at("topic:p/orders"), Direction::downstream, 2)),
              ElementsAre("group:p/billing 1", "group:p/fraud 1", "table:w/raw 2"));
  EXPECT_THAT(texts(reach(*view_, at("dashboard:revenue"), Direction::upstream, 99)),
              ElementsAre("table:w/mart 1", "table:w/raw 2", "group:p/billing 3", "topic:p/orders 4"));
  EXPECT_EQ(reach(*view_, at("topic:p/orders"), Direction::downstream, 99, 3).size(), 3U);
  EXPECT_TRUE(reach(*view_, at("topic:p/orders"), Direction::downstream, 0).empty());
}

TEST_F(QueriesTest, FindsTheNearestAnomalyUpstream) {
  const auto bad = [](const ViewNode& each) { return each.node.kind == "topic" || each.node.kind == "consumer group"; };
  const auto found = nearest_upstream(*view_, at("dashboard:revenue"), bad);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->node, at("group:p/billing"));
  EXPECT_EQ(found->depth, 3U);
  EXPECT_FALSE(nearest_upstream(*view_, at("topic:p/orders"), bad)) << "not the node itself";
}

TEST_F(QueriesTest, TheImpactIsWhatComesAfterWithItsPipelinesTheMostCriticalFirst) {
  const Impact of = impact(*view_, at("topic:p/orders"));
  EXPECT_EQ(of.downstream.size(), 5U);
  EXPECT_EQ(of.downstream.front(), node("group:p/billing"));
  EXPECT_THAT(of.pipelines, ElementsAre(0, 1));
  const core::Labels said = impact_annotations(*view_, node("topic:p/orders"));
  EXPECT_EQ(said.get("pipeline"), "money, risk");
  EXPECT_EQ(said.get("pipeline_owner"), "finance, security");
  EXPECT_EQ(said.get("pipeline_criticality"), "critical");
  EXPECT_THAT(std::string(said.get("downstream")),
              testing::StartsWith("consumer group billing in p, consumer group fraud in p"));
  EXPECT_TRUE(impact_annotations(*view_, node("topic:p/none")).empty());
}

TEST_F(QueriesTest, ALongListOfTheAffectedIsCutAndCounted) {
  std::vector<core::Edge> many;
  for (int i = 0; i < 60; ++i) many.push_back(edge("topic:p/orders", "group:p/g" + std::to_string(i)));
  Graph graph;
  graph.take("a", batch(many), kNow);
  const auto view = graph.view(kNow);
  const Impact of = impact(*view, *view->find(node("topic:p/orders")));
  EXPECT_EQ(of.downstream.size(), 50U);
  EXPECT_EQ(of.more, 10U);
  EXPECT_THAT(std::string(impact_annotations(*view, node("topic:p/orders")).get("downstream")),
              testing::EndsWith(" and 55 more"));
}

TEST_F(QueriesTest, HealthIsTheWorstAlertOrCheck) {
  const auto all =
      health(*view_,
             {{node("topic:p/orders"), "Lag", 1, false},
              {node("topic:p/orders"), "Lost", 2, false},
              {node("topic:p/orders"), "Lost", 2, false},
              {node("group:p/fraud"), "Lag", 2, true},
              {node("topic:p/absent"), "Lost", 2, false}},
             {{node("table:w/raw"), 3}, {node("table:w/raw"), 2}, {node("table:w/raw"), 0}, {node("table:w/mart"), 0}});
  EXPECT_EQ(all[at("topic:p/orders")].status(true), "critical");
  EXPECT_THAT(all[at("topic:p/orders")].alerts, ElementsAre("Lag", "Lost"));
  EXPECT_EQ(all[at("group:p/fraud")].status(true), "ok");
  EXPECT_TRUE(all[at("group:p/fraud")].pending);
  EXPECT_EQ(all[at("table:w/raw")].check, 2);
  EXPECT_EQ(all[at("table:w/raw")].status(true), "critical");
  EXPECT_EQ(all[at("table:w/mart")].status(false), "ok");
  EXPECT_EQ(all[at("dashboard:revenue")].status(false), "unknown");
}

TEST_F(QueriesTest, TheSlowestWayIsTheLargestSumAlongOne) {
  Graph graph(pipelines("- {name: a, flow: [topic:p/a, [group:p/b, group:p/c], table:w/d, table:w/e, table:w/d]}"));
  const auto view = graph.view(kNow);
  const auto lag = [](const core::Node& each) -> std::optional<double> {
    if (each.name == "b") return 10;
    if (each.name == "c") return 30;
    if (each.name == "e") return 5;
    return std::nullopt;
  };
  EXPECT_EQ(slowest_way(*view, 0, lag), 35);
  EXPECT_EQ(slowest_way(*view, 0, [](const core::Node&) { return std::optional<double>(); }), std::nullopt);
}

}  // namespace
}  // namespace weir::lineage
