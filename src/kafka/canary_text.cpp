#include "kafka/canary_text.h"

#include <charconv>
#include <fmt/format.h>
#include <random>

namespace weir::kafka {
namespace {

constexpr std::string_view kPrefix = "weir-canary/1 ";

}  // namespace

std::string CanaryText::write() const { return fmt::format("{}{} {}", kPrefix, instance, sequence); }

std::optional<CanaryText> CanaryText::read(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const std::size_t space = text.find(' ');
  if (space == 0 || space == std::string_view::npos) return std::nullopt;
  CanaryText canary{std::string(text.substr(0, space)), 0};
  const char* end = text.data() + text.size();
  const auto [stopped, failed] = std::from_chars(text.data() + space + 1, end, canary.sequence);
  if (failed != std::errc() || stopped != end) return std::nullopt;
  return canary;
}

std::string canary_instance() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace weir::kafka
