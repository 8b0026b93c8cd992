#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "notify/delivery.h"
#include "notify/routing.h"
#include "runtime/clock.h"
#include "runtime/worker_pool.h"
#include "storage/store.h"

namespace weir::app {

/// Works the outbox off on a worker of its own. wake() may be called from any thread and returns at once.
class DeliveryWorker {
 public:
  using OnReport = std::function<void(const notify::Report&)>;
  DeliveryWorker(storage::Store& storage, const notify::RoutingSettings& routing, const runtime::Clock& clock,
                 OnReport report);
  ~DeliveryWorker();

  /// Messages written from now on may be for these receivers. What waits for others is still delivered to where they
  /// were.
  void configure(const notify::RoutingSettings& routing);
  /// Delivers what is due, unless that is already going on.
  void wake();
  void stop();

 private:
  using Notifiers = std::vector<std::pair<std::string, std::unique_ptr<notify::Notifier>>>;
  class StoredOutbox;
  void take_configured();
  void run(std::stop_token stop);

  std::unique_ptr<net::HttpClient> http_;
  std::mutex mutex_;
  Notifiers configured_;  // for the worker to take up
  std::unique_ptr<notify::Outbox> outbox_;
  notify::Dispatcher dispatcher_;
  std::atomic<bool> queued_ = false;
  std::string last_error_;
  runtime::WorkerPool pool_;
};

}  // namespace weir::app
