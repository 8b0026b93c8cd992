#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/time.h"
#include "net/http_client.h"
#include "notify/heartbeat.h"
#include "runtime/clock.h"
#include "runtime/worker_pool.h"

namespace weir::app {

struct HeartbeatReport {
  std::string heartbeat;
  std::string error;     // "" when it was heard
  bool changed = false;  // the error is another than the last time
};

/// Says to dead man's switches that Weir lives, each on its own; what one did not hear is not said again, for the next
/// beat says the same. configure() and beat() are called by one thread at a time: the judge's, so that a judge that
/// stands still is heard of as well.
class HeartbeatLink {
 public:
  using OnReport = std::function<void(const HeartbeatReport&)>;
  /// `report` is called by any of the workers.
  HeartbeatLink(const runtime::Clock& clock, OnReport report);
  ~HeartbeatLink();

  void configure(std::vector<notify::HeartbeatSettings> heartbeats, const std::string& external_url);
  /// Sends those whose interval has passed and that are not on their way.
  void beat();
  void stop();

 private:
  struct Target;
  void send(Target& target, const std::stop_token& stop);

  const runtime::Clock& clock_;
  const OnReport report_;
  std::unique_ptr<net::HttpClient> http_;
  std::string external_url_;
  std::vector<std::shared_ptr<Target>> targets_;
  runtime::WorkerPool pool_;  // the last: it uses all of the above, and ends first
};

}  // namespace weir::app
