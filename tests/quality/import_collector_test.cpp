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
