#include "storage/trouble.h"

#include <array>
#include <utility>

namespace weir::storage {
namespace {

constexpr std::string_view kAdvice = "; ";

}  // namespace

Trouble trouble_of(const core::Error& error) {
  if (error.kind != core::ErrorKind::storage) return Trouble::none;
  static constexpr std::array<std::pair<std::string_view, Trouble>, 6> kMarks{{
      {kDamagedMark, Trouble::damaged},
      {kNoDatabaseMark, Trouble::damaged},
      {kGoneMark, Trouble::gone},
      {kHeldMark, Trouble::held},
      {kTakenOverMark, Trouble::held},
      {kLostMark, Trouble::lost},
  }};
  for (const auto& [mark, trouble] : kMarks) {
    if (error.message.contains(mark)) return trouble;
  }
  return Trouble::none;
}

std::string held_text(std::string_view who, std::string_view advice) {
  return std::string(kHeldMark).append(who).append(kAdvice).append(advice);
}

std::string holder_of(const core::Error& error) { return error.message.substr(0, error.message.rfind(kAdvice)); }

}  // namespace weir::storage
