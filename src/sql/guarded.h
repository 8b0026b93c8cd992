#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "sql/breaker.h"
#include "sql/source.h"

namespace weir::sql {

/// What the sessions of one source share: how many may use it at once, and whether it is tried at all. Any thread.
class SourceGate {
 public:
  using Clock = std::function<Breaker::Instant()>;

  SourceGate(std::string source, std::size_t most, const Breaker::Settings& settings,
             Clock clock = &std::chrono::steady_clock::now);

  /// Waits for a place until the limits' end. Errors: timeout or cancelled; unavailable while the breaker is open,
  /// with when it is tried again.
  core::Result<void> enter(const QueryLimits& limits);
  /// Leaves the place. `outcome` is what the source said, nullptr for success.
  void leave(const core::Error* outcome, bool connecting);

  /// Sessions come and go; with more of them than places each closes its connection when it leaves.
  void add_session();
  void remove_session();
  bool crowded() const;

 private:
  double spread() const;

  const std::string source_;
  const std::size_t most_;
  const Clock clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any left_;
  std::size_t inside_ = 0;
  std::size_t sessions_ = 0;
  Breaker breaker_;
};

/// A session that goes through the gate of its source: it opens no more connections than there are places, and asks
/// nothing of a source that is down. A failure to connect counts against the source (also a refused password, which
/// tried often locks the account), and a broken connection; what is wrong with one statement, its timeout too, does
/// not.
std::unique_ptr<SqlSource> make_guarded(std::shared_ptr<SourceGate> gate,
                                        std::function<std::unique_ptr<SqlSource>()> open);

}  // namespace weir::sql
