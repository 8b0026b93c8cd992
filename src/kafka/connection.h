#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "kafka/settings.h"

struct rd_kafka_s;
struct rd_kafka_queue_s;
struct rd_kafka_topic_s;

namespace weir::kafka {

using BrokerIds = std::vector<std::int32_t>;

struct HandleDeleter {
  void operator()(rd_kafka_s* handle) const;
};
struct QueueDeleter {
  void operator()(rd_kafka_queue_s* queue) const;
};
struct TopicDeleter {
  void operator()(rd_kafka_topic_s* topic) const;
};
using Handle = std::unique_ptr<rd_kafka_s, HandleDeleter>;
using Queue = std::unique_ptr<rd_kafka_queue_s, QueueDeleter>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_s, TopicDeleter>;

/// How long work may go on: until `deadline`, or until stopped.
struct Budget {
  std::chrono::steady_clock::time_point deadline;
  std::stop_token stop;

  /// What is left, at most `cap` and never negative.
  std::chrono::milliseconds left(std::chrono::milliseconds cap) const;
  /// Waits for `span`, or until the budget ends.
  void pause(std::chrono::milliseconds span) const;
  /// A budget that ends after `span` at the latest.
  Budget within(std::chrono::milliseconds span) const;
};

/// What ListOffsets calls the end: the high watermark, or the last stable offset.
enum class Isolation { read_uncommitted, read_committed };

/// One librdkafka client that reads a cluster: it joins no group, commits nothing, creates no topic.
/// Used by one thread at a time. librdkafka reports trouble with brokers as events of the client, not as
/// results of requests; they are kept here to explain requests that fail, and to give up early.
class Connection {
 public:
  /// Opens no socket yet. Errors: properties that contradict each other (invalid).
  static core::Result<std::unique_ptr<Connection>> open(const ClusterSettings& settings,
                                                        Isolation isolation = Isolation::read_uncommitted,
                                                        TokenSource token_source = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  rd_kafka_s* handle() const { return handle_.get(); }
  Queue new_queue() const;

  /// To be called before a cycle: brokers get some time to be in reach again.
  void begin();
  /// To be called when any request was answered.
  void answered() { answered_ = true; }
  /// Why to go on no longer: stopped, out of time, or no broker can be reached. Never blocks.
  std::optional<core::Error> give_up(const Budget& budget);
  /// The error of a failed request, explained by the last trouble with a broker where there was one.
  core::Error explain(int code, std::string_view subject, std::string_view detail = {});

 private:
  struct Trouble {
    int code = 0;
    std::string reason;
  };
  Connection(std::string brokers, std::chrono::milliseconds timeout);
  static void on_error(rd_kafka_s* handle, int code, const char* reason, void* self);
  static void on_token_wanted(rd_kafka_s* handle, const char* config, void* self);
  static int on_certificate(rd_kafka_s* handle, const char* broker, std::int32_t id, int* error, int depth,
                            const char* data, std::size_t size, char* reason, std::size_t room, void* self);
  void poll();
  core::Error unreachable(std::string_view how) const;

  std::string brokers_;
  std::chrono::milliseconds timeout_;
  TokenSource token_source_;
  std::optional<TokenSettings> token_;
  std::chrono::steady_clock::time_point began_;
  std::optional<Trouble> trouble_;          // the last, kept over cycles until something is answered
  bool hopeless_ = false;                   // all brokers down or the login refused, which librdkafka tells once
  bool answered_ = false;                   // in this cycle
  std::atomic<int> certificate_error_ = 0;  // OpenSSL's, of the last certificate that was refused; set by its threads
  Handle handle_;
  std::vector<TopicHandle> named_topics_;  // make librdkafka ask for these topics' metadata
};

}  // namespace weir::kafka
