#include "quality/logical_type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>

namespace weir::quality {
namespace {

// In the order of kNames.
enum Kind : std::uint16_t {
  kString = 1,
  kDate = 2,
  kTimestamp = 4,
  kTime = 8,
  kNumber = 16,
  kInteger = 32,
  kObject = 64,
  kArray = 128,
  kBoolean = 256,
  kAny = 511,
};

constexpr std::array<std::string_view, 9> kNames = {"string",  "date",   "timestamp", "time",   "number",
                                                    "integer", "object", "array",     "boolean"};
constexpr std::uint16_t kWhole = kInteger | kNumber;

struct Type {
  std::string_view word;
  std::uint16_t kinds;
};

/// By the first word of a type; what is in parentheses is looked at where it matters.
constexpr auto kTypes = std::to_array<Type>({
    {"tinyint", kWhole},
    {"smallint", kWhole},
    {"mediumint", kWhole},
    {"int", kWhole},
    {"integer", kWhole},
    {"bigint", kWhole},
    {"hugeint", kWhole},
    {"byteint", kWhole},
    {"byte", kWhole},
    {"short", kWhole},
    {"long", kWhole | kString},  // Oracle's is text
    {"int1", kWhole},
    {"int2", kWhole},
    {"int4", kWhole},
    {"int8", kWhole},
    {"int16", kWhole},
    {"int32", kWhole},
    {"int64", kWhole},
    {"int128", kWhole},
    {"int256", kWhole},
    {"uint8", kWhole},
    {"uint16", kWhole},
    {"uint32", kWhole},
    {"uint64", kWhole},
    {"uint128", kWhole},
    {"uint256", kWhole},
    {"unsigned", kWhole},
    {"smallserial", kWhole},
    {"serial", kWhole},
    {"bigserial", kWhole},
    {"oid", kWhole},
    {"year", kWhole},
    {"numeric", kNumber},
    {"decimal", kNumber},
    {"dec", kNumber},
    {"fixed", kNumber},
    {"number", kNumber},
    {"bignumeric", kNumber},
    {"bigdecimal", kNumber},
    {"decimal32", kNumber},
    {"decimal64", kNumber},
    {"decimal128", kNumber},
    {"decimal256", kNumber},
    {"real", kNumber},
    {"float", kNumber},
    {"float4", kNumber},
    {"float8", kNumber},
    {"float32", kNumber},
    {"float64", kNumber},
    {"double", kNumber},
    {"binary_float", kNumber},
    {"binary_double", kNumber},
    {"money", kNumber},
    {"smallmoney", kNumber},
    {"boolean", kBoolean},
    {"bool", kBoolean},
    {"bit", kBoolean | kString},  // a truth value of SQL Server and MySQL, a text of bits of PostgreSQL
    {"date", kDate},
    {"date32", kDate},
    {"timestamp", kTimestamp},
    {"timestamptz", kTimestamp},
    {"timestamp_ntz", kTimestamp},
    {"timestamp_ltz", kTimestamp},
    {"timestamp_tz", kTimestamp},
    {"datetime", kTimestamp},
    {"datetime2", kTimestamp},
    {"datetime64", kTimestamp},
    {"smalldatetime", kTimestamp},
    {"datetimeoffset", kTimestamp},
    {"time", kTime},
    {"timetz", kTime},
    {"interval", kTime | kString},
    {"char", kString},
    {"character", kString},
    {"nchar", kString},
    {"varchar", kString},
    {"nvarchar", kString},
    {"varchar2", kString},
    {"nvarchar2", kString},
    {"bpchar", kString},
    {"text", kString},
    {"tinytext", kString},
    {"mediumtext", kString},
    {"longtext", kString},
    {"ntext", kString},
    {"string", kString},
    {"fixedstring", kString},
    {"clob", kString},
    {"nclob", kString},
    {"name", kString},
    {"citext", kString},
    {"uuid", kString},
    {"uniqueidentifier", kString},
    {"enum", kString},
    {"set", kString},
    {"enum8", kString},
    {"enum16", kString},
    {"inet", kString},
    {"cidr", kString},
    {"macaddr", kString},
    {"macaddr8", kString},
    {"bytea", kString},
    {"binary", kString},
    {"varbinary", kString},
    {"blob", kString},
    {"tinyblob", kString},
    {"mediumblob", kString},
    {"longblob", kString},
    {"bytes", kString},
    {"raw", kString},
    {"json", kObject | kArray | kString},
    {"jsonb", kObject | kArray | kString},
    {"variant", kObject | kArray | kString},
    {"super", kObject | kArray | kString},
    {"xml", kObject | kString},
    {"struct", kObject},
    {"record", kObject},
    {"row", kObject},
    {"map", kObject},
    {"tuple", kObject},
    {"nested", kObject | kArray},
    {"array", kArray},
    {"list", kArray},
    {"vector", kArray},
});

/// What is within the outermost parentheses of "nullable(int32)".
std::optional<std::string_view> unwrapped(std::string_view type, std::string_view wrapper) {
  if (!type.starts_with(wrapper) || type.size() <= wrapper.size() || type[wrapper.size()] != '(') return std::nullopt;
  const std::size_t end = type.rfind(')');
  if (end == std::string_view::npos || end <= wrapper.size()) return std::nullopt;
  return type.substr(wrapper.size() + 1, end - wrapper.size() - 1);
}

/// "10,2" of "numeric(10,2)", "" without any.
std::string modifier(std::string_view type) {
  const std::size_t open = type.find('(');
  const std::size_t close = type.find(')', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return "";
  std::string inside(type.substr(open + 1, close - open - 1));
  std::erase(inside, ' ');
  return inside;
}

/// Whether a decimal type has no digits behind the point. Oracle's plain number may be either.
bool is_whole_decimal(std::string_view word, std::string_view type) {
  const std::string digits = modifier(type);
  if (digits.empty()) return word == "number";
  return digits.find(',') == std::string::npos || digits.ends_with(",0");
}

std::uint16_t kinds_of(std::string_view given) {
  std::string lowered;
  for (const unsigned char c : given) lowered += static_cast<char>(std::tolower(c));
  std::string_view type = lowered;
  while (type.starts_with(' ')) type.remove_prefix(1);
  while (type.ends_with(' ')) type.remove_suffix(1);
  for (const std::string_view wrapper : {"nullable", "lowcardinality", "nullable"}) {
    if (const auto inside = unwrapped(type, wrapper)) type = *inside;
  }
  if (type.empty()) return kAny;
  if (type.ends_with("[]")) return kArray;
  const std::size_t end = type.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_");
  const std::string_view word = type.substr(0, end);
  if (word == "tinyint" && modifier(type) == "1") return kWhole | kBoolean;
  const auto known = std::ranges::find(kTypes, word, &Type::word);
  if (known == kTypes.end()) return kString | kObject;
  const bool decimal = word == "numeric" || word == "decimal" || word == "dec" || word == "fixed" || word == "number";
  if (!decimal || !is_whole_decimal(word, type)) return known->kinds;
  return kWhole | (modifier(type).starts_with("1,") || modifier(type) == "1" ? kBoolean : 0);
}

}  // namespace

std::span<const std::string_view> logical_types() { return kNames; }

bool is_of_logical_type(std::string_view logical, std::string_view actual) {
  const auto place = std::ranges::find(kNames, logical);
  if (place == kNames.end()) return false;
  return (kinds_of(actual) & (1U << (place - kNames.begin()))) != 0;
}

}  // namespace weir::quality
