#include "core/alert.h"

namespace weir::core {

std::string_view to_string(AlertState state) {
  switch (state) {
    case AlertState::inactive: return "inactive";
    case AlertState::pending: return "pending";
    case AlertState::firing: return "firing";
  }
  return "inactive";
}

std::optional<AlertState> parse_alert_state(std::string_view text) {
  for (const AlertState state : {AlertState::inactive, AlertState::pending, AlertState::firing}) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

}  // namespace weir::core
