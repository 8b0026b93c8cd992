#include "privacy/pii.h"

#include <algorithm>
#include <array>
#include <re2/re2.h>
#include <vector>

#include "privacy/numbers.h"

namespace weir::privacy {
namespace {

constexpr std::size_t kMostRead = 16'384;  // of one value

/// A run of words in a name, "first name", and what it says.
struct Word {
  std::string_view words;
  std::string_view kind;
};

// The first that fits counts.
constexpr auto kWords = std::to_array<Word>({
    {"ip address", "ip"},
    {"ip addr", "ip"},
    {"ipaddress", "ip"},
    {"client ip", "ip"},
    {"remote ip", "ip"},
    {"ip", "ip"},
    {"email", "email"},
    {"e mail", "email"},
    {"mail address", "email"},
    {"emailaddress", "email"},
    {"phone", "phone"},
    {"telephone", "phone"},
    {"phonenumber", "phone"},
    {"mobile number", "phone"},
    {"msisdn", "phone"},
    {"fax", "phone"},
    {"first name", "name"},
    {"firstname", "name"},
    {"last name", "name"},
    {"lastname", "name"},
    {"full name", "name"},
    {"fullname", "name"},
    {"surname", "name"},
    {"given name", "name"},
    {"family name", "name"},
    {"maiden name", "name"},
    {"middle name", "name"},
    {"customer name", "name"},
    {"person name", "name"},
    {"contact name", "name"},
    {"street", "address"},
    {"street address", "address"},
    {"home address", "address"},
    {"postal address", "address"},
    {"billing address", "address"},
    {"shipping address", "address"},
    {"address line", "address"},
    {"address1", "address"},
    {"address2", "address"},
    {"postcode", "address"},
    {"postal code", "address"},
    {"zip code", "address"},
    {"zipcode", "address"},
    {"zip", "address"},
    {"date of birth", "birth date"},
    {"birth date", "birth date"},
    {"birthdate", "birth date"},
    {"birthday", "birth date"},
    {"dob", "birth date"},
    {"ssn", "national id"},
    {"social security", "national id"},
    {"national id", "national id"},
    {"tax id", "national id"},
    {"nino", "national id"},
    {"personal number", "national id"},
    {"passport", "passport"},
    {"driver license", "national id"},
    {"drivers license", "national id"},
    {"credit card", "card"},
    {"creditcard", "card"},
    {"card number", "card"},
    {"cardnumber", "card"},
    {"cc number", "card"},
    {"pan", "card"},
    {"cvv", "card"},
    {"cvc", "card"},
    {"iban", "iban"},
    {"account number", "iban"},
    {"bank account", "iban"},
    {"password", "credentials"},
    {"passwd", "credentials"},
    {"secret", "credentials"},
    {"api key", "credentials"},
    {"access token", "credentials"},
    {"refresh token", "credentials"},
    {"diagnosis", "health"},
    {"blood type", "health"},
    {"medical record", "health"},
    {"latitude", "location"},
    {"longitude", "location"},
    {"geolocation", "location"},
});

/// "customerEmail", "CUSTOMER_EMAIL" and "customer-email" are "customer email".
std::string words_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) name.remove_prefix(dot + 1);
  std::string words;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool begins = std::isupper(c) != 0 && i > 0 && std::islower(static_cast<unsigned char>(name[i - 1])) != 0;
    if (begins) words += ' ';
    words += std::isalnum(c) != 0 ? static_cast<char>(std::tolower(c)) : ' ';
  }
  return words;
}

/// Whether the words are there as whole words.
bool holds(const std::string& name, std::string_view words) {
  for (std::size_t at = name.find(words); at != std::string::npos; at = name.find(words, at + 1)) {
    const std::size_t end = at + words.size();
    if ((at == 0 || name[at - 1] == ' ') && (end == name.size() || name[end] == ' ')) return true;
  }
  return false;
}

std::size_t digits_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](unsigned char c) { return std::isdigit(c) != 0; }));
}

/// ISO/IEC 7812-1 (Luhn), of the lengths and first digits that cards have; not of one digit many times.
bool is_card(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9') digits += c;
  }
  if (digits.size() < 14 || digits.size() > 19 || digits[0] < '3' || digits[0] > '6') return false;
  if (digits.find_first_not_of(digits[0]) == std::string::npos) return false;
  return fits_luhn(digits);
}

/// Whether there is one as a word of its own.
bool holds_iban(std::string_view text) {
  const auto is_word = [&](std::size_t at) {
    return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at > 0 && is_word(at - 1)) continue;
    const std::size_t length = iban_at(text.substr(at));
    if (length > 0 && !is_word(at + length)) return true;
  }
  return false;
}

bool is_ip(std::string_view text) {
  int octet = 0;
  for (const char c : text) {
    octet = c == '.' ? 0 : octet * 10 + (c - '0');
    if (octet > 255) return false;
  }
  return text != "0.0.0.0" && text != "127.0.0.1";
}

/// Whether any match of the first group is one that `wanted` agrees to.
template <class Wanted>
bool any(std::string_view text, const RE2& pattern, Wanted wanted) {
  re2::StringPiece rest(text.data(), text.size());
  re2::StringPiece found;
  while (RE2::FindAndConsume(&rest, pattern, &found)) {
    if (wanted(std::string_view(found.data(), found.size()))) return true;
  }
  return false;
}

}  // namespace

std::string_view pii_of_name(std::string_view name) {
  const std::string words = words_of(name.substr(0, 512));
  for (const Word& word : kWords) {
    if (holds(words, word.words)) return word.kind;
  }
  return {};
}

std::set<std::string_view> pii_in(std::string_view value) {
  static const RE2 kEmail(
      R"((?i)([a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.[a-z]{2,24})\b)");
  static const RE2 kCard(R"((?:^|[^0-9.-])([0-9](?:[ -]?[0-9]){13,18})(?:$|[^0-9.]))");
  static const RE2 kIp(R"((?:^|[^0-9.])([0-9]{1,3}(?:\.[0-9]{1,3}){3})(?:$|[^0-9.]))");
  static const RE2 kPhone(
      R"((?:^|[^0-9+])(\+[1-9][0-9]{0,2}[ ()./-]{0,2}[0-9](?:[ ()./-]{0,2}[0-9]){5,12})(?:$|[^0-9]))");
  static const RE2 kSsn(
      R"((?:^|[^0-9-])((?:00[1-9]|0[1-9][0-9]|[1-578][0-9]{2}|6[0-57-9][0-9]|66[0-57-9])-[0-9]{2}-[0-9]{4})(?:$|[^0-9-]))");
  std::set<std::string_view> kinds;
  value = value.substr(0, kMostRead);
  const auto always = [](std::string_view) { return true; };
  if (value.find('@') != std::string_view::npos && any(value, kEmail, always)) kinds.insert("email");
  if (digits_in(value) < 4) return kinds;
  if (holds_iban(value)) kinds.insert("iban");
  if (any(value, kCard, is_card)) kinds.insert("card");
  if (any(value, kIp, is_ip)) kinds.insert("ip");
  if (any(value, kPhone, [](std::string_view found) { return digits_in(found) >= 9; })) kinds.insert("phone");
  if (any(value, kSsn, always)) kinds.insert("national id");
  return kinds;
}

void PiiTally::add(std::string_view value) {
  if (value.empty()) return;
  ++values_;
  for (const std::string_view kind : pii_in(value)) ++counts_[kind];
}

std::map<std::string_view, std::size_t> PiiTally::found() const {
  std::map<std::string_view, std::size_t> kinds;
  for (const auto& [kind, count] : counts_) {
    const bool sure = kind == "email" || kind == "iban" || kind == "card";
    if (sure || (values_ >= 5 && count * 20 >= values_)) kinds.emplace(kind, count);
  }
  return kinds;
}

}  // namespace weir::privacy
