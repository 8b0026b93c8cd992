#include "storage/file_lock.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include "storage/trouble.h"

namespace weir::storage {
namespace {

std::string lock_name(const std::string& path) {
  std::error_code unresolved;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, unresolved);
  return (unresolved ? path : real.string()) + ".lock";
}

/// ", process 123" as the holder wrote it; "" where it has not yet.
std::string holder(int file) {
  std::array<char, 20> text{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  std::string number(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  number = number.substr(0, number.find_first_not_of("0123456789"));
  return number.empty() ? "" : ", process " + number;
}

/// 0, or errno. No lock of the kernel's can be waited for with an end: it is tried now and then.
int lock_within(int file, core::Duration wait) {
  constexpr int kBetween = 100;  // milliseconds
  const auto until = std::chrono::steady_clock::now() + wait;
  while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    if (code != EWOULDBLOCK || std::chrono::steady_clock::now() >= until) return code;
    ::poll(nullptr, 0, kBetween);
  }
  return 0;
}

}  // namespace

core::Result<std::unique_ptr<FileLock>> FileLock::take(const std::string& path, core::Duration wait) {
  const std::string name = lock_name(path);
  const int file = ::open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) {
    return core::fail(core::ErrorKind::storage,
                      "the lock file cannot be opened: " + std::system_category().message(errno), name);
  }
  std::unique_ptr<FileLock> lock(new FileLock(file));
  if (const int code = lock_within(file, wait); code != 0) {
    if (code != EWOULDBLOCK) {
      return core::fail(core::ErrorKind::storage, "cannot be locked: " + std::system_category().message(code), name);
    }
    return core::fail(core::ErrorKind::storage, held_text(holder(file), "end that one, or name another storage.path"),
                      path);
  }
  // For a person who looks: the lock holds without it.
  const std::string number = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, number.data(), number.size(), 0) < 0) errno = 0;
  return lock;
}

bool FileLock::was_taken(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(lock_name(path), ignored);
}

FileLock::~FileLock() { ::close(file_); }

}  // namespace weir::storage
