#pragma once

#include <cstdint>
#include <optional>

#include "app/judge.h"
#include "app/silence_book.h"
#include "app/storage_switch.h"
#include "app/storage_watch.h"

namespace weir::app {

/// Has the judge and the silences follow what becomes of storage. Used by the judge's worker, and before it works.
class StorageFollower {
 public:
  struct Parts {
    StorageSwitch& storage;
    Judge& judge;
    SilenceBook& silences;
    StorageWatch& watch;
  };
  explicit StorageFollower(Parts parts) : parts_(parts) {}

  /// The first time. Errors: what storage has cannot be read, and never will.
  core::Result<std::optional<JudgeStep>> begin(core::Time now);
  /// Looks at storage; a step came of it where what it has was taken up. Why it could not be is logged.
  std::optional<JudgeStep> follow(core::Time now);
  /// What a step says of storage.
  void note(const JudgeStep& step);

 private:
  core::Result<std::optional<JudgeStep>> look(core::Time now);
  core::Result<std::optional<JudgeStep>> take_up(const StorageStatus& status, core::Time now);

  Parts parts_;
  std::uint64_t taken_up_ = 0;  // see StorageStatus::taking
  std::uint64_t mended_ = 0;    // the same
  bool silences_unwritten_ = false;
  std::string error_;  // of the last look
};

}  // namespace weir::app
