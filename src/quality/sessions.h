#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/error.h"
#include "sql/source.h"

namespace weir::quality {

/// Opens a session of its own for one of the configured sources. Errors: not_found for a name that is none.
using SessionMaker = std::function<core::Result<std::unique_ptr<sql::SqlSource>>(const std::string& source)>;

/// Sessions of the other sources that checks compare with, made when first asked for. Used by one thread at a time.
class Sessions {
 public:
  explicit Sessions(SessionMaker make) : make_(std::move(make)) {}
  core::Result<sql::SqlSource*> get(const std::string& source);

 private:
  SessionMaker make_;
  std::map<std::string, std::unique_ptr<sql::SqlSource>> open_;
};

}  // namespace weir::quality
