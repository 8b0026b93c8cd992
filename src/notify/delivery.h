#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/incident.h"
#include "notify/notifier.h"

namespace weir::notify {

enum class Outcome { delivered, retried, dead };
std::string_view to_string(Outcome outcome);

/// What to do after an attempt.
struct Decision {
  Outcome outcome = Outcome::delivered;
  core::Time next_attempt_at;  // of a retry
  std::string error;
};

/// Pure. `attempts` counts this one; `random` in [0, 1) spreads retries. Backs off from 1 s doubling to 5 min,
/// half of it jittered, never before Retry-After; gives up 24 h after the message was created.
Decision decide(const core::OutboxMessage& message, int attempts, const core::Result<Receipt>& result, core::Time now,
                double random);

/// Where messages wait. Implemented over storage in app/.
class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit) = 0;
  virtual core::Result<void> delivered(std::int64_t sequence, core::Time now) = 0;
  virtual core::Result<void> retry_later(std::int64_t sequence, core::Time next_attempt_at,
                                         const std::string& error) = 0;
  virtual core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) = 0;
};

/// What became of one message, for metrics and the log.
struct Report {
  std::string receiver;
  Outcome outcome = Outcome::delivered;
  std::string error;
};

/// Works the outbox off. Used by one worker; holds no state of its own beyond the notifiers.
class Dispatcher {
 public:
  struct Tools {
    Outbox& outbox;
    std::function<core::Time()> now;
    std::function<double()> random;
    std::function<void(const Report&)> report;
  };
  explicit Dispatcher(Tools tools) : tools_(std::move(tools)) {}
  void add(std::string receiver, std::unique_ptr<Notifier> notifier);

  /// Attempts what is due, each message once; the number attempted. A message to a receiver that is no
  /// longer configured is given up. Errors: the outbox could not be read.
  core::Result<std::size_t> run_once(std::stop_token stop);

 private:
  core::Result<void> attempt(const core::OutboxMessage& message, std::stop_token stop);

  Tools tools_;
  std::map<std::string, std::unique_ptr<Notifier>> notifiers_;
};

}  // namespace weir::notify
