#pragma once

#include <span>

#include "core/error.h"
#include "promql/ast.h"
#include "promql/frame.h"

namespace weir::promql {

/// The operation makes something new of the values, so that they lose their metric's name.
bool drops_name(const Binary& node);

/// `values op scalar`, or the other way round, at each step.
void apply_scalar(const Binary& node, std::span<double> values, std::span<const double> scalar, bool scalar_left);

/// A binary operation on evaluated sides at each step, two scalars or two vectors.
/// Errors (invalid): sides that match many to many, or results with the same labels.
core::Result<Frame> apply(const Binary& node, Frame left, Frame right);

}  // namespace weir::promql
