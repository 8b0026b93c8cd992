#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::kafka {

/// What a canary's value says, so that it is told from those of other Weirs and of an earlier run.
struct CanaryText {
  std::string instance;  // of the Weir that sent it
  std::uint64_t sequence = 0;

  /// "weir-canary/1 <instance> <sequence>"
  std::string write() const;
  /// Nothing where it is no canary.
  static std::optional<CanaryText> read(std::string_view text);
  bool operator==(const CanaryText&) const = default;
};

/// 16 hex digits, others in each run.
std::string canary_instance();

}  // namespace weir::kafka
