#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/incident.h"
#include "core/time.h"
#include "notify/notifier.h"

namespace weir::notify {

enum class Outcome { delivered, retried, dead };
std::string_view to_string(Outcome outcome);

/// What to do after an attempt.
struct Decision {
  Outcome outcome = Outcome::delivered;
  core::Time next_attempt_at = {};            // of a retry
  std::string error = {};                     // "" when delivered
  std::optional<std::string> reference = {};  // what the group's next message is to know, see Receipt
};

struct RetryPolicy {
  core::Duration first_wait{1'000};
  core::Duration longest_wait = std::chrono::minutes(5);
  core::Duration give_up_after = std::chrono::hours(24);  // since the message was written
};

/// `first` doubled with each attempt after the first, at most `longest`, half of it jittered by `random` in [0, 1).
core::Duration backoff(int attempts, core::Duration first, core::Duration longest, double random);

/// Pure. What is not retryable is dead at once. A retry waits for the backoff, and never less than Retry-After; there
/// is a last one when the time to give up comes, unless Retry-After reaches beyond it. `message.attempts` does not
/// count the attempt that gave `result`.
Decision decide(const core::OutboxMessage& message, const DeliveryResult& result, core::Time now, double random,
                const RetryPolicy& policy = {});

/// Where messages wait, in order: due() gives no message whose predecessor for the same integration and incident still
/// waits. Implemented over storage in app/.
class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit) = 0;
  virtual core::Result<void> delivered(std::int64_t sequence, core::Time now,
                                       const std::optional<std::string>& reference) = 0;
  virtual core::Result<void> retry_later(std::int64_t sequence, core::Time next_attempt_at,
                                         const std::string& error) = 0;
  virtual core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) = 0;
};

/// What became of one attempt, for metrics and the log.
struct Report {
  std::string receiver;  // the integration too: "team/webhook/0"
  Outcome outcome = Outcome::delivered;
  std::string error = {};
  std::string status = {};                 // "firing" or "resolved"
  std::string incident = {};               // its id, "" without one
  std::string template_problems = {};      // see Receipt
  int attempts = 0;                        // this one among them
  std::vector<std::uint64_t> alerts = {};  // fingerprints of the message's
};

/// Works an outbox off, one delivery at a time, each bounded by `delivery_timeout`. An integration that fails rests
/// for a while (as long as its Retry-After says, or 1 s doubling to `longest_rest`), so that it costs others in the
/// same outbox at most one timeout a run. Used by one thread at a time; what it remembers is bounded by the number of
/// integrations.
class Dispatcher {
 public:
  struct Tools {
    Outbox& outbox;
    std::function<core::Time()> now;
    std::function<double()> random;  // in [0, 1)
    std::function<void(const Report&)> report;
  };
  struct Limits {
    core::Duration delivery_timeout{10'000};
    core::Duration longest_rest = std::chrono::minutes(1);
    std::size_t batch = 100;
    std::size_t attempts_a_run = 1000;
    RetryPolicy retry = {};
  };
  explicit Dispatcher(Tools tools) : Dispatcher(std::move(tools), Limits{}) {}
  Dispatcher(Tools tools, Limits limits) : tools_(std::move(tools)), limits_(limits) {}

  /// `endpoint` is a name from endpoints().
  void add(std::string endpoint, std::unique_ptr<Notifier> notifier);

  /// Attempts what is due until nothing more is; the number attempted. A message to an integration that is no longer
  /// configured is given up. While an outcome cannot be written nothing more is delivered, for it would be delivered
  /// again. Errors: the outbox could not be read or written.
  core::Result<std::size_t> run_once(std::stop_token stop = {});

 private:
  struct Rest {
    core::Time until;
    int failures = 0;
  };
  struct Unwritten {
    std::int64_t sequence = 0;
    Decision decision;
  };

  /// How many of the batch were attempted.
  core::Result<std::size_t> run_batch(const std::vector<core::OutboxMessage>& batch, const std::stop_token& stop);
  core::Result<bool> attempt(const core::OutboxMessage& message, const std::stop_token& stop);
  void rest(const std::string& endpoint, const DeliveryResult& result, Outcome outcome, core::Time now);
  core::Result<void> write(std::int64_t sequence, Decision decision);
  core::Result<void> write_unwritten();

  Tools tools_;
  Limits limits_;
  std::map<std::string, std::unique_ptr<Notifier>> notifiers_;
  std::map<std::string, Rest> resting_;
  std::optional<Unwritten> unwritten_;
};

}  // namespace weir::notify
