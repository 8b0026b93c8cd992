#include "app/census.h"

#include <gmock/gmock.h>

namespace weir::app {
namespace {

using core::Labels;
using testing::ElementsAre;
using testing::IsEmpty;

const Labels kAlert{{"cluster", "c"}, {"consumergroup", "billing"}};

core::Batch hiding(const Labels& scope) {
  core::Batch batch;
  batch.faults.push_back({{core::ErrorKind::timeout, "no answer", true, ""}, scope});
  return batch;
}

TEST(Census, CoversNothingBeforeItKnowsWhatToExpect) {
  Census census;
  EXPECT_FALSE(census.covers(kAlert));
  EXPECT_FALSE(census.all_tried());
  census.expect({});
  EXPECT_TRUE(census.covers(kAlert));
  EXPECT_TRUE(census.all_tried());
}

TEST(Census, WantsTwoCyclesOfEachInARow) {
  Census census;
  census.expect({"a", "b"});
  census.take("a", {});
  census.take("a", {});
  census.take("b", {});
  EXPECT_FALSE(census.covers(kAlert));
  census.miss("b");
  census.take("b", {});
  EXPECT_FALSE(census.covers(kAlert));
  census.take("b", {});
  EXPECT_TRUE(census.covers(kAlert));
  census.miss("a");
  EXPECT_FALSE(census.covers(kAlert));
}

TEST(Census, IgnoresWhatItDoesNotExpect) {
  Census census;
  census.expect({"a"});
  census.take("rules/g", hiding({}));
  census.miss("status/a");
  EXPECT_FALSE(census.all_tried());
  census.take("a", {});
  census.take("a", {});
  EXPECT_TRUE(census.covers(kAlert));
}

TEST(Census, AFaultOfTheLastTwoCyclesHidesWhatItDoesNotContradict) {
  Census census;
  census.expect({"a"});
  for (const Labels& scope : {Labels{}, Labels{{"cluster", "c"}}, Labels{{"topic", "orders"}}, kAlert}) {
    census.take("a", {});
    census.take("a", hiding(scope));
    EXPECT_FALSE(census.covers(kAlert)) << scope.to_string();
    census.take("a", {});
    EXPECT_FALSE(census.covers(kAlert)) << scope.to_string();
    census.take("a", {});
    EXPECT_TRUE(census.covers(kAlert)) << scope.to_string();
  }
  census.take("a", hiding({{"cluster", "c"}, {"consumergroup", "search"}}));
  EXPECT_TRUE(census.covers(kAlert));
  EXPECT_FALSE(census.covers({})) << "a sum over all groups";
}

TEST(Census, AFaultOfOneMetricHidesNoOther) {
  Census census;
  census.expect({"a"});
  for (int i = 0; i < 2; ++i) census.take("a", hiding(kAlert.with(core::kMetricName, "rate")));
  EXPECT_FALSE(census.covers(kAlert.with(core::kMetricName, "rate")));
  EXPECT_TRUE(census.covers(kAlert.with(core::kMetricName, "lag")));
  EXPECT_FALSE(census.covers(kAlert)) << "a selector that names none";
}

TEST(GoneSources, AreNeitherConfiguredNorWeirsOwn) {
  EXPECT_THAT(
      gone_sources({"self", "kafka/a", "status/kafka/a", "kafka/b", "status/kafka/b", "rules/x;g", "rules/x;old"},
                   {"kafka/a"}, {"x;g"}),
      ElementsAre("kafka/b", "status/kafka/b", "rules/x;old"));
  EXPECT_THAT(gone_sources({}, {"kafka/a"}, {}), IsEmpty());
}

}  // namespace
}  // namespace weir::app
