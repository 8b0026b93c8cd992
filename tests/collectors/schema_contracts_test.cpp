#include "collectors/schema_contracts.h"

#include <gtest/gtest.h>

#include "collectors/registry_fixture.h"

namespace weir::collectors {
namespace {

using Texts = std::vector<std::string>;

std::string order(const std::string& fields) {
  return R"({"type":"record","namespace":"shop","name":"Order","fields":[)" + fields + "]}";
}

const std::string kId = R"({"name":"id","type":"long"})";
const std::string kNote = R"({"name":"note","type":"string"})";
const std::string kDefault = R"({"name":"note","type":"string","default":""})";

class SchemaContractsTest : public SchemaRegistryTest {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(folder_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  static SchemaContract of(const std::string& files, const std::string& subject = {}) {
    return {.files = files, .subject = subject, .format = {}, .references = {}};
  }
  std::string subject(const std::string& file, const std::string& given = {},
                      schemas::NamingStrategy naming = schemas::NamingStrategy::topic_name) {
    const auto read = read_contract(of(file, given), file, naming);
    return read ? read->subject : "error: " + read.error().message;
  }
};

TEST_F(SchemaContractsTest, AFileTellsItsSubject) {
  using enum schemas::NamingStrategy;
  const std::string file = write("orders/order.avsc", order(kId));
  EXPECT_EQ(subject(file), "order-value");
  EXPECT_EQ(subject(file, "", record_name), "shop.Order");
  EXPECT_EQ(subject(file, "", topic_record_name), "orders-shop.Order");
  EXPECT_EQ(subject(file, "{folder}-{stem}-{record}"), "orders-order-shop.Order");
  EXPECT_EQ(subject(write("orders-key.schema.json", "{}")), "orders-key");
  EXPECT_EQ(subject(write("a.proto", "syntax = \"proto3\"; package p; message A {}"), "", record_name), "p.A");
  EXPECT_EQ(subject(write("b.json", "{}"), "", record_name),
            "error: its schema has no name that would tell the subject; give the contract's subject");
  EXPECT_EQ(subject(write("c.txt", "x")).substr(0, 36), "error: its extension tells no format");
  EXPECT_EQ(subject(write("c.txt", "x"), "given"), "given");
  EXPECT_EQ(subject(write("d.avsc", "{"), "", record_name), "error: the schema is not JSON: Avro schemas are");
  EXPECT_EQ(subject(folder_ + "/absent.avsc"), "error: the candidate cannot be read: No such file or directory");
}

TEST_F(SchemaContractsTest, WhatBreaksWhatAndWhatToDo) {
  registry_.subjects = {{"order-value", {{1, order(kId)}}}};
  registry_.incompatible = {{"order-value", 1}};
  registry_.karapace = true;
  SchemaRegistryClient client(settings_.endpoint, registry_);
  (void)client.begin_cycle({}, std::chrono::steady_clock::now() + 10s, {});
  const ContractFile file{.file = "f", .subject = "order-value", .text = order(kId + "," + kNote), .format = {}};
  const auto verdict = judge_contract(client, file, {1}, "BACKWARD");
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->compatible);
  EXPECT_EQ(verdict->message,
            "incompatible with version 1 of order-value under BACKWARD (new readers read old data): added field note "
            "(string) without a default. What to do: note: give it a default");
}

TEST_F(SchemaContractsTest, UnderATransitiveLevelEveryVersionIsNamed) {
  registry_.subjects = {{"a", {{1, order(kNote)}, {2, order(kNote)}, {3, order(kId)}}}};
  registry_.levels = {{"a", "BACKWARD_TRANSITIVE"}};
  registry_.incompatible = {{"a", 1}, {"a", 2}};
  SchemaRegistryClient client(settings_.endpoint, registry_);
  (void)client.begin_cycle({}, std::chrono::steady_clock::now() + 10s, {});
  const ContractFile file{.file = "f", .subject = "a", .text = order(kId), .format = {}};
  const auto verdict = judge_contract(client, file, {1, 2, 3}, "BACKWARD_TRANSITIVE");
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->broken, (std::vector<int>{2, 1}));
  EXPECT_NE(verdict->message.find("versions 2, 1 of a"), std::string::npos) << verdict->message;
  EXPECT_NE(verdict->message.find("added field id (long) without a default"), std::string::npos);
}

TEST_F(SchemaContractsTest, WhatNoneLetsThroughIsRisky) {
  registry_.subjects = {{"a", {{1, order(kId)}}}};
  registry_.global = "NONE";
  SchemaRegistryClient client(settings_.endpoint, registry_);
  (void)client.begin_cycle({}, std::chrono::steady_clock::now() + 10s, {});
  const ContractFile risky{.file = "f", .subject = "a", .text = order(kId + "," + kNote), .format = {}};
  EXPECT_TRUE(judge_contract(client, risky, {1}, "NONE")->risky);
  const ContractFile harmless{.file = "f", .subject = "a", .text = order(kId + "," + kDefault), .format = {}};
  EXPECT_FALSE(judge_contract(client, harmless, {1}, "NONE")->risky);
  EXPECT_EQ(level_in_force(client, "a").value_or("?"), "NONE");
}

TEST_F(SchemaContractsTest, APatternsFilesAreCheckedOnScheduleAndNewOnesJoin) {
  settings_.contracts = {of(folder_ + "/*.avsc")};
  registry_.subjects = {{"order-value", {{1, order(kId)}}}, {"note-value", {{1, order(kNote)}}}};
  registry_.incompatible = {{"note-value", 1}};
  write("order.avsc", order(kId + "," + kDefault));
  const auto candidate = [&](const core::Batch& batch, const std::string& name) {
    return value(batch, R"(schema_registry_candidate_compatible{registry="main",subject=")" + name + "\"}");
  };
  EXPECT_EQ(candidate(seen(), "order-value"), 1);
  const std::string file = write("note.avsc", order(kId));
  const core::Batch batch = seen();
  EXPECT_EQ(candidate(batch, "order-value"), 1);
  EXPECT_EQ(candidate(batch, "note-value"), 0);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.events[0].labels.get("topic"), "note");
  std::filesystem::remove(file);
  EXPECT_EQ(candidate(seen(), "note-value"), std::nullopt);
}

TEST_F(SchemaContractsTest, ASecondFileForASubjectAndAnEmptyPatternAreFaults) {
  settings_.contracts = {of(folder_ + "/*.avsc", "a"), of(folder_ + "/*.none")};
  registry_.subjects = {{"a", {{1, order(kId)}}}};
  write("1.avsc", order(kId));
  write("2.avsc", order(kId));
  const auto batch = collect();
  ASSERT_TRUE(batch);
  Texts faults;
  for (const core::Fault& fault : batch->faults) faults.push_back(fault.error.message);
  EXPECT_EQ(faults, (Texts{"another file is for the subject a too", "no file fits the contract's pattern"}));
  EXPECT_EQ(candidate_compatible(*batch), 1);
}

TEST_F(SchemaContractsTest, GivenReferencesReplaceThoseOfTheNewestVersion) {
  registry_.subjects = {{"a", {{1, order(kId)}}}, {"money", {{1, order(kId)}, {2, order(kId)}}}};
  registry_.references["a/1"] = {{{"name", "m"}, {"subject", "money"}, {"version", 1}}};
  SchemaRegistryClient client(settings_.endpoint, registry_);
  (void)client.begin_cycle({}, std::chrono::steady_clock::now() + 10s, {});
  const ContractFile file{
      .file = "f", .subject = "a", .text = order(kId), .format = {}, .references = {{"m", "money", 2}}};
  ASSERT_TRUE(judge_contract(client, file, {1}, "BACKWARD"));
  EXPECT_EQ(json::parse(registry_.last_question).at("references"),
            json::parse(R"([{"name":"m","subject":"money","version":2}])"));
}

}  // namespace
}  // namespace weir::collectors
