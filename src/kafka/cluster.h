#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "core/error.h"
#include "kafka/settings.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

/// A Kafka cluster that is watched. Owns its librdkafka client and that client's threads; used by one
/// thread at a time. Between snapshots it remembers member counts and the newest dead letters, so that a
/// cycle asks only for what may have changed.
class Cluster {
 public:
  /// Opens no socket: a cluster that is down shows in snapshot(). Errors: properties that contradict each
  /// other, files they name that cannot be read (invalid).
  /// `token_source` is asked for tokens where `settings.token` is given.
  static core::Result<std::unique_ptr<Cluster>> connect(ClusterSettings settings, TokenSource token_source = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// Groups, then their commits, then start and end offsets. Ends by `deadline`, and within about 2 s of a
  /// stop (the longest call of librdkafka that cannot be interrupted).
  /// Errors: no broker can be reached (unavailable), the login is refused (denied), no answer (timeout),
  /// stopped (cancelled). What fails only in part is in Snapshot::faults.
  core::Result<Snapshot> snapshot(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop);

  /// Has the members of a group that is in trouble described in the next cycle, out of its turn.
  void describe_soon(const std::string& group);

 private:
  class Impl;
  explicit Cluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::kafka
