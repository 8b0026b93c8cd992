#include "storage/schema.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/sqlite_database.h"

#include "samples.h"

namespace weir::storage {
namespace {

using namespace testing;
using ::testing::HasSubstr;

std::unique_ptr<Database> open(const std::string& path) {
  auto database = open_sqlite_database(path, {});
  EXPECT_TRUE(database) << database.error().describe();
  return std::move(*database);
}

std::string ask(Database& database, std::string_view sql) {
  std::string answer = "(no row)";
  auto done = database.each(sql, {}, [&](const Row& row) -> core::Result<void> {
    answer = row.text(0);
    return {};
  });
  return done ? answer : done.error().message;
}

constexpr std::string_view kFirst = "CREATE TABLE notes (id {id}, text TEXT NOT NULL);";
constexpr std::string_view kSecond = "ALTER TABLE notes ADD COLUMN stars BIGINT NOT NULL DEFAULT 3;";

TEST(Schema, AnOlderFileIsBroughtForwardAndKeepsItsRows) {
  const TempFolder folder;
  {
    auto database = open(folder.file());
    ASSERT_TRUE(migrate(*database, std::array{kFirst}));
    ASSERT_TRUE(database->run("INSERT INTO notes (text) VALUES ($1)", {std::string_view("kept")}));
  }
  auto database = open(folder.file());
  EXPECT_EQ(*database->version(), 1);
  ASSERT_TRUE(migrate(*database, std::array{kFirst, kSecond}));
  EXPECT_EQ(*database->version(), 2);
  EXPECT_EQ(ask(*database, "SELECT text || stars FROM notes"), "kept3");
  ASSERT_TRUE(migrate(*database, std::array{kFirst, kSecond})) << "and stays there";
}

TEST(Schema, AMigrationThatFailsHalfwayLeavesTheVersionBefore) {
  const TempFolder folder;
  auto database = open(folder.file());
  ASSERT_TRUE(migrate(*database, std::array{kFirst}));
  constexpr std::string_view kBroken = "CREATE TABLE half (id {id}); INSERT INTO nowhere VALUES (1);";
  const auto failed = migrate(*database, std::array{kFirst, kBroken});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("migration to schema 2 failed: no such table: nowhere"));
  EXPECT_EQ(failed.error().where, folder.file());
  EXPECT_EQ(*database->version(), 1);
  EXPECT_EQ(ask(*database, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), "0");
  EXPECT_TRUE(migrate(*database, std::array{kFirst, kSecond})) << "the connection is still of use";
}

TEST(Schema, AVersionThatNobodyKnowsIsRefused) {
  auto database = open(":memory:");
  for (const std::int64_t version : {2, -1}) {
    ASSERT_TRUE(database->set_version(version));
    const auto refused = migrate(*database, std::array{kFirst});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("newer Weir"));
  }
}

TEST(Schema, AKeyIsNeverUsedTwice) {
  auto database = open(":memory:");
  ASSERT_TRUE(migrate(*database, std::array{kFirst}));
  ASSERT_TRUE(database->run("INSERT INTO notes (text) VALUES ('a')", {}));
  ASSERT_TRUE(database->run("DELETE FROM notes", {}));
  ASSERT_TRUE(database->run("INSERT INTO notes (text) VALUES ('b')", {}));
  EXPECT_EQ(ask(*database, "SELECT id FROM notes"), "2");
}

TEST(Schema, AnExceptionInATransactionRollsItBack) {
  auto database = open(":memory:");
  ASSERT_TRUE(migrate(*database, std::array{kFirst}));
  EXPECT_THROW((void)in_transaction(*database,
                                    [&]() -> core::Result<void> {
                                      (void)database->run("INSERT INTO notes (text) VALUES ('a')", {});
                                      throw std::runtime_error("no memory");
                                    }),
               std::runtime_error);
  EXPECT_EQ(ask(*database, "SELECT count(*) FROM notes"), "0");
  EXPECT_TRUE(database->begin());
}

TEST(Schema, PlaceholdersAreBoundByTheirNumber) {
  auto database = open(":memory:");
  std::string answer;
  auto done = database->each("SELECT $1 || $2 || $1", {std::string_view("a"), std::string_view("b")},
                             [&](const Row& row) -> core::Result<void> {
                               answer = row.text(0);
                               return {};
                             });
  ASSERT_TRUE(done);
  EXPECT_EQ(answer, "aba");
}

}  // namespace
}  // namespace weir::storage
