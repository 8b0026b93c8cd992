#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "kafka/dead_letter_headers.h"
#include "kafka/settings.h"

namespace weir::kafka {

struct Message {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string key;  // "" for none
  std::string value;
  Headers headers;
  core::Time timestamp;
};

/// Writes messages; for the demo and tests. One thread at a time. Unsent messages are dropped when it goes:
/// flush() first.
class Producer {
 public:
  /// Opens no socket. Errors: a property that librdkafka refuses (invalid).
  static core::Result<Producer> open(const std::string& brokers, const Properties& properties = {});
  Producer(Producer&&) noexcept;
  Producer& operator=(Producer&&) noexcept;
  ~Producer();

  /// Queues a message; without a partition, the key's hash chooses. Errors: the queue is full (limit).
  core::Result<void> produce(const std::string& topic, std::optional<std::int32_t> partition, std::string_view key,
                             std::string_view value, const Headers& headers = {});
  /// Waits until all is delivered. Errors: not in time (timeout), or messages that failed since the last
  /// flush (the kind of the first).
  core::Result<void> flush(std::chrono::milliseconds timeout);

 private:
  class Impl;
  explicit Producer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A member of a consumer group that reads from where the group has committed, else from the beginning;
/// for the demo and tests. One thread at a time. Commits only when told.
class Consumer {
 public:
  /// Opens no socket. Errors: a property that librdkafka refuses (invalid).
  static core::Result<Consumer> open(const std::string& brokers, const std::string& group,
                                     const std::vector<std::string>& topics, const Properties& properties = {});
  Consumer(Consumer&&) noexcept;
  Consumer& operator=(Consumer&&) noexcept;
  ~Consumer();

  /// The next message, or nothing within the timeout; errors of the connection are nothing too, they heal.
  std::optional<Message> poll(std::chrono::milliseconds timeout);
  /// Commits what poll() has given, and waits for the answer. With nothing new to commit it does nothing.
  core::Result<void> commit();
  /// Leaves the group. Called by the destructor otherwise.
  void close();

 private:
  class Impl;
  explicit Consumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::kafka
