#pragma once

#include "core/error.h"
#include "promql/ast.h"
#include "promql/frame.h"

namespace weir::promql {

/// A binary operation on evaluated sides, scalars or vectors as the node's operands are, at each step.
/// Errors (invalid): sides that match many to many, or results with the same labels.
core::Result<Frame> apply(const Binary& node, Frame left, Frame right);

}  // namespace weir::promql
