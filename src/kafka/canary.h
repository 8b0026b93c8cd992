#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "config/reader.h"
#include "core/error.h"
#include "core/time.h"
#include "kafka/token.h"

namespace weir::kafka {

struct ClusterSettings;

/// `canary:` of a cluster.
struct CanarySettings {
  std::string topic;
  std::string group = "weir-canary";  // that commits
  core::Duration interval = std::chrono::seconds(5);
  core::Duration late_after = std::chrono::seconds(3);
  core::Duration lost_after = std::chrono::seconds(30);
  bool create = false;  // the topic, where it does not exist; one that exists is never altered
};

CanarySettings parse_canary(const config::Node& node, config::Diagnostics& diagnostics, const std::string& what);

using SteadyTime = std::chrono::steady_clock::time_point;

/// How one canary fared on its way to the log.
struct CanaryDelivery {
  std::int32_t partition = 0;
  std::uint64_t sequence = 0;
  core::Duration latency{0};         // from produce to the brokers' acknowledgement
  std::optional<core::Error> error;  // it was not acknowledged
};

struct CanaryArrival {
  std::int32_t partition = 0;
  std::uint64_t sequence = 0;
  SteadyTime at;
};

struct CanaryNews {
  std::vector<CanaryDelivery> deliveries;
  std::vector<CanaryArrival> arrivals;
  std::optional<core::Error> error;  // of reading
};

/// Canaries through one topic: a producer and a consumer that is assigned every partition and joins no group. Used by
/// one thread at a time.
class CanaryLink {
 public:
  virtual ~CanaryLink() = default;

  /// The topic's partitions, each of them assigned. Blocks until `deadline` at most. Errors: the topic does not exist
  /// and may not be created (not_found), it may not be seen or created (denied), no broker answers.
  virtual core::Result<std::vector<std::int32_t>> prepare(SteadyTime deadline, const std::stop_token& stop) = 0;
  /// Hands a canary to the producer; what becomes of it comes as news. Errors: the queue is full (limit).
  virtual core::Result<SteadyTime> send(std::int32_t partition, std::uint64_t sequence) = 0;
  /// What came within `timeout`; returns early with anything.
  virtual CanaryNews poll(std::chrono::milliseconds timeout) = 0;
  /// Commits what arrived and waits for the answer; how long that took. Errors: refused (denied), no answer (timeout).
  virtual core::Result<core::Duration> commit(SteadyTime deadline) = 0;
  virtual SteadyTime now() const = 0;
};

/// Opens no socket yet. Errors: properties that contradict each other, files that cannot be read (invalid).
core::Result<std::unique_ptr<CanaryLink>> open_canary(const ClusterSettings& cluster, const CanarySettings& settings,
                                                      TokenSource token_source = {});

}  // namespace weir::kafka
