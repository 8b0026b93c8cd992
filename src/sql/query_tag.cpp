#include "sql/query_tag.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::sql {
namespace {

constexpr std::size_t kLongest = 200;

bool is_plain(char c) {
  const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return word || std::string_view(" _.,=()<>-").find(c) != std::string_view::npos;
}

}  // namespace

std::string plain_tag(std::string_view tag) {
  std::string plain(tag.substr(0, kLongest));
  std::ranges::replace_if(
      plain, [](char c) { return !is_plain(c); }, '_');
  return plain;
}

std::string with_tag(std::string_view tag, std::string_view statement) {
  if (tag.empty()) return std::string(statement);
  return fmt::format("/* weir {} */ {}", plain_tag(tag), statement);
}

}  // namespace weir::sql
