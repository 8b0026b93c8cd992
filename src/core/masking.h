#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/secret.h"

namespace weir::core {

/// A shorter secret stands in many a word by chance: masking it would garble a text, and tell what it is.
inline constexpr std::size_t kLeastMasked = 4;

/// The text with <secret> wherever `secret` stands in it; of one with fewer bytes than kLeastMasked, where it stands in
/// quotes. `shown` is what stands for it.
std::string without_secret(std::string text, std::string_view secret, std::string_view shown = Secret::kShown);

}  // namespace weir::core
