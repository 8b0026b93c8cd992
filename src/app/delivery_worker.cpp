#include "app/delivery_worker.h"

#include <random>
#include <set>
#include <utility>

#include "notify/registry.h"
#include "runtime/log.h"

namespace weir::app {
namespace {

constexpr std::size_t kWorkers = 16;   // integrations that are told something at the same time
constexpr std::size_t kWaiting = 256;  // and that wait for a worker; the others wait for the next look

}  // namespace

/// What waits for one integration, in storage.
class DeliveryWorker::LaneOutbox final : public notify::Outbox {
 public:
  LaneOutbox(storage::Store& storage, storage::Lane lane) : storage_(storage), lane_(std::move(lane)) {}
  core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit) override {
    return storage_.due(now, limit, lane_);
  }
  core::Result<void> delivered(std::int64_t sequence, core::Time now,
                               const std::optional<std::string>& reference) override {
    return storage_.delivered(sequence, now, reference);
  }
  core::Result<void> retry_later(std::int64_t sequence, core::Time next_attempt_at, const std::string& error) override {
    return storage_.retry_later(sequence, next_attempt_at, error);
  }
  core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) override {
    return storage_.give_up(sequence, now, error);
  }

 private:
  storage::Store& storage_;
  storage::Lane lane_;
};

/// Served by one worker at a time.
struct DeliveryWorker::Lane {
  Lane(storage::Store& storage, const storage::Lane& of)
      : endpoint(notify::endpoint_name(of.receiver, of.integration)), outbox(storage, of) {}
  const std::string endpoint;
  LaneOutbox outbox;
  std::unique_ptr<notify::Dispatcher> dispatcher;
  std::mutex mutex;
  std::unique_ptr<notify::Notifier> configured;  // to be taken up before the next delivery
  std::atomic<bool> busy = false;
};

DeliveryWorker::DeliveryWorker(storage::Store& storage, const notify::RoutingSettings& routing,
                               const runtime::Clock& clock, OnReport report)
    : storage_(storage),
      clock_(clock),
      report_(std::move(report)),
      http_(net::make_curl_client()),
      pool_("deliver", kWorkers, kWaiting),
      looks_("outbox", 1, 1) {
  configure(routing);
}

DeliveryWorker::~DeliveryWorker() { stop(); }

std::shared_ptr<DeliveryWorker::Lane> DeliveryWorker::make_lane(const std::string& receiver,
                                                                const std::string& integration) {
  auto lane = std::make_shared<Lane>(storage_, storage::Lane{.receiver = receiver, .integration = integration});
  lane->dispatcher = std::make_unique<notify::Dispatcher>(notify::Dispatcher::Tools{
      .outbox = lane->outbox,
      .now = [this] { return clock_.now(); },
      .random = [engine = std::make_shared<std::minstd_rand>(
                     std::random_device{}())] { return std::uniform_real_distribution<double>(0, 1)(*engine); },
      .report =
          [this](const notify::Report& report) {
            const std::lock_guard lock(reporting_);
            report_(report);
          }});
  return lane;
}

void DeliveryWorker::configure(const notify::RoutingSettings& routing) {
  const notify::NotifierTools tools{*http_, routing.external_url};
  const std::lock_guard lock(mutex_);
  for (const notify::Receiver& receiver : routing.receivers) {
    for (const notify::Integration& integration : receiver.integrations) {
      auto& lane = lanes_[notify::endpoint_name(receiver.name, integration.id)];
      if (!lane) lane = make_lane(receiver.name, integration.id);
      const std::lock_guard of_lane(lane->mutex);
      lane->configured = notify::make_notifier(integration, tools);
    }
  }
}

void DeliveryWorker::stop() {
  looks_.stop();
  pool_.stop();
}

void DeliveryWorker::wake() {
  if (queued_.exchange(true)) return;
  if (!looks_.submit([this](const std::stop_token&) { look(); })) queued_ = false;
}

void DeliveryWorker::look() {
  constexpr std::size_t kMost = 200;
  queued_ = false;
  const auto due = storage_.due(clock_.now(), kMost);
  note_error("", due ? std::string() : due.error().describe());
  if (!due) return;
  std::set<std::shared_ptr<Lane>> lanes;
  {
    const std::lock_guard lock(mutex_);
    for (const core::OutboxMessage& message : *due) {
      const core::Notification& notification = message.notification;
      auto& lane = lanes_[notify::endpoint_name(notification.receiver, notification.integration)];
      // Without a notifier it gives up what is for a receiver that is no longer configured.
      if (!lane) lane = make_lane(notification.receiver, notification.integration);
      lanes.insert(lane);
    }
  }
  for (const auto& lane : lanes) {
    if (lane->busy.exchange(true)) continue;
    if (!pool_.submit([this, lane](const std::stop_token& stop) { serve(lane, stop); })) lane->busy = false;
  }
}

void DeliveryWorker::serve(const std::shared_ptr<Lane>& lane, const std::stop_token& stop) {
  {
    // A message for a new receiver is written after that is configured, and so never found without it.
    const std::lock_guard lock(lane->mutex);
    if (lane->configured) lane->dispatcher->add(lane->endpoint, std::move(lane->configured));
  }
  const auto attempted = lane->dispatcher->run_once(stop);
  note_error(lane->endpoint, attempted ? std::string() : attempted.error().describe());
  lane->busy = false;
}

void DeliveryWorker::note_error(const std::string& endpoint, const std::string& error) {
  const std::lock_guard lock(mutex_);
  std::string& last = last_errors_[endpoint];
  if (!error.empty() && error != last) runtime::log_error("the outbox cannot be read or written", {{"error", error}});
  last = error;
}

}  // namespace weir::app
