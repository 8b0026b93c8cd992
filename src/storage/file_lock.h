#pragma once

#include <memory>
#include <string>

#include "core/error.h"
#include "core/time.h"

namespace weir::storage {

/// An advisory lock on `<path>.lock`, held while it lives. The kernel releases it when the process ends, however that
/// happens; the file stays, and says which process held it last.
class FileLock {
 public:
  /// Links to one file share one lock. Errors (storage): another process, or another lock of this one, holds it; the
  /// lock file cannot be opened. One that is held is tried again until `wait` is over.
  static core::Result<std::unique_ptr<FileLock>> take(const std::string& path, core::Duration wait = {});
  /// Whether any Weir has ever held it.
  static bool was_taken(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

}  // namespace weir::storage
