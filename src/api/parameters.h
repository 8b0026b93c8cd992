#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/series_source.h"
#include "core/time.h"
#include "net/http_server.h"

namespace weir::api {

/// The times that Prometheus takes for "since ever" and "for ever".
extern const core::Time kMinTime;
extern const core::Time kMaxTime;

/// Seconds since 1970 as a number, or RFC 3339; also the boundaries above in Prometheus's spelling.
core::Result<core::Time> parse_time(std::string_view text);
/// Seconds as a number, or Prometheus's durations.
core::Result<core::Duration> parse_duration(std::string_view text);

/// The parameters of a request of Prometheus's API: those of a form come before those of the address, and of a name
/// given twice the first counts. Errors (invalid) carry Prometheus's messages.
class Parameters {
 public:
  explicit Parameters(const net::ServerRequest& request);

  /// "" where it is absent.
  std::string_view get(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;

  core::Result<core::Time> time(std::string_view name) const;
  core::Result<core::Time> time_or(std::string_view name, core::Time fallback) const;
  core::Result<core::Duration> duration(std::string_view name) const;
  core::Result<core::Duration> duration_or(std::string_view name, core::Duration fallback) const;
  /// `limit`: how many results at most, 0 for all.
  core::Result<std::size_t> limit() const;
  /// `match[]`: one set of matchers a selector. Its errors do not name the parameter.
  core::Result<std::vector<std::vector<core::Matcher>>> matchers() const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

/// "invalid parameter "name": message".
std::unexpected<core::Error> invalid_parameter(std::string_view name, const std::string& message);

}  // namespace weir::api
