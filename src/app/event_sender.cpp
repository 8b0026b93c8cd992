#include "app/event_sender.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "collectors/http_answer.h"
#include "runtime/log.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;

constexpr core::Duration kShortest = 1s;
constexpr core::Duration kLongest = 1min;
constexpr std::size_t kLargestAnswer = 1U << 20U;

/// A login that is refused is mended by those who run the other side, or with a restart.
bool worth_another_try(int status) {
  return status == 401 || status == 403 || status == 408 || status == 429 || status >= 500;
}

}  // namespace

EventSender::EventSender(collectors::EmitSettings settings, SenderTarget target, const runtime::Clock& clock)
    : settings_(std::move(settings)),
      target_(std::move(target)),
      clock_(clock),
      http_(net::make_curl_client()),
      pool_("emit", 1, 2) {}

EventSender::~EventSender() { stop(); }

void EventSender::stop() { pool_.stop(); }

void EventSender::offer(std::vector<std::string> events) {
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

void EventSender::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (running_ || waiting_.empty() || clock_.now() < not_before_) return;
    running_ = true;
  }
  if (pool_.submit([this](const std::stop_token& stop) { run(stop); })) return;
  const std::lock_guard lock(mutex_);
  running_ = false;
}

SenderReport EventSender::report() const {
  const std::lock_guard lock(mutex_);
  SenderReport report = report_;
  report.waiting = waiting_.size();
  return report;
}

core::Result<net::HttpResponse> EventSender::post(const std::string& event, const std::stop_token& stop) {
  net::HttpRequest request = collectors::request_to(
      settings_.endpoint, settings_.endpoint.url + target_.path,
      clock_.steady() +
          std::chrono::duration_cast<std::chrono::steady_clock::duration>(settings_.endpoint.request_timeout));
  request.method = "POST";
  request.headers = target_.headers;
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = event;
  request.max_response_bytes = kLargestAnswer;
  return http_->send(request, stop);
}

bool EventSender::note(const core::Result<net::HttpResponse>& posted) {
  const bool taken = posted && posted->status >= 200 && posted->status < 300;
  const bool again = posted ? worth_another_try(posted->status) : posted.error().kind != core::ErrorKind::limit;
  const std::string error = taken ? std::string()
                            : posted
                                ? fmt::format("the server answers {}{}", posted->status, collectors::said(posted->body))
                                : posted.error().describe();
  if (error != report_.error) {
    error.empty() ? runtime::log_info("events are taken again", {{"by", target_.what}})
                  : runtime::log_warn("an event was not taken", {{"by", target_.what}, {"error", error}});
  }
  report_.error = error;
  if (!taken && again) {
    patience_ = std::clamp(2 * patience_, kShortest, kLongest);
    const auto asked = posted ? collectors::asked_to_wait(*posted, clock_.now()) : std::nullopt;
    not_before_ = clock_.now() + asked.value_or(patience_);
    return false;
  }
  patience_ = core::Duration{0};
  ++(taken ? report_.delivered : report_.refused);
  return true;
}

void EventSender::run(const std::stop_token& stop) {
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
