#include "app/heartbeat_link.h"

#include <atomic>
#include <utility>

#include "notify/http_delivery.h"

namespace weir::app {

struct HeartbeatLink::Target {
  notify::HeartbeatSettings settings;
  core::Time due = {};
  std::string last_error = {};  // of the one send at a time
  std::atomic<bool> busy = false;
};

HeartbeatLink::HeartbeatLink(const runtime::Clock& clock, OnReport report)
    : clock_(clock), report_(std::move(report)), http_(net::make_curl_client()), pool_("heartbeat", 4, 16) {}

HeartbeatLink::~HeartbeatLink() { stop(); }

void HeartbeatLink::configure(std::vector<notify::HeartbeatSettings> heartbeats, const std::string& external_url) {
  external_url_ = external_url;
  targets_.clear();
  for (notify::HeartbeatSettings& settings : heartbeats) {
    targets_.push_back(std::make_shared<Target>());
    targets_.back()->settings = std::move(settings);
  }
}

void HeartbeatLink::beat() {
  const core::Time now = clock_.now();
  for (const auto& target : targets_) {
    if (now < target->due || target->busy.exchange(true)) continue;
    target->due = now + target->settings.interval;
    const bool taken = pool_.submit([this, target](const std::stop_token& stop) {
      send(*target, stop);
      target->busy = false;
    });
    if (!taken) target->busy = false;
  }
}

void HeartbeatLink::send(Target& target, const std::stop_token& stop) {
  const core::Time now = clock_.now();
  const auto answer =
      notify::post_json(*http_, target.settings.target, notify::heartbeat_payload(target.settings, external_url_, now),
                        {}, {.now = now, .timeout = target.settings.timeout, .stop = stop});
  if (!answer && answer.error().error.kind == core::ErrorKind::cancelled) return;
  HeartbeatReport report{.heartbeat = target.settings.name,
                         .error = answer ? std::string() : answer.error().error.describe()};
  report.changed = report.error != std::exchange(target.last_error, report.error);
  report_(report);
}

void HeartbeatLink::stop() { pool_.stop(); }

}  // namespace weir::app
