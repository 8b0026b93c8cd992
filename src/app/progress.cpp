#include "app/progress.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <iostream>
#include <string_view>
#include <unistd.h>

namespace weir::app {

void Progress::show(std::size_t done, const std::string& what) {
  if (!terminal_) return;
  std::cerr << "\r\x1b[K" << line(done, steps_, what) << std::flush;
  shown_ = true;
}

void Progress::clear() {
  if (shown_) std::cerr << "\r\x1b[K" << std::flush;
  shown_ = false;
}

std::string Progress::line(std::size_t done, std::size_t steps, const std::string& what) {
  constexpr std::size_t kWidth = 20;
  const std::size_t share = steps == 0 ? 100 : std::min(done, steps) * 100 / steps;
  const std::size_t filled = share * kWidth / 100;
  std::string bar(filled, '#');
  bar.append(kWidth - filled, '.');
  std::string name = what.substr(0, 40);
  std::ranges::replace_if(
      name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return fmt::format("[{}] {:3}% {}/{} {}", bar, share, done, steps, name);
}

bool takes_colour(int descriptor) {
  const char* terminal = std::getenv("TERM");
  const char* no = std::getenv("NO_COLOR");
  return ::isatty(descriptor) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb" &&
         (no == nullptr || *no == '\0');
}

}  // namespace weir::app
