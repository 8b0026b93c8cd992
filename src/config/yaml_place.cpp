#include "config/yaml_place.h"

#include <algorithm>
#include <charconv>

namespace weir::config {
namespace {

std::size_t indentation(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

YamlPlace::YamlPlace(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines_.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string_view YamlPlace::line(std::size_t number) const {
  return number >= 1 && number <= lines_.size() ? lines_[number - 1] : std::string_view();
}

Position YamlPlace::locate(const Node& scalar, std::string_view inner) const {
  int row = 1;
  int column = 1;
  const auto [colon, failed] = std::from_chars(inner.data(), inner.data() + inner.size(), row);
  if (failed == std::errc() && colon != inner.data() + inner.size()) {
    std::from_chars(colon + 1, inner.data() + inner.size(), column);
  }
  Position place = scalar.position();
  if (place.line < 1 || place.column < 1) return place;
  const std::string_view first = line(static_cast<std::size_t>(place.line));
  const auto start = static_cast<std::size_t>(place.column) - 1;
  const char opener = start < first.size() ? first[start] : '\0';
  if (scalar.quoted() && (opener == '|' || opener == '>')) return in_block(scalar, row, column);
  if (row > 1) return place;
  const std::string_view rest = first.substr(std::min(start, first.size()));
  const bool quoted = opener == '"' || opener == '\'';
  // Plain text that is folded over several lines: walk through them.
  if (!quoted && !rest.starts_with(scalar.text()))
    return in_folded(scalar, static_cast<std::size_t>(place.line), column);
  place.column += column - 1 + (quoted ? 1 : 0);
  return place;
}

Position YamlPlace::in_block(const Node& scalar, int row, int column) const {
  Position place = scalar.position();
  const auto header = static_cast<std::size_t>(place.line);
  std::size_t first = header + 1;
  while (first < lines_.size() && blank(line(first))) ++first;
  if (line(header)[static_cast<std::size_t>(place.column) - 1] == '>') return in_folded(scalar, first, column);
  place.line += row;
  place.column = static_cast<int>(indentation(line(first))) + column;
  return place;
}

Position YamlPlace::in_folded(const Node& scalar, std::size_t first_line, int column) const {
  Position place = scalar.position();
  std::size_t left = static_cast<std::size_t>(column) - 1;
  for (std::size_t number = first_line; number <= lines_.size(); ++number) {
    std::string_view text = line(number);
    const bool inside_first = number == static_cast<std::size_t>(place.line);
    const std::size_t start = inside_first ? static_cast<std::size_t>(place.column) - 1 : indentation(text);
    text = text.substr(std::min(start, text.size()));
    text = text.substr(0, text.find_last_not_of(" \t\r") + 1);
    if (left <= text.size()) {
      place.line = static_cast<int>(number);
      place.column = static_cast<int>(start + left) + 1;
      return place;
    }
    left -= text.size() + 1;  // the line break became one space
  }
  return place;
}

}  // namespace weir::config
