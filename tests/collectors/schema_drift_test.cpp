#include "collectors/schema_drift.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "collectors/registry_fixture.h"

namespace weir::collectors {
namespace {

using Texts = std::vector<std::string>;

std::string head(std::uint32_t id) {
  std::string bytes(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(id >> static_cast<unsigned>(shift));
  return bytes;
}

class Columns final : public core::TableColumns {
 public:
  explicit Columns(const core::Result<std::vector<core::Column>>& answer) : answer_(answer) {}
  core::Result<std::vector<core::Column>> columns(const std::string& source, const std::string& table,
                                                  std::chrono::steady_clock::time_point,
                                                  const std::stop_token&) override {
    EXPECT_EQ(source + "." + table, "warehouse.public.orders");
    return answer_;
  }

 private:
  const core::Result<std::vector<core::Column>>& answer_;
};

class SchemaDriftTest : public SchemaRegistryTest {
 protected:
  SchemaDriftTest() {
    settings_.cluster = "prod";
    settings_.drift.any_topics = true;
    registry_.ids = {{1, {"orders-value"}}, {2, {"payments-value"}}};
  }
  core::Batch look(std::vector<TopicSample> topics) {
    sampled_ = SampledTopics{.topics = std::move(topics), .admitted = {"orders", "payments"}, .faults = {}};
    return look();
  }
  core::Batch look() {
    if (!drift_) {
      drift_ = std::make_unique<SchemaDriftCollector>(
          settings_, registry_, [this](const core::CollectContext&) { return sampled_; },
          std::make_unique<Columns>(columns_));
    }
    now_ += 5min;
    registry_.requests.clear();
    auto batch = drift_->collect({.now = now_, .deadline = std::chrono::steady_clock::now() + 10s, .stop = {}});
    EXPECT_TRUE(batch);
    return std::move(*batch);
  }
  static std::optional<double> sampled(const core::Batch& batch, std::string_view result) {
    return value(batch, fmt::format(R"(schema_registry_topic_sampled_messages{{cluster="prod",registry="main",)"
                                    R"(result="{}",topic="orders"}})",
                                    result));
  }
  std::optional<double> differences(const core::Batch& batch) {
    return value(batch,
                 R"(schema_registry_table_differences{dataset="public.orders",registry="main",source="warehouse",)"
                 R"(subject="orders-value"})");
  }

  core::Result<SampledTopics> sampled_;
  core::Result<std::vector<core::Column>> columns_;
  std::unique_ptr<SchemaDriftCollector> drift_;
};

TEST_F(SchemaDriftTest, MessagesWithTheTopicsOwnSchemaAreFine) {
  const core::Batch batch = look({{"orders", {head(1), head(1)}, 1}});
  EXPECT_EQ(sampled(batch, "ok"), 3);
  EXPECT_EQ(sampled(batch, "unknown_id"), 0);
  EXPECT_TRUE(batch.events.empty());
  EXPECT_EQ(registry_.requests.size(), 1U) << "each id is asked for once";
  ASSERT_EQ(batch.edges.size(), 1U);
  EXPECT_EQ(batch.edges[0],
            (core::Edge{{"subject", "main", "orders-value"}, {"topic", "prod", "orders"}, "schema_registry"}));
}

TEST_F(SchemaDriftTest, WhatIsAmissIsCountedAndToldOnce) {
  const std::vector<TopicSample> bad{{"orders", {head(1), head(77), head(2), "{\"a\":1}"}, 0}};
  const core::Batch batch = look(bad);
  EXPECT_EQ(sampled(batch, "ok"), 1);
  EXPECT_EQ(sampled(batch, "unknown_id"), 1);
  EXPECT_EQ(sampled(batch, "wrong_subject"), 1);
  EXPECT_EQ(sampled(batch, "not_wire_format"), 1);
  ASSERT_EQ(batch.events.size(), 3U);
  EXPECT_EQ(batch.events[0].labels.get("topic"), "orders");
  EXPECT_EQ(
      events(batch)[0],
      "schema_drift: Of the 4 newest messages of topic orders that were looked at 1 carry a schema id that registry "
      "main does not know (77): their producer uses another registry, or the schema was deleted for good. Readers "
      "cannot decode them.");
  EXPECT_NE(events(batch)[2].find("1 have a schema of payments-value, which is not the topic's"), std::string::npos);
  EXPECT_TRUE(look(bad).events.empty());
}

TEST_F(SchemaDriftTest, WhatWasSeenHoldsUntilThereIsSomethingNewer) {
  look({{"orders", {head(77)}, 0}});
  EXPECT_EQ(sampled(look({}), "unknown_id"), 1);
  EXPECT_EQ(sampled(look({{"orders", {head(1)}, 0}}), "unknown_id"), 0);
  sampled_ = SampledTopics{.topics = {}, .admitted = {"payments"}, .faults = {}};
  EXPECT_EQ(sampled(look(), "unknown_id"), std::nullopt) << "the topic is gone";
}

TEST_F(SchemaDriftTest, AnIdWithoutSubjectsIsNotKnown) {  // Karapace's answer
  registry_.answers = {{"GET /schemas/ids/9/versions?deleted=true", FakeRegistry::reply(200, "[]")}};
  EXPECT_EQ(sampled(look({{"orders", {head(9)}, 0}}), "unknown_id"), 1);
}

TEST_F(SchemaDriftTest, NamesByRecordLetAnySubjectBeOfTheTopic) {
  settings_.naming = schemas::NamingStrategy::record_name;
  registry_.ids = {{3, {"shop.Order"}}};
  const core::Batch batch = look({{"orders", {head(3)}, 0}});
  EXPECT_EQ(sampled(batch, "ok"), 1);
  EXPECT_EQ(batch.edges.at(0).from.name, "shop.Order");
}

TEST_F(SchemaDriftTest, ARegistryOrAClusterThatDoesNotAnswerIsNoProof) {
  registry_.answers = {{"GET /schemas/ids/1/versions?deleted=true", FakeRegistry::reply(200, "<html>")}};
  core::Batch batch = look({{"orders", {head(1)}, 0}});
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_EQ(batch.faults[0].scope, (core::Labels{{"registry", "main"}, {"cluster", "prod"}, {"topic", "orders"}}));
  EXPECT_TRUE(batch.samples.empty());
  sampled_ = core::fail(ErrorKind::unavailable, "no broker");
  batch = look();
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_EQ(batch.faults[0].scope, (core::Labels{{"cluster", "prod"}}));
  EXPECT_TRUE(batch.samples.empty());
}

TEST_F(SchemaDriftTest, ATableIsComparedWithTheNewestVersion) {
  settings_.drift.any_topics = false;
  settings_.drift.tables = {
      {.subject = "orders-value", .source = "warehouse", .table = "public.orders", .ignored = {"_at"}, .position = {}}};
  registry_.subjects = {
      {"orders-value",
       {{1, R"({"type":"record","name":"O","fields":[]})"},
        {2,
         R"({"type":"record","name":"O","fields":[{"name":"id","type":"long"},{"name":"note","type":"string"}]})"}}}};
  columns_ = std::vector<core::Column>{{"id", "bigint"}, {"_at", "timestamp"}};
  core::Batch batch = look();
  EXPECT_EQ(differences(batch), 1);
  EXPECT_EQ(events(batch),
            (Texts{"schema_table_drift: Table public.orders in warehouse does not fit the newest version of "
                   "orders-value: field note has no column."}));
  EXPECT_EQ(batch.edges.at(0).to, (core::Node{"table", "warehouse", "public.orders"}));
  EXPECT_TRUE(look().events.empty());
  columns_->push_back({"note", "text"});
  EXPECT_EQ(differences(look()), 0);
  columns_ = core::fail(ErrorKind::not_found, "there is no table public.orders");
  batch = look();
  EXPECT_EQ(batch.faults.size(), 1U);
  EXPECT_EQ(differences(batch), std::nullopt);
}

}  // namespace
}  // namespace weir::collectors
