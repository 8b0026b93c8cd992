#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/memory_outbox.h"
#include "net/http_client.h"
#include "notify/delivery.h"
#include "notify/routing.h"
#include "runtime/clock.h"
#include "runtime/worker_pool.h"

namespace weir::app {

/// Tells receivers that storage fails, without storage: from memory, with the same retries as any other message, while
/// the process lives. A worker of its own.
class UrgentDelivery {
 public:
  using OnReport = std::function<void(const notify::Report&)>;
  UrgentDelivery(const notify::RoutingSettings& routing, const runtime::Clock& clock, OnReport report);
  ~UrgentDelivery();

  /// Receivers that are gone get nothing more. Any thread.
  void configure(const notify::RoutingSettings& routing);
  void offer(std::vector<core::OutboxMessage> messages);
  /// Attempts what is due, on the worker.
  void wake();
  /// What was not told yet, and is not being told now.
  std::vector<core::OutboxMessage> take_back() { return outbox_.take_back(); }
  void stop();

 private:
  void run(const std::stop_token& stop);

  MemoryOutbox outbox_;
  std::unique_ptr<net::HttpClient> http_;
  notify::Dispatcher dispatcher_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<notify::Notifier>> configured_;  // to be taken up before the next delivery
  runtime::WorkerPool pool_;
};

}  // namespace weir::app
