#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::schemas {

/// The schema id of a message in Confluent's wire format: a zero byte and 4 bytes, the highest first, before the data
/// (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
/// Nothing for other bytes.
std::optional<std::int32_t> schema_id(std::string_view value);

}  // namespace weir::schemas
