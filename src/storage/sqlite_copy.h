#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/error.h"

namespace weir::storage {

/// Told how many pages of how many are copied; false ends the copying.
using CopyProgress = std::function<bool(std::int64_t done, std::int64_t all)>;

/// A copy of a Weir's file as it was at one moment, which another Weir may go on writing to (SQLite's backup API, from
/// a connection that only reads). It is written under `<to>.partial`, flushed and renamed, mode 0600. Errors (storage):
/// `to` is there already, the disk has no room for it (looked at before anything is written), the file is damaged.
core::Result<void> copy_sqlite(const std::string& from, const std::string& to, const CopyProgress& progress = {});

/// Copies the file to `<path>.schema<version>-backup`, unless that is there, and removes all such copies but the newest
/// two. Errors say what to do about them; the file is as it was.
core::Result<void> back_up_before_migration(const std::string& path, std::int64_t version);

}  // namespace weir::storage
