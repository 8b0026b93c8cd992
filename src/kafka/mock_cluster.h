#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"

namespace weir::kafka {

/// Requests whose answers a mock cluster can spoil (Kafka's API keys).
enum class Request : std::int16_t { list_offsets = 2, metadata = 3, offset_fetch = 9, find_coordinator = 10 };

/// librdkafka's in-process Kafka: real protocol on loopback ports, groups and commits included, nothing kept.
/// It answers neither ListGroups nor OffsetFetch for all partitions nor DescribeGroups: name groups and
/// topics. A consumer that comes back to its group waits for a rebalance as long as its session timeout: set
/// session.timeout.ms to 4000 (less than its first rebalance, 3 s, will not do). Brokers are numbered from 1. Safe to
/// call from any thread.
class MockCluster {
 public:
  static core::Result<MockCluster> start(int brokers);
  MockCluster(MockCluster&&) noexcept;
  MockCluster& operator=(MockCluster&&) noexcept;
  ~MockCluster();

  /// "127.0.0.1:port,…"
  const std::string& bootstrap_servers() const;
  core::Result<void> create_topic(const std::string& name, int partitions, int replication = 1);
  /// -1 leaves the partition without a leader.
  core::Result<void> set_leader(const std::string& topic, std::int32_t partition, std::int32_t broker);
  /// Drops connections and refuses new ones; leaders do not move.
  core::Result<void> set_down(std::int32_t broker);
  core::Result<void> set_up(std::int32_t broker);
  /// Answers come that much later; -1 is every broker.
  core::Result<void> set_delay(std::int32_t broker, std::chrono::milliseconds delay);
  core::Result<void> move_coordinator(const std::string& group, std::int32_t broker);
  /// The next requests of this kind are answered with these error codes, one each.
  void fail_next(Request request, const std::vector<int>& codes);
  /// The metadata of this topic carries this error code, 0 for none again.
  void fail_topic(const std::string& topic, int code);

 private:
  class Impl;
  explicit MockCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::kafka
