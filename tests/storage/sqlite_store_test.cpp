// What a SQLite file can do to Weir: foreign, damaged, full, locked, read-only, from another version.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/schema.h"
#include "storage/sqlite_database.h"
#include "storage/store.h"

#include "samples.h"

namespace weir::storage {
namespace {

using namespace testing;
using ::testing::HasSubstr;

/// Another process's connection to the same file.
class Other {
 public:
  explicit Other(const std::string& path) { EXPECT_EQ(sqlite3_open(path.c_str(), &database_), SQLITE_OK); }
  ~Other() { sqlite3_close(database_); }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  void run(const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database_);
  }
  std::string ask(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK);
    std::string answer;
    if (sqlite3_step(statement) == SQLITE_ROW)
      answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return answer;
  }

 private:
  sqlite3* database_ = nullptr;
};

std::unique_ptr<Store> must_open(const std::string& path, const SqliteOptions& options = {}) {
  auto store = open_sqlite(path, options);
  EXPECT_TRUE(store) << store.error().describe();
  return store ? std::move(*store) : nullptr;
}

std::string newest_schema() { return std::to_string(migrations().size()); }

Commit step(const std::string& id) {
  const core::Alert firing = alert(id);
  return {.alerts = {firing},
          .transitions = {fired(firing, at(1))},
          .incidents = {incident(id, at(1), {firing})},
          .outbox = {message(id, id, at(1))}};
}

TEST(SqliteStore, TheFileIsForItsOwnerOnly) {
  const TempFolder folder;
  const auto old_mask = ::umask(0);
  auto store = must_open(folder.file());
  ASSERT_TRUE(store->commit(step("a")));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat status {};
    ASSERT_EQ(::stat((folder.file() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << suffix;
  }
  ::umask(old_mask);
}

TEST(SqliteStore, KeepsAWriteAheadLogAndItsVersion) {
  const TempFolder folder;
  auto store = must_open(folder.file());
  Other other(folder.file());
  EXPECT_EQ(other.ask("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(other.ask("PRAGMA user_version"), newest_schema());
}

TEST(SqliteStore, AnotherProcessCanReadWhileItIsOpen) {
  const TempFolder folder;
  auto store = must_open(folder.file());
  ASSERT_TRUE(store->commit(step("aa")));
  Other other(folder.file());
  EXPECT_EQ(other.ask("SELECT title FROM incidents"), "Consumer group aa falls behind");
}

TEST(SqliteStore, ANewerFileIsRefusedAndLeftAlone) {
  const TempFolder folder;
  must_open(folder.file()).reset();
  Other(folder.file()).run("PRAGMA user_version = 99");
  const auto store = open_sqlite(folder.file());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, core::ErrorKind::storage);
  EXPECT_THAT(store.error().message, HasSubstr("newer Weir (schema 99, this one knows " + newest_schema() + ")"));
  EXPECT_EQ(store.error().where, folder.file());
  EXPECT_EQ(Other(folder.file()).ask("PRAGMA user_version"), "99");
}

TEST(SqliteStore, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  const TempFolder folder;
  const std::string text = "listen: 127.0.0.1:9877\n# a file of some length that is certainly no database\n";
  std::ofstream(folder.file()) << text << std::string(4096, 'x');
  const auto store = open_sqlite(folder.file());
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("is not a SQLite database"));
  std::string line;
  std::getline(std::ifstream(folder.file()) >> std::ws, line);
  EXPECT_EQ(line, "listen: 127.0.0.1:9877");
}

TEST(SqliteStore, ADatabaseOfSomethingElseIsRefusedAndLeftAlone) {
  for (const char* made :
       {"CREATE TABLE t (a); INSERT INTO t VALUES (7)", "CREATE TABLE t (a); PRAGMA user_version = 1",
        "CREATE TABLE t (a); PRAGMA application_id = 252006674", "PRAGMA user_version = 1"}) {
    const TempFolder folder;
    Other(folder.file()).run(made);
    std::stringstream before;
    before << std::ifstream(folder.file(), std::ios::binary).rdbuf();
    const auto store = open_sqlite(folder.file());
    ASSERT_FALSE(store) << made;
    EXPECT_EQ(store.error().where, folder.file());
    EXPECT_THAT(store.error().message, HasSubstr("is the SQLite database of something else")) << made;
    std::stringstream after;
    after << std::ifstream(folder.file(), std::ios::binary).rdbuf();
    EXPECT_EQ(after.str(), before.str()) << made;
    for (const char* suffix : {"-wal", "-shm", ".lock"}) {
      EXPECT_FALSE(std::filesystem::exists(folder.file() + suffix)) << suffix;
    }
  }
}

TEST(SqliteStore, AFileFromBeforeFilesWereMarkedGoesOnWorking) {
  const TempFolder folder;
  {
    auto store = must_open(folder.file());
    ASSERT_TRUE(store->commit(step("aa")));
  }
  Other(folder.file()).run("PRAGMA application_id = 0");
  EXPECT_EQ(must_open(folder.file())->incidents({})->size(), 1U);
  EXPECT_EQ(Other(folder.file()).ask("PRAGMA application_id"), std::to_string(0x57454952));
}

TEST(SqliteStore, IsHeldByOneWeirAtATime) {
  const TempFolder folder;
  auto store = must_open(folder.file());
  const std::string link = folder.file("link.db");
  std::filesystem::create_symlink(folder.file(), link);
  for (const std::string& path : {folder.file(), link}) {
    const auto second = open_sqlite(path);
    ASSERT_FALSE(second) << path;
    EXPECT_THAT(second.error().message, HasSubstr("is in use by another Weir, process " + std::to_string(::getpid())));
    EXPECT_EQ(second.error().where, path);
  }
  ASSERT_TRUE(store->commit(step("a"))) << "the first goes on";
  store.reset();
  EXPECT_TRUE(must_open(folder.file()));
}

TEST(SqliteStore, IsReleasedByAProcessThatWasKilled) {
  const TempFolder folder;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = open_sqlite(folder.file());
    const char told = held ? 'y' : 'n';
    if (::write(ends[1], &told, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char told = 0;
  ASSERT_EQ(::read(ends[0], &told, 1), 1);
  EXPECT_EQ(told, 'y');
  EXPECT_FALSE(open_sqlite(folder.file()));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(must_open(folder.file()));
  ::close(ends[0]);
  ::close(ends[1]);
}

/// A file with many pages, every one behind the first damaged.
void damage(const std::string& path) {
  {
    auto store = must_open(path);
    Commit changes;
    for (int i = 0; i < 200; ++i) changes.alerts.push_back(alert(std::to_string(i)));
    ASSERT_TRUE(store->commit(changes));
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(0, std::ios::end);
  const auto size = static_cast<std::size_t>(file.tellp());
  ASSERT_GT(size, 16384U);
  file.seekp(4096);
  file << std::string(size - 4096, '\xa5');
}

TEST(SqliteStore, ADamagedFileIsNamedAtTheStart) {
  const TempFolder folder;
  damage(folder.file());
  const auto store = open_sqlite(folder.file());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, core::ErrorKind::storage);
  EXPECT_THAT(store.error().message, HasSubstr("damaged"));
  EXPECT_FALSE(store.error().retryable);
}

TEST(SqliteStore, ADamagedFileCanBeSetAsideAndANewOneBegun) {
  const TempFolder folder;
  damage(folder.file());
  std::ofstream(folder.file() + "-wal") << "what was not written back";
  const auto moved = set_aside(folder.file(), at(0));
  ASSERT_TRUE(moved) << moved.error().describe();
  EXPECT_EQ(*moved, folder.file() + ".corrupt-2023-11-14T22:13:20.000Z");
  EXPECT_TRUE(std::filesystem::exists(*moved));
  EXPECT_TRUE(std::filesystem::exists(*moved + "-wal")) << "a stale log must not stay beside the new file";
  EXPECT_FALSE(std::filesystem::exists(folder.file() + "-wal"));
  auto store = must_open(folder.file());
  ASSERT_TRUE(store->commit(step("a")));
  EXPECT_EQ(store->incidents({})->size(), 1U);
}

TEST(SqliteStore, SettingAsideWhatIsNotThereIsAnError) {
  const TempFolder folder;
  const auto moved = set_aside(folder.file(), at(0));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().where, folder.file());
}

TEST(SqliteStore, AFolderThatDoesNotExistIsNamed) {
  const TempFolder folder;
  const auto store = open_sqlite(folder.file("nowhere/weir.db"));
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().describe(), HasSubstr("nowhere/weir.db: cannot be opened or created: No such file"));
  EXPECT_FALSE(open_sqlite(folder.path().string())) << "a folder is no file";
}

TEST(SqliteStore, AFileLockedByAnotherProcessIsATemporaryError) {
  const TempFolder folder;
  const SqliteOptions impatient{.busy_timeout = core::Duration(1)};
  auto store = must_open(folder.file(), impatient);
  Other other(folder.file());
  other.run("BEGIN IMMEDIATE");
  const auto refused = store->commit(step("a"));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_THAT(refused.error().message, HasSubstr("another process holds the database"));
  EXPECT_TRUE(store->incidents({})->empty());
  other.run("ROLLBACK");
  EXPECT_TRUE(store->commit(step("a")));
  EXPECT_EQ(store->incidents({})->size(), 1U);
}

TEST(SqliteStore, AFileLockedForGoodCannotBeOpened) {
  const TempFolder folder;
  must_open(folder.file()).reset();
  Other other(folder.file());
  other.run("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  const auto store = open_sqlite(folder.file(), {.busy_timeout = core::Duration(1)});
  ASSERT_FALSE(store);
  EXPECT_TRUE(store.error().retryable);
}

TEST(SqliteStore, AFullDiskUndoesTheWholeStepAndPasses) {
  const TempFolder folder;
  must_open(folder.file()).reset();
  const std::int64_t pages = std::stoll(Other(folder.file()).ask("PRAGMA page_count"));
  auto store = must_open(folder.file(), {.max_pages = pages + 4});
  ASSERT_TRUE(store->commit(step("small")));
  Commit large = step("large");
  for (int i = 0; i < 500; ++i) large.outbox.push_back(message("m" + std::to_string(i), "large", at(2)));
  const auto refused = store->commit(large);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("the disk is full"));
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_EQ(store->active_alerts()->size(), 1U);
  EXPECT_EQ(store->transitions({})->size(), 1U);
  EXPECT_EQ(store->incidents({})->size(), 1U);
  EXPECT_EQ(*store->pending_messages(), 1U);
  store.reset();

  auto roomy = must_open(folder.file());
  ASSERT_TRUE(roomy->commit(large));
  EXPECT_EQ(*roomy->pending_messages(), 502U);
}

TEST(SqliteStore, AMessageThatCannotBeReadIsGivenUpSoThatTheNextPasses) {
  const TempFolder folder;
  auto store = must_open(folder.file());
  ASSERT_TRUE(store->commit({.outbox = {message("bad", "aa", at(1)), message("good", "aa", at(2))}}));
  Other other(folder.file());
  other.run("UPDATE outbox SET notification = '{\"receiver\": 7}' WHERE idempotency_key = 'bad'");
  ASSERT_TRUE(store->due(at(5), 10));
  const auto due = store->due(at(5), 10);
  ASSERT_TRUE(due);
  ASSERT_EQ(due->size(), 1U);
  EXPECT_EQ(due->front().idempotency_key, "good");
  EXPECT_THAT(other.ask("SELECT last_error FROM outbox WHERE dead_at IS NOT NULL"), HasSubstr("cannot be read"));
}

using Measurements = std::vector<core::Measurement>;

core::Result<Measurements> measurements(const std::string& path, const MeasurementQuery& query = {}) {
  Measurements found;
  auto done = read_measurements({.path = path}, query, [&](const core::Measurement& each) -> core::Result<void> {
    found.push_back(each);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return found;
}

TEST(SqliteStore, MeasurementsAreReadWhileAnotherWeirHasTheFileAndAfterwards) {
  const TempFolder folder;
  auto store = must_open(folder.file());
  ASSERT_TRUE(store->append({{"b", at(2), 2}, {"a", at(3), 3, core::Mark::anomalous}, {"a", at(1), 1.5}}));
  for (int turn = 0; turn < 2; ++turn) {
    const auto found = measurements(folder.file());
    ASSERT_TRUE(found) << found.error().describe();
    ASSERT_EQ(found->size(), 3U);
    EXPECT_EQ(found->at(0).check, "a");
    EXPECT_EQ(found->at(0).value, 1.5);
    EXPECT_EQ(found->at(1).mark, core::Mark::anomalous);
    EXPECT_EQ(found->at(2).time, at(2));
    EXPECT_EQ(measurements(folder.file(), {.from = at(2)})->size(), 2U);
    EXPECT_EQ(measurements(folder.file(), {.check = "b"})->size(), 1U);
    store.reset();
  }
}

TEST(SqliteStore, MeasurementsOfNoSuchFileAnotherProgramsOrAnotherSchemaAreRefused) {
  const TempFolder folder;
  EXPECT_EQ(measurements(folder.file()).error().kind, core::ErrorKind::not_found);
  EXPECT_FALSE(std::filesystem::exists(folder.file())) << "nothing is created";
  must_open(folder.file()).reset();
  Other(folder.file()).run("PRAGMA user_version = 1");
  EXPECT_THAT(measurements(folder.file()).error().message,
              HasSubstr("has schema 1, this Weir reads " + newest_schema()));
  const TempFolder other;
  Other(other.file()).run("CREATE TABLE t (a)");
  EXPECT_THAT(measurements(other.file()).error().message, HasSubstr("something else"));
}

TEST(SqliteStore, AFileOfTheFirstSchemaKeepsItsMeasurementsUnmarked) {
  const TempFolder folder;
  {
    auto old = open_sqlite_database(folder.file(), {});
    ASSERT_TRUE(old) << old.error().describe();
    ASSERT_TRUE(migrate(**old, migrations().first(1)));
    ASSERT_TRUE((*old)->run("INSERT INTO measurements (check_id, at, value) VALUES ('rows', 1000, 5)", {}));
  }
  const auto store = must_open(folder.file());
  ASSERT_TRUE(store->append({{"rows", at(2), 6, core::Mark::anomalous}}));
  const auto found = store->newest("rows", 10);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(0).value, 5);
  EXPECT_EQ(found->at(0).mark, core::Mark::none);
  EXPECT_EQ(found->at(1).mark, core::Mark::anomalous);
}

/// Runs `work` in a child without the rights of root; true when it returned true.
template <class Work>
bool as_nobody(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::getuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(2);
    ::_exit(work() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(SqliteStore, AReadOnlyFileIsNamedAtTheStart) {
  const TempFolder folder;
  {
    auto store = must_open(folder.file());
    ASSERT_TRUE(store->commit(step("a")));
  }
  ::chmod(folder.path().c_str(), 0755);
  ::chmod(folder.file().c_str(), 0444);
  EXPECT_TRUE(as_nobody([&] {
    const auto store = open_sqlite(folder.file());
    return !store && store.error().message.find("the file is read-only") != std::string::npos;
  }));
}

TEST(SqliteStore, AFolderWithoutWritePermissionIsNamedAtTheStart) {
  const TempFolder folder;
  ::chmod(folder.path().c_str(), 0555);
  EXPECT_TRUE(as_nobody([&] {
    const auto store = open_sqlite(folder.file());
    return !store && store.error().message.find("read-only") != std::string::npos;
  }));
}

}  // namespace
}  // namespace weir::storage
