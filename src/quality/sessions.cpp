#include "quality/sessions.h"

namespace weir::quality {

core::Result<sql::SqlSource*> Sessions::get(const std::string& source) {
  const auto known = open_.find(source);
  if (known != open_.end()) return known->second.get();
  if (!make_) return core::fail(core::ErrorKind::not_found, "there is no source \"" + source + "\"");
  auto made = make_(source);
  if (!made) return std::unexpected(made.error());
  return open_.emplace(source, std::move(*made)).first->second.get();
}

}  // namespace weir::quality
