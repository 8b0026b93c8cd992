#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/time.h"
#include "storage/store.h"

namespace weir::storage {

/// What became of a damaged file.
struct SetAside {
  std::string kept_as;   // where it is now
  std::string why;       // what SQLite said of it
  std::size_t rows = 0;  // that were carried over into the new file
  std::size_t refused =
      0;                 // that could be read, and not be taken: not what Weir writes, or without what they belong to
  std::size_t gaps = 0;  // places where the file could not be read; how many rows were there nobody knows
};

struct Opened {
  std::unique_ptr<Store> store;
  std::optional<SetAside> set_aside;
};

/// open_store; a file that is damaged is renamed (see set_aside) and what can be read of it is carried over into a new
/// one: active alerts, incidents, waiting messages and silences first, then the rest. So it is with one that is no
/// database at all where a Weir had one. `damage` is what was said of a file that was found damaged while it was open,
/// whatever an opening would find. Errors: those of open_store, but not that; the file cannot be renamed.
core::Result<Opened> open_or_salvage(const StorageSettings& settings, core::Time now,
                                     core::FailPoints* fail_points = nullptr, const std::string& damage = {});

}  // namespace weir::storage
