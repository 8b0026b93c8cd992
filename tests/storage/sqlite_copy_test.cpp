#include "storage/sqlite_copy.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

#include "storage/schema.h"
#include "storage/sqlite_database.h"
#include "storage/store.h"

#include "raw_sqlite.h"
#include "samples.h"

namespace weir::storage {
namespace {

using namespace testing;
using ::testing::HasSubstr;

/// While it lives, files grow no further than that: what a full disk does, for this process.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) {
    before_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit small{.rlim_cur = bytes, .rlim_max = limit_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFiles() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;

 private:
  rlimit limit_{};
  void (*before_)(int) = SIG_DFL;
};

Commit step(int number) {
  const std::string id = std::to_string(number);
  return {.transitions = {fired(alert(id), at(number))}, .outbox = {message(id, id, at(number))}};
}

TEST(SqliteCopy, IsOneMomentOfAFileThatIsBeingWritten) {
  const TempFolder folder;
  auto store = open_sqlite(folder.file());
  ASSERT_TRUE(store);
  Commit many;
  for (int i = 0; i < 3000; ++i) many.outbox.push_back(message("m" + std::to_string(i), "x", at(1)));
  ASSERT_TRUE((*store)->commit(many));
  int written = 0;
  const auto copied = copy_sqlite(folder.file(), folder.file("copy.db"), [&](std::int64_t done, std::int64_t all) {
    EXPECT_LE(done, all);
    EXPECT_TRUE((*store)->commit(step(written++))) << "the Weir goes on";
    return true;
  });
  ASSERT_TRUE(copied) << copied.error().describe();
  EXPECT_GT(written, 1) << "in parts";
  struct stat status {};
  ASSERT_EQ(::stat(folder.file("copy.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(folder.file("copy.db.partial")));
  EXPECT_EQ(ask_sqlite(folder.file("copy.db"), "PRAGMA integrity_check"), "ok");
  EXPECT_EQ(ask_sqlite(folder.file("copy.db"), "SELECT count(*) FROM transitions"), "0")
      << "as it was at the beginning";
  auto opened = open_sqlite(folder.file("copy.db"));
  ASSERT_TRUE(opened) << "it is a database to work on: " << opened.error().describe();
  EXPECT_EQ(*(*opened)->pending_messages(), 3000U);
}

TEST(SqliteCopy, OverwritesNothing) {
  const TempFolder folder;
  ASSERT_TRUE(open_sqlite(folder.file()));
  std::ofstream(folder.file("copy.db")) << "precious";
  const auto refused = copy_sqlite(folder.file(), folder.file("copy.db"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().describe(), HasSubstr("copy.db: is there already"));
  EXPECT_EQ(std::filesystem::file_size(folder.file("copy.db")), 8U);
}

TEST(SqliteCopy, OneThatCannotBeFinishedOrIsEndedIsNotLeftBehind) {
  const TempFolder folder;
  {
    auto store = open_sqlite(folder.file());
    ASSERT_TRUE(store);
    Commit many;
    for (int i = 0; i < 300; ++i) many.outbox.push_back(message("m" + std::to_string(i), "x", at(1)));
    ASSERT_TRUE((*store)->commit(many));
  }
  {
    const SmallFiles full(64 * 1024);
    const auto failed = copy_sqlite(folder.file(), folder.file("copy.db"));
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr("cannot be copied"));
  }
  const auto ended = copy_sqlite(folder.file(), folder.file("copy.db"), [](auto, auto) { return false; });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, core::ErrorKind::cancelled);
  for (const char* name : {"copy.db", "copy.db.partial"}) EXPECT_FALSE(std::filesystem::exists(folder.file(name)));
  EXPECT_FALSE(copy_sqlite(folder.file("nowhere.db"), folder.file("copy.db")));
}

/// A file as the Weir of that schema left it.
void write_old(const std::string& path, std::size_t version) {
  auto old = open_sqlite_database(path, {});
  ASSERT_TRUE(old) << old.error().describe();
  ASSERT_TRUE(migrate(**old, migrations().first(version)));
  ASSERT_TRUE((*old)->run("INSERT INTO measurements (check_id, at, value) VALUES ('rows', 1000, 5)", {}));
  ASSERT_TRUE(
      (*old)->run("INSERT INTO incidents (id, incident_key, title, severity, cause, labels, opened_at) "
                  "VALUES ('aa', 'k', 't', 'critical', 'c', '{}', 1000)",
                  {}));
}

class EachSchema : public ::testing::TestWithParam<std::size_t> {};

TEST_P(EachSchema, IsBroughtForwardWithItsRowsAndACopyOfBefore) {
  const TempFolder folder;
  write_old(folder.file(), GetParam());
  const auto store = open_sqlite(folder.file());
  ASSERT_TRUE(store) << store.error().describe();
  EXPECT_EQ((*store)->newest("rows", 10)->at(0).value, 5);
  ASSERT_EQ((*store)->incidents({})->size(), 1U);
  EXPECT_TRUE((*store)->commit(step(1)));
  const std::string copy = folder.file() + ".schema" + std::to_string(GetParam()) + "-backup";
  ASSERT_TRUE(std::filesystem::exists(copy));
  EXPECT_EQ(ask_sqlite(copy, "PRAGMA user_version"), std::to_string(GetParam()));
  EXPECT_EQ(ask_sqlite(copy, "SELECT count(*) FROM incidents"), "1");
}

INSTANTIATE_TEST_SUITE_P(Schemas, EachSchema, ::testing::Range<std::size_t>(1, migrations().size()));

TEST(MigrationBackup, OnlyTheNewestTwoAreKept) {
  const TempFolder folder;
  for (const int version : {1, 2, 10, 9}) {
    std::ofstream(folder.file() + ".schema" + std::to_string(version) + "-backup") << "old";
  }
  for (const char* other : {".schemaX-backup", ".schema3-backup.partial", ".schema-backup", ".corrupt-1"}) {
    std::ofstream(folder.file() + other) << "not ours to remove";
  }
  write_old(folder.file(), 3);
  ASSERT_TRUE(open_sqlite(folder.file()));
  for (const int version : {9, 10}) {
    EXPECT_TRUE(std::filesystem::exists(folder.file() + ".schema" + std::to_string(version) + "-backup")) << version;
  }
  for (const int version : {1, 2}) {
    EXPECT_FALSE(std::filesystem::exists(folder.file() + ".schema" + std::to_string(version) + "-backup")) << version;
  }
  EXPECT_TRUE(std::filesystem::exists(folder.file() + ".schemaX-backup"));
  EXPECT_TRUE(std::filesystem::exists(folder.file() + ".corrupt-1"));
}

TEST(MigrationBackup, WithoutItTheSchemaStaysAsItIs) {
  const TempFolder folder;
  write_old(folder.file(), 1);
  std::filesystem::create_directories(folder.file() + ".schema1-backup.partial/in the way");
  const auto refused = open_sqlite(folder.file());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("no backup could be made before the schema is brought forward"));
  EXPECT_THAT(refused.error().message, HasSubstr("storage.backup: false"));
  EXPECT_EQ(ask_sqlite(folder.file(), "PRAGMA user_version"), "1");
  EXPECT_TRUE(open_sqlite(folder.file(), {.backup = false}));
  EXPECT_FALSE(std::filesystem::exists(folder.file() + ".schema1-backup"));
}

TEST(MigrationBackup, OnADiskThatHasNoRoomForItTheSchemaStaysAsItIsUntilThereIs) {
  const TempFolder folder;
  write_old(folder.file(), 1);
  const auto before = std::filesystem::space(folder.path()).available;
  // As if much were to be copied: a log that takes no room itself.
  std::ofstream(folder.file() + "-wal").close();
  std::filesystem::resize_file(folder.file() + "-wal", before + (1U << 30U));
  const auto refused = back_up_before_migration(folder.file(), 1);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_THAT(refused.error().message,
              HasSubstr("before the schema is brought forward (the disk has no room for it: "));
  EXPECT_THAT(refused.error().message, HasSubstr(" MB are free); make room, or set storage.backup: false"));
  std::filesystem::remove(folder.file() + "-wal");
  EXPECT_EQ(ask_sqlite(folder.file(), "PRAGMA user_version"), "1");
  EXPECT_FALSE(std::filesystem::exists(folder.file() + ".schema1-backup.partial"));
  EXPECT_TRUE(open_sqlite(folder.file()));
  EXPECT_TRUE(std::filesystem::exists(folder.file() + ".schema1-backup"));
}

TEST(MigrationBackup, ADiskThatFillsUpMeanwhileLeavesTheSchemaAsItIs) {
  const TempFolder folder;
  write_old(folder.file(), 1);
  for (int i = 0; i < 200; ++i) {
    ask_sqlite(folder.file(), "INSERT INTO measurements (check_id, at, value) VALUES ('" + std::string(1000, 'x') +
                                  "', " + std::to_string(i) + ", 1)");
  }
  {
    const SmallFiles full(64 * 1024);
    const auto refused = open_sqlite(folder.file());
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().retryable);
    EXPECT_THAT(refused.error().message, HasSubstr("no backup could be made before the schema is brought forward"));
  }
  EXPECT_EQ(ask_sqlite(folder.file(), "PRAGMA user_version"), "1");
  for (const char* rest : {".schema1-backup", ".schema1-backup.partial"})
    EXPECT_FALSE(std::filesystem::exists(folder.file() + rest)) << rest;
  EXPECT_TRUE(open_sqlite(folder.file()));
}

TEST(MigrationBackup, ANewFileHasNone) {
  const TempFolder folder;
  ASSERT_TRUE(open_sqlite(folder.file()));
  ASSERT_TRUE(open_sqlite(folder.file()));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    EXPECT_EQ(entry.path().string().find("-backup"), std::string::npos);
  }
}

TEST(SqliteStoreOnAFullDisk, KeepsWhatWasThereAndGoesOnWhenThereIsRoom) {
  const TempFolder folder;
  auto store = open_sqlite(folder.file());
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->commit(step(1)));
  Commit many = step(2);
  for (int i = 0; i < 2000; ++i) many.outbox.push_back(message("m" + std::to_string(i), "x", at(1)));
  {
    const SmallFiles full(512 * 1024);
    const auto refused = (*store)->commit(many);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().retryable) << refused.error().describe();
    EXPECT_EQ((*store)->transitions({})->size(), 1U);
  }
  const auto written = (*store)->commit(many);
  ASSERT_TRUE(written) << written.error().describe();
  EXPECT_EQ(*(*store)->pending_messages(), 2002U);
}

TEST(SqliteStoreWhoseFileIsDamagedWhileItRuns, SaysSoAndLives) {
  const TempFolder folder;
  auto store = open_sqlite(folder.file());
  ASSERT_TRUE(store);
  Commit many;
  for (int i = 0; i < 6000; ++i) many.outbox.push_back(message("m" + std::to_string(i), std::to_string(i), at(1)));
  ASSERT_TRUE((*store)->commit(many));
  ask_sqlite(folder.file(), "PRAGMA wal_checkpoint(TRUNCATE)");
  const auto pages = static_cast<long>(std::filesystem::file_size(folder.file()) / 4096);
  for (long page = 3; page <= pages; ++page) damage_page(folder.file(), page);
  bool told = false;
  for (int i = 0; i < 50 && !told; ++i) {
    const auto done = (*store)->prune(at(1'000'000 + i), std::chrono::seconds(1));
    told = !done && done.error().message.find("damaged") != std::string::npos && !done.error().retryable;
    if (!told) (void)(*store)->due(at(10), 10'000);
  }
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace weir::storage
