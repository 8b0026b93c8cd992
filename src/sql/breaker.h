#pragma once

#include <chrono>
#include <string>

#include "core/time.h"

namespace weir::sql {

/// Keeps calls away from something that is down. Pure: `now` is passed in. Not for several threads at once.
///
/// Closed, all calls pass; after some failures in a row it opens and none does. When its time is over it is half
/// open: one call passes to try. If that succeeds it closes, else it opens for twice as long, up to a bound. Each wait
/// is spread over its upper half (`spread`), so that what failed together is not tried together.
class Breaker {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Settings {
    int failures = 3;                                  // in a row that open it
    core::Duration first = std::chrono::seconds(5);    // the first wait
    core::Duration longest = std::chrono::minutes(1);  // of any wait
  };
  enum class State { closed, open, half_open };

  explicit Breaker(const Settings& settings) : settings_(settings) {}

  State state(Instant now) const;
  /// Whether a call may go now. Half open, this is true once, until the call's outcome is told.
  bool allow(Instant now);
  void succeeded();
  /// `why` is kept to be shown; `spread` is from 0 (the wait's half) to 1 (all of it).
  void failed(Instant now, const std::string& why, double spread);
  /// The call that was allowed came to nothing either way (Weir shuts down): the next may try.
  void abandoned() { trying_ = false; }

  /// How long until the next try; zero when a call may go.
  core::Duration wait(Instant now) const;
  int failures() const { return failures_; }
  const std::string& last_failure() const { return last_failure_; }

 private:
  Settings settings_;
  int failures_ = 0;  // in a row
  Instant until_ = {};
  bool trying_ = false;
  std::string last_failure_;
};

}  // namespace weir::sql
