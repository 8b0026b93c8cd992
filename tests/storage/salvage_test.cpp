#include "storage/salvage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema.h"
#include "storage/sqlite_database.h"

#include "raw_sqlite.h"
#include "samples.h"

namespace weir::storage {
namespace {

using namespace testing;
using ::testing::HasSubstr;

constexpr int kTransitions = 400;

/// A file with some of everything, and many transitions.
void fill(const std::string& path) {
  auto store = open_sqlite(path);
  ASSERT_TRUE(store) << store.error().describe();
  Commit changes{.alerts = {alert("a"), alert("b")},
                 .incidents = {incident("one", at(1), {alert("a"), alert("b")})},
                 .outbox = {message("k1", "one", at(1)), message("k2", "one", at(2))},
                 .groups = {{.key = "group"}}};
  for (int i = 0; i < kTransitions; ++i) changes.transitions.push_back(fired(alert("a"), at(i)));
  ASSERT_TRUE((*store)->commit(changes));
  core::Silence silence;
  silence.id = "s1";
  silence.matchers = {{"a", core::MatchOp::equal, "b"}};
  ASSERT_TRUE((*store)->put_silences({silence}));
  ASSERT_TRUE((*store)->append({{"rows", at(1), 1.5}}));
  ASSERT_TRUE((*store)->put_text("schema/t", "id integer"));
}

Opened must_open(const std::string& path) {
  auto opened = open_or_salvage({.path = path}, at(0));
  EXPECT_TRUE(opened) << opened.error().describe();
  return opened ? std::move(*opened) : Opened{};
}

void expect_the_rest_whole(Store& store) {
  EXPECT_EQ(store.active_alerts()->size(), 2U);
  ASSERT_EQ(store.incidents({.open_only = true})->size(), 1U);
  EXPECT_EQ(store.incidents({})->at(0).alerts.size(), 2U);
  EXPECT_EQ(store.incidents({})->at(0).timeline.size(), 1U);
  EXPECT_EQ(*store.pending_messages(), 2U);
  EXPECT_EQ(store.silences()->size(), 1U);
  EXPECT_EQ(store.notification_groups()->size(), 1U);
  EXPECT_EQ(store.newest("rows", 10)->size(), 1U);
  EXPECT_EQ(*store.text("schema/t"), "id integer");
}

TEST(Salvage, ASoundFileIsJustOpened) {
  const TempFolder folder;
  fill(folder.file());
  const Opened opened = must_open(folder.file());
  EXPECT_FALSE(opened.set_aside);
  expect_the_rest_whole(*opened.store);
}

TEST(Salvage, WithADamagedIndexNothingIsLost) {
  const TempFolder folder;
  fill(folder.file());
  damage_page(folder.file(), root_page(folder.file(), "transitions_at"));
  const Opened opened = must_open(folder.file());
  ASSERT_TRUE(opened.set_aside);
  EXPECT_EQ(opened.set_aside->kept_as, folder.file() + ".corrupt-2023-11-14T22:13:20.000Z");
  EXPECT_TRUE(std::filesystem::exists(opened.set_aside->kept_as));
  EXPECT_THAT(opened.set_aside->why, HasSubstr("damaged"));
  EXPECT_EQ(opened.set_aside->gaps, 0U);
  EXPECT_EQ(opened.set_aside->refused, 0U);
  expect_the_rest_whole(*opened.store);
  EXPECT_EQ(opened.store->transitions({.limit = 10'000})->size(), static_cast<std::size_t>(kTransitions));
}

TEST(Salvage, WithADamagedLeafOnlyItsRowsAreLost) {
  const TempFolder folder;
  fill(folder.file());
  damage_page(folder.file(), first_leaf(folder.file(), "transitions"));
  const Opened opened = must_open(folder.file());
  ASSERT_TRUE(opened.set_aside);
  EXPECT_EQ(opened.set_aside->gaps, 1U);
  expect_the_rest_whole(*opened.store);
  const auto left = opened.store->transitions({.limit = 10'000});
  ASSERT_TRUE(left);
  EXPECT_LT(left->size(), static_cast<std::size_t>(kTransitions));
  EXPECT_GT(left->size(), static_cast<std::size_t>(kTransitions - 20)) << "a page holds some few of them";
  EXPECT_EQ(left->front().at, at(kTransitions - 1));
}

TEST(Salvage, AnyOneDamagedPageLeavesAWeirThatStartsAgain) {
  const TempFolder folder;
  fill(folder.file("whole.db"));
  const auto pages = static_cast<long>(std::filesystem::file_size(folder.file("whole.db")) / 4096);
  for (long page = 2; page <= pages; page += std::max(1L, pages / 12)) {
    std::filesystem::copy_file(folder.file("whole.db"), folder.file());
    damage_page(folder.file(), page);
    {
      const Opened opened = must_open(folder.file());
      ASSERT_TRUE(opened.store) << page;
      EXPECT_TRUE(opened.store->active_alerts()) << page;
      EXPECT_TRUE(opened.store->incidents({})) << page;
      ASSERT_TRUE(opened.store->commit({.transitions = {fired(alert("new"), at(5000))}})) << page;
      if (opened.set_aside) {
        std::filesystem::remove(opened.set_aside->kept_as);
      }
    }
    EXPECT_FALSE(must_open(folder.file()).set_aside) << page << ": the new file is sound";
    std::filesystem::remove(folder.file());
  }
}

TEST(Salvage, WhereNothingCanBeReadTheHistoryBeginsAnew) {
  const TempFolder folder;
  fill(folder.file());
  const auto pages = static_cast<long>(std::filesystem::file_size(folder.file()) / 4096);
  for (long page = 2; page <= pages; ++page) damage_page(folder.file(), page);
  const Opened opened = must_open(folder.file());
  ASSERT_TRUE(opened.set_aside);
  EXPECT_GE(opened.set_aside->gaps, 11U) << "each table";
  EXPECT_EQ(opened.set_aside->rows, 0U);
  EXPECT_TRUE(opened.store->incidents({})->empty());
}

TEST(Salvage, RowsThatWeirCannotReadAreLeftBehind) {
  const TempFolder folder;
  fill(folder.file());
  ask_sqlite(folder.file(), "UPDATE alerts SET alert = '{\"rule\": 7}' WHERE rowid = 1");
  damage_page(folder.file(), root_page(folder.file(), "transitions_at"));
  const Opened opened = must_open(folder.file());
  ASSERT_TRUE(opened.set_aside);
  EXPECT_EQ(opened.set_aside->refused, 1U);
  EXPECT_EQ(opened.store->active_alerts()->size(), 1U);
}

TEST(Salvage, ADamagedFileOfAnOlderSchemaIsSavedAndBroughtForward) {
  const TempFolder folder;
  {
    auto old = open_sqlite_database(folder.file(), {});
    ASSERT_TRUE(old) << old.error().describe();
    ASSERT_TRUE(migrate(**old, migrations().first(1)));
    ASSERT_TRUE((*old)->run("INSERT INTO measurements (check_id, at, value) VALUES ('rows', 1000, 5)", {}));
  }
  damage_page(folder.file(), root_page(folder.file(), "transitions_at"));
  const Opened opened = must_open(folder.file());
  ASSERT_TRUE(opened.set_aside);
  EXPECT_EQ(opened.store->newest("rows", 10)->size(), 1U);
  EXPECT_EQ(ask_sqlite(folder.file(), "PRAGMA user_version"), std::to_string(migrations().size()));
}

TEST(Salvage, WhereAWeirHadADatabaseWhatIsNoneIsSetAside) {
  const TempFolder folder;
  fill(folder.file());
  damage_page(folder.file(), 1);
  const Opened opened = must_open(folder.file());
  ASSERT_TRUE(opened.set_aside);
  EXPECT_THAT(opened.set_aside->why, HasSubstr("is not a SQLite database"));
  EXPECT_TRUE(std::filesystem::exists(opened.set_aside->kept_as));
  EXPECT_TRUE(opened.store->active_alerts()->empty());
}

TEST(Salvage, WhatWasFoundDamagedIsSavedWhateverAnOpeningWouldFind) {
  const TempFolder folder;
  fill(folder.file());
  const auto opened = open_or_salvage({.path = folder.file()}, at(0), nullptr, "page 7 cannot be used");
  ASSERT_TRUE(opened);
  ASSERT_TRUE(opened->set_aside);
  EXPECT_EQ(opened->set_aside->why, "page 7 cannot be used");
  expect_the_rest_whole(*opened->store);
  EXPECT_FALSE(std::filesystem::exists(folder.file() + ".saved"));
}

TEST(Salvage, OneThatWasKilledInItsMiddleBeginsAgainAndAtItsEndIsGoneOnWith) {
  const TempFolder folder;
  fill(folder.file());
  damage_page(folder.file(), root_page(folder.file(), "transitions_at"));
  std::ofstream(folder.file() + ".saved") << "half of it";
  expect_the_rest_whole(*must_open(folder.file()).store);
  std::filesystem::rename(folder.file(), folder.file() + ".saved");
  expect_the_rest_whole(*must_open(folder.file()).store);
}

TEST(Salvage, WhenThereIsNoRoomTheDamagedFileStaysWhereItIs) {
  const TempFolder folder;
  fill(folder.file());
  damage_page(folder.file(), root_page(folder.file(), "transitions_at"));
  std::filesystem::create_directory(folder.file() + ".saved");  // no file can be made there
  std::ofstream(folder.file() + ".saved/x") << "x";
  const auto refused = open_or_salvage({.path = folder.file()}, at(0));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("damaged"), HasSubstr("it was not set aside")));
  EXPECT_TRUE(std::filesystem::exists(folder.file()));
}

TEST(Salvage, WhatIsNoDatabaseIsLeftAlone) {
  const TempFolder folder;
  std::ofstream(folder.file()) << std::string(8192, 'x');
  const auto refused = open_or_salvage({.path = folder.file()}, at(0));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is not a SQLite database"));
  EXPECT_TRUE(std::filesystem::exists(folder.file()));
}

}  // namespace
}  // namespace weir::storage
