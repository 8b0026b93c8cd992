#include "collectors/openlineage_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::collectors {
namespace {

using testing::HasSubstr;

const std::string kRun = R"({
  "eventType": "COMPLETE", "eventTime": "2026-01-02T03:04:05.678Z", "producer": "https://example.com/p",
  "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
  "run": {"runId": "3f5e83fa-3480-44ff-99c5-ff943904e5e8", "facets": {"errorMessage": {"message": "boom"}}},
  "job": {"namespace": "airflow", "name": "load"},
  "inputs": [{"namespace": "kafka://b:9092", "name": "orders", "inputFacets": {
     "dataQualityMetrics": {"rowCount": 7, "bytes": -3, "columnMetrics": {"id": {"nullCount": 1, "min": -5, "max": 9}}},
     "dataQualityAssertions": {"assertions": [
        {"assertion": "not_null", "success": false, "column": "id", "severity": "warn"},
        {"assertion": "custom", "success": true, "name": "is fine"}, {"assertion": "x"}, 7]}}}],
  "outputs": [{"namespace": "postgres://db:5432", "name": "shop.public.orders",
     "facets": {"columnLineage": {"fields": {"id": {"inputFields": [
        {"namespace": "kafka://b:9092", "name": "orders", "field": "order_id"}, {"name": "no namespace"}]}}}},
     "outputFacets": {"outputStatistics": {"rowCount": 12, "size": 300}}}]})";

std::string mistake(const std::string& body) {
  const auto event = parse_openlineage(body);
  return event ? "" : event.error().message;
}

std::string changed(const std::string& from, const std::string& to) {
  std::string text = kRun;
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(OpenLineageEventTest, ReadsARunWithItsFacets) {
  const auto event = parse_openlineage(kRun);
  ASSERT_TRUE(event) << event.error().describe();
  EXPECT_EQ(event->kind, OpenLineageKind::run);
  EXPECT_EQ(core::format_rfc3339(event->time), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(event->state, "COMPLETE");
  EXPECT_EQ(event->error, "boom");
  ASSERT_EQ(event->inputs.size(), 1U);
  const OpenLineageDataset& input = event->inputs[0];
  EXPECT_EQ(input.rows, 7);
  EXPECT_EQ(input.bytes, std::nullopt) << "a size below nothing is none";
  EXPECT_EQ(input.columns.at("id").nulls, 1);
  EXPECT_EQ(input.columns.at("id").least, -5);
  ASSERT_EQ(input.assertions.size(), 2U) << "what is malformed is passed over";
  EXPECT_EQ(input.assertions[0].name, "not_null(id)");
  EXPECT_TRUE(input.assertions[0].warns);
  EXPECT_EQ(input.assertions[1].name, "is fine");
  ASSERT_EQ(event->outputs.size(), 1U);
  ASSERT_EQ(event->outputs[0].made_of.at("id").size(), 1U);
  EXPECT_EQ(event->outputs[0].made_of.at("id")[0].field, "order_id");
  EXPECT_EQ(event->outputs[0].written_rows, 12);
}

TEST(OpenLineageEventTest, ReadsJobsAndDatasetsWithoutARun) {
  const std::string base = R"("eventTime": "2026-01-02T03:04:05Z", "producer": "p")";
  const auto job = parse_openlineage("{" + base + R"(, "job": {"namespace": "a", "name": "b"}, "outputs": []})");
  ASSERT_TRUE(job);
  EXPECT_EQ(job->kind, OpenLineageKind::job);
  const auto dataset = parse_openlineage("{" + base + R"(, "dataset": {"namespace": "a", "name": "b"}})");
  ASSERT_TRUE(dataset);
  EXPECT_EQ(dataset->kind, OpenLineageKind::dataset);
  EXPECT_EQ(dataset->outputs[0].name, "b");
}

TEST(OpenLineageEventTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(mistake(""), HasSubstr("no JSON"));
  EXPECT_THAT(mistake("<html>"), HasSubstr("no JSON"));
  EXPECT_THAT(mistake(kRun.substr(0, 300)), HasSubstr("cut off"));
  EXPECT_THAT(mistake("[]"), HasSubstr("an event is a JSON object"));
  EXPECT_THAT(mistake("{}"), HasSubstr("\"run\" and \"job\" (RunEvent)"));
  EXPECT_THAT(mistake(changed("\"COMPLETE\"", "\"DONE\"")), HasSubstr("\"eventType\" is none of START"));
  EXPECT_THAT(mistake(changed("3f5e83fa-", "3f5e83f")), HasSubstr("is no UUID"));
  EXPECT_THAT(mistake(changed("2026-01-02T03", "yesterday")), HasSubstr("is no time of RFC 3339"));
  EXPECT_THAT(mistake(changed("\"producer\"", "\"maker\"")), HasSubstr("\"producer\" is missing"));
  EXPECT_THAT(mistake(changed("\"name\": \"load\"", "\"name\": 5")), HasSubstr("job: \"name\" is missing or no text"));
  EXPECT_THAT(mistake(changed("\"name\": \"shop.public.orders\"", "\"nam\": \"x\"")),
              HasSubstr("outputs[0]: \"name\" is missing"));
  EXPECT_THAT(mistake(changed("\"job\":", "\"jobb\":")), HasSubstr("a RunEvent needs \"job\""));
  EXPECT_THAT(mistake(changed("\"inputs\": [{", "\"inputs\": {}, \"x\": [{")), HasSubstr("\"inputs\" is no list"));
}

TEST(OpenLineageEventTest, IsBounded) {
  EXPECT_THAT(mistake(changed("\"load\"", "\"" + std::string(2000, 'x') + "\"")), HasSubstr("longer than 1024 bytes"));
  EXPECT_THAT(mistake(std::string(5000, '[') + std::string(5000, ']')), HasSubstr("deeper than 64 levels"));
  const auto event = parse_openlineage(kRun, {.datasets = 0});
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().kind, core::ErrorKind::limit);
  EXPECT_TRUE(parse_openlineage(kRun, {.assertions = 0})->inputs[0].assertions.empty());
}

}  // namespace
}  // namespace weir::collectors
