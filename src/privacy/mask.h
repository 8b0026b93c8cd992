#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::privacy {

/// The text with what identifies a person replaced: e-mail addresses, IBANs, card numbers (by their check digit), IP
/// addresses and telephone numbers become <email>, <iban>, <card>, <ip> and <phone>. Errs on the side of masking.
std::string mask(std::string_view text);

/// At most `bytes` of the text and a mark where it was cut; whole characters of UTF-8 only.
std::string cut(std::string text, std::size_t bytes);

/// The text with a space for each control character.
std::string printable(std::string text);

}  // namespace weir::privacy
