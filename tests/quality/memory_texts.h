#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/keyed_texts.h"

namespace weir::quality {

/// Keeps texts in memory; fails on demand.
class MemoryTexts final : public core::KeyedTexts {
 public:
  core::Result<void> put_text(const std::string& key, const std::string& text) override {
    if (failure) return std::unexpected(*failure);
    kept[key] = text;
    return {};
  }
  core::Result<std::optional<std::string>> text(const std::string& key) override {
    if (failure) return std::unexpected(*failure);
    const auto found = kept.find(key);
    return found == kept.end() ? std::nullopt : std::optional(found->second);
  }

  std::map<std::string, std::string> kept;
  std::optional<core::Error> failure;
};

}  // namespace weir::quality
