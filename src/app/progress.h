#pragma once

#include <cstddef>
#include <string>

namespace weir::app {

/// A bar on standard error while something with a known number of steps goes on; nothing when that is no terminal.
class Progress {
 public:
  Progress(std::size_t steps, bool terminal) : steps_(steps), terminal_(terminal && steps > 0) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` steps are over, and `what` begins.
  void show(std::size_t done, const std::string& what);
  /// Leaves an empty line for what is printed next.
  void clear();

  /// "[#####···············]  25% 1/4 orders".
  static std::string line(std::size_t done, std::size_t steps, const std::string& what);

 private:
  std::size_t steps_;
  bool terminal_;
  bool shown_ = false;
};

/// Whether standard output or error is a terminal that takes colours: NO_COLOR and TERM=dumb say no.
bool takes_colour(int descriptor);

}  // namespace weir::app
