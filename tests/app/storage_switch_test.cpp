#include "app/storage_switch.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "../storage/raw_sqlite.h"
#include "../storage/samples.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using State = StorageStatus::State;
using storage::testing::alert;
using storage::testing::at;
using storage::testing::TempFolder;

class StorageSwitchTest : public testing::Test {
 protected:
  storage::StorageSettings settings() const { return {.path = folder_.file()}; }

  /// As the loop does, until it is so.
  static bool within(StorageSwitch& storage, State wanted) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (storage.status().state != wanted && std::chrono::steady_clock::now() < until) {
      storage.wake();
      std::this_thread::sleep_for(10ms);  // the worker's turn
    }
    return storage.status().state == wanted;
  }

  /// So much that not all of it is in SQLite's cache.
  void fill() const {
    auto store = storage::open_sqlite(folder_.file());
    ASSERT_TRUE(store);
    storage::Commit much{.alerts = {alert("a")}, .incidents = {storage::testing::incident("one", at(1), {alert("a")})}};
    for (int i = 0; i < 20'000; ++i) much.transitions.push_back(storage::testing::fired(alert("a"), at(i)));
    ASSERT_TRUE((*store)->commit(much));
  }

  TempFolder folder_;
  runtime::SystemClock clock_;
};

TEST_F(StorageSwitchTest, ASoundFileIsOpenAtOnceAndWrittenToOnceItWasTakenUp) {
  StorageSwitch storage(settings(), clock_);
  ASSERT_TRUE(storage.open());
  EXPECT_EQ(storage.status().state, State::open);
  EXPECT_EQ(storage.status().taking, 1U);
  const auto early = storage.commit({.alerts = {alert("a")}});
  ASSERT_FALSE(early);
  EXPECT_TRUE(early.error().retryable);
  storage.take_up(1);
  EXPECT_TRUE(storage.commit({.alerts = {alert("a")}}));
  EXPECT_EQ(storage.active_alerts()->size(), 1U);
}

TEST_F(StorageSwitchTest, WhatDoesNotPassIsAnError) {
  std::ofstream(folder_.file()) << "something that is no database, and of nobody's who would say so";
  StorageSwitch foreign(settings(), clock_);
  EXPECT_FALSE(foreign.open());
  StorageSwitch nowhere({.path = folder_.file() + ".d/weir.db"}, clock_);
  EXPECT_FALSE(nowhere.open());
}

TEST_F(StorageSwitchTest, AFileThatAnotherWeirHasIsAnError) {
  StorageSwitch first(settings(), clock_);
  ASSERT_TRUE(first.open());
  StorageSwitch second(settings(), clock_);
  const auto refused = second.open();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is in use by another Weir"));
}

TEST_F(StorageSwitchTest, AServerThatIsAwayIsNoError) {
  storage::StorageSettings away;
  away.postgres = storage::PostgresOptions{.url = core::Secret("postgresql://weir@127.0.0.1:1/weir")};
  StorageSwitch storage(away, clock_);
  ASSERT_TRUE(storage.open());
  EXPECT_EQ(storage.status().state, State::away);
  EXPECT_THAT(storage.status().why, HasSubstr("cannot connect"));
  const auto asked = storage.active_alerts();
  ASSERT_FALSE(asked);
  EXPECT_TRUE(asked.error().retryable);
  EXPECT_THAT(asked.error().message, HasSubstr("cannot connect"));
}

TEST_F(StorageSwitchTest, AFileThatIsLockedAtTheStartIsOpenedLater) {
  fill();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(folder_.file().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE", nullptr, nullptr, nullptr),
            SQLITE_OK);
  StorageSwitch storage(settings(), clock_);
  ASSERT_TRUE(storage.open());
  EXPECT_EQ(storage.status().state, State::away);
  sqlite3_close(other);
  ASSERT_TRUE(within(storage, State::open));
  EXPECT_EQ(storage.active_alerts()->size(), 1U);
}

TEST_F(StorageSwitchTest, AFileThatIsDamagedWhileItIsOpenIsSetAsideAndSaved) {
  fill();
  StorageSwitch storage(settings(), clock_);
  ASSERT_TRUE(storage.open());
  storage.take_up(storage.status().taking);
  ASSERT_TRUE(storage.commit({.id = "1", .outbox = {storage::testing::message("k", "one", at(1))}}));
  const auto message = storage.due(at(10), 10);
  ASSERT_EQ(message->size(), 1U);
  for (long page = 60; page < 200; ++page) storage::testing::damage_page(folder_.file(), page);
  const auto read = storage.transitions({.limit = 100'000});
  ASSERT_FALSE(read);
  EXPECT_EQ(storage.status().state, State::mending);
  EXPECT_THAT(storage.status().why, HasSubstr("the database is damaged"));
  EXPECT_FALSE(storage.active_alerts());
  ASSERT_TRUE(within(storage, State::open));
  EXPECT_EQ(storage.status().set_aside, 1U);
  EXPECT_EQ(storage.status().taking, 1U) << "nothing that this process does not know";
  EXPECT_EQ(storage.active_alerts()->size(), 1U);
  EXPECT_GT(storage.transitions({.limit = 100'000})->size(), 10'000U);
  const auto lost = storage.commit({.id = "2", .follows = "1"});
  ASSERT_FALSE(lost) << "so that all that is known is written again";
  EXPECT_EQ(storage::trouble_of(lost.error()), storage::Trouble::lost);
  // The number may be another message's now.
  EXPECT_EQ(storage.delivered(message->at(0).sequence, at(11)).error().kind, core::ErrorKind::not_found);
  const auto again = storage.due(at(12), 10);
  ASSERT_EQ(again->size(), 1U);
  EXPECT_NE(again->at(0).sequence, message->at(0).sequence);
  EXPECT_TRUE(storage.delivered(again->at(0).sequence, at(13)));
  EXPECT_EQ(*storage.pending_messages(), 0U);
  std::size_t aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(folder_.file()).parent_path()))
    aside += entry.path().string().contains(".corrupt-") && !entry.path().string().ends_with("-wal") ? 1 : 0;
  EXPECT_EQ(aside, 1U);
}

TEST_F(StorageSwitchTest, ALookAtTheFileFindsWhatNobodyHasReadYet) {
  fill();
  StorageSwitch storage(settings(), clock_);
  ASSERT_TRUE(storage.open());
  storage.look();
  for (long page = 60; page < 200; ++page) storage::testing::damage_page(folder_.file(), page);
  storage.look();
  ASSERT_TRUE(within(storage, State::mending));
  ASSERT_TRUE(within(storage, State::open));
  EXPECT_EQ(storage.status().set_aside, 1U);
}

TEST_F(StorageSwitchTest, AFileThatSomebodyDeletedIsMadeAnew) {
  fill();
  StorageSwitch storage(settings(), clock_);
  ASSERT_TRUE(storage.open());
  storage.take_up(storage.status().taking);
  ASSERT_TRUE(storage.commit({.id = "1", .alerts = {alert("b")}}));
  std::filesystem::remove(folder_.file());
  storage.wake();
  EXPECT_EQ(storage.status().state, State::mending);
  EXPECT_THAT(storage.status().why, HasSubstr("is not there any more"));
  ASSERT_TRUE(within(storage, State::open));
  EXPECT_TRUE(std::filesystem::exists(folder_.file()));
  EXPECT_EQ(storage.status().mended, 1U) << "so that all that goes on is written again";
  EXPECT_TRUE(storage.commit({.id = "2", .alerts = {alert("b")}}));
}

TEST_F(StorageSwitchTest, CommitsThatDoNotPassAreToldOfUntilOneDoes) {
  fill();
  StorageSwitch storage(settings(), clock_);
  ASSERT_TRUE(storage.open());
  storage.take_up(storage.status().taking);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(folder_.file().c_str(), &other), SQLITE_OK);
  const auto run = [&](const char* sql) { return sqlite3_exec(other, sql, nullptr, nullptr, nullptr); };
  ASSERT_EQ(run("CREATE TRIGGER no BEFORE INSERT ON transitions BEGIN SELECT RAISE(ABORT, 'refused'); END"), SQLITE_OK);
  ASSERT_FALSE(storage.commit({.transitions = {storage::testing::fired(alert("a"), at(9))}}));
  EXPECT_EQ(storage.status().name(), "failing");
  EXPECT_THAT(storage.status().why, HasSubstr("refused"));
  ASSERT_EQ(run("DROP TRIGGER no"), SQLITE_OK);
  sqlite3_close(other);
  ASSERT_TRUE(storage.commit({.alerts = {alert("b")}}));
  EXPECT_EQ(storage.status().name(), "open");
}

TEST_F(StorageSwitchTest, FilesAreNotSetAsideOneAfterTheOther) {
  fill();
  StorageSwitch storage(settings(), clock_);
  ASSERT_TRUE(storage.open());
  const auto damage = [&] {
    for (long page = 60; page < 200; ++page) storage::testing::damage_page(folder_.file(), page);
    EXPECT_FALSE(storage.transitions({.limit = 100'000}));
  };
  damage();
  ASSERT_TRUE(within(storage, State::open));
  damage();
  for (int i = 0; i < 20; ++i) {
    storage.wake();
    std::this_thread::sleep_for(10ms);  // the worker's turn
  }
  EXPECT_EQ(storage.status().state, State::mending) << "a disk that damages files is not to be filled with them";
  EXPECT_EQ(storage.status().set_aside, 1U);
}

}  // namespace
}  // namespace weir::app
