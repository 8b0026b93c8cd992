#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace weir::sql {

/// A statement that prepares a session or a query.
struct Preparation {
  std::string sql;
  bool required;  // else a driver that refuses it is still good enough (a time-out is only a second one)
};

/// How a session of one engine is made read-only, slow statements are ended by the server itself, and times are UTC.
struct OdbcSession {
  /// Without autocommit each query is a transaction of the driver's, rolled back at its end.
  bool autocommit = true;
  std::vector<Preparation> once = {};
  /// Before each query, and after it whatever came of it.
  std::vector<Preparation> before = {};
  std::vector<Preparation> after = {};
  /// Behind the statement itself.
  std::string suffix = {};
};

/// `tag` is what the query is for (see query_tag.h).
OdbcSession odbc_session(std::string_view dialect, core::Duration statement_timeout, core::Duration lock_timeout,
                         std::string_view tag);

}  // namespace weir::sql
