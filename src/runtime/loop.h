#pragma once

#include <functional>
#include <memory>

#include "core/time.h"

namespace boost::asio {
class io_context;
}

namespace weir::runtime {

/// The one event loop: timers, signals, HTTP. run() blocks the calling thread; everything handed to the
/// loop runs there. Owned by main through App.
class Loop {
 public:
  using Task = std::function<void()>;

  /// Makes the process ignore SIGPIPE and SIGXFSZ.
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop(); errors that tasks throw are logged.
  void run();
  /// Ends run() after the task at hand. From any thread.
  void stop();
  /// Runs `task` on the loop, soon. From any thread.
  void post(Task task);

  /// A timer that calls `task` every `interval`, first after `delay`, until the handle is destroyed; a tick that
  /// is already on its way may still come then, unless the handle is destroyed on the loop.
  class Timer {
   public:
    virtual ~Timer() = default;
  };
  std::unique_ptr<Timer> every(core::Duration interval, core::Duration delay, Task task);
  /// Calls `task` on the loop with each of these signals that arrives. To be called once, before run().
  void on_signals(std::initializer_list<int> signals, std::function<void(int)> task);

  /// For net, whose sockets live on this loop.
  boost::asio::io_context& context();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::runtime
