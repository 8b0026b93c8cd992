#include "core/retry_note.h"

#include <algorithm>

namespace weir::core {
namespace {

constexpr std::string_view kBegin = " [retries: ";
constexpr char kEnd = ']';

}  // namespace

std::string with_retry_note(std::string message, std::string_view note) {
  return message.append(kBegin).append(note) + kEnd;
}

std::string without_retry_notes(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find(kBegin), text.size());
    out.append(text.substr(0, begin));
    text.remove_prefix(begin);
    const std::size_t end = text.find(kEnd);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

}  // namespace weir::core
