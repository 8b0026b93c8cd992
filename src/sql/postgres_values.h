#pragma once

#include <optional>
#include <string_view>

#include "sql/source.h"

namespace weir::sql {

/// A field's text as a value of its type. `type` is the type's OID in pg_type, which is fixed for built-in
/// types; an unknown type, an infinite timestamp or a year past four digits is text.
Value postgres_value(unsigned type, std::string_view text);

/// "2026-01-02", "2026-01-02 03:04:05.678", "2026-01-02 03:04:05.678901+00": ISO style, UTC or no zone.
std::optional<core::Time> parse_iso_time(std::string_view text);

}  // namespace weir::sql
