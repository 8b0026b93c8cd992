#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/batch.h"
#include "net/http_client.h"
#include "notify/alertmanager.h"
#include "runtime/clock.h"

namespace weir::app {

/// What one round of posts to an Alertmanager came to.
struct AlertmanagerReport {
  std::string alertmanager;
  std::size_t sent = 0;    // alerts that were taken
  std::size_t failed = 0;  // requests that were not
  std::string error;       // of the last of those, "" without
  bool changed = false;    // the error is another than in the last round
};

/// Tells alerts to Alertmanagers, each on a worker of its own, so that one that hangs delays no other. What it could
/// not tell it tells again from the alerts as they then stand: nothing queues up. configure() and offer() are called by
/// one thread at a time.
class AlertmanagerLink {
 public:
  using OnReport = std::function<void(const AlertmanagerReport&)>;
  /// `report` is called by any of the workers.
  AlertmanagerLink(const runtime::Clock& clock, OnReport report);
  ~AlertmanagerLink();

  /// Replaces the Alertmanagers; one whose settings are the same goes on with what it knows.
  void configure(std::vector<notify::AlertmanagerSettings> alertmanagers, const std::string& external_url);
  bool configured() const { return !peers_.empty(); }
  /// The alerts as they stand, all of them; what is due is sent soon.
  void offer(std::vector<core::GeneratedAlert> alerts);
  void stop();

 private:
  class Peer;

  const runtime::Clock& clock_;
  const OnReport report_;
  std::unique_ptr<net::HttpClient> http_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

}  // namespace weir::app
