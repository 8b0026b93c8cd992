#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/columns.h"
#include "sql/registry.h"
#include "sql/source.h"

namespace weir::app {

/// Columns of tables from the catalogs of the configured sources; a session of each is opened when it is asked for.
/// Used by one thread at a time.
class SourceColumns : public core::TableColumns {
 public:
  explicit SourceColumns(std::vector<sql::SourceSettings> sources) : sources_(std::move(sources)) {}

  core::Result<std::vector<core::Column>> columns(const std::string& source, const std::string& table,
                                                  std::chrono::steady_clock::time_point deadline,
                                                  const std::stop_token& stop) override;

 private:
  core::Result<sql::SqlSource*> session(const std::string& source);

  std::vector<sql::SourceSettings> sources_;
  std::map<std::string, std::unique_ptr<sql::SqlSource>> sessions_;
};

}  // namespace weir::app
