#include "lineage/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::lineage {
namespace {

std::vector<Catalog> read(const std::string& text, config::Diagnostics& diagnostics) {
  return parse_catalogs(config::parse_yaml(text, "weir.yml", diagnostics), diagnostics);
}

TEST(CatalogTest, LinksByDataHubsUrn) {
  config::Diagnostics diagnostics;
  const auto catalogs = read(
      "- {type: datahub, url: \"https://dh/\", env: DEV, platforms: {prod: kafka, w: {platform: postgres, prefix: "
      "shop.public}}}",
      diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(urn_of(catalogs[0], {"topic", "prod", "orders"}), "urn:li:dataset:(urn:li:dataPlatform:kafka,orders,DEV)");
  EXPECT_EQ(urn_of(catalogs[0], {"table", "w", "orders"}),
            "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.public.orders,DEV)");
  EXPECT_EQ(urn_of(catalogs[0], {"table", "w", "shop.public.orders"}),
            "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.public.orders,DEV)");
  const auto links = catalog_links(catalogs, {"topic", "prod", "orders"});
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links[0].title, "DataHub");
  EXPECT_EQ(links[0].url,
            "https://dh/dataset/urn%3Ali%3Adataset%3A%28urn%3Ali%3AdataPlatform%3Akafka%2Corders%2CDEV%29");
}

TEST(CatalogTest, LinksByOpenMetadatasNames) {
  config::Diagnostics diagnostics;
  const auto catalogs = read(
      "- {type: openmetadata, url: \"https://om\", platforms: {prod: kafka, w: {service: pg, prefix: shop.public}}}",
      diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(urn_of(catalogs[0], {"topic", "prod", "user.clicks"}), "kafka.\"user.clicks\"");
  EXPECT_EQ(urn_of(catalogs[0], {"table", "w", "orders"}), "pg.shop.public.orders");
  EXPECT_EQ(catalog_links(catalogs, {"table", "w", "orders"})[0].url, "https://om/table/pg.shop.public.orders");
}

TEST(CatalogTest, WhatACatalogDoesNotKnowHasNoLink) {
  config::Diagnostics diagnostics;
  const auto catalogs = read("- {type: datahub, url: \"https://dh\", platforms: {prod: kafka}}", diagnostics);
  EXPECT_TRUE(catalog_links(catalogs, {"topic", "other", "orders"}).empty());
  EXPECT_TRUE(catalog_links(catalogs, {"consumer group", "prod", "billing"}).empty());
  EXPECT_TRUE(catalog_links(catalogs, {"topic", "prod", "a),(b"}).empty());
}

TEST(CatalogTest, MistakesAreNamed) {
  config::Diagnostics diagnostics;
  read("- {type: datahub, url: dh, platforms: {prod: \"kafka,x\"}}\n- {type: other, url: \"http://x\"}", diagnostics);
  const std::string said = diagnostics.to_string();
  EXPECT_THAT(said, testing::HasSubstr("write http://host or https://host"));
  EXPECT_THAT(said, testing::HasSubstr("\"kafka,x\" is no name of a platform"));
  EXPECT_THAT(said, testing::HasSubstr("openmetadata"));
  EXPECT_THAT(said, testing::HasSubstr("say what the catalog calls"));
}

}  // namespace
}  // namespace weir::lineage
