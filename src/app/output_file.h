#pragma once

#include <string>

#include "core/error.h"

namespace weir::app {

/// Whether a command may write what people go on to edit to this file ("" and "-": standard output). Errors (storage):
/// there is one, and `force` was not given.
core::Result<void> may_be_written(const std::string& path, bool force);

/// Writes it there. Errors (storage): those of may_be_written(), also of a file that came meanwhile; it cannot be
/// written.
core::Result<void> write_output(const std::string& path, const std::string& text, bool force);

}  // namespace weir::app
