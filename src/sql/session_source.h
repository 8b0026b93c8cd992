#pragma once

#include <string>
#include <vector>

#include "sql/source.h"

namespace weir::sql {

/// A source that keeps one session open between queries. One kept from an earlier cycle may have died unnoticed, and
/// reading twice does no harm: a query that finds it dead is asked once more in a new one.
class SessionSource : public SqlSource {
 public:
  core::Result<Table> query(const std::string& text, const std::vector<Value>& parameters,
                            const QueryLimits& limits) final;

 protected:
  /// What the engine does not refuse by itself.
  virtual core::Result<void> check(const std::string& /*text*/) const { return {}; }
  /// One query in the open session; drops the session where that broke.
  virtual core::Result<Table> attempt(const std::string& text, const std::vector<Value>& parameters,
                                      const QueryLimits& limits) = 0;
  virtual bool has_session() const = 0;
  /// To be called by connect() where it opened one.
  void opened() { fresh_ = true; }

 private:
  bool fresh_ = false;  // opened by the call that uses it
};

}  // namespace weir::sql
