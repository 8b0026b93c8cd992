#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/fail_points.h"
#include "notify/delivery.h"
#include "notify/routing.h"
#include "runtime/clock.h"
#include "runtime/worker_pool.h"
#include "storage/store.h"

namespace weir::app {

/// Works the outbox off: one worker looks which integrations have something to hear, and each of these is served by a
/// worker of its own, so that one that hangs delays no other. wake() may be called from any thread and returns at once.
class DeliveryWorker {
 public:
  /// Called by any of the workers, by one at a time.
  using OnReport = std::function<void(const notify::Report&)>;
  struct Parts {
    storage::Store& storage;
    const runtime::Clock& clock;
    OnReport report;
    core::FailPoints* fail_points = nullptr;
  };
  DeliveryWorker(Parts parts, const notify::RoutingSettings& routing);
  ~DeliveryWorker();

  /// Messages written from now on may be for these receivers. What waits for others is still delivered to where they
  /// were.
  void configure(const notify::RoutingSettings& routing);
  /// Delivers what is due, unless that is already going on.
  void wake();
  void stop();

 private:
  class LaneOutbox;
  class PassingNotifier;
  struct Lane;
  using Lanes = std::map<std::string, std::shared_ptr<Lane>>;

  std::shared_ptr<Lane> make_lane(const std::string& receiver, const std::string& integration);
  void look();
  void serve(const std::shared_ptr<Lane>& lane, const std::stop_token& stop);
  void note_error(const std::string& endpoint, const std::string& error);  // "" for the look at all

  Parts parts_;
  std::unique_ptr<net::HttpClient> http_;
  std::mutex mutex_;                                // of what follows
  Lanes lanes_;                                     // by endpoint
  std::map<std::string, std::string> last_errors_;  // by endpoint
  std::mutex reporting_;
  std::atomic<bool> queued_ = false;
  runtime::WorkerPool pool_;   // serves the lanes
  runtime::WorkerPool looks_;  // the last: it uses all of the above, and ends first
};

}  // namespace weir::app
