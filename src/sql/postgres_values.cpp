#include "sql/postgres_values.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace weir::sql {
namespace {

enum Oid : unsigned {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kOid = 26,
  kFloat4 = 700,
  kFloat8 = 701,
  kDate = 1082,
  kTimestamp = 1114,
  kTimestampTz = 1184,
  kNumeric = 1700,
};

/// Fixed-width digits at `at`, or nothing.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int number = 0;
  if (at + count > text.size()) return std::nullopt;
  const char* end = text.data() + at + count;
  const auto parsed = std::from_chars(text.data() + at, end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < 0) return std::nullopt;
  return number;
}

std::optional<core::Duration> time_of_day(std::string_view text) {
  const auto hours = digits(text, 0, 2);
  const auto minutes = digits(text, 3, 2);
  const auto seconds = digits(text, 6, 2);
  if (!hours || !minutes || !seconds || text[2] != ':' || text[5] != ':') return std::nullopt;
  text.remove_prefix(8);
  int millis = 0;
  if (text.starts_with('.')) {
    int scale = 100;
    text.remove_prefix(1);
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), scale /= 10) {
      millis += (text.front() - '0') * scale;
    }
  }
  if (!text.empty() && text != "+00" && text != "Z") return std::nullopt;
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds) +
         core::Duration(millis);
}

Value number(std::string_view text) {
  double parsed = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (failed == std::errc::result_out_of_range) {
    // A numeric may be larger than any double; its sign still says which way.
    const bool tiny =
        text.find_first_of("123456789") != std::string_view::npos && text.find("0.0") != std::string_view::npos;
    const double huge = std::numeric_limits<double>::infinity();
    return tiny ? 0.0 : (text.starts_with('-') ? -huge : huge);
  }
  if (failed == std::errc() && end == text.data() + text.size()) return parsed;
  return std::string(text);
}

/// The hexadecimal form, which is the server's default; any other is left as it is.
std::string bytes_of(std::string_view text) {
  std::string bytes;
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return std::string(text);
  for (std::size_t i = 2; i < text.size(); i += 2) {
    unsigned byte = 0;
    if (std::from_chars(text.data() + i, text.data() + i + 2, byte, 16).ptr != text.data() + i + 2) {
      return std::string(text);
    }
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

std::optional<core::Time> parse_iso_time(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const core::Time midnight{std::chrono::sys_days(date)};
  if (text.size() == 10) return midnight;
  if (text[10] != ' ' && text[10] != 'T') return std::nullopt;
  const auto time = time_of_day(text.substr(11));
  if (!time) return std::nullopt;
  return midnight + *time;
}

Value postgres_value(unsigned type, std::string_view text) {
  switch (type) {
    case kBytea: return bytes_of(text);
    case kBool: return std::int64_t{text == "t" ? 1 : 0};
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid: {
      std::int64_t whole = 0;
      std::from_chars(text.data(), text.data() + text.size(), whole);
      return whole;
    }
    case kFloat4:
    case kFloat8:
    case kNumeric: return number(text);
    case kDate:
    case kTimestamp:
    case kTimestampTz:
      if (const auto time = parse_iso_time(text)) return *time;
      return std::string(text);
    default: return std::string(text);
  }
}

}  // namespace weir::sql
