#include "quality/checks_section.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/source_dir.h"

namespace weir::quality {
namespace {

using testing::HasSubstr;

class ChecksSectionTest : public testing::Test {
 protected:
  ChecksSectionTest()
      : folder_(std::filesystem::path(testing::TempDir()) / ("weir-checks-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_ / "checks");
    write("checks/a.yml", "checks for a:\n  - row_count > 0\n");
    write("checks/b.yml", "checks for b:\n  - row_count > 0\n");
  }
  ~ChecksSectionTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& file, const std::string& text) const { std::ofstream(folder_ / file) << text; }

  std::vector<ChecksSettings> parse(const std::string& yaml) {
    diagnostics_ = {};
    const std::vector<std::string> sources = {"warehouse", "local"};
    return parse_checks_section(config::parse_yaml(yaml, folder_ / "weir.yml", diagnostics_), sources, diagnostics_);
  }

  void expect_error(const std::string& yaml, const std::string& message) {
    parse(yaml);
    EXPECT_THAT(diagnostics_.to_string(), HasSubstr(message)) << yaml;
  }

  std::filesystem::path folder_;
  config::Diagnostics diagnostics_;
};

TEST_F(ChecksSectionTest, LoadsTheFilesOfAPatternOnce) {
  const auto entries = parse("[{source: warehouse, files: ['checks/*.yml', checks/a.yml], interval: 5s}]");
  ASSERT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].name, "checks/warehouse");
  EXPECT_EQ(entries[0].source, "warehouse");
  EXPECT_EQ(entries[0].interval, std::chrono::seconds(5));
  ASSERT_EQ(entries[0].datasets.size(), 2U);
  EXPECT_EQ(entries[0].datasets[0].label(), "a");
}

TEST_F(ChecksSectionTest, NamesTheCollectorsOfOneSourceApart) {
  const auto entries = parse(
      "[{source: warehouse, files: checks/a.yml}, {source: warehouse, files: checks/b.yml}, {source: local, files: "
      "checks/a.yml}]");
  ASSERT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
  EXPECT_EQ(entries[0].name, "checks/warehouse");
  EXPECT_EQ(entries[1].name, "checks/warehouse-2");
  EXPECT_EQ(entries[2].name, "checks/local");
  EXPECT_EQ(entries[0].interval, std::chrono::minutes(1));
}

TEST_F(ChecksSectionTest, ReportsMistakesWithTheirPlace) {
  expect_error("[{source: warehous, files: checks/a.yml}]",
               "there is no source \"warehous\" under \"sources\" (did you mean \"warehouse\"?)");
  expect_error("[{files: checks/a.yml}]", "key \"source\" is missing");
  expect_error("[{source: local}]", "key \"files\" is missing");
  expect_error("[{source: local, files: []}]", "name at least one check file");
  expect_error("[{source: local, files: ['checks/*.yaml']}]", "no file matches \"checks/*.yaml\"");
  expect_error("[{source: local, files: checks/a.yml, interval: 1ms}]", "must be from 1s");
  expect_error("[{source: local, files: checks/a.yml, evry: 1m}]", "unknown key \"evry\"");
  expect_error("[{source: local, files: [{a: b}]}]", "expected paths or patterns");
  expect_error("{source: local}", "expected a list");
}

TEST_F(ChecksSectionTest, ReportsMistakesInCheckFilesWithTheirOwnPlace) {
  write("checks/a.yml", "checks for a:\n  - row_cont > 0\n");
  write("checks/b.yml", "checks for b: [\n");
  parse("[{source: local, files: 'checks/*.yml'}]");
  EXPECT_THAT(diagnostics_.to_string(), HasSubstr("checks/a.yml:2:5: check \"row_cont > 0\""));
  EXPECT_THAT(diagnostics_.to_string(), HasSubstr("checks/b.yml:"));
}

TEST_F(ChecksSectionTest, RefusesOneDatasetInTwoEntriesOfASource) {
  expect_error("[{source: local, files: checks/a.yml}, {source: local, files: 'checks/*.yml'}]",
               "another entry of \"checks\" checks a of local already");
}

TEST_F(ChecksSectionTest, MayBeAbsent) { EXPECT_TRUE(parse("").empty() && diagnostics_.ok()); }

TEST(ShippedChecks, AreRead) {
  config::Diagnostics diagnostics;
  const std::vector<std::string> sources = {"warehouse"};
  const auto node =
      config::parse_yaml("[{source: warehouse, files: checks/*.yml}]", test::source_dir() + "/weir.yml", diagnostics);
  const auto entries = parse_checks_section(node, sources, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  ASSERT_EQ(entries.at(0).datasets.size(), 2U);
}

}  // namespace
}  // namespace weir::quality
