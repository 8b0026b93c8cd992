#include "quality/scan.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "quality/check_file.h"

namespace weir::quality {
namespace {

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// A source in which every column costs its time, and the column "slow" more than there is.
class SlowSource final : public sql::SqlSource {
 public:
  std::size_t most = 0;  // expressions of one statement, besides the row count
  bool can_count = true;
  std::vector<std::string> asked;

  std::string_view name() const override { return "slow"; }
  const sql::Dialect& dialect() const override { return sql::sqlite_dialect(); }
  core::Result<void> connect(const sql::QueryLimits&) override { return {}; }
  core::Result<sql::Table> query(const std::string& text, const std::vector<sql::Value>&,
                                 const sql::QueryLimits&) override {
    asked.push_back(text);
    const std::size_t expressions = count_of(text, "max(");
    if (!can_count || expressions > most || text.find("\"slow\"") != std::string::npos) {
      return core::fail(core::ErrorKind::timeout, "took too long");
    }
    return sql::Table{{}, {sql::Row(expressions + 1, sql::Value(std::int64_t{7}))}};
  }
};

class ScanTest : public testing::Test {
 protected:
  Scan scanned(std::size_t checks, const std::string& extra = "") {
    std::string yaml = "checks for t:\n";
    for (std::size_t i = 0; i < checks; ++i) yaml += fmt::format("  - max(c{}) > 0\n", i);
    config::Diagnostics diagnostics;
    datasets_ = parse_check_file(config::parse_yaml(yaml + extra, "x.yml", diagnostics), diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    std::vector<StatementReport> log;
    const sql::QueryLimits limits;
    Session session(source_, limits, "t", log);
    auto result = scan(datasets_.at(0), session);
    error_ = result ? std::nullopt : std::optional(result.error());
    return result.value_or(Scan{});
  }

  SlowSource source_;
  std::vector<Dataset> datasets_;
  std::optional<core::Error> error_;
};

TEST_F(ScanTest, WhatIsTooMuchTogetherIsReadInParts) {
  source_.most = 25;
  const Scan seen = scanned(80);
  EXPECT_FALSE(error_);
  EXPECT_TRUE(seen.unreadable.empty());
  for (int i = 0; i < 80; ++i) {
    EXPECT_EQ(to_number(seen.observation.value(fmt::format("max(\"c{}\")", i))), 7) << i;
  }
  EXPECT_EQ(source_.asked.size(), 1U + 1 + 2 + 4);
}

TEST_F(ScanTest, OneSlowCheckCostsNoOtherItsValue) {
  source_.most = 100;
  const Scan seen = scanned(20, "  - max(slow) > 0\n");
  EXPECT_FALSE(error_);
  ASSERT_EQ(seen.unreadable.size(), 1U);
  EXPECT_EQ(seen.unreadable.begin()->first->name, "max(slow) > 0");
  EXPECT_EQ(seen.unreadable.begin()->second.kind, core::ErrorKind::timeout);
}

TEST_F(ScanTest, TimeoutsAreBounded) {
  const Scan seen = scanned(1000);
  EXPECT_FALSE(error_);
  EXPECT_EQ(seen.unreadable.size(), 1000U);
  EXPECT_EQ(source_.asked.size(), 1U + 1 + 16);
}

TEST_F(ScanTest, ATableThatCannotBeCountedInTimeIsNotTriedInParts) {
  source_.can_count = false;
  scanned(100);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->kind, core::ErrorKind::timeout);
  EXPECT_EQ(source_.asked.size(), 2U);
}

}  // namespace
}  // namespace weir::quality
