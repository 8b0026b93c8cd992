// That DataHub's own classes read what is made here is tests/integration/test_datahub.py's matter.

#include "collectors/datahub_emitted.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using nlohmann::json;

constexpr std::string_view kOrders = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.orders,PROD)";

DatasetOutcomes dataset(std::map<std::string, CheckOutcome> checks, bool all = true) {
  return {{"table", "warehouse", "orders"}, all, std::move(checks)};
}

/// The proposals of all bodies, their aspects decoded.
std::vector<json> proposals(const std::vector<std::string>& bodies) {
  std::vector<json> made;
  for (const std::string& body : bodies) {
    const json parsed = json::parse(body);
    EXPECT_LE(parsed["proposals"].size(), 200U);
    for (json each : parsed["proposals"]) {
      each["aspect"] = json::parse(each["aspect"]["value"].get<std::string>());
      made.push_back(std::move(each));
    }
  }
  return made;
}

TEST(DataHubEmittedTest, ACheckIsAnAssertionWithARunEvent) {
  const auto made = proposals(
      datahub_checks(dataset({{"row_count > 0", {.outcome = 2, .value = 0.5, .attributes = {{"owner", "finance"}}}}}),
                     kOrders, "checks/warehouse", at_second(0)));
  ASSERT_EQ(made.size(), 3U);
  EXPECT_EQ(made[0]["aspectName"], "assertionInfo");
  EXPECT_EQ(made[0]["aspect"]["customAssertion"]["entity"], kOrders);
  EXPECT_EQ(made[0]["aspect"]["customProperties"]["owner"], "finance");
  EXPECT_EQ(made[1]["aspectName"], "dataPlatformInstance");
  EXPECT_EQ(made[2]["aspect"]["result"], json::parse(R"({"type": "FAILURE", "actualAggValue": 0.5,
                                                          "nativeResults": {"outcome": "fail", "value": "0.5"}})"));
  EXPECT_EQ(made[2]["aspect"]["assertionUrn"], made[0]["entityUrn"]);
}

TEST(DataHubEmittedTest, AWarningIsAFailureAndWhatCouldNotBeEvaluatedAnError) {
  const auto made = proposals(datahub_checks(
      dataset({{"a", {.outcome = 0}}, {"b", {.outcome = 1}}, {"c", {.outcome = 3}}}), kOrders, "x", at_second(0)));
  ASSERT_EQ(made.size(), 9U);
  EXPECT_EQ(made[2]["aspect"]["result"]["type"], "SUCCESS");
  EXPECT_EQ(made[5]["aspect"]["result"]["type"], "FAILURE");
  EXPECT_EQ(made[5]["aspect"]["result"]["nativeResults"]["outcome"], "warn");
  EXPECT_EQ(made[8]["aspect"]["result"]["type"], "ERROR");
}

TEST(DataHubEmittedTest, OnlyWhatIsDueIsToldAndItsDefinitionOnlyWhenItIsNew) {
  const auto made = proposals(datahub_checks(
      dataset({{"old", {.due = true}}, {"new", {.due = true, .fresh = true}}, {"same", {.due = false}}}, false),
      kOrders, "x", at_second(0)));
  ASSERT_EQ(made.size(), 4U);
  EXPECT_EQ(made[0]["aspect"]["description"], "new");
  EXPECT_EQ(made[3]["aspectName"], "assertionRunEvent");
}

TEST(DataHubEmittedTest, ManyChecksAreSeveralBodiesAndNoneOfNone) {
  std::map<std::string, CheckOutcome> checks;
  for (int i = 0; i < 100; ++i) checks[std::to_string(i)] = {};
  const auto bodies = datahub_checks(dataset(checks), kOrders, "x", at_second(0));
  EXPECT_EQ(bodies.size(), 4U);
  EXPECT_EQ(proposals(bodies).size(), 300U);
  EXPECT_TRUE(datahub_checks(dataset({}), kOrders, "x", at_second(0)).empty());
}

TEST(DataHubEmittedTest, AValueThatAFloatCannotHoldIsTextOnly) {
  const auto made =
      proposals(datahub_checks(dataset({{"a", {.outcome = 2, .value = 1e300}}}), kOrders, "x", at_second(0)));
  EXPECT_FALSE(made[2]["aspect"]["result"].contains("actualAggValue"));
  EXPECT_EQ(made[2]["aspect"]["result"]["nativeResults"]["value"], "1e+300");
}

TEST(DataHubEmittedTest, AnAssertionsNameIsTheSameAlwaysAndAnotherForEachCheck) {
  const core::Node orders{"table", "warehouse", "orders"};
  EXPECT_EQ(datahub_assertion_urn(kOrders, orders, "row_count > 0"),
            "urn:li:assertion:78c3c281579a1da5b38c63abbe855c6c");
  EXPECT_NE(datahub_assertion_urn(kOrders, orders, "a"), datahub_assertion_urn(kOrders, orders, "b"));
  EXPECT_NE(datahub_assertion_urn(kOrders, {"table", "warehouse", "orders [recent]"}, "a"),
            datahub_assertion_urn(kOrders, orders, "a"));
}

TEST(DataHubEmittedTest, TextThatIsNoUtf8IsReplaced) {
  const auto made = proposals(datahub_checks(dataset({{"a\xFF", {}}}), kOrders, "x", at_second(0)));
  EXPECT_EQ(made[0]["aspect"]["description"], "a\xEF\xBF\xBD");
}

TEST(DataHubEmittedTest, AnIncidentIsActiveUntilItIsOver) {
  core::Incident incident;
  incident.id = "9f86d081884c7d65";
  incident.title = "Table orders";
  incident.severity = "warning";
  incident.opened_at = at_second(10);
  incident.began_at = at_second(5);
  auto made = proposals({datahub_incident(incident, kOrders, at_second(20))});
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0]["entityUrn"], "urn:li:incident:weir-9f86d081884c7d65");
  EXPECT_EQ(made[0]["aspect"]["status"]["state"], "ACTIVE");
  EXPECT_EQ(made[0]["aspect"]["entities"], json::array({kOrders}));
  EXPECT_EQ(made[0]["aspect"]["priority"], 2);
  EXPECT_EQ(
      made[0]["aspect"]["created"]["time"].get<std::int64_t>() - made[0]["aspect"]["startedAt"].get<std::int64_t>(),
      5000);
  incident.resolved_at = at_second(30);
  made = proposals({datahub_incident(incident, kOrders, at_second(40))});
  EXPECT_EQ(made[0]["aspect"]["status"]["state"], "RESOLVED");
  EXPECT_EQ(made[0]["aspect"]["status"]["lastUpdated"]["time"].get<std::int64_t>() -
                made[0]["aspect"]["created"]["time"].get<std::int64_t>(),
            20000);
}

}  // namespace
}  // namespace weir::collectors
