#include "app/alertmanager_link.h"

#include <algorithm>
#include <utility>

#include "runtime/worker_pool.h"

namespace weir::app {
namespace {

constexpr std::size_t kAlertsARequest = 200;
constexpr core::Duration kPatience = std::chrono::seconds(5);  // after a failure

}  // namespace

/// Its worker alone uses the schedule.
class AlertmanagerLink::Peer {
 public:
  using Alerts = std::shared_ptr<const std::vector<core::GeneratedAlert>>;

  Peer(notify::AlertmanagerSettings settings, std::string external_url, const AlertmanagerLink& link)
      : settings_(std::move(settings)),
        external_url_(std::move(external_url)),
        link_(link),
        pool_("alertmanager", 1, 1) {}
  ~Peer() { pool_.stop(); }

  const notify::AlertmanagerSettings& settings() const { return settings_; }

  void offer(Alerts alerts) {
    {
      const std::lock_guard lock(mutex_);
      const bool waiting = newest_ != nullptr;
      newest_ = std::move(alerts);
      if (waiting) return;
    }
    pool_.submit([this](const std::stop_token& stop) { run(stop); });
  }

 private:
  void run(const std::stop_token& stop) {
    Alerts alerts;
    {
      const std::lock_guard lock(mutex_);
      alerts = std::exchange(newest_, nullptr);
    }
    const core::Time now = link_.clock_.now();
    if (alerts == nullptr || now < not_before_) return;
    const std::vector<notify::PostedAlert> due = schedule_.due(*alerts, now);
    AlertmanagerReport report;
    report.alertmanager = settings_.name;
    for (std::size_t at = 0; at < due.size(); at += kAlertsARequest) {
      const auto some = std::span(due).subspan(at, std::min(kAlertsARequest, due.size() - at));
      const auto posted =
          notify::post_json(*link_.http_, settings_.target, notify::alertmanager_payload(some, external_url_), {},
                            {.now = now, .timeout = settings_.timeout, .stop = stop});
      if (!posted && posted.error().error.kind == core::ErrorKind::cancelled) return;
      // What is refused would be refused again: as with what was taken, it has time until it is due again.
      if (posted || !posted.error().error.retryable) schedule_.sent(some, now);
      if (posted) {
        report.sent += some.size();
        continue;
      }
      ++report.failed;
      report.error = posted.error().error.describe();
      if (!posted.error().error.retryable) continue;
      not_before_ = link_.clock_.now() + posted.error().retry_after.value_or(kPatience);
      break;
    }
    if (due.empty()) return;
    report.changed = report.error != std::exchange(last_error_, report.error);
    link_.report_(report);
  }

  const notify::AlertmanagerSettings settings_;
  const std::string external_url_;
  const AlertmanagerLink& link_;
  notify::AlertSchedule schedule_;
  core::Time not_before_;
  std::string last_error_;
  std::mutex mutex_;
  Alerts newest_;
  runtime::WorkerPool pool_;  // the last: it uses all of the above, and ends first
};

AlertmanagerLink::AlertmanagerLink(const runtime::Clock& clock, OnReport report)
    : clock_(clock), report_(std::move(report)), http_(net::make_curl_client()) {}

AlertmanagerLink::~AlertmanagerLink() { stop(); }

void AlertmanagerLink::configure(std::vector<notify::AlertmanagerSettings> alertmanagers,
                                 const std::string& external_url) {
  std::vector<std::unique_ptr<Peer>> before = std::exchange(peers_, {});
  for (notify::AlertmanagerSettings& settings : alertmanagers) {
    const auto same =
        std::ranges::find_if(before, [&](const auto& peer) { return peer && peer->settings() == settings; });
    peers_.push_back(same != before.end() ? std::move(*same)
                                          : std::make_unique<Peer>(std::move(settings), external_url, *this));
  }
}

void AlertmanagerLink::offer(std::vector<core::GeneratedAlert> alerts) {
  const auto shared = std::make_shared<const std::vector<core::GeneratedAlert>>(std::move(alerts));
  for (const auto& peer : peers_) peer->offer(shared);
}

void AlertmanagerLink::stop() { peers_.clear(); }

}  // namespace weir::app
