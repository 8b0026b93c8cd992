#pragma once

#include <string>
#include <vector>

#include "promql/parser.h"
#include "rules/group.h"

namespace weir::rules {

struct SelectorUses {
  std::vector<SelectorUse> selectors;
  std::vector<std::string> rewritten_labels;
};

/// Every vector selector of an expression, with how it is used.
SelectorUses selector_uses(const promql::Expr& expr);

}  // namespace weir::rules
