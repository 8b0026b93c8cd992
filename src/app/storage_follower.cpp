#include "app/storage_follower.h"

#include <utility>

#include "runtime/log.h"

namespace weir::app {

core::Result<std::optional<JudgeStep>> StorageFollower::begin(core::Time now) {
  auto step = look(now);
  if (step || !step.error().retryable) return step;
  parts_.judge.await(step.error(), now);
  return std::nullopt;
}

std::optional<JudgeStep> StorageFollower::follow(core::Time now) {
  auto step = look(now);
  std::string error = step ? std::string() : step.error().describe();
  if (!error.empty() && error != error_)
    runtime::log_error("what storage has cannot be taken up; it is tried again", {{"error", error}});
  error_ = std::move(error);
  if (step) return std::move(*step);
  if (!parts_.judge.stands_by()) parts_.judge.await(step.error(), now);
  return std::nullopt;
}

void StorageFollower::note(const JudgeStep& step) {
  if (!step.rewritten) return;
  silences_unwritten_ = true;
  mended_ = parts_.storage.status().mended;
}

core::Result<std::optional<JudgeStep>> StorageFollower::look(core::Time now) {
  const StorageStatus status = parts_.storage.status();
  parts_.watch.show(status);
  Judge& judge = parts_.judge;
  switch (status.state) {
    case StorageStatus::State::standby:
      if (!judge.stands_by()) judge.stand_by();
      return std::nullopt;
    case StorageStatus::State::away:
      if (!judge.stands_by())
        judge.await({.kind = core::ErrorKind::storage, .message = status.why, .retryable = true, .where = {}}, now);
      return std::nullopt;
    case StorageStatus::State::mending: return std::nullopt;
    case StorageStatus::State::open: break;
  }
  if (status.taking != taken_up_) return take_up(status, now);
  if (std::exchange(mended_, status.mended) != status.mended) return judge.write_again();
  if (silences_unwritten_ && parts_.silences.write_again()) silences_unwritten_ = false;
  return std::nullopt;
}

core::Result<std::optional<JudgeStep>> StorageFollower::take_up(const StorageStatus& status, core::Time now) {
  if (taken_up_ > 0) parts_.judge.stand_by();  // another Weir had it in between
  parts_.storage.take_up(status.taking);
  if (auto loaded = parts_.silences.load(); !loaded) return std::unexpected(loaded.error());
  auto restored = parts_.judge.restore(now);
  if (!restored) return std::unexpected(restored.error());
  taken_up_ = status.taking;
  mended_ = status.mended;
  return std::move(*restored);
}

}  // namespace weir::app
