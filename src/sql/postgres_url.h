#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

namespace weir::sql {

/// Checks a libpq connection URI (scheme, percent escapes, ports, parameters) without quoting any of it in the error
/// but for a parameter's name that is nearly one of libpq's.
core::Result<void> check_postgres_url(std::string_view url);

/// The URI with parameters added, percent-encoded; of a parameter given twice libpq takes the last.
std::string with_parameters(std::string url, const std::vector<std::pair<std::string, std::string>>& parameters);

/// host:port/database of the URI, or what of it is given: what an error may show.
std::string address_of(std::string_view url);

}  // namespace weir::sql
