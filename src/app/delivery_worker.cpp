#include "app/delivery_worker.h"

#include <random>
#include <set>
#include <utility>

#include "notify/registry.h"
#include "runtime/log.h"

namespace weir::app {

using core::FailPoint;

namespace {

constexpr std::size_t kWorkers = 16;   // integrations that are told something at the same time
constexpr std::size_t kWaiting = 256;  // and that wait for a worker; the others wait for the next look

}  // namespace

/// What waits for one integration, in storage.
class DeliveryWorker::LaneOutbox final : public notify::Outbox {
 public:
  LaneOutbox(storage::Store& storage, storage::Lane lane, core::FailPoints* fail_points)
      : storage_(storage), lane_(std::move(lane)), fail_points_(fail_points) {}
  core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit) override {
    if (auto passed = core::reach(fail_points_, FailPoint::outbox_before); !passed)
      return std::unexpected(passed.error());
    return storage_.due(now, limit, lane_);
  }
  core::Result<void> delivered(std::int64_t sequence, core::Time now,
                               const std::optional<std::string>& reference) override {
    if (auto passed = core::reach(fail_points_, FailPoint::delivered_before); !passed) return passed;
    auto written = storage_.delivered(sequence, now, reference);
    if (written) (void)core::reach(fail_points_, FailPoint::delivered_after);
    return written;
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
  core::FailPoints* fail_points_;
};

/// Another notifier, with the places before and behind it.
class DeliveryWorker::PassingNotifier final : public notify::Notifier {
 public:
  PassingNotifier(std::unique_ptr<notify::Notifier> inner, core::FailPoints* fail_points)
      : inner_(std::move(inner)), fail_points_(fail_points) {}
  notify::DeliveryResult deliver(const core::OutboxMessage& message, const notify::DeliveryContext& context) override {
    if (auto passed = core::reach(fail_points_, FailPoint::request_before); !passed)
      return std::unexpected(notify::DeliveryError{.error = passed.error()});
    auto result = inner_->deliver(message, context);
    if (!result) return result;
    if (auto passed = core::reach(fail_points_, FailPoint::request_answered); !passed)
      return std::unexpected(notify::DeliveryError{.error = passed.error()});
    return result;
  }

 private:
  std::unique_ptr<notify::Notifier> inner_;
  core::FailPoints* fail_points_;
};

/// Served by one worker at a time.
struct DeliveryWorker::Lane {
  Lane(const Parts& parts, const storage::Lane& of)
      : endpoint(notify::endpoint_name(of.receiver, of.integration)), outbox(parts.storage, of, parts.fail_points) {}
  const std::string endpoint;
  LaneOutbox outbox;
  std::unique_ptr<notify::Dispatcher> dispatcher;
  std::mutex mutex;
  std::unique_ptr<notify::Notifier> configured;  // to be taken up before the next delivery
  std::atomic<bool> busy = false;
};

DeliveryWorker::DeliveryWorker(Parts parts, const notify::RoutingSettings& routing)
    : parts_(std::move(parts)),
      http_(net::make_curl_client(parts_.fail_points)),
      pool_("deliver", kWorkers, kWaiting),
      looks_("outbox", 1, 1) {
  configure(routing);
}

DeliveryWorker::~DeliveryWorker() { stop(); }

std::shared_ptr<DeliveryWorker::Lane> DeliveryWorker::make_lane(const std::string& receiver,
                                                                const std::string& integration) {
  auto lane = std::make_shared<Lane>(parts_, storage::Lane{.receiver = receiver, .integration = integration});
  lane->dispatcher = std::make_unique<notify::Dispatcher>(notify::Dispatcher::Tools{
      .outbox = lane->outbox,
      .now = [this] { return parts_.clock.now(); },
      .random = [engine = std::make_shared<std::minstd_rand>(
                     std::random_device{}())] { return std::uniform_real_distribution<double>(0, 1)(*engine); },
      .report =
          [this](const notify::Report& report) {
            const std::lock_guard lock(reporting_);
            parts_.report(report);
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
      if (parts_.fail_points != nullptr)
        lane->configured = std::make_unique<PassingNotifier>(std::move(lane->configured), parts_.fail_points);
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
  const auto due = parts_.storage.due(parts_.clock.now(), kMost);
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
