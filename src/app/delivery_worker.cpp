#include "app/delivery_worker.h"

#include <random>

#include "notify/registry.h"
#include "notify/router.h"
#include "runtime/log.h"

namespace weir::app {

/// The outbox that notify works off, in storage.
class DeliveryWorker::StoredOutbox final : public notify::Outbox {
 public:
  StoredOutbox(storage::Store& storage, std::function<void()> before_due)
      : storage_(storage), before_due_(std::move(before_due)) {}
  core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit) override {
    // A message for a new receiver is written after that is configured, and so never found without it.
    before_due_();
    return storage_.due(now, limit);
  }
  core::Result<void> delivered(std::int64_t sequence, core::Time now) override {
    return storage_.delivered(sequence, now);
  }
  core::Result<void> retry_later(std::int64_t sequence, core::Time next_attempt_at, const std::string& error) override {
    return storage_.retry_later(sequence, next_attempt_at, error);
  }
  core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) override {
    return storage_.give_up(sequence, now, error);
  }

 private:
  storage::Store& storage_;
  std::function<void()> before_due_;
};

DeliveryWorker::DeliveryWorker(storage::Store& storage, const notify::RoutingSettings& routing,
                               const runtime::Clock& clock, OnReport report)
    : http_(net::make_curl_client()),
      outbox_(std::make_unique<StoredOutbox>(storage, [this] { take_configured(); })),
      dispatcher_({.outbox = *outbox_,
                   .now = [&clock] { return clock.now(); },
                   .random =
                       [engine = std::make_shared<std::minstd_rand>(std::random_device{}())] {
                         return std::uniform_real_distribution<double>(0, 1)(*engine);
                       },
                   .report = std::move(report)}),
      pool_("deliver", 1, 1) {
  configure(routing);
}

DeliveryWorker::~DeliveryWorker() { stop(); }

void DeliveryWorker::configure(const notify::RoutingSettings& routing) {
  const notify::NotifierTools tools{*http_, routing.external_url};
  Notifiers notifiers;
  for (auto& [name, settings] : notify::endpoints(routing))
    notifiers.emplace_back(name, notify::make_notifier(settings, tools));
  const std::lock_guard lock(mutex_);
  configured_ = std::move(notifiers);
}

void DeliveryWorker::take_configured() {
  Notifiers taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(configured_);
  }
  for (auto& [name, notifier] : taken) dispatcher_.add(std::move(name), std::move(notifier));
}

void DeliveryWorker::stop() { pool_.stop(); }

void DeliveryWorker::wake() {
  if (queued_.exchange(true)) return;
  if (!pool_.submit([this](std::stop_token stop) { run(std::move(stop)); })) queued_ = false;
}

void DeliveryWorker::run(std::stop_token stop) {
  queued_ = false;
  const auto attempted = dispatcher_.run_once(stop);
  const std::string error = attempted ? std::string() : attempted.error().describe();
  if (!error.empty() && error != last_error_) runtime::log_error("the outbox cannot be read", {{"error", error}});
  last_error_ = error;
}

}  // namespace weir::app
