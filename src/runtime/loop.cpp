#include "runtime/loop.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <utility>

#include "runtime/log.h"

namespace weir::runtime {

namespace asio = boost::asio;

struct Loop::Impl {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
  asio::signal_set signals{context};
  std::function<void(int)> on_signal;

  void wait_for_signal() {
    signals.async_wait([this](const boost::system::error_code& failed, int signal) {
      if (failed) return;
      wait_for_signal();
      on_signal(signal);
    });
  }
};

namespace {

/// A task that throws must neither end the loop nor its own timer.
void run_task(const Loop::Task& task) {
  try {
    task();
  } catch (const std::exception& error) {
    log_error("a task of the event loop failed unexpectedly", {{"error", error.what()}});
  } catch (...) {
    log_error("a task of the event loop failed unexpectedly", {{"error", "not a standard exception"}});
  }
}

/// Ticks on a fixed grid: a late tick does not move the ones after it, and missed ones are not made up.
class Ticker final : public std::enable_shared_from_this<Ticker> {
 public:
  Ticker(asio::io_context& context, core::Duration interval, Loop::Task task)
      : timer_(context), interval_(std::max(interval, core::Duration(1))), task_(std::move(task)) {}

  void start(core::Duration delay) {
    timer_.expires_after(delay);
    wait();
  }
  void cancel() {
    cancelled_ = true;
    timer_.cancel();
  }

 private:
  void wait() {
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& failed) {
      if (failed || self->cancelled_) return;
      run_task(self->task_);
      const auto late = std::chrono::steady_clock::now() - self->timer_.expiry();
      self->timer_.expires_at(self->timer_.expiry() + (late / self->interval_ + 1) * self->interval_);
      self->wait();
    });
  }

  asio::steady_timer timer_;
  core::Duration interval_;
  Loop::Task task_;
  bool cancelled_ = false;
};

class TimerHandle final : public Loop::Timer {
 public:
  TimerHandle(asio::io_context& context, std::shared_ptr<Ticker> ticker)
      : context_(context), ticker_(std::move(ticker)) {}
  ~TimerHandle() override {
    asio::post(context_, [ticker = ticker_] { ticker->cancel(); });
  }

 private:
  asio::io_context& context_;
  std::shared_ptr<Ticker> ticker_;
};

}  // namespace

Loop::Loop() : impl_(std::make_unique<Impl>()) {
  // Writing to a connection that the other side has closed is an error of that write, in every library of the process.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a write past the limit of a file's size is an error to tell of
}
Loop::~Loop() = default;

void Loop::run() {
  while (!impl_->context.stopped()) run_task([this] { impl_->context.run(); });
}

void Loop::stop() { impl_->context.stop(); }

void Loop::post(Task task) { asio::post(impl_->context, std::move(task)); }

std::unique_ptr<Loop::Timer> Loop::every(core::Duration interval, core::Duration delay, Task task) {
  auto ticker = std::make_shared<Ticker>(impl_->context, interval, std::move(task));
  post([ticker, delay] { ticker->start(delay); });
  return std::make_unique<TimerHandle>(impl_->context, std::move(ticker));
}

void Loop::on_signals(std::initializer_list<int> signals, std::function<void(int)> task) {
  for (const int signal : signals) impl_->signals.add(signal);
  impl_->on_signal = std::move(task);
  impl_->wait_for_signal();
}

boost::asio::io_context& Loop::context() { return impl_->context; }

}  // namespace weir::runtime
