#include "privacy/numbers.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace weir::privacy {
namespace {

constexpr std::size_t kLeastCard = 13;
constexpr std::size_t kMostCard = 19;

struct Country {
  std::string_view code;
  std::size_t length;
};

// The SWIFT registry of ISO 13616, sorted.
constexpr auto kCountries = std::to_array<Country>({
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22},
    {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DJ", 27},
    {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FK", 18}, {"FO", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HN", 28}, {"HR", 21}, {"HU", 28},
    {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28},
    {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22},
    {"MK", 19}, {"MN", 20}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23},
    {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24},
    {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25}, {"SV", 28},
    {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}, {"YE", 30},
});

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }

/// 0 for a country without such numbers.
std::size_t length_in(char first, char second) {
  const std::array<char, 2> letters{upper(first), upper(second)};
  const std::string_view code(letters.data(), letters.size());
  const auto found = std::ranges::lower_bound(kCountries, code, {}, &Country::code);
  return found != kCountries.end() && found->code == code ? found->length : 0;
}

/// Modulo 97 of the characters, letters as 10 to 35, going on from `rest`.
int modulo(std::string_view text, int rest) {
  for (const char c : text) {
    if (!is_alnum(c)) continue;
    const int value = is_digit(c) ? c - '0' : upper(c) - 'A' + 10;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

/// How long `count` letters and digits are in the text, in groups of four with the separator; 0 when they are not.
std::size_t grouped(std::string_view text, std::size_t count, char separator) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (separator != '\0' && i > 0 && i % 4 == 0 && (at >= text.size() || text[at++] != separator)) return 0;
    if (at >= text.size() || !is_alnum(text[at++])) return 0;
  }
  return at;
}

}  // namespace

bool fits_luhn(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[digits.size() - 1 - i] - '0';
    const int doubled = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += i % 2 == 1 ? doubled : digit;
  }
  return sum % 10 == 0;
}

std::size_t iban_at(std::string_view text) {
  if (text.size() < 15 || !is_digit(text[2]) || !is_digit(text[3])) return 0;
  const std::size_t length = length_in(text[0], text[1]);
  if (length == 0) return 0;
  const char next = text[4];
  const std::size_t size = grouped(text, length, next == ' ' || next == '-' ? next : '\0');
  if (size == 0) return 0;
  // The first four characters are taken to the end.
  return modulo(text.substr(0, 4), modulo(text.substr(4, size - 4), 0)) == 1 ? size : 0;
}

std::size_t card_at(std::string_view text) {
  std::array<char, kMostCard> digits{};
  std::size_t count = 0;
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size() && count < kMostCard; ++at) {
    const bool separator = text[at] == ' ' || text[at] == '-';
    if (separator && count > 0 && is_digit(text[at - 1])) continue;
    if (!is_digit(text[at])) break;
    digits[count++] = text[at];
    const bool ends = at + 1 == text.size() || !is_digit(text[at + 1]);
    if (ends && count >= kLeastCard && fits_luhn({digits.data(), count})) longest = at + 1;
  }
  return longest;
}

}  // namespace weir::privacy
