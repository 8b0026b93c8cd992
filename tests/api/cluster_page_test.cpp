#include "api/cluster_page.h"

#include <gtest/gtest.h>

namespace weir::api {
namespace {

MetricsPage::Pieces pieces(const std::vector<std::string>& texts) {
  MetricsPage::Pieces made;
  for (const std::string& text : texts) made.push_back(std::make_shared<const std::string>(text));
  return made;
}

TEST(ClusterPage, HasOneClustersSeriesWithoutItsLabel) {
  const auto page = cluster_page(
      pieces({"# HELP a A.\n# TYPE a gauge\n",
              "a{broker=\"1\",cluster=\"prod\",topic=\"x\"} 1\n"
              "a{cluster=\"test\",topic=\"x\"} 2\n",
              "a{cluster=\"prod\",topic=\"y\"} 3\na{b=\"1\",cluster=\"prod\"} 4\n", "# HELP b B.\n# TYPE b gauge\n",
              "b{cluster=\"prod\"} 5\n", "# HELP c C.\n# TYPE c gauge\n", "c{cluster=\"test\"} 6\nc 7\n"}),
      "prod");
  ASSERT_TRUE(page);
  EXPECT_EQ(*page,
            "# HELP a A.\n# TYPE a gauge\na{broker=\"1\",topic=\"x\"} 1\na{topic=\"y\"} 3\na{b=\"1\"} 4\n"
            "# HELP b B.\n# TYPE b gauge\nb 5\n");
}

TEST(ClusterPage, IsAbsentForAClusterThatHasNoSeries) {
  EXPECT_FALSE(cluster_page(pieces({"a{cluster=\"prod\"} 1\n"}), "pro"));
  EXPECT_FALSE(cluster_page(pieces({"a{cluster=\"prod\"} 1\n"}), ""));
  EXPECT_FALSE(cluster_page({}, "prod"));
}

TEST(ClusterPage, LagExportersSeriesStayAsTheyAre) {
  EXPECT_EQ(cluster_page(pieces({"a{cluster_name=\"prod\",group=\"g\"} 1\na{cluster_name=\"test\",group=\"g\"} 1\n"}),
                         "prod"),
            "a{cluster_name=\"prod\",group=\"g\"} 1\n");
}

TEST(ClusterPage, AValueThatLooksLikeTheLabelIsNone) {
  std::string text;
  append_sample_line(text, core::Labels::metric("a", {{"cluster", "test"}, {"topic", "x,cluster=\"prod\""}}), 1);
  EXPECT_FALSE(cluster_page(pieces({text}), "prod"));
  EXPECT_FALSE(cluster_page(pieces({"a{my_cluster=\"prod\"} 1\n"}), "prod"));
}

TEST(ClusterPage, ANameWithQuotesIsFound) {
  std::string text;
  append_sample_line(text, core::Labels::metric("a", {{"cluster", "a \"b\" \\c"}}), 1);
  EXPECT_EQ(cluster_page(pieces({text}), "a \"b\" \\c"), "a 1\n");
}

TEST(ClusterPage, ATextWithoutItsLastLineFeedIsRead) {
  EXPECT_EQ(cluster_page(pieces({"a{cluster=\"prod\"} 1"}), "prod"), "a 1");
}

}  // namespace
}  // namespace weir::api
