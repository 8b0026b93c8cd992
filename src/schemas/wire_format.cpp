#include "schemas/wire_format.h"

namespace weir::schemas {

std::optional<std::int32_t> schema_id(std::string_view value) {
  if (value.size() < 5 || value[0] != '\0') return std::nullopt;
  std::uint32_t id = 0;
  for (const char c : value.substr(1, 4)) id = id << 8U | static_cast<unsigned char>(c);
  if (id > INT32_MAX) return std::nullopt;
  return static_cast<std::int32_t>(id);
}

}  // namespace weir::schemas
