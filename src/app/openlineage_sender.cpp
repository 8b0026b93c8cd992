#include "app/openlineage_sender.h"

#include <algorithm>
#include <utility>

#include "runtime/log.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;

constexpr core::Duration kShortest = 1s;
constexpr core::Duration kLongest = 1min;

bool worth_another_try(int status) { return status == 408 || status == 429 || status >= 500; }

}  // namespace

OpenLineageSender::OpenLineageSender(collectors::OpenLineageEmitSettings settings, const runtime::Clock& clock)
    : settings_(std::move(settings)), clock_(clock), http_(net::make_curl_client()), pool_("openlineage", 1, 2) {}

OpenLineageSender::~OpenLineageSender() { stop(); }

void OpenLineageSender::stop() { pool_.stop(); }

void OpenLineageSender::offer(std::vector<std::string> events) {
  if (events.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (std::string& event : events) {
      waiting_.push_back(std::move(event));
      if (waiting_.size() <= settings_.queue) continue;
      waiting_.pop_front();
      ++first_;
      ++report_.dropped;
    }
  }
  wake();
}

void OpenLineageSender::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (running_ || waiting_.empty() || clock_.now() < not_before_) return;
    running_ = true;
  }
  if (pool_.submit([this](const std::stop_token& stop) { run(stop); })) return;
  const std::lock_guard lock(mutex_);
  running_ = false;
}

SenderReport OpenLineageSender::report() const {
  const std::lock_guard lock(mutex_);
  SenderReport report = report_;
  report.waiting = waiting_.size();
  return report;
}

core::Result<int> OpenLineageSender::post(const std::string& event, const std::stop_token& stop) {
  net::HttpRequest request = collectors::request_to(
      settings_.endpoint, settings_.endpoint.url,
      clock_.steady() +
          std::chrono::duration_cast<std::chrono::steady_clock::duration>(settings_.endpoint.request_timeout));
  request.method = "POST";
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = event;
  const auto response = http_->send(request, stop);
  if (!response) return std::unexpected(response.error());
  return response->status;
}

bool OpenLineageSender::note(const core::Result<int>& posted) {
  const bool taken = posted && *posted >= 200 && *posted < 300;
  const bool again = posted ? worth_another_try(*posted) : true;
  const std::string error = taken    ? std::string()
                            : posted ? "the server answers " + std::to_string(*posted)
                                     : posted.error().describe();
  if (error != report_.error) {
    error.empty() ? runtime::log_info("events of OpenLineage are taken again", {})
                  : runtime::log_warn("an event of OpenLineage was not taken", {{"error", error}});
  }
  report_.error = error;
  if (!taken && again) {
    patience_ = std::clamp(2 * patience_, kShortest, kLongest);
    not_before_ = clock_.now() + patience_;
    return false;
  }
  patience_ = core::Duration{0};
  ++(taken ? report_.delivered : report_.refused);
  return true;
}

void OpenLineageSender::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested() && !waiting_.empty()) {
    const std::string event = waiting_.front();
    const std::uint64_t number = first_;
    lock.unlock();
    const auto posted = post(event, stop);
    lock.lock();
    if (!posted && posted.error().kind == core::ErrorKind::cancelled) break;
    if (!note(posted)) break;
    if (first_ == number && !waiting_.empty()) {
      waiting_.pop_front();
      ++first_;
    }
  }
  running_ = false;
}

}  // namespace weir::app
