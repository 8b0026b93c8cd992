#pragma once

#include <chrono>

#include "core/time.h"

namespace weir::runtime {

/// Where the time comes from: the system, or a test.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual core::Time now() const = 0;
  virtual std::chrono::steady_clock::time_point steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  core::Time now() const override {
    return std::chrono::time_point_cast<core::Duration>(std::chrono::system_clock::now());
  }
  std::chrono::steady_clock::time_point steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace weir::runtime
