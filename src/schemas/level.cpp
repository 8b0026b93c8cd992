#include "schemas/level.h"

namespace weir::schemas {

Level level_named(std::string_view name) {
  Level level;
  constexpr std::string_view kTransitive = "_TRANSITIVE";
  if (name.ends_with(kTransitive)) {
    level.transitive = true;
    name.remove_suffix(kTransitive.size());
  }
  level.backward = name == "BACKWARD" || name == "FULL";
  level.forward = name == "FORWARD" || name == "FULL";
  if (!level.backward && !level.forward) return {};
  return level;
}

bool loosened(std::string_view before, std::string_view now) {
  const Level old = level_named(before);
  const Level present = level_named(now);
  return (old.backward && !present.backward) || (old.forward && !present.forward) ||
         (old.transitive && !present.transitive);
}

std::string_view meaning(std::string_view level) {
  const Level promise = level_named(level);
  if (promise.backward && promise.forward) return "new readers read old data, and old readers new data";
  if (promise.backward) return "new readers read old data";
  if (promise.forward) return "old readers read new data";
  return "anything may be registered";
}

}  // namespace weir::schemas
