#include "app/lineage_upstream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/node.h"

#include "lineage/pipeline.h"

namespace weir::app {
namespace {

using core::Node;
using testing::ElementsAre;
using testing::IsEmpty;

class LineageUpstreamTest : public testing::Test {
 protected:
  static std::shared_ptr<const lineage::View> view(const std::string& flow) {
    config::Diagnostics diagnostics;
    auto pipelines = lineage::parse_pipelines(
        config::parse_yaml("- {name: p, flow: [" + flow + "]}", "weir.yml", diagnostics), diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    return lineage::Graph(std::move(pipelines)).view({});
  }
};

TEST_F(LineageUpstreamTest, TheNearestComesFirst) {
  const LineageUpstream ways(view("topic:p/orders, group:p/loader, table:w/orders, table:w/daily"));
  const Node orders{"table", "w", "orders"};
  EXPECT_THAT(ways.upstream(orders), ElementsAre(Node{"consumer group", "p", "loader"}, Node{"topic", "p", "orders"}));
  const Node pipeline{"pipeline", "", "p"};
  EXPECT_THAT(ways.downstream(orders), ElementsAre(Node{"table", "w", "daily"}, pipeline));
  EXPECT_THAT(ways.downstream(orders), ElementsAre(Node{"table", "w", "daily"}, pipeline)) << "as before";
}

TEST_F(LineageUpstreamTest, ATableIsFoundByAnotherOfItsNames) {
  const LineageUpstream ways(view("table:w/public.orders, table:w/daily"));
  EXPECT_EQ(ways.canonical({"table", "w", "orders"}), (Node{"table", "w", "public.orders"}));
  EXPECT_THAT(ways.downstream({"table", "w", "orders"}),
              ElementsAre(Node{"table", "w", "daily"}, Node{"pipeline", "", "p"}));
}

TEST_F(LineageUpstreamTest, APipelineIsDownstreamOfAllThatIsInIt) {
  const LineageUpstream ways(view("topic:p/orders, table:w/daily"));
  EXPECT_THAT(ways.upstream({"pipeline", "", "p"}),
              ElementsAre(Node{"table", "w", "daily"}, Node{"topic", "p", "orders"}));
  EXPECT_THAT(ways.upstream({"pipeline", "", "other"}), IsEmpty());
  EXPECT_THAT(ways.upstream({"pipeline", "dagster", "p"}), IsEmpty()) << "a run of something else";
}

TEST_F(LineageUpstreamTest, WhatIsNotInTheGraphHasNothingAround) {
  const LineageUpstream ways(view("table:w/a, table:w/b"));
  const Node other{"topic", "p", "a"};
  EXPECT_EQ(ways.canonical(other), other);
  EXPECT_THAT(ways.upstream(other), IsEmpty());
  EXPECT_THAT(ways.downstream(other), IsEmpty());
}

TEST_F(LineageUpstreamTest, AFewStepsCount) {
  std::string flow = "table:w/t0";
  for (int i = 1; i < 20; ++i) flow += ", table:w/t" + std::to_string(i);
  const LineageUpstream ways(view(flow));
  EXPECT_EQ(ways.downstream({"table", "w", "t0"}).size(), 6U + 1) << "and the pipeline";
}

}  // namespace
}  // namespace weir::app
