#include "app/storage_watch.h"

#include <fmt/format.h>
#include <utility>

#include "incidents/causes.h"
#include "runtime/log.h"

namespace weir::app {

core::Result<storage::Opened> open_storage(const storage::StorageSettings& settings, core::Time now,
                                           core::FailPoints* fail_points, const std::string& damage) {
  auto opened = storage::open_or_salvage(settings, now, fail_points, damage);
  if (!opened || !opened->set_aside) return opened;
  const storage::SetAside& aside = *opened->set_aside;
  runtime::log_error("the database was damaged and is set aside; what could be read of it was carried over",
                     {{"error", aside.why},
                      {"kept_as", aside.kept_as},
                      {"rows", std::to_string(aside.rows)},
                      {"rows_refused", std::to_string(aside.refused)},
                      {"unreadable_places", std::to_string(aside.gaps)}});
  return opened;
}

std::string describe(const storage::SetAside& aside) {
  return fmt::format(
      "{}. It is kept as {}; {} rows could be carried over into a new file, {} were refused and {} places "
      "could not be read",
      aside.why, aside.kept_as, aside.rows, aside.refused, aside.gaps);
}

void StorageWatch::begin() {
  metrics_.add(kStorageFailures.name, {}, 0);
  metrics_.add(kUnwrittenDropped.name, {}, 0);
  metrics_.add(kRewritten.name, {}, 0);
  metrics_.add(kSetAside.name, {}, 0);
}

void StorageWatch::show(const StorageStatus& status) {
  for (const std::string_view name : StorageStatus::kNames)
    metrics_.set(kStorageState.name, {{"state", name}}, name == status.name() ? 1 : 0);
  metrics_.add(kSetAside.name, {}, static_cast<double>(status.set_aside - set_aside_));
  if (status.set_aside != set_aside_) errors_.note(std::string(incidents::kOwnSetAside), status.aside);
  set_aside_ = status.set_aside;
  if (status.state == StorageStatus::State::standby) metrics_.set(kUnwritten.name, {}, 0);
}

std::vector<core::OutboxMessage> StorageWatch::note(const JudgeStep& step) {
  if (step.standby) return {};
  std::string error = step.storage ? step.storage->describe() : std::string();
  if (step.rewritten) {
    metrics_.add(kRewritten.name, {});
    errors_.note(std::string(incidents::kOwnRewritten),
                 "Weir's last commit was not in it, so all that goes on was written to it again");
    runtime::log_error("storage had not what was last written to it; all that is known is written to it anew", {});
  }
  if (step.storage) metrics_.add(kStorageFailures.name, {});
  metrics_.set(kUnwritten.name, {}, static_cast<double>(step.unwritten.rows));
  if (step.unwritten.dropped != dropped_) {
    metrics_.add(kUnwrittenDropped.name, {}, static_cast<double>(step.unwritten.dropped - dropped_));
    if (dropped_ == 0) runtime::log_error("too much waits for storage: of that what newer states followed is dropped");
    dropped_ = step.unwritten.dropped;
  }
  if (!step.urgent.empty()) urgent_.offer(step.urgent);
  if (error != error_) {
    error.empty() ? runtime::log_info("storage works again", {})
                  : runtime::log_error("changes could not be stored and are kept in memory", {{"error", error}});
  }
  const bool healed = error.empty() && !error_.empty();
  error_ = std::move(error);
  return healed ? urgent_.take_back() : std::vector<core::OutboxMessage>();
}

}  // namespace weir::app
