#pragma once

#include <optional>
#include <string>

#include "core/error.h"

namespace weir::core {

/// Texts kept across restarts under a key, one each: what was last seen of something, to compare the next look with.
/// Keys begin with what they belong to: "schema/…". Implemented by storage, given to quality.
class KeyedTexts {
 public:
  virtual ~KeyedTexts() = default;
  /// Inserts or replaces.
  virtual Result<void> put_text(const std::string& key, const std::string& text) = 0;
  /// Nothing when there is none.
  virtual Result<std::optional<std::string>> text(const std::string& key) = 0;
};

}  // namespace weir::core
