#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "core/error.h"

namespace weir::core {

/// A column of a table as its database's catalog has it.
struct Column {
  std::string name;
  std::string type;
};

/// Tells what columns a table has. Implemented over the sources of the configuration, given to collectors.
class TableColumns {
 public:
  virtual ~TableColumns() = default;
  /// In the table's order. Errors: no such source or table (not_found), and those of the source.
  virtual Result<std::vector<Column>> columns(const std::string& source, const std::string& table,
                                              std::chrono::steady_clock::time_point deadline,
                                              const std::stop_token& stop) = 0;
};

}  // namespace weir::core
