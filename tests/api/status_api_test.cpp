#include "api/status_api.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/fake_backend.h"

namespace weir::api {
namespace {

using nlohmann::json;

TEST(StatusApiTest, BuildInfoNamesAPrometheusThatClientsKnow) {
  FakeBackend fake;
  const json data = json::parse(*build_info(fake.backend(), {}).body)["data"];
  EXPECT_EQ(data["version"], "3.0.0");
  EXPECT_EQ(data["revision"], "weir-0.1.0");
  for (const char* name : {"branch", "buildUser", "buildDate", "goVersion"})
    EXPECT_TRUE(data[name].is_string()) << name;
  EXPECT_FALSE(data.contains("features")) << "Grafana takes those for Mimir's";
}

TEST(StatusApiTest, RuntimeInfoTellsOfTheLastReload) {
  FakeBackend fake;
  fake.reload_status = {.last_successful = false, .last_success = core::Time(std::chrono::seconds(990))};
  const json data = json::parse(*runtime_info(fake.backend(), {}).body)["data"];
  EXPECT_EQ(data["startTime"], "1970-01-01T00:16:27.5Z");
  EXPECT_EQ(data["serverTime"], "1970-01-01T00:16:40Z");
  EXPECT_EQ(data["reloadConfigSuccess"], false);
  EXPECT_EQ(data["lastConfigTime"], "1970-01-01T00:16:30Z");
  EXPECT_EQ(data["storageRetention"], "6h");
  EXPECT_GE(data["goroutineCount"], 1);
  EXPECT_GE(data["GOMAXPROCS"], 1);
}

}  // namespace
}  // namespace weir::api
