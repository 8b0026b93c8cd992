#include "app/told.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace weir::app {
namespace {

constexpr std::string_view kKind = "notified";
constexpr std::size_t kMostError = 200;

/// What all entries of one receiver, status and outcome begin with.
std::string beginning(const Told& told) {
  const std::string_view what = told.status == "resolved" ? "resolved" : "firing";
  return told.error.empty() ? fmt::format("told {} ({})", told.receiver, what)
                            : fmt::format("gave up telling {} ({})", told.receiver, what);
}

/// How often an entry says that it was: "told team/webhook/0 (firing) 5 times, last …".
std::size_t times_of(std::string_view rest) {
  std::size_t times = 1;
  if (!rest.starts_with(' ')) return times;
  const auto [end, failed] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), times);
  return failed == std::errc() && std::string_view(end, rest.data() + rest.size()).starts_with(" times") ? times : 1;
}

std::string ending(const Told& told) {
  std::string text;
  if (told.attempts > 1) text = fmt::format(", at attempt {}", told.attempts);
  if (!told.error.empty()) text += ": " + told.error.substr(0, kMostError);
  return text;
}

}  // namespace

bool note_in_timeline(std::vector<core::TimelineEntry>& timeline, const Told& told, std::size_t most, core::Time now) {
  const std::string begins = beginning(told);
  const auto same = std::ranges::find_if(timeline, [&](const core::TimelineEntry& entry) {
    return entry.kind == kKind && entry.text.starts_with(begins);
  });
  if (same != timeline.end()) {
    const std::size_t times = times_of(std::string_view(same->text).substr(begins.size())) + 1;
    same->text = fmt::format("{} {} times, last {}{}", begins, times, core::format_rfc3339(now), ending(told));
    return true;
  }
  const auto noted = std::ranges::count(timeline, kKind, &core::TimelineEntry::kind);
  if (static_cast<std::size_t>(noted) >= most) return false;
  timeline.push_back({now, std::string(kKind), begins + ending(told)});
  return true;
}

}  // namespace weir::app
