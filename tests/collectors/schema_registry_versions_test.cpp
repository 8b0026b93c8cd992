#include <algorithm>
#include <gtest/gtest.h>

#include "collectors/registry_fixture.h"

namespace weir::collectors {
namespace {

using Texts = std::vector<std::string>;

std::string order(const std::string& fields, const std::string& name = "Order") {
  return R"({"type":"record","namespace":"shop","name":")" + name + R"(","fields":[)" + fields + "]}";
}

const std::string kId = R"({"name":"id","type":"long"})";
const std::string kNote = R"({"name":"note","type":"string"})";
const std::string kDefault = R"({"name":"note","type":"string","default":""})";

class SchemaVersionsTest : public SchemaRegistryTest {
 protected:
  static std::string series(std::string_view metric, std::string_view rest) {
    return fmt::format("{}{{{}}}", metric, rest);
  }
  std::optional<double> of(const core::Batch& batch, std::string_view metric, std::string_view subject) {
    return value(batch, fmt::format(R"({}{{registry="main",subject="{}"}})", metric, subject));
  }
  std::optional<double> finding(const core::Batch& batch, std::string_view kind, std::string_view subject) {
    return value(batch, fmt::format(R"(schema_registry_subject_finding{{finding="{}",registry="main",subject="{}"}})",
                                    kind, subject));
  }
};

TEST_F(SchemaVersionsTest, ANewVersionIsToldWithItsFields) {
  registry_.subjects = {{"orders-value", {{1, order(kId)}}}};
  seen();
  registry_.subjects["orders-value"][2] = order(kNote);
  registry_.incompatible = {{"orders-value", 1}};
  const core::Batch batch = seen();
  EXPECT_EQ(
      events(batch),
      (Texts{
          "schema_version_registered: Version 2 of orders-value was registered: it added field note (string) without "
          "a default; removed field id (long), which had no default.",
          "schema_incompatible: Version 2 of orders-value is incompatible with version 1 under BACKWARD: it added "
          "field note (string) without a default. The registry says: READER_FIELD_MISSING_DEFAULT_VALUE: n; "
          "{oldSchema: …}"}));
  EXPECT_EQ(batch.events[1].labels.get("topic"), "orders");
}

TEST_F(SchemaVersionsTest, KarapaceGivesNoReasonButTheDiffDoes) {
  registry_.karapace = true;
  registry_.subjects = {{"a", {{1, order(kId)}, {2, order(kId + "," + kNote)}}}};
  registry_.incompatible = {{"a", 1}};
  EXPECT_EQ(events(seen()),
            (Texts{"schema_incompatible: Version 2 of a is incompatible with version 1 under BACKWARD: it "
                   "added field note (string) without a default"}));
}

TEST_F(SchemaVersionsTest, UnderATransitiveLevelAllVersionsBeforeCount) {
  registry_.subjects = {{"a", {{1, order(kNote)}, {2, order(kId)}, {3, order(kId + "," + kDefault)}}}};
  registry_.levels = {{"a", "BACKWARD_TRANSITIVE"}};
  registry_.incompatible = {{"a", 1}};
  const core::Batch batch = seen();
  EXPECT_EQ(compatible(batch), 0);
  EXPECT_EQ(registry_.count("POST /compatibility/subjects/a/versions/2"), 1U);
  EXPECT_EQ(registry_.count("POST /compatibility/subjects/a/versions/1"), 2U);  // by version 3, then by version 2
  EXPECT_NE(events(batch).at(0).find("incompatible with version 1 under BACKWARD_TRANSITIVE"), std::string::npos);
  EXPECT_EQ(of(batch, "schema_registry_subject_incompatible_versions", "a"), 2);
  registry_.levels = {{"a", "BACKWARD"}};
  const core::Batch plain = seen();
  EXPECT_EQ(compatible(plain), 1);
  EXPECT_EQ(of(plain, "schema_registry_subject_incompatible_versions", "a"), 1);
}

TEST_F(SchemaVersionsTest, EachVersionOfThePastIsCheckedOnce) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "4"}, {3, "7"}, {4, "6"}}}};
  const core::Batch batch = seen();
  EXPECT_EQ(of(batch, "schema_registry_subject_incompatible_versions", "a"), 1);
  EXPECT_EQ(registry_.count("POST"), 3U);
  EXPECT_EQ(of(seen(), "schema_registry_subject_incompatible_versions", "a"), 1);
  EXPECT_EQ(registry_.count("POST"), 0U);
}

TEST_F(SchemaVersionsTest, TheCountOfIncompatibleVersionsWaitsUntilAllWereLookedAt) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "4"}, {3, "3"}}}};
  registry_.answers = {{"POST /compatibility/subjects/a/versions/1?verbose=true",
                        FakeRegistry::reply(422, R"({"error_code":42201,"message":"cannot be parsed"})")}};
  const core::Batch batch = seen();
  EXPECT_EQ(compatible(batch), 1);
  EXPECT_EQ(of(batch, "schema_registry_subject_incompatible_versions", "a"), std::nullopt);
}

TEST_F(SchemaVersionsTest, InAQuietCycleOnlyListsAreRead) {
  registry_.subjects = {{"a", {{1, order(kId)}, {2, order(kId)}}}, {"b", {{1, order(kId)}}}};
  seen();
  seen();
  std::vector<std::string> asked = registry_.requests;
  std::ranges::sort(asked);
  EXPECT_EQ(asked, (Texts{"GET /config", "GET /config/a?defaultToGlobal=true", "GET /config/b?defaultToGlobal=true",
                          "GET /subjects", "GET /subjects/a/versions", "GET /subjects/b/versions",
                          "GET /subjects?deleted=true"}));
}

TEST_F(SchemaVersionsTest, NoneIsAFindingAndSoIsALoosenedLevel) {
  registry_.subjects = {{"a", {{1, order(kId)}}}, {"b", {{1, order(kId)}}}};
  registry_.levels = {{"a", "NONE"}, {"b", "FULL"}};
  const core::Batch first = seen();
  EXPECT_EQ(events(first), (Texts{"schema_level_none: The compatibility level is NONE, so that any schema may be "
                                  "registered, of a."}));
  EXPECT_EQ(finding(first, "level_none", "a"), 1);
  EXPECT_EQ(finding(first, "level_none", "b"), std::nullopt);
  EXPECT_EQ(value(first, R"(schema_registry_findings{finding="level_none",registry="main"})"), 1);
  registry_.levels["b"] = "BACKWARD";
  const core::Batch loose = seen();
  EXPECT_EQ(events(loose),
            (Texts{"schema_level_loosened: The compatibility level of b was loosened from FULL (new readers read old "
                   "data, and old readers new data) to BACKWARD (new readers read old data)."}));
  EXPECT_EQ(finding(loose, "level_loosened", "b"), 1);
  EXPECT_EQ(of(loose, "schema_registry_subject_last_change_timestamp_seconds", "b"), core::to_seconds(now_));
  EXPECT_EQ(finding(seen(), "level_loosened", "b"), 1);
  registry_.levels["b"] = "FULL_TRANSITIVE";
  const core::Batch strict = seen();
  EXPECT_EQ(finding(strict, "level_loosened", "b"), std::nullopt);
  EXPECT_EQ(events(strict),
            (Texts{"schema_level_changed: The compatibility level of b is now FULL_TRANSITIVE, it was BACKWARD."}));
}

TEST_F(SchemaVersionsTest, ALoosenedLevelIsNewsForADay) {
  registry_.subjects = {{"a", {{1, order(kId)}}}};
  seen();
  registry_.levels = {{"a", "FORWARD"}};
  EXPECT_EQ(finding(seen(), "level_loosened", "a"), 1);
  now_ += 24h;
  EXPECT_EQ(finding(seen(), "level_loosened", "a"), std::nullopt);
}

TEST_F(SchemaVersionsTest, UnderNoneABreakIsToldAllTheSame) {
  registry_.global = "NONE";
  registry_.subjects = {{"a", {{1, order(kId)}}}};
  seen();
  registry_.subjects["a"][2] = order(kId + "," + kNote);
  EXPECT_EQ(events(seen()),
            (Texts{"schema_version_registered: Version 2 of a was registered: it added field note (string) without a "
                   "default. Nothing forbids it under NONE, yet its readers may fail on older messages: it added field "
                   "note (string) without a default."}));
}

TEST_F(SchemaVersionsTest, TheLevelOfAContextIsAskedForOnce) {
  registry_.subjects = {{":.eu:a", {{1, "1"}}}, {":.eu:b", {{1, "1"}}}};
  registry_.levels = {{":.eu:", "FULL"}};
  const core::Batch batch = seen();
  EXPECT_EQ(
      value(batch, R"(schema_registry_subject_compatibility_level{level="FULL",registry="main",subject=":.eu:a"})"), 1);
  EXPECT_EQ(registry_.count("GET /config/%3A.eu%3A?"), 1U);
}

TEST_F(SchemaVersionsTest, SoftAndHardDeletions) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "4"}}}, {"b", {{1, "1"}}}, {"c", {{1, "1"}}}};
  const core::Batch first = seen();
  EXPECT_EQ(of(first, "schema_registry_subject_soft_deleted_versions", "a"), 0);
  registry_.subjects["a"].erase(1);
  registry_.deleted["a"] = {1};
  registry_.subjects.erase("b");
  registry_.deleted["b"] = {1};
  registry_.subjects.erase("c");
  const core::Batch batch = seen();
  EXPECT_EQ(
      events(batch),
      (Texts{"schema_subject_deleted: Subject b with 1 version was deleted softly: its schemas can still be read by "
             "id, and it can be restored.",
             "schema_subject_deleted: Subject c with 1 version was deleted for good.",
             "schema_version_deleted: Version 1 of a was deleted."}));
  EXPECT_EQ(of(batch, "schema_registry_subject_soft_deleted_versions", "a"), 1);
  EXPECT_EQ(value(batch, R"(schema_registry_subjects_soft_deleted{registry="main"})"), 1);
}

TEST_F(SchemaVersionsTest, AVersionThatIsDeletedForGoodLaterIsNotCountedForEver) {
  registry_.subjects = {{"a", {{2, "4"}}}};
  registry_.deleted["a"] = {1};
  EXPECT_EQ(of(seen(), "schema_registry_subject_soft_deleted_versions", "a"), 1);
  registry_.deleted["a"].clear();
  EXPECT_EQ(of(seen(), "schema_registry_subject_soft_deleted_versions", "a"), 1);
  now_ += 10min;
  EXPECT_EQ(of(seen(), "schema_registry_subject_soft_deleted_versions", "a"), 0);
}

TEST_F(SchemaVersionsTest, ARegistryThatKeepsNothingDeletedIsNoFault) {
  registry_.subjects = {{"a", {{1, "1"}}}};
  registry_.answers = {{"GET /subjects?deleted=true", FakeRegistry::reply(404, "")}};
  EXPECT_EQ(value(seen(), R"(schema_registry_subjects_soft_deleted{registry="main"})"), std::nullopt);
  registry_.answers = {{"GET /subjects?deleted=true", FakeRegistry::reply(403, "")}};
  EXPECT_EQ(collect()->faults.size(), 1U);
}

TEST_F(SchemaVersionsTest, ReferencesAreResolvedAndTheirChangesTold) {
  const std::string money = R"({"type":"record","name":"money.Money","fields":[{"name":"cents","type":"long"})";
  registry_.subjects = {{"money", {{1, money + "]}"}, {2, money + R"(,{"name":"currency","type":"string"}]})"}}},
                        {"a", {{1, order(R"({"name":"price","type":"money.Money"})")}}}};
  registry_.references["a/1"] = {{{"name", "money.Money"}, {"subject", "money"}, {"version", 1}}};
  const core::Batch first = seen();
  EXPECT_EQ(finding(first, "reference_broken", "a"), std::nullopt);
  EXPECT_TRUE(std::ranges::any_of(first.edges, [](const core::Edge& edge) {
    return edge == core::Edge{{"subject", "main", "money"}, {"subject", "main", "a"}, "schema_registry"};
  }));
  registry_.subjects["a"][2] = registry_.subjects["a"][1];
  registry_.references["a/2"] = {{{"name", "money.Money"}, {"subject", "money"}, {"version", 2}}};
  EXPECT_EQ(
      events(seen()),
      (Texts{"schema_version_registered: Version 2 of a was registered: it added field currency (string) without a "
             "default (in money version 2)."}));
}

TEST_F(SchemaVersionsTest, WhereTheRegistryCannotCompareWithReferencesWeirDoes) {
  const std::string price = R"({"name":"price","type":"money.Money"})";
  registry_.subjects = {
      {"money", {{1, R"({"type":"record","name":"money.Money","fields":[{"name":"cents","type":"long"}]})"}}},
      {"a", {{1, order(price)}, {2, order(price + "," + kNote)}, {3, order(price + "," + kNote + "," + kId)}}},
      {"b", {{1, order(price)}, {2, order(price + "," + kDefault)}}}};
  const json refer = {{{"name", "money.Money"}, {"subject", "money"}, {"version", 1}}};
  for (const char* version : {"a/1", "a/2", "a/3", "b/1", "b/2"}) registry_.references[version] = refer;
  const auto refusal =
      FakeRegistry::reply(422, R"({"error_code":42201,"message":"Could not execute compatibility rule"})");
  for (const char* path : {"a/versions/1", "a/versions/2", "b/versions/1"})
    registry_.answers.emplace(fmt::format("POST /compatibility/subjects/{}?verbose=true", path), refusal);
  const core::Batch batch = seen();
  EXPECT_EQ(compatible(batch, "a"), 0);
  EXPECT_EQ(of(batch, "schema_registry_subject_incompatible_versions", "a"), 2);
  EXPECT_EQ(compatible(batch, "b"), 1);
  EXPECT_EQ(events(batch),
            (Texts{"schema_incompatible: Version 3 of a is incompatible with version 2 under BACKWARD: it "
                   "added field id (long) without a default"}));
}

TEST_F(SchemaVersionsTest, WhereNobodyCanCompareThereIsAFaultAndNoVerdict) {
  registry_.subjects = {{"money", {{1, order(kId)}}}, {"a", {{1, "no schema"}, {2, order(kId)}}}};
  registry_.references["a/2"] = {{{"name", "money.Money"}, {"subject", "money"}, {"version", 1}}};
  registry_.answers.emplace(
      "POST /compatibility/subjects/a/versions/1?verbose=true",
      FakeRegistry::reply(422, R"({"error_code":42201,"message":"Could not execute compatibility rule"})"));
  const auto batch = collect();
  ASSERT_TRUE(batch);
  EXPECT_EQ(compatible(*batch, "a"), std::nullopt);
  ASSERT_FALSE(batch->faults.empty());
  EXPECT_NE(batch->faults[0].error.message.find("Could not execute compatibility rule"), std::string::npos);
  EXPECT_EQ(batch->faults[0].scope.get("subject"), "a");
}

TEST_F(SchemaVersionsTest, ReferencesThatGoRoundAreNamed) {
  const auto refer = [](const std::string& to) { return json{{{"name", to}, {"subject", to}, {"version", 1}}}; };
  registry_.subjects = {{"a", {{1, order(kId)}}}, {"b", {{1, order(kId)}}}, {"c", {{1, order(kId)}}}};
  registry_.references = {{"a/1", refer("b")}, {"b/1", refer("a")}, {"c/1", refer("gone")}};
  const core::Batch batch = seen();
  EXPECT_EQ(
      events(batch),
      (Texts{"schema_reference_broken: Version 1 of a cannot be read with its references: the references go round: a "
             "version 1 → b version 1 → a version 1.",
             "schema_reference_broken: Version 1 of b cannot be read with its references: the references go round: b "
             "version 1 → a version 1 → b version 1.",
             "schema_reference_broken: Version 1 of c cannot be read with its references: refers to gone version 1, "
             "which is not there."}));
  EXPECT_EQ(finding(batch, "reference_broken", "a"), 1);
  EXPECT_TRUE(seen().events.empty());
}

TEST_F(SchemaVersionsTest, ReferencesWithoutEndAreFollowedSoFar) {
  for (int i = 0; i < 200; ++i) {
    const std::string name = fmt::format("s{:03}", i);
    registry_.subjects[name] = {{1, order("", name)}};
    registry_.references[name + "/1"] = {{{"name", "x"}, {"subject", fmt::format("s{:03}", i + 1)}, {"version", 1}}};
  }
  settings_.subjects.names = {"s000"};
  const core::Batch batch = seen();
  EXPECT_EQ(finding(batch, "reference_broken", "s000"), 1);
  EXPECT_LT(registry_.requests.size(), 30U);
}

TEST_F(SchemaVersionsTest, ASubjectTellsItsTopicFormatAndRecord) {
  settings_.cluster = "prod";
  registry_.subjects = {{"orders-value", {{1, order(kId)}}}, {"other", {{1, order(kId)}}}};
  const core::Batch batch = seen();
  EXPECT_EQ(
      value(batch, R"(schema_registry_subject_info{cluster="prod",format="AVRO",record="shop.Order",registry="main",)"
                   R"(subject="orders-value",topic="orders"})"),
      1);
  EXPECT_EQ(value(batch,
                  R"(schema_registry_subject_info{format="AVRO",record="shop.Order",registry="main",subject="other"})"),
            1);
  ASSERT_EQ(batch.edges.size(), 1U);
  EXPECT_EQ(batch.edges[0],
            (core::Edge{{"subject", "main", "orders-value"}, {"topic", "prod", "orders"}, "schema_registry"}));
}

TEST_F(SchemaVersionsTest, WithTopicRecordNamesTheRecordIsTakenOff) {
  settings_.naming = schemas::NamingStrategy::topic_record_name;
  registry_.subjects = {{"orders-shop.Order", {{1, order(kId)}}}};
  const core::Batch batch = seen();
  ASSERT_EQ(batch.edges.size(), 1U);
  EXPECT_EQ(batch.edges[0].to.name, "orders");
}

TEST_F(SchemaVersionsTest, ASchemaThatWeirCannotReadIsStillWatched) {
  registry_.subjects = {{"a", {{1, "<html>"}, {2, "<html>"}}}};
  registry_.schema_type = "THRIFT";
  const core::Batch batch = seen();
  EXPECT_EQ(compatible(batch), 1);
  EXPECT_EQ(value(batch, R"(schema_registry_subject_info{format="THRIFT",registry="main",subject="a"})"), 1);
}

TEST_F(SchemaVersionsTest, ANewVersionIsStillNewsWhenItCouldNotBeReadAtFirst) {
  registry_.subjects = {{"a", {{1, order(kId)}}}};
  seen();
  registry_.subjects["a"][2] = order(kId + "," + kDefault);
  registry_.answers = {{"GET /subjects/a/versions/2", FakeRegistry::reply(500, "")}};
  EXPECT_EQ(collect()->events.size(), 0U);
  registry_.answers.clear();
  EXPECT_EQ(events(seen()),
            (Texts{"schema_version_registered: Version 2 of a was registered: it added field note (string)."}));
}

TEST_F(SchemaVersionsTest, WhenARegistryTellsTheTimeOfAVersionItCounts) {
  registry_.subjects = {{"a", {{1, order(kId)}}}};
  registry_.answers = {
      {"GET /subjects/a/versions/1", FakeRegistry::reply(200, json{{"subject", "a"},
                                                                   {"version", 1},
                                                                   {"id", 7},
                                                                   {"guid", "0b0ebc7e-0000-0000-0000-000000000000"},
                                                                   {"schema", order(kId)},
                                                                   {"ts", 1700000000123},
                                                                   {"deleted", false}}
                                                                  .dump())}};
  now_ = core::Time(1'700'000'100s);
  EXPECT_DOUBLE_EQ(*of(seen(), "schema_registry_subject_last_change_timestamp_seconds", "a"), 1700000000.123);
}

TEST_F(SchemaVersionsTest, AVersionThatIsDatedAheadIsAFaultAndNoTime) {
  registry_.subjects = {{"a", {{1, order(kId)}}}};
  registry_.registered = now_ + 2h;
  const auto batch = collect();
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_NE(batch->faults[0].error.message.find("version of a was registered 2h ahead of this machine's clock"),
            std::string::npos)
      << batch->faults[0].error.message;
  EXPECT_EQ(of(*batch, "schema_registry_subject_last_change_timestamp_seconds", "a"), std::nullopt);
  EXPECT_EQ(of(*batch, "schema_registry_subject_versions", "a"), 1);
  EXPECT_EQ(collect()->faults.size(), 1U) << "as long as it lasts";
  now_ += 2h;
  seen();
}

TEST_F(SchemaVersionsTest, ASubjectThatWasDeletedForGoodAndCreatedAnewIsSeenWithoutManyRequests) {
  registry_.subjects = {{"a", {{1, order(kId)}, {2, order(kId + "," + kNote)}}}, {"b", {{1, order(kId)}}}};
  seen();
  registry_.subjects["a"][2] = order(kNote);
  registry_.id = 9;
  registry_.incompatible = {{"a", 1}};
  registry_.subjects.erase("b");
  std::size_t reads = 0;
  Texts told;
  for (int cycle = 0; cycle < 10; ++cycle) {
    for (const core::Event& event : seen().events) {
      if (event.kind != "schema_subject_deleted") told.push_back(event.kind + ": " + event.message);
    }
    reads += registry_.count("GET /subjects/a/versions/2");
  }
  EXPECT_EQ(told,
            (Texts{"schema_subject_recreated: Subject a was deleted for good and created anew: its newest version "
                   "is another schema, which removed field id (long), which had no default, with id 9 instead of "
                   "1. Messages that carry the old id may be read no more.",
                   "schema_incompatible: Version 2 of a is incompatible with version 1 under BACKWARD: it added "
                   "field note (string) without a default. The registry says: "
                   "READER_FIELD_MISSING_DEFAULT_VALUE: n; {oldSchema: …}"}));
  EXPECT_LE(reads, 3U) << "of ten cycles: to see it, to read it and once more";
}

}  // namespace
}  // namespace weir::collectors
