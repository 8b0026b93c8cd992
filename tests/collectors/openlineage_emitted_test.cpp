#include "collectors/openlineage_emitted.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using nlohmann::json;

class OpenLineageOutcomesTest : public testing::Test {
 protected:
  OpenLineageOutcomesTest() {
    settings_.namespaces = {{"postgres://db:5432", "warehouse"}};
    settings_.emit.emplace();
    outcomes_.emplace(settings_);
  }
  static core::Batch batch(int outcome, int other = 0) {
    core::Batch made;
    const core::Labels check =
        core::Labels::metric("weir_check_status", {{"source", "warehouse"}, {"dataset", "orders"}});
    made.samples = {{check.with("check", "a"), at_second(0), static_cast<double>(outcome)},
                    {check.with("check", "b"), at_second(0), static_cast<double>(other)},
                    {core::Labels::metric("weir_check_value", {{"source", "warehouse"}}), at_second(0), 7}};
    return made;
  }
  static json assertions(const std::string& event) {
    return json::parse(event)["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"];
  }

  OpenLineageSettings settings_;
  std::optional<OpenLineageOutcomes> outcomes_;
};

TEST_F(OpenLineageOutcomesTest, ADatasetIsToldWhenAnOutcomeChangesAndEachHour) {
  EXPECT_EQ(outcomes_->take("checks/warehouse", batch(0), at_second(0)).size(), 1U);
  EXPECT_TRUE(outcomes_->take("checks/warehouse", batch(0), at_second(60)).empty());
  const auto changed = outcomes_->take("checks/warehouse", batch(2, 1), at_second(120));
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(assertions(changed[0]), json::parse(R"([{"assertion": "a", "success": false, "severity": "error"},
                                                    {"assertion": "b", "success": false, "severity": "warn"}])"));
  EXPECT_TRUE(outcomes_->take("checks/warehouse", batch(2, 1), at_second(3600)).empty());
  EXPECT_EQ(outcomes_->take("checks/warehouse", batch(2, 1), at_second(3720)).size(), 1U);
}

TEST_F(OpenLineageOutcomesTest, WhatCouldNotBeEvaluatedNeitherPassedNorFailed) {
  const auto events = outcomes_->take("checks/warehouse", batch(3, 0), at_second(0));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(assertions(events[0]).size(), 1U);
  EXPECT_TRUE(outcomes_->take("checks/other", batch(3, 3), at_second(0)).empty());
}

TEST_F(OpenLineageOutcomesTest, AnEventIsOneThatWeirItselfTakes) {
  const auto events = outcomes_->take("checks/warehouse", batch(2), at_second(5));
  const auto read = parse_openlineage(events.at(0));
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->time, at_second(5));
  EXPECT_EQ(read->state, "COMPLETE");
  EXPECT_EQ(read->job_namespace, "weir");
  EXPECT_EQ(read->job_name, "checks/warehouse.orders");
  EXPECT_EQ(read->inputs[0].name_space, "postgres://db:5432");
  EXPECT_EQ(read->run[14], '8') << "a UUID of version 8";
  EXPECT_THAT(read->run.substr(19, 1), testing::AnyOf("8", "9", "a", "b"));
  const auto later = parse_openlineage(outcomes_->take("checks/warehouse", batch(0), at_second(6)).at(0));
  EXPECT_NE(later->run, read->run);
}

TEST_F(OpenLineageOutcomesTest, AnIncidentAboutATableOrTopicIsToldAtBothEnds) {
  const auto begun = outcomes_->incident({"table", "warehouse", "orders"}, "aa", "Table orders", false, at_second(0));
  EXPECT_EQ(assertions(begun)[0]["success"], false);
  EXPECT_EQ(assertions(begun)[0]["name"], "incident aa");
  const auto over = outcomes_->incident({"topic", "prod", "orders"}, "aa", "Topic orders", true, at_second(0));
  EXPECT_EQ(assertions(over)[0]["success"], true);
  EXPECT_EQ(json::parse(over)["inputs"][0]["namespace"], "prod");
  EXPECT_EQ(outcomes_->incident({"consumer group", "prod", "g"}, "aa", "Group", false, at_second(0)), "");
  settings_.emit->incidents = false;
  EXPECT_EQ(OpenLineageOutcomes(settings_).incident({"table", "w", "o"}, "aa", "T", false, at_second(0)), "");
}

}  // namespace
}  // namespace weir::collectors
