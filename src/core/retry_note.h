#pragma once

#include <string>
#include <string_view>

namespace weir::core {

/// An error's message with what is said behind it of tries to come: that changes while the error stays.
std::string with_retry_note(std::string message, std::string_view note);

/// The text without such notes: when it changes, that is news.
std::string without_retry_notes(std::string_view text);

}  // namespace weir::core
