#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/silence.h"
#include "notify/suppression.h"
#include "runtime/clock.h"
#include "storage/store.h"

namespace weir::app {

/// The silences: in storage, and ready to be asked. Any thread; a change is in storage before it counts.
class SilenceBook {
 public:
  using Compiled = std::shared_ptr<const std::vector<notify::CompiledSilence>>;

  SilenceBook(storage::Store& storage, const runtime::Clock& clock) : storage_(storage), clock_(clock) {}

  /// Reads what storage has. Errors: storage's.
  core::Result<void> load();
  Compiled compiled() const;
  std::vector<core::Silence> all() const;
  /// As notify::set_silence and notify::expire_silence, besides storage's errors.
  core::Result<std::string> set(core::Silence posted);
  core::Result<void> expire(const std::string& id);
  /// Storage had not what was written to it: it gets all of them again. Errors: storage's.
  core::Result<void> write_again();
  /// Forgets those that ended long ago, as storage does.
  void prune();

 private:
  core::Result<void> write(const std::vector<core::Silence>& changed);
  void compile();

  storage::Store& storage_;
  const runtime::Clock& clock_;
  std::mutex writing_;  // one change at a time
  mutable std::mutex mutex_;
  std::vector<core::Silence> silences_;
  Compiled compiled_ = std::make_shared<const std::vector<notify::CompiledSilence>>();
};

}  // namespace weir::app
