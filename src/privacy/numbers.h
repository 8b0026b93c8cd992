#pragma once

#include <cstddef>
#include <string_view>

namespace weir::privacy {

/// How many characters of `text`, from its first on, are a bank account's number (ISO 13616): as long as its country
/// has it, in one piece or in groups of four with one kind of separator, and with check digits that fit. 0 for none;
/// what comes before or after it is not looked at.
std::size_t iban_at(std::string_view text);

/// How many characters of `text`, from its first on, are a payment card's number (ISO/IEC 7812-1, 13 to 19 digits with
/// single blanks or hyphens, Luhn) that no digit follows; the longest. 0 for none.
std::size_t card_at(std::string_view text);

/// The check of ISO/IEC 7812-1 (Luhn) over decimal digits.
bool fits_luhn(std::string_view digits);

}  // namespace weir::privacy
