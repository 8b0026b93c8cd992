#pragma once

#include "core/error.h"
#include "promql/ast.h"
#include "promql/value.h"

namespace weir::promql {

/// A binary operation on evaluated sides. Errors: sides that match many to many.
core::Result<Value> apply(const Binary& node, Value left, Value right, core::Time at);

}  // namespace weir::promql
