#include "core/clock_skew.h"

namespace weir::core {

std::string rounded(Duration span) {
  using namespace std::chrono;
  if (span >= minutes(5)) return format_duration(round<minutes>(span));
  return format_duration(round<seconds>(span));
}

std::string off_by(Time time, Time now) {
  const bool ahead = time > now;
  return rounded(ahead ? time - now : now - time) + (ahead ? " ahead of" : " behind") + " this machine's clock";
}

}  // namespace weir::core
