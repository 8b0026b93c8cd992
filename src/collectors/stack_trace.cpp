#include "collectors/stack_trace.h"

#include <algorithm>

namespace weir::collectors {
namespace {

constexpr std::string_view kCause = "Caused by: ";

std::string_view first_line(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  text = text.substr(0, text.find_first_of("\r\n"));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// "ConnectException: text" of "org.apache.kafka.connect.errors.ConnectException: text".
std::string_view without_package(std::string_view line) {
  const std::size_t end = line.find_first_of(": ");
  const std::string_view name = line.substr(0, end);
  const std::size_t dot = name.rfind('.');
  const bool is_class = dot != std::string_view::npos && dot + 1 < name.size() && dot > 0 &&
                        name.find_first_of("/\\@=,;()[]{}<>\"'") == std::string_view::npos && name[dot + 1] >= 'A' &&
                        name[dot + 1] <= 'Z';
  return is_class ? line.substr(dot + 1) : line;
}

}  // namespace

std::string trace_summary(std::string_view trace) {
  std::string_view line = first_line(trace);
  if (line.starts_with("Traceback (most recent call last)")) {
    const std::size_t end = trace.find_last_not_of(" \t\r\n");
    trace = trace.substr(0, end == std::string_view::npos ? 0 : end + 1);
    const std::size_t begin = trace.find_last_of("\r\n");
    return std::string(without_package(begin == std::string_view::npos ? trace : first_line(trace.substr(begin))));
  }
  std::string text(without_package(line));
  const std::size_t cause = trace.rfind(kCause);
  if (cause == std::string_view::npos) return text;
  const std::string_view inner = without_package(first_line(trace.substr(cause + kCause.size())));
  if (inner.empty() || text.find(inner) != std::string::npos) return text;
  return text + ", caused by " + std::string(inner);
}

}  // namespace weir::collectors
