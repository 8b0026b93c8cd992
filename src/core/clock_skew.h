#pragma once

#include <string>

#include "core/time.h"

namespace weir::core {

/// Clocks differ by so much without anybody to blame. What is dated further ahead was dated by a clock that is wrong
/// (or this machine's is), and says nothing of how old it is.
inline constexpr Duration kMostAhead = std::chrono::minutes(5);

inline bool is_ahead(Time time, Time now) { return time > now + kMostAhead; }

/// A span as a person would say it: "20s", "7m", "2h".
std::string rounded(Duration span);

/// "2h ahead of this machine's clock", "7m behind this machine's clock".
std::string off_by(Time time, Time now);

}  // namespace weir::core
