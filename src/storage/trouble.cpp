#include "storage/trouble.h"

#include <array>
#include <utility>

namespace weir::storage {

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

}  // namespace weir::storage
