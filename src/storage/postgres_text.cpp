#include "storage/postgres_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <type_traits>

namespace weir::storage {
namespace {

constexpr char kEscape = '\x1a';

/// How many bytes the UTF-8 character at the beginning has; 0 where there is none (RFC 3629).
std::size_t character(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U; };
  const auto follows = [&](std::size_t i, unsigned least = 0x80, unsigned most = 0xbf) {
    return byte(i) >= least && byte(i) <= most;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return second && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string literal(const Value& value, const std::function<std::string(const std::string&)>& quote) {
  return std::visit(
      [&](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::nullptr_t>) return "NULL";
        if constexpr (std::is_same_v<Held, std::int64_t>) return fmt::format("'{}'::bigint", held);
        if constexpr (std::is_same_v<Held, double>) return "'" + to_postgres_number(held) + "'::double precision";
        if constexpr (std::is_same_v<Held, std::string_view>) return quote(to_postgres_text(held)) + "::text";
      },
      value);
}

}  // namespace

std::string to_postgres_text(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t size = character(bytes);
    const char first = bytes.front();
    if (size == 0 || first == '\0' || first == kEscape) {
      text += fmt::format("{}{:02x}", kEscape, static_cast<unsigned char>(first));
      bytes.remove_prefix(1);
    } else {
      text += bytes.substr(0, size);
      bytes.remove_prefix(size);
    }
  }
  return text;
}

std::string from_postgres_text(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    unsigned value = 0;
    if (text.front() == kEscape && text.size() >= 3) {
      const auto [end, failed] = std::from_chars(text.data() + 1, text.data() + 3, value, 16);
      if (failed == std::errc() && end == text.data() + 3) {
        bytes += static_cast<char>(value);
        text.remove_prefix(3);
        continue;
      }
    }
    bytes += text.front();
    text.remove_prefix(1);
  }
  return bytes;
}

std::string with_literals(std::string_view sql, std::initializer_list<Value> values,
                          const std::function<std::string(const std::string&)>& quote) {
  std::string text;
  while (!sql.empty()) {
    const std::size_t at = std::min(sql.find('$'), sql.size());
    text += sql.substr(0, at);
    sql.remove_prefix(at);
    std::size_t digits = 1;
    while (digits < sql.size() && is_digit(sql[digits])) ++digits;
    std::size_t number = 0;
    if (digits > 1 && digits < 5) std::from_chars(sql.data() + 1, sql.data() + digits, number);
    if (number >= 1 && number <= values.size()) {
      text += literal(*(values.begin() + number - 1), quote);
    } else {
      text += sql.substr(0, digits);
    }
    sql.remove_prefix(std::min(digits, sql.size()));
  }
  return text;
}

std::string to_postgres_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return fmt::format("{}", value);
}

}  // namespace weir::storage
