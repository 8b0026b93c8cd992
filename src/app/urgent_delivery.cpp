#include "app/urgent_delivery.h"

#include <random>
#include <utility>

#include "notify/registry.h"

namespace weir::app {

UrgentDelivery::UrgentDelivery(const notify::RoutingSettings& routing, const runtime::Clock& clock, OnReport report)
    : http_(net::make_curl_client()),
      dispatcher_(notify::Dispatcher::Tools{.outbox = outbox_,
                                            .now = [&clock] { return clock.now(); },
                                            .random =
                                                [engine = std::make_shared<std::minstd_rand>(std::random_device{}())] {
                                                  return std::uniform_real_distribution<double>(0, 1)(*engine);
                                                },
                                            .report = std::move(report)}),
      pool_("urgent", 1, 1) {
  configure(routing);
}

UrgentDelivery::~UrgentDelivery() { stop(); }

void UrgentDelivery::configure(const notify::RoutingSettings& routing) {
  const notify::NotifierTools tools{*http_, routing.external_url};
  const std::lock_guard lock(mutex_);
  for (const notify::Receiver& receiver : routing.receivers) {
    for (const notify::Integration& integration : receiver.integrations) {
      configured_[notify::endpoint_name(receiver.name, integration.id)] = notify::make_notifier(integration, tools);
    }
  }
}

void UrgentDelivery::offer(std::vector<core::OutboxMessage> messages) { outbox_.add(std::move(messages)); }

void UrgentDelivery::wake() {
  // One look waits at the most while another runs; more would see nothing else.
  if (!outbox_.empty()) pool_.submit([this](const std::stop_token& stop) { run(stop); });
}

void UrgentDelivery::run(const std::stop_token& stop) {
  std::map<std::string, std::unique_ptr<notify::Notifier>> fresh;
  {
    const std::lock_guard lock(mutex_);
    fresh.swap(configured_);
  }
  for (auto& [endpoint, notifier] : fresh) dispatcher_.add(endpoint, std::move(notifier));
  (void)dispatcher_.run_once(stop);  // nothing of this outbox can fail
  outbox_.end_run();
}

void UrgentDelivery::stop() { pool_.stop(); }

}  // namespace weir::app
