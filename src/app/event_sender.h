#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "collectors/emit_settings.h"
#include "net/http_client.h"
#include "runtime/clock.h"
#include "runtime/worker_pool.h"

namespace weir::app {

/// What became of events since the start.
struct SenderReport {
  std::uint64_t delivered = 0;
  std::uint64_t refused = 0;  // by the other side, for good
  std::uint64_t dropped = 0;  // the oldest, since too many waited
  std::size_t waiting = 0;
  std::string error;  // of the last try, "" when it went well
};

/// Where events go, besides what the settings say.
struct SenderTarget {
  std::string what;  // "OpenLineage", for the log
  std::string path;  // after the URL
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Sends events, bodies of JSON, in order, on a worker of its own. What the other side cannot take now, or not with
/// this login, is tried again after 1 s, 2 s … 1 min, or when it asks to be; what else it refuses is dropped and
/// counted. Past the limit the oldest goes.
class EventSender {
 public:
  EventSender(collectors::EmitSettings settings, SenderTarget target, const runtime::Clock& clock);
  ~EventSender();

  /// Any thread.
  void offer(std::vector<std::string> events);
  /// Sends what waits, when it is time to.
  void wake();
  /// The counts of all time.
  SenderReport report() const;
  void stop();

 private:
  void run(const std::stop_token& stop);
  core::Result<net::HttpResponse> post(const std::string& event, const std::stop_token& stop);
  /// False when the rest has to wait.
  bool note(const core::Result<net::HttpResponse>& posted);

  const collectors::EmitSettings settings_;
  const SenderTarget target_;
  const runtime::Clock& clock_;
  std::unique_ptr<net::HttpClient> http_;
  mutable std::mutex mutex_;
  std::deque<std::string> waiting_;
  std::uint64_t first_ = 0;  // the number of waiting_.front(), so that one that was dropped meanwhile is known
  SenderReport report_;
  core::Duration patience_{0};
  core::Time not_before_{};
  bool running_ = false;
  runtime::WorkerPool pool_;  // the last: it uses all of the above, and ends first
};

}  // namespace weir::app
