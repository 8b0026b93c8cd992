#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/batch.h"
#include "notify/delivery.h"

namespace weir::app {

/// What went wrong last in each part of Weir itself ("rules/kafka", "receiver/team/webhook/0"): evidence for the causes
/// of the alerts about it, which last longer than the error. Bounded. Any thread.
class OwnErrors {
 public:
  static constexpr std::size_t kMost = 2000;  // parts

  /// An empty message changes nothing.
  void note(const std::string& part, std::string message);
  /// What a receiver said; apart, that it is given up.
  void note(const notify::Report& report);
  /// With the part as the error's place.
  std::vector<core::Fault> faults() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> messages_;
};

}  // namespace weir::app
