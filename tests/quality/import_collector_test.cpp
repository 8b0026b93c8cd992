#include "quality/import_collector.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace weir::quality {
namespace {

using namespace std::chrono;

std::string run_results(const std::string& made, const std::string& status) {
  return R"({"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json", "generated_at": ")" +
         made + R"("}, "results": [{"status": ")" + status +
         R"(", "unique_id": "test.shop.unique_id.ab", "failures": 2, "message": "Got 2"}]})";
}

class ResultsCollectorTest : public testing::Test {
 protected:
  ResultsCollectorTest() { std::filesystem::create_directories(folder_); }
  ~ResultsCollectorTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& file, const std::string& text) { std::ofstream(folder_ / file) << text; }
  void make(std::vector<std::string> files, std::optional<core::Duration> max_age = std::nullopt) {
    CheckResultsSettings settings;
    settings.name = "dbt";
    for (const std::string& file : files) settings.files.push_back((folder_ / file).string());
    settings.max_age = max_age;
    collector_ = make_results_collector(std::move(settings));
  }
  core::Result<core::Batch> collect(core::Duration later = {}) {
    return collector_->collect({.now = now_ + later, .deadline = {}, .stop = {}});
  }
  static std::optional<double> value(const core::Batch& batch, std::string_view name) {
    for (const core::Sample& sample : batch.samples) {
      if (sample.labels.get(core::kMetricName) == name) return sample.value;
    }
    return std::nullopt;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      ("weir-results-" + std::to_string(::getpid()) + testing::UnitTest::GetInstance()->current_test_info()->name());
  const core::Time now_ = core::Time(sys_days(year(2026) / 1 / 2)) + hours(4);
  std::unique_ptr<core::Collector> collector_;
};

TEST_F(ResultsCollectorTest, GivesStatusValueAndAge) {
  write("run_results.json", run_results("2026-01-02T03:00:00Z", "fail"));
  make({"run_results.json"});
  const auto batch = collect();
  ASSERT_TRUE(batch);
  EXPECT_EQ(value(*batch, "weir_check_status"), 2);
  EXPECT_EQ(value(*batch, "weir_check_value"), 2);
  EXPECT_EQ(value(*batch, "weir_check_results_age_seconds"), 3600);
  EXPECT_EQ(batch->samples[0].labels.get("source"), "dbt");
  EXPECT_EQ(batch->samples[0].labels.get("dataset"), "shop");
  EXPECT_EQ(batch->samples[0].labels.get("check"), "unique_id");
  ASSERT_EQ(batch->events.size(), 1U);
  EXPECT_EQ(batch->events[0].kind, "check_failed");
  EXPECT_TRUE(batch->faults.empty());
}

TEST_F(ResultsCollectorTest, AChangeIsAnEventOnceAndTheAgeGrows) {
  write("r.json", run_results("2026-01-02T03:00:00Z", "fail"));
  make({"r.json"});
  collect();
  const auto same = collect(minutes(1));
  EXPECT_TRUE(same->events.empty());
  EXPECT_EQ(value(*same, "weir_check_results_age_seconds"), 3660);
  write("r.json", run_results("2026-01-02T04:00:00Z", "pass"));
  const auto next = collect(minutes(2));
  ASSERT_EQ(next->events.size(), 1U);
  EXPECT_EQ(next->events[0].kind, "check_recovered");
  EXPECT_EQ(value(*next, "weir_check_results_age_seconds"), 120);
}

TEST_F(ResultsCollectorTest, ATornFileIsAFaultAndWhatItSaidStands) {
  const std::string whole = run_results("2026-01-02T03:00:00Z", "pass");
  write("r.json", whole);
  make({"r.json"});
  collect();
  write("r.json", whole.substr(0, whole.size() / 2));
  const auto torn = collect();
  ASSERT_TRUE(torn);
  EXPECT_EQ(value(*torn, "weir_check_status"), 0);
  ASSERT_EQ(torn->faults.size(), 1U);
  EXPECT_NE(torn->faults[0].error.message.find("ends in the middle"), std::string::npos);
  std::filesystem::remove(folder_ / "r.json");
  const auto gone = collect();
  ASSERT_TRUE(gone);
  EXPECT_EQ(value(*gone, "weir_check_status"), 0);
  EXPECT_EQ(gone->faults.size(), 1U);
}

TEST_F(ResultsCollectorTest, NothingToReadIsAnError) {
  make({"*.json"});
  EXPECT_FALSE(collect());
  write("r.json", "{");
  EXPECT_FALSE(collect());
}

TEST_F(ResultsCollectorTest, OldResultsAreAFault) {
  write("r.json", run_results("2026-01-01T03:00:00Z", "pass"));
  make({"r.json"}, hours(24));
  const auto batch = collect();
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_FALSE(batch->faults[0].no_value);
  EXPECT_NE(batch->faults[0].error.message.find("older than 1d"), std::string::npos) << batch->faults[0].error.message;
  write("r.json", run_results("2026-01-02T03:00:00Z", "pass"));
  EXPECT_TRUE(collect()->faults.empty());
}

TEST_F(ResultsCollectorTest, ResultsThatAreDatedAheadHaveNoAgeAndDoNotStayFresh) {
  write("r.json", run_results("2026-01-02T06:00:00Z", "pass"));
  make({"r.json"}, hours(1));
  const auto batch = collect();
  EXPECT_EQ(value(*batch, "weir_check_status"), 0);
  EXPECT_EQ(value(*batch, "weir_check_results_age_seconds"), std::nullopt);
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_NE(
      batch->faults[0].error.message.find("the results are of 2026-01-02T06:00:00.000Z, 2h ahead of this machine's "
                                          "clock, so their age cannot be told"),
      std::string::npos)
      << batch->faults[0].error.message;
  const auto later = collect(minutes(90));
  ASSERT_EQ(later->faults.size(), 2U) << "older than 1h as well, since they were seen then";
  EXPECT_NE(later->faults[1].error.message.find("older than 1h"), std::string::npos) << later->faults[1].error.message;
  const auto past = collect(hours(2));
  EXPECT_EQ(value(*past, "weir_check_results_age_seconds"), 7200);
  EXPECT_EQ(past->faults.size(), 1U);
}

TEST_F(ResultsCollectorTest, ANodeThatIsDatedAheadWasNotDoneThen) {
  write("r.json", R"({"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
    "generated_at": "2026-01-02T05:00:00Z"}, "results": [{"status": "success", "unique_id": "model.shop.orders",
    "execution_time": 1, "timing": [{"name": "execute", "completed_at": "2026-01-02T05:00:00Z"}]}]})");
  make({"r.json"});
  const auto batch = collect();
  EXPECT_EQ(value(*batch, "weir_dbt_node_execution_seconds"), 1);
  EXPECT_EQ(value(*batch, "weir_dbt_node_completed_timestamp_seconds"), std::nullopt);
}

const char* const kManifest = R"({
  "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
  "nodes": {
    "model.shop.orders": {"resource_type": "model", "name": "orders", "alias": "fct_orders", "database": "shop",
      "schema": "public", "config": {"materialized": "table"}, "depends_on": {"nodes": ["source.shop.raw.items", "model.shop.tmp"]}},
    "model.shop.tmp": {"resource_type": "model", "name": "tmp", "schema": "public", "config": {"materialized": "ephemeral"},
      "depends_on": {"nodes": ["seed.shop.countries"]}},
    "seed.shop.countries": {"resource_type": "seed", "name": "countries", "schema": "seeds", "config": {"materialized": "seed"}},
    "test.shop.unique_id.ab": {"resource_type": "test", "name": "unique_id", "attached_node": "model.shop.orders",
      "depends_on": {"nodes": ["model.shop.orders"]}}},
  "sources": {"source.shop.raw.items": {"source_name": "raw", "name": "items", "identifier": "items_v2", "schema": "landing"}},
  "exposures": {"exposure.shop.revenue": {"name": "revenue", "depends_on": {"nodes": ["model.shop.orders"]}}}})";

std::vector<std::string> ways(const core::Batch& batch) {
  std::vector<std::string> all;
  for (const core::Edge& edge : batch.edges)
    all.push_back(edge.from.kind + " " + edge.from.place + "/" + edge.from.name + " > " + edge.to.kind + " " +
                  edge.to.place + "/" + edge.to.name);
  return all;
}

TEST_F(ResultsCollectorTest, TheManifestGivesTheWaysOfData) {
  write("r.json", run_results("2026-01-02T03:00:00Z", "fail"));
  write("m.json", kManifest);
  CheckResultsSettings settings;
  settings.name = "dbt";
  settings.files = {(folder_ / "r.json").string()};
  settings.manifest = (folder_ / "m.json").string();
  collector_ = make_results_collector(settings);
  EXPECT_EQ(ways(*collect()),
            (std::vector<std::string>{"model dbt/tmp > table dbt/fct_orders", "table dbt/countries > model dbt/tmp",
                                      "table dbt/fct_orders > exposure dbt/revenue",
                                      "table dbt/raw.items > table dbt/fct_orders"}));
  settings.warehouse = "shop";
  settings.tables = {"orders", "Public.FCT_orders"};
  collector_ = make_results_collector(settings);
  const auto batch = collect();
  EXPECT_EQ(ways(*batch), (std::vector<std::string>{"model dbt/tmp > table shop/Public.FCT_orders",
                                                    "table shop/Public.FCT_orders > exposure dbt/revenue",
                                                    "table shop/landing.items_v2 > table shop/Public.FCT_orders",
                                                    "table shop/seeds.countries > model dbt/tmp"}));
  EXPECT_EQ(batch->samples[0].labels.get("source"), "shop") << "its tests are about the warehouse's table";
  EXPECT_EQ(batch->samples[0].labels.get("dataset"), "Public.FCT_orders");
}

TEST_F(ResultsCollectorTest, AManifestThatIsTornKeepsTheWaysAndOneOfAnUnknownVersionIsNamed) {
  write("r.json", run_results("2026-01-02T03:00:00Z", "fail"));
  write("m.json", kManifest);
  CheckResultsSettings settings;
  settings.name = "dbt";
  settings.files = {(folder_ / "r.json").string()};
  settings.manifest = (folder_ / "m.json").string();
  collector_ = make_results_collector(settings);
  collect();
  write("m.json", std::string(kManifest).substr(0, 400));
  const auto torn = collect();
  EXPECT_EQ(torn->edges.size(), 4U);
  EXPECT_FALSE(torn->faults.empty());
  std::string newer = kManifest;
  newer.replace(newer.find("v12"), 3, "v99");
  write("m.json", newer);
  const auto unknown = collect();
  ASSERT_FALSE(unknown->faults.empty());
  EXPECT_NE(unknown->faults[0].error.message.find("v99, and Weir knows v7 to v12"), std::string::npos)
      << unknown->faults[0].error.message;
  EXPECT_EQ(value(*unknown, "weir_check_status"), 2) << "the results are read all the same";
}

TEST_F(ResultsCollectorTest, ManifestsOfSeveralVersionsAreReadAndResultsOfAnUnknownOneAreNamed) {
  write("r.json", run_results("2026-01-02T03:00:00Z", "fail"));
  CheckResultsSettings settings;
  settings.name = "dbt";
  settings.files = {(folder_ / "r.json").string()};
  settings.manifest = (folder_ / "m.json").string();
  for (const char* version : {"v7.", "v10.", "v11.", "v12."}) {
    std::string manifest = kManifest;
    manifest.replace(manifest.find("v12."), 4, version);
    write("m.json", manifest);
    collector_ = make_results_collector(settings);
    EXPECT_EQ(collect()->edges.size(), 4U) << version;
  }
  std::string newer = run_results("2026-01-02T03:00:00Z", "fail");
  newer.replace(newer.find("/v6"), 3, "/v9");
  write("r.json", newer);
  collector_ = make_results_collector(settings);
  const auto refused = collect();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("schema v9, and Weir knows v4 to v6"), std::string::npos)
      << refused.error().message;
}

TEST_F(ResultsCollectorTest, SaysHowLongEachNodeTook) {
  write("r.json", R"({"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
    "generated_at": "2026-01-02T03:00:00Z"}, "elapsed_time": 7.5, "results": [{"status": "success",
    "unique_id": "model.shop.orders", "execution_time": 3.25, "adapter_response": {"rows_affected": 42},
    "timing": [{"name": "execute", "completed_at": "2026-01-02T02:59:00Z"}]}]})");
  make({"r.json"});
  const auto batch = collect();
  EXPECT_EQ(value(*batch, "weir_dbt_node_execution_seconds"), 3.25);
  EXPECT_EQ(value(*batch, "weir_dbt_node_rows"), 42);
  EXPECT_EQ(value(*batch, "weir_dbt_run_seconds"), 7.5);
  EXPECT_EQ(value(*batch, "weir_dbt_node_completed_timestamp_seconds"), core::to_seconds(now_ - hours(1) - minutes(1)));
}

TEST_F(ResultsCollectorTest, FilesMayBeFetched) {
  CheckResultsSettings settings;
  settings.name = "dbt";
  settings.files = {"https://bucket/run_results.json?X-Signature=secret"};
  settings.login.bearer_token = core::Secret("token");
  bool up = true;
  collector_ = make_results_collector(settings,
                                      [&](const std::string& url, const RemoteLogin& login, std::size_t bytes,
                                          const core::CollectContext&) -> core::Result<std::string> {
                                        EXPECT_EQ(url, "https://bucket/run_results.json?X-Signature=secret");
                                        EXPECT_EQ(login.bearer_token.reveal(), "token");
                                        EXPECT_GT(bytes, 1000U);
                                        if (!up) return core::fail(core::ErrorKind::unavailable, "is not there");
                                        return run_results("2026-01-02T03:00:00Z", "fail");
                                      });
  EXPECT_EQ(value(*collect(), "weir_check_status"), 2);
  up = false;
  const auto gone = collect();
  EXPECT_EQ(value(*gone, "weir_check_status"), 2) << "what it said before stands";
  ASSERT_FALSE(gone->faults.empty());
  EXPECT_EQ(gone->faults[0].error.message, "https://bucket/run_results.json is not there");
}

TEST(CheckResultsSection, OfUrlsAndAWarehouse) {
  const auto read = [](const std::string& text, config::Diagnostics& diagnostics) {
    return parse_check_results_section(config::parse_yaml(text, "etc/weir.yml", diagnostics), diagnostics, {"shop"});
  };
  config::Diagnostics good;
  const auto entries = read(
      "- {name: d, format: dbt, files: [\"https://h/r.json\"], manifest: \"https://h/m.json\", "
      "warehouse: shop, bearer_token: abc}",
      good);
  ASSERT_TRUE(good.ok()) << good.to_string();
  EXPECT_EQ(entries[0].files[0], "https://h/r.json");
  EXPECT_EQ(entries[0].warehouse, "shop");
  EXPECT_EQ(entries[0].login.bearer_token.reveal(), "abc");
  for (const std::string text : {"- {name: d, format: dbt, files: [r.json], manifest: m.json, warehouse: shpo}",
                                 "- {name: d, format: dbt, files: [r.json], warehouse: shop}",
                                 "- {name: d, format: gx, files: [r.json], warehouse: shop}",
                                 "- {name: d, format: dbt, files: [r.json], bearer_token: abc}"}) {
    config::Diagnostics diagnostics;
    read(text, diagnostics);
    EXPECT_FALSE(diagnostics.ok()) << text;
  }
}

TEST(CheckResultsSection, IsReadWithItsMistakes) {
  const auto read = [](const std::string& text, config::Diagnostics& diagnostics) {
    return parse_check_results_section(config::parse_yaml(text, "etc/weir.yml", diagnostics), diagnostics);
  };
  config::Diagnostics good;
  const auto entries =
      read("- {name: dbt, format: dbt, files: [t/*.json], manifest: t/m.json, interval: 5m, max_age: 1d}", good);
  ASSERT_TRUE(good.ok()) << good.to_string();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].files, std::vector<std::string>{"etc/t/*.json"});
  EXPECT_EQ(entries[0].manifest, "etc/t/m.json");
  EXPECT_EQ(entries[0].max_age, hours(24));
  for (const std::string text :
       {"a: b", "- {name: a, files: [x]}", "- {name: a, format: soda, files: [x]}", "- {name: a, format: gx}",
        "- {name: a, format: gx, files: [x], manifest: m}", "- {name: a, format: gx, files: []}",
        "- {name: a, format: gx, files: [x], intervall: 5m}",
        "[{name: a, format: gx, files: [x]}, {name: a, format: gx, files: [x]}]"}) {
    config::Diagnostics diagnostics;
    read(text, diagnostics);
    EXPECT_FALSE(diagnostics.ok()) << text;
  }
}

}  // namespace
}  // namespace weir::quality
