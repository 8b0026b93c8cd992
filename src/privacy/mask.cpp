#include "privacy/mask.h"

#include <algorithm>
#include <cctype>
#include <re2/re2.h>

#include "privacy/numbers.h"

namespace weir::privacy {
namespace {

/// Replaces the first group of every match that `wanted` agrees to.
template <class Wanted>
std::string replaced(const std::string& text, const RE2& pattern, std::string_view by, Wanted wanted) {
  std::string out;
  re2::StringPiece rest(text);
  re2::StringPiece found;
  while (RE2::PartialMatch(rest, pattern, &found) && !found.empty()) {
    const auto before = static_cast<std::size_t>(found.data() - rest.data());
    out.append(rest.data(), before);
    const std::string_view match(found.data(), found.size());
    out += wanted(match) ? by : match;
    rest.remove_prefix(before + found.size());
  }
  return out.append(rest.data(), rest.size());
}

/// Replaces what `length_at` finds from a place on.
template <class LengthAt>
std::string scanned(std::string_view text, std::string_view by, LengthAt length_at) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = length_at(at);
    if (length == 0) {
      out += text[at++];
    } else {
      out += by;
      at += length;
    }
  }
  return out;
}

std::string without_ibans(std::string_view text) {
  // Wherever one begins and ends: glued to other letters it is one still.
  return scanned(text, "<iban>", [&](std::size_t at) { return iban_at(text.substr(at)); });
}

std::string without_cards(std::string_view text) {
  return scanned(text, "<card>", [&](std::size_t at) {
    const bool inside = at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1])) != 0;
    return inside ? 0 : card_at(text.substr(at));
  });
}

}  // namespace

std::string mask(std::string_view given) {
  // Also in quotes (RFC 5322), with an apostrophe, and of a host without a domain.
  static const RE2 kEmail(R"(((?:"[^"]{1,64}"|[^\s@<>,;:"'()][^\s@<>,;:"()]*)@[^\s@<>,;:"'()]*[^\s@<>,;:"'().]))");
  static const RE2 kIpv4(R"((\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b))");
  static const RE2 kIpv6(R"(((?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{0,4}|[0-9A-Fa-f]{0,4}::[0-9A-Fa-f:]*))");
  static const RE2 kPhone(R"(((?:\+|\b00|\(?\b0)[0-9 ()./-]{6,}[0-9]|\(?\b[0-9]{3}\)?[-. /][0-9]{3}[-. ][0-9]{4}\b))");
  // With its country's code and no sign that says so; 13 digits that begin with 1 are a time in milliseconds.
  static const RE2 kBarePhone(R"((\b(?:[1-9][0-9]{10,11}|[2-9][0-9]{12})\b))");
  const auto always = [](std::string_view) { return true; };
  std::string text = replaced(std::string(given), kEmail, "<email>", always);
  text = without_cards(without_ibans(text));
  text = replaced(text, kIpv4, "<ip>", always);
  text = replaced(text, kIpv6, "<ip>", [](std::string_view match) { return match.size() > 2; });
  text = replaced(text, kBarePhone, "<phone>", always);
  return replaced(text, kPhone, "<phone>", [](std::string_view match) {
    return std::ranges::count_if(match, [](unsigned char c) { return std::isdigit(c) != 0; }) >= 8;
  });
}

std::string cut(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  return text.substr(0, bytes) + "…";
}

std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  return text;
}

}  // namespace weir::privacy
