#include "sql/session_source.h"

#include <utility>

namespace weir::sql {

core::Result<Table> SessionSource::query(const std::string& text, const std::vector<Value>& parameters,
                                         const QueryLimits& limits) {
  if (auto allowed = check(text); !allowed) return std::unexpected(allowed.error());
  if (auto connected = connect(limits); !connected) return std::unexpected(connected.error());
  const bool fresh = std::exchange(fresh_, false);
  auto table = attempt(text, parameters, limits);
  const bool broke = !table && table.error().kind == core::ErrorKind::unavailable && !has_session();
  if (!broke || fresh || limits.stop.stop_requested()) return table;
  if (auto connected = connect(limits); !connected) return std::unexpected(connected.error());
  fresh_ = false;
  return attempt(text, parameters, limits);
}

}  // namespace weir::sql
