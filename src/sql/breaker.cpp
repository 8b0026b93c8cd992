#include "sql/breaker.h"

#include <algorithm>
#include <cmath>

namespace weir::sql {

Breaker::State Breaker::state(Instant now) const {
  if (failures_ < settings_.failures) return State::closed;
  return now < until_ ? State::open : State::half_open;
}

bool Breaker::allow(Instant now) {
  const State current = state(now);
  if (current == State::closed) return true;
  if (current == State::open || trying_) return false;
  trying_ = true;
  return true;
}

void Breaker::succeeded() {
  failures_ = 0;
  trying_ = false;
  last_failure_.clear();
}

void Breaker::failed(Instant now, const std::string& why, double spread) {
  trying_ = false;
  last_failure_ = why;
  // Enough to tell every wait apart; a count that grows for ever would overflow.
  failures_ = std::min(failures_ + 1, settings_.failures + 30);
  if (failures_ < settings_.failures) return;
  const int doublings = failures_ - settings_.failures;
  const double most =
      std::min(core::to_seconds(settings_.first) * std::exp2(doublings), core::to_seconds(settings_.longest));
  const double wait = most * (0.5 + 0.5 * std::clamp(spread, 0.0, 1.0));
  until_ = now + core::Duration(static_cast<std::int64_t>(wait * 1000));
}

core::Duration Breaker::wait(Instant now) const {
  if (state(now) != State::open) return core::Duration::zero();
  return std::chrono::ceil<core::Duration>(until_ - now);
}

}  // namespace weir::sql
