#include "storage/sqlite_copy.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <sqlite3.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace weir::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kPagesAtATime = 256;
constexpr int kBusyMs = 5000;

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Handle = std::unique_ptr<sqlite3, Close>;
struct Finish {
  void operator()(sqlite3_backup* copy) const { sqlite3_backup_finish(copy); }
};

std::unexpected<core::Error> failed(const std::string& message, const std::string& where) {
  return core::fail(core::ErrorKind::storage, message, where);
}

/// A name that goes with whatever was written under it.
class Partial {
 public:
  explicit Partial(std::string path) : path_(std::move(path)) {}
  ~Partial() {
    std::error_code ignored;
    fs::remove(path_, ignored);
    for (const char* suffix : {"-journal", "-wal", "-shm"}) fs::remove(path_ + suffix, ignored);
  }
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

core::Result<Handle> open(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Handle handle(raw);
  if (code != SQLITE_OK) return failed(std::string("cannot be opened: ") + sqlite3_errstr(code), path);
  sqlite3_busy_timeout(raw, kBusyMs);
  return handle;
}

/// In bytes, what the copy needs.
std::uintmax_t size_of(const std::string& path) {
  std::uintmax_t size = 0;
  for (const char* suffix : {"", "-wal"}) {
    std::error_code missing;
    const std::uintmax_t part = fs::file_size(path + suffix, missing);
    if (!missing) size += part;
  }
  return size;
}

core::Result<void> room_for(const std::string& from, const std::string& to) {
  constexpr std::uintmax_t kLeft = 16U << 20U;  // for what goes on being written
  constexpr std::uintmax_t kMegabyte = 1U << 20U;
  std::error_code unknown;
  const fs::path folder = fs::path(to).has_parent_path() ? fs::path(to).parent_path() : fs::path(".");
  const fs::space_info space = fs::space(folder, unknown);
  if (unknown) return failed("its folder cannot be looked at: " + unknown.message(), to);
  const std::uintmax_t needed = size_of(from) + kLeft;
  if (space.available >= needed) return {};
  return failed(fmt::format("the disk has no room for it: {} MB are needed, {} MB are free", needed / kMegabyte + 1,
                            space.available / kMegabyte),
                to);
}

core::Result<void> flush(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed("cannot be flushed: " + std::system_category().message(errno), path);
  const int code = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  return code == 0 ? core::Result<void>() : failed("cannot be flushed: " + std::system_category().message(code), path);
}

core::Result<void> copy_pages(sqlite3* from, sqlite3* to, const std::string& where, const CopyProgress& progress) {
  // Within a transaction the source stays as it is, so that the copying need not begin anew with every commit.
  if (sqlite3_exec(from, "BEGIN; SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failed(sqlite3_errmsg(from), where);
  }
  const std::unique_ptr<sqlite3_backup, Finish> copy(sqlite3_backup_init(to, "main", from, "main"));
  if (!copy) return failed(sqlite3_errmsg(to), where);
  while (true) {
    const int code = sqlite3_backup_step(copy.get(), kPagesAtATime);
    const int all = sqlite3_backup_pagecount(copy.get());
    if (progress && !progress(all - sqlite3_backup_remaining(copy.get()), all)) {
      return core::fail(core::ErrorKind::cancelled, "the copying was ended", where);
    }
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_OK) return failed(std::string("cannot be copied: ") + sqlite3_errstr(code), where);
  }
}

/// The schema's version that a copy's name tells, 0 where it is none of ours.
std::int64_t version_in(const std::string& name, const std::string& base) {
  const std::string before = base + ".schema";
  const std::string after = "-backup";
  if (!name.starts_with(before) || !name.ends_with(after) || name.size() <= before.size() + after.size()) return 0;
  std::int64_t version = 0;
  const char* const end = name.data() + name.size() - after.size();
  const auto [stopped, error] = std::from_chars(name.data() + before.size(), end, version);
  return error == std::errc() && stopped == end ? version : 0;
}

void remove_older(const std::string& path, std::size_t kept) {
  const fs::path file(path);
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::vector<std::pair<std::int64_t, fs::path>> copies;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::int64_t version = version_in(entry.path().filename().string(), file.filename().string());
    if (version > 0) copies.emplace_back(version, entry.path());
  }
  std::ranges::sort(copies, std::greater());
  for (std::size_t i = kept; i < copies.size(); ++i) fs::remove(copies[i].second, ignored);
}

}  // namespace

core::Result<void> copy_sqlite(const std::string& from, const std::string& to, const CopyProgress& progress) {
  std::error_code ignored;
  if (fs::exists(to, ignored)) return failed("is there already; name another file, or move it away", to);
  if (auto room = room_for(from, to); !room) return room;
  Partial partial(to + ".partial");
  fs::remove(partial.path(), ignored);
  const int created = ::open(partial.path().c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (created < 0) return failed("cannot be created: " + std::system_category().message(errno), partial.path());
  ::close(created);
  {
    auto source = open(from, SQLITE_OPEN_READONLY);
    if (!source) return std::unexpected(source.error());
    auto target = open(partial.path(), SQLITE_OPEN_READWRITE);
    if (!target) return std::unexpected(target.error());
    if (auto copied = copy_pages(source->get(), target->get(), from, progress); !copied) return copied;
    // In the journal's mode of the source, whoever only looks into the copy would leave -wal and -shm beside it.
    if (sqlite3_exec(target->get(), "PRAGMA journal_mode=DELETE", nullptr, nullptr, nullptr) != SQLITE_OK)
      return failed(std::string("cannot be made one file: ") + sqlite3_errmsg(target->get()), partial.path());
  }
  if (auto flushed = flush(partial.path()); !flushed) return flushed;
  if (::link(partial.path().c_str(), to.c_str()) != 0 && ::rename(partial.path().c_str(), to.c_str()) != 0) {
    return failed("cannot be named so: " + std::system_category().message(errno), to);
  }
  return {};
}

core::Result<void> back_up_before_migration(const std::string& path, std::int64_t version) {
  constexpr std::size_t kKept = 2;
  const std::string to = fmt::format("{}.schema{}-backup", path, version);
  std::error_code ignored;
  if (!fs::exists(to, ignored)) {
    if (auto copied = copy_sqlite(path, to); !copied) {
      core::Error error = copied.error();
      error.message = "no backup could be made before the schema is brought forward (" + error.message +
                      "); make room, or set storage.backup: false";
      error.retryable = true;  // a disk may have room later
      return std::unexpected(error);
    }
  }
  remove_older(path, kKept);
  return {};
}

}  // namespace weir::storage
