#include "app/own_errors.h"

#include <utility>

#include "incidents/causes.h"

namespace weir::app {

void OwnErrors::note(const std::string& part, std::string message) {
  if (message.empty()) return;
  const std::lock_guard lock(mutex_);
  if (messages_.size() < kMost || messages_.contains(part)) messages_.insert_or_assign(part, std::move(message));
}

void OwnErrors::note(const notify::Report& report) {
  if (report.outcome == notify::Outcome::delivered) return;
  note(incidents::kOwnReceiver + report.receiver, report.error);
  if (report.outcome == notify::Outcome::dead) note(incidents::kOwnLoss + report.receiver, report.error);
}

std::vector<core::Fault> OwnErrors::faults() const {
  const std::lock_guard lock(mutex_);
  std::vector<core::Fault> faults;
  for (const auto& [part, message] : messages_)
    faults.push_back({.error = {.kind = core::ErrorKind::unavailable, .message = message, .where = part}, .scope = {}});
  return faults;
}

}  // namespace weir::app
