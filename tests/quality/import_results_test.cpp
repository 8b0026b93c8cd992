#include "quality/import_results.h"

#include <gtest/gtest.h>

namespace weir::quality {
namespace {

const std::string kRunResults = R"({
 "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json", "generated_at": "2026-01-02T03:04:05.678901Z"},
 "results": [
  {"status": "pass", "unique_id": "test.shop.not_null_orders_id.ab12", "message": null, "failures": 0, "execution_time": 0.1},
  {"status": "fail", "unique_id": "test.shop.unique_orders_id.cd34", "message": "Got 2 results, configured to fail if != 0", "failures": 2},
  {"status": "warn", "unique_id": "test.shop.few.ee", "message": "Got 1 result", "failures": 1},
  {"status": "error", "unique_id": "test.shop.broken.ff", "message": "Database Error", "failures": null},
  {"status": "skipped", "unique_id": "test.shop.late.aa", "message": null, "failures": null},
  {"status": "success", "unique_id": "model.shop.orders", "message": "SELECT 3"}],
 "elapsed_time": 1.5})";
const std::string kManifest = R"({
 "nodes": {
  "model.shop.orders": {"name": "orders", "alias": "fct_orders"},
  "test.shop.unique_orders_id.cd34": {"name": "unique_orders_id", "attached_node": "model.shop.orders", "column_name": "id",
   "original_file_path": "models/schema.yml", "config": {"severity": "ERROR", "meta": {"owner": "sales"}}},
  "test.shop.few.ee": {"name": "few", "depends_on": {"nodes": ["source.shop.raw.items"]}}},
 "sources": {"source.shop.raw.items": {"source_name": "raw", "name": "items"}}})";

RunReport read(const std::string& text, const std::string& manifest = {}) {
  const auto report = import_results(text, {.source = "dbt", .file = "r.json", .manifest = manifest});
  EXPECT_TRUE(report) << report.error().describe();
  return report.value_or(RunReport{});
}

std::string mistake(const std::string& text, ImportLimits limits = {}) {
  const auto report = import_results(text, {.source = "dbt", .limits = limits});
  return report ? "" : report.error().describe();
}

TEST(ImportDbt, StatusesAreOutcomes) {
  const RunReport report = read(kRunResults);
  ASSERT_EQ(report.results.size(), 6U);
  const std::vector<Outcome> expected = {Outcome::pass,  Outcome::fail,  Outcome::warn,
                                         Outcome::error, Outcome::error, Outcome::pass};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(report.results[i].outcome, expected[i]) << i;
  EXPECT_EQ(report.results[1].check, "unique_orders_id");
  EXPECT_EQ(report.results[1].dataset, "shop");
  EXPECT_EQ(report.results[1].value, 2);
  EXPECT_EQ(report.results[1].message, "unique_orders_id: Got 2 results, configured to fail if != 0");
  EXPECT_EQ(report.results[5].dataset, "orders");
  EXPECT_EQ(report.results[5].check, "model is built");
  EXPECT_EQ(core::format_rfc3339(report.started), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(report.seconds, 1.5);
}

TEST(ImportDbt, TheManifestNamesTablesAndFiles) {
  const RunReport report = read(kRunResults, kManifest);
  EXPECT_EQ(report.results[1].dataset, "fct_orders");
  EXPECT_EQ(report.results[1].column, "id");
  EXPECT_EQ(report.results[1].position.file, "models/schema.yml");
  EXPECT_EQ(report.results[1].attributes,
            (std::map<std::string, std::string>{{"severity", "error"}, {"owner", "sales"}}));
  EXPECT_EQ(report.results[2].dataset, "raw.items");
  EXPECT_EQ(report.results[0].dataset, "shop");  // not in the manifest
}

TEST(ImportDbt, FreshnessPastItsLimitFailsAndARuntimeErrorIsOne) {
  const RunReport report = read(R"({
   "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/sources/v3.json", "generated_at": "2026-01-02T03:04:05Z"},
   "results": [
    {"unique_id": "source.shop.raw.orders", "max_loaded_at_time_ago_in_s": 7200.5, "status": "error"},
    {"unique_id": "source.shop.raw.items", "max_loaded_at_time_ago_in_s": 10, "status": "pass"},
    {"unique_id": "source.shop.raw.late", "max_loaded_at_time_ago_in_s": 10, "status": "warn"},
    {"unique_id": "source.shop.raw.gone", "status": "runtime error", "error": "relation does not exist"},
    {"unique_id": "source.shop.raw.ahead", "max_loaded_at_time_ago_in_s": -7200, "status": "pass"}]})");
  ASSERT_EQ(report.results.size(), 5U);
  EXPECT_EQ(report.results[0].dataset, "raw.orders");
  EXPECT_EQ(report.results[0].check, "freshness");
  EXPECT_EQ(report.results[0].outcome, Outcome::fail);
  EXPECT_EQ(report.results[0].value, 7200.5);
  EXPECT_EQ(report.results[1].outcome, Outcome::pass);
  EXPECT_EQ(report.results[2].outcome, Outcome::warn);
  EXPECT_EQ(report.results[3].outcome, Outcome::error);
  EXPECT_EQ(report.results[3].message, "freshness: relation does not exist");
  EXPECT_EQ(report.results[4].outcome, Outcome::error) << "dbt calls it fresh";
  EXPECT_EQ(report.results[4].value, std::nullopt);
  EXPECT_EQ(report.results[4].message,
            "freshness: the newest row is of 2h in the future: a wrong clock, time zone or row");
}

const std::string kValidation = R"json({"success": false, "results": [
  {"success": true, "expectation_config": {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}},
   "result": {"observed_value": 4}, "exception_info": {"raised_exception": false}},
  {"success": false, "expectation_config": {"expectation_type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}},
   "result": {"element_count": 4, "unexpected_count": 1}, "exception_info": {}},
  {"success": false, "expectation_config": {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}, "severity": "warning"},
   "result": {"element_count": 4, "unexpected_count": 1}},
  {"success": false, "expectation_config": {"type": "expect_column_max_to_be_between", "kwargs": {"column": "x"}}, "result": {},
   "exception_info": {"('column.max',)" : {
  "raised_exception" : true, "exception_message" : "no column x"
}
}
}],
 "meta": {
  "active_batch_definition" : {"data_asset_name" : "orders"}, "run_id" : {
    "run_time" : "2026-01-02T03:04:05.123456+02:00"
  }
}
})json";

TEST(ImportGxResults, AValidationIsADataset) {
  const RunReport report = read(kValidation);
  ASSERT_EQ(report.results.size(), 4U);
  EXPECT_EQ(report.results[0].dataset, "orders");
  EXPECT_EQ(report.results[0].value, 4);
  EXPECT_EQ(report.results[0].outcome, Outcome::pass);
  EXPECT_EQ(report.results[1].check, "expect_column_values_to_not_be_null(id)");
  EXPECT_EQ(report.results[1].outcome, Outcome::fail);
  EXPECT_EQ(report.results[1].message, "expect_column_values_to_not_be_null(id): not as expected, 1 unexpected of 4");
  EXPECT_EQ(report.results[2].check, "expect_column_values_to_not_be_null(id) (2)");
  EXPECT_EQ(report.results[2].outcome, Outcome::warn);
  EXPECT_EQ(report.results[3].outcome, Outcome::error);
  EXPECT_EQ(core::format_rfc3339(report.started), "2026-01-02T01:04:05.123Z");
}

TEST(ImportGxResults, ACheckpointHasSeveral) {
  const std::string old =
      R"({"run_id": {"run_time": "2026-01-02T03:04:05+00:00"}, "success": false, "run_results": {"id": {"validation_result": )";
  EXPECT_EQ(read(old + kValidation + "}}}").results.size(), 4U);
  EXPECT_EQ(read("{\"run_results\": {\"a\": " + kValidation + ", \"b\": " + kValidation + "}}").results.size(), 8U);
}

TEST(ImportResults, AFileCutOffAnywhereIsAnErrorAndNeverResults) {
  for (const std::string& whole : {kRunResults, kValidation}) {
    for (std::size_t length = 0; length < whole.size(); length += 7) {
      EXPECT_NE(mistake(whole.substr(0, length)), "") << length;
    }
  }
  EXPECT_NE(mistake(kRunResults.substr(0, 500)).find("ends in the middle"), std::string::npos)
      << mistake(kRunResults.substr(0, 500));
}

TEST(ImportResults, BoundsAreKept) {
  EXPECT_NE(mistake(kRunResults, {.bytes = 100}).find("larger than 100 bytes"), std::string::npos);
  EXPECT_NE(mistake(std::string(100'000, '[') + std::string(100'000, ']')).find("deeper than 100"), std::string::npos);
  EXPECT_NE(mistake(kRunResults, {.results = 3}).find("more than 3 results"), std::string::npos);
}

TEST(ImportResults, OddShapesAreErrors) {
  for (const std::string text :
       {"{}", "[]", "null", "3", "\"x\"", "{\"metadata\": 5}", "{\"results\": []}",
        "{\"success\": true, \"results\": []}", "{\"run_results\": {}}", "{\"run_results\": {\"a\": 5}}",
        "{\"metadata\": {\"dbt_schema_version\": \"x/manifest/v12.json\"}}",
        "{\"metadata\": {\"dbt_schema_version\": \"x/run-results/v6.json\"}, \"results\": []}",
        "{\"metadata\": {\"dbt_schema_version\": \"x/run-results/v6.json\", \"generated_at\": "
        "\"2026-01-02T03:04:05Z\"}, \"results\": [5]}",
        "{\"metadata\": {\"dbt_schema_version\": \"x/run-results/v6.json\", \"generated_at\": "
        "\"2026-13-02T03:04:05Z\"}, \"results\": []}"}) {
    EXPECT_NE(mistake(text), "") << text;
  }
  EXPECT_NE(import_results(kValidation, {.source = "s", .format = ResultFormat::dbt})
                .error()
                .describe()
                .find("no results of dbt"),
            std::string::npos);
}

TEST(ImportResults, FormatsGoByName) {
  for (const std::string_view word : {"dbt", "dbt_sources", "gx"})
    EXPECT_EQ(to_string(*parse_result_format(word)), word);
  EXPECT_FALSE(parse_result_format("soda"));
}

}  // namespace
}  // namespace weir::quality
