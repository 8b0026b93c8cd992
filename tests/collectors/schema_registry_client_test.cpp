#include "collectors/schema_registry_client.h"

#include <gtest/gtest.h>

#include "collectors/registry_fixture.h"

namespace weir::collectors {
namespace {

/// Answers as the registries' documentations and sources show them: what differs between them.
class SchemaRegistryClientTest : public SchemaRegistryTest {
 protected:
  SchemaRegistryClientTest() { (void)client_.begin_cycle({}, std::chrono::steady_clock::now() + 10s, {}); }
  void answer(const std::string& key, int status, const std::string& body) {
    registry_.answers.insert_or_assign(key, FakeRegistry::reply(status, body));
  }
  core::Result<CompatibilityAnswer> check(int status, const std::string& body) {
    answer("POST /compatibility/subjects/orders-value/versions/1?verbose=true", status, body);
    return client_.check("orders-value", 1, {.text = "{}", .type = "", .references = {}});
  }

  SchemaRegistryClient client_{settings_.endpoint, registry_};
};

TEST_F(SchemaRegistryClientTest, ConfluentsVerboseMessages) {
  const auto said = check(200, R"({"is_compatible":false,"messages":[
    "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'note' at path '/fields/1' in the new schema has no default value and is missing in the old schema', additionalInfo:'note'}",
    "{oldSchemaVersion: 1}","{oldSchema: '{\"type\":\"record\"}'}","{validateFields: 'false', compatibility: 'BACKWARD'}"]})");
  ASSERT_TRUE(said);
  EXPECT_FALSE(said->compatible);
  EXPECT_NE(said->message.find("The field 'note' at path '/fields/1'"), std::string::npos);
}

TEST_F(SchemaRegistryClientTest, KarapacesVerdictWithoutAWord) {
  const auto said = check(200, R"({"is_compatible":false})");
  ASSERT_TRUE(said);
  EXPECT_FALSE(said->compatible);
  EXPECT_EQ(said->message, "");
  EXPECT_TRUE(check(200, R"({"is_compatible":true})")->compatible);
}

TEST_F(SchemaRegistryClientTest, ApicuriosReason) {
  const auto said = check(
      200,
      R"({"is_compatible":false,"reason":"Incompatible artifact: orders-value [AVRO], num of incompatible diffs: {1}, list of diff types: [x at /fields/0] Causes: x at /fields/0"})");
  ASSERT_TRUE(said);
  EXPECT_NE(said->message.find("x at /fields/0"), std::string::npos);
}

TEST_F(SchemaRegistryClientTest, WhatIsNotThereHasSeveralCodes) {
  for (const char* body : {R"({"error_code":40401,"message":"Subject 'orders-value' not found."})",
                           R"({"error_code":40402,"message":"Version 1 not found."})", "", "<html>"}) {
    const auto said = check(404, body);
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().kind, ErrorKind::not_found);
  }
  const auto invalid = check(422, R"({"error_code":42201,"message":"Invalid AVRO schema"})");
  EXPECT_EQ(invalid.error().kind, ErrorKind::invalid);
}

TEST_F(SchemaRegistryClientTest, LevelsWhereTheSubjectHasNone) {
  const std::string key = "GET /config/orders-value?defaultToGlobal=true";
  // Confluent, and Karapace for a subject without schemas, and with some.
  for (
      const char* body :
      {R"({"error_code":40408,"message":"Subject 'orders-value' does not have subject-level compatibility configured"})",
       R"({"error_code":40401,"message":"Subject 'orders-value' not found."})"}) {
    answer(key, 404, body);
    EXPECT_EQ(*client_.level("orders-value"), std::nullopt);
  }
  // Newer Confluent registries answer with more.
  answer(key, 200, R"({"alias":null,"normalize":false,"compatibilityLevel":"FULL","compatibilityGroup":"v"})");
  EXPECT_EQ(*client_.level("orders-value"), "FULL");
  answer("GET /config", 200, R"({"compatibilityLevel":"BACKWARD"})");
  EXPECT_EQ(*client_.global_level(), "BACKWARD");
  answer("GET /config", 200, R"({"compatibility":"BACKWARD"})");
  EXPECT_EQ(client_.global_level().error().kind, ErrorKind::protocol);
}

TEST_F(SchemaRegistryClientTest, DeletedSubjectsAndVersions) {
  answer("GET /subjects?deleted=true", 200, R"(["orders-value","gone-value"])");
  EXPECT_EQ(**client_.all_subjects(), (std::vector<std::string>{"orders-value", "gone-value"}));
  answer("GET /subjects?deleted=true", 422, R"({"error_code":42201})");
  EXPECT_EQ(*client_.all_subjects(), std::nullopt);
  answer("GET /subjects?deleted=true", 503, "");
  EXPECT_EQ(client_.all_subjects().error().kind, ErrorKind::unavailable);
  answer("GET /subjects/orders-value/versions?deleted=true", 200, "[2,1,2]");
  EXPECT_EQ(*client_.versions("orders-value", true), (std::vector<int>{1, 2}));
}

TEST_F(SchemaRegistryClientTest, SubjectsOfAnId) {
  const std::string key = "GET /schemas/ids/7/versions?deleted=true";
  answer(key, 200, R"([{"subject":"b","version":1},{"subject":"a","version":3},{"subject":"b","version":2}])");
  EXPECT_EQ(*client_.subjects_of(7), (std::vector<std::string>{"a", "b"}));
  answer(key, 404, R"({"error_code":40403,"message":"Schema 7 not found io.confluent.rest.exceptions"})");
  EXPECT_TRUE(client_.subjects_of(7)->empty());
  for (const char* body : {"{}", "[5]", R"([{"version":1}])", "<html>"}) {
    answer(key, 200, body);
    EXPECT_EQ(client_.subjects_of(7).error().kind, ErrorKind::protocol) << body;
  }
}

TEST_F(SchemaRegistryClientTest, AVersionWithAllThatConfluentSays) {
  answer("GET /subjects/orders-value/versions/2", 200,
         R"({"subject":"orders-value","version":2,"id":11,"guid":"7f3d","schemaType":"PROTOBUF","references":
            [{"name":"money.proto","subject":"money","version":1}],"schema":"syntax = \"proto3\";","ts":1700000000123,
            "deleted":false})");
  const auto schema = client_.schema("orders-value", 2);
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->type, "PROTOBUF");
  EXPECT_EQ(schema->references.at(0).subject, "money");
  EXPECT_EQ(schema->registered, core::Time(1700000000123ms));
}

TEST_F(SchemaRegistryClientTest, WhatWasPlannedIsAskedForAtOnceAndIsAtHand) {
  registry_.subjects = {{"a", {{1, "1"}}}, {"b", {{1, "1"}}}};
  client_.plan(true);
  EXPECT_FALSE(client_.versions("a"));
  EXPECT_FALSE(client_.versions("a"));
  EXPECT_FALSE(client_.versions("b"));
  EXPECT_TRUE(registry_.requests.empty());
  client_.plan(false);
  EXPECT_TRUE(client_.fetch(8, 100));
  EXPECT_EQ(registry_.requests.size(), 2U) << "each once";
  EXPECT_EQ(client_.requests(), 2U);
  EXPECT_EQ(client_.versions("a"), std::vector{1});
  EXPECT_EQ(client_.versions("b"), std::vector{1});
  EXPECT_EQ(registry_.requests.size(), 2U);
  client_.drop_fetched();
  EXPECT_TRUE(client_.versions("a"));
  EXPECT_EQ(registry_.requests.size(), 3U) << "asked anew";
  EXPECT_FALSE(client_.fetch(8, 100)) << "nothing was planned";
}

TEST_F(SchemaRegistryClientTest, ARegistryThatIsAwayIsNotAskedForAllThatWasPlanned) {
  registry_.down = true;
  client_.plan(true);
  for (int i = 0; i < 100; ++i) (void)client_.versions(std::to_string(i));
  client_.plan(false);
  EXPECT_FALSE(client_.fetch(4, 100));
  EXPECT_EQ(registry_.requests.size(), 4U);
}

TEST_F(SchemaRegistryClientTest, ASchemaIsReadOnceUntilItsSubjectIsForgotten) {
  registry_.subjects = {{"a", {{1, "1"}}}};
  EXPECT_TRUE(client_.schema("a", 1));
  EXPECT_TRUE(client_.schema("a", 1));
  EXPECT_EQ(registry_.requests.size(), 1U);
  client_.forget("b");
  EXPECT_TRUE(client_.schema("a", 1));
  EXPECT_EQ(registry_.requests.size(), 1U);
  client_.forget("a");
  EXPECT_TRUE(client_.schema("a", 1));
  EXPECT_EQ(registry_.requests.size(), 2U);
  (void)client_.begin_cycle(core::Time(2h), std::chrono::steady_clock::now() + 10s, {});
  EXPECT_TRUE(client_.schema("a", 1));
  EXPECT_EQ(registry_.requests.size(), 3U) << "after an hour it is read again";
}

TEST_F(SchemaRegistryClientTest, ASchemaMayBeReadAnewAndIsKnownByItsIdTextAndReferences) {
  registry_.subjects = {{"a", {{1, "1"}}}};
  const auto kept = client_.schema("a", 1);
  ASSERT_TRUE(kept);
  EXPECT_TRUE(client_.keeps("a", 1));
  const auto fingerprint = [&] { return client_.schema_anew("a", 1)->fingerprint(); };
  EXPECT_EQ(fingerprint(), kept->fingerprint());
  registry_.subjects["a"][1] = "2";
  EXPECT_NE(fingerprint(), kept->fingerprint());
  EXPECT_EQ(client_.schema("a", 1)->text, "1") << "until it is forgotten";
  registry_.subjects["a"][1] = "1";
  registry_.id = 2;
  EXPECT_NE(fingerprint(), kept->fingerprint());
  registry_.id = 1;
  registry_.references = {{"a/1", json::array({{{"name", "b"}, {"subject", "b"}, {"version", 1}}})}};
  EXPECT_NE(fingerprint(), kept->fingerprint());
}

TEST_F(SchemaRegistryClientTest, ARegistryThatAsksToBeLeftAloneIs) {
  auto answer = FakeRegistry::reply(429, R"({"error_code": 429, "message": "Too many requests"})");
  answer.headers = {{"retry-after", "120"}};
  registry_.answers.emplace("GET /subjects", answer);
  const core::Time now(100h);
  const auto later = std::chrono::steady_clock::now() + 10s;
  ASSERT_TRUE(client_.begin_cycle(now, later, {}));
  EXPECT_EQ(client_.subjects().error().kind, ErrorKind::unavailable);
  EXPECT_EQ(client_.global_level().error().kind, ErrorKind::unavailable);
  EXPECT_EQ(registry_.requests.size(), 1U) << "nothing more is asked";
  const auto early = client_.begin_cycle(now + 60s, later, {});
  ASSERT_FALSE(early);
  EXPECT_NE(early.error().message.find("asked to be left alone until"), std::string::npos);
  EXPECT_TRUE(client_.begin_cycle(now + 180s, later, {}));
  EXPECT_TRUE(client_.global_level());
}

}  // namespace
}  // namespace weir::collectors
