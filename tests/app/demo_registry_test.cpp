#include "app/demo_registry.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>

namespace weir::app {
namespace {

using nlohmann::json;

std::string record(const std::string& fields) { return R"({"type":"record","name":"O","fields":[)" + fields + "]}"; }
const std::string kId = R"({"name":"id","type":"string"})";

bool compatible(const DemoRegistry& registry, const std::string& schema) {
  const auto answer = registry.handle("POST", "/compatibility/subjects/orders-value/versions/latest?verbose=true",
                                      json{{"schema", schema}}.dump());
  EXPECT_EQ(answer.status, 200);
  return json::parse(answer.body).at("is_compatible").get<bool>();
}

class DemoRegistryTest : public testing::Test {
 protected:
  DemoRegistryTest() { registry_.add_version("orders-value", record(kId)); }
  DemoRegistry registry_;
};

TEST_F(DemoRegistryTest, ListsSubjectsAndVersions) {
  registry_.add_version("orders-value", record(kId));
  EXPECT_EQ(registry_.handle("GET", "/subjects", "").body, R"(["orders-value"])");
  EXPECT_EQ(registry_.handle("GET", "/subjects/orders-value/versions", "").body, "[1,2]");
  EXPECT_EQ(json::parse(registry_.handle("GET", "/subjects/orders-value/versions/latest", "").body).at("version"), 2);
}

TEST_F(DemoRegistryTest, RefusesANewFieldWithoutDefault) {
  EXPECT_FALSE(compatible(registry_, record(kId + R"(,{"name":"note","type":"string"})")));
}

TEST_F(DemoRegistryTest, AcceptsANewFieldWithDefault) {
  EXPECT_TRUE(compatible(registry_, record(kId + R"(,{"name":"note","type":"string","default":""})")));
}

TEST_F(DemoRegistryTest, RefusesAChangedType) {
  EXPECT_FALSE(compatible(registry_, record(R"({"name":"id","type":"long"})")));
}

TEST_F(DemoRegistryTest, UnknownSubjectsVersionsAndPathsAre404) {
  EXPECT_EQ(registry_.handle("GET", "/subjects/none/versions", "").status, 404);
  EXPECT_EQ(registry_.handle("GET", "/subjects/orders-value/versions/7", "").status, 404);
  EXPECT_EQ(registry_.handle("DELETE", "/subjects", "").status, 404);
  EXPECT_EQ(registry_.handle("GET", "", "").status, 404);
}

TEST_F(DemoRegistryTest, ASchemaThatIsNoSchemaIsAnAnswerNotACrash) {
  const std::string path = "/compatibility/subjects/orders-value/versions/1";
  EXPECT_EQ(registry_.handle("POST", path, "{").status, 422);
  EXPECT_EQ(registry_.handle("POST", path, json{{"schema", "[1]"}}.dump()).status, 422);
}

}  // namespace
}  // namespace weir::app
