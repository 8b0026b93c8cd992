#pragma once

#include <string_view>

namespace weir::schemas {

/// What a compatibility level promises (https://docs.confluent.io/platform/current/schema-registry/fundamentals/
/// schema-evolution.html).
struct Level {
  bool backward = false;    // new readers read old data
  bool forward = false;     // old readers read new data
  bool transitive = false;  // of all versions, not of the last alone
};

/// BACKWARD, FULL_TRANSITIVE …; a name that is not known promises nothing, as NONE.
Level level_named(std::string_view name);

/// Whether `now` no longer promises something that `before` did.
bool loosened(std::string_view before, std::string_view now);

/// "BACKWARD: new readers read what the last version wrote", for messages: what a level means.
std::string_view meaning(std::string_view level);

}  // namespace weir::schemas
