#include "app/table_columns.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "config/node.h"

namespace weir::app {
namespace {

using core::ErrorKind;

class SourceColumnsTest : public testing::Test {
 protected:
  SourceColumnsTest() {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open(file_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, "CREATE TABLE orders (id INTEGER, note TEXT)", nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(database);
    config::Diagnostics diagnostics;
    const config::Node node =
        config::parse_yaml("{name: local, type: sqlite, path: " + file_ + "}", "/weir.yml", diagnostics);
    columns_ = std::make_unique<SourceColumns>(std::vector{sql::parse_source(node, diagnostics)});
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  }
  ~SourceColumnsTest() override { std::filesystem::remove(file_); }

  core::Result<std::vector<core::Column>> ask(const std::string& source, const std::string& table) {
    return columns_->columns(source, table, std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
  }

  std::string file_ = testing::TempDir() + "weir_columns_" + std::to_string(::getpid()) + ".db";
  std::unique_ptr<SourceColumns> columns_;
};

TEST_F(SourceColumnsTest, AreThoseOfTheCatalog) {
  for (const char* table : {"orders", "main.orders"}) {
    const auto found = ask("local", table);
    ASSERT_TRUE(found) << found.error().describe();
    ASSERT_EQ(found->size(), 2U);
    EXPECT_EQ(found->at(0).name, "id");
    EXPECT_EQ(found->at(1).name, "note");
    EXPECT_FALSE(found->at(1).type.empty());
  }
}

TEST_F(SourceColumnsTest, WhatIsNotThereIsSaid) {
  EXPECT_EQ(ask("local", "gone").error().describe(), "local: there is no table gone");
  EXPECT_EQ(ask("other", "orders").error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace weir::app
