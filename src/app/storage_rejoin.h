#pragma once

#include <vector>

#include "core/alert.h"

namespace weir::app {

/// What storage has and what was seen before it could be asked, as one.
struct Rejoined {
  std::vector<core::Alert> alerts;            // to be gone on with: of storage, or its and what is seen as one
  std::vector<core::Transition> transitions;  // that are news to storage, in their order
};

/// `stored` are the alerts as the last run left them, `active` those that rules evaluated without knowing of these
/// have now, `meanwhile` what became of them. An alert that fired and fires still has changed nothing: it is the same
/// one, and its time and `for` go on from where they were. One that was not seen to fire is left to the rules.
Rejoined rejoin(const std::vector<core::Alert>& stored, const std::vector<core::Alert>& active,
                std::vector<core::Transition> meanwhile);

}  // namespace weir::app
