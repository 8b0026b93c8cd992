#include "notify/label_names.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::notify {

bool is_label_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::vector<std::string> read_label_names(config::MapReader& reader, std::string_view key, std::string_view word) {
  std::vector<std::string> names = reader.text_list(key);
  for (const std::string& name : names) {
    if (is_label_name(name) || (name == word && !word.empty())) continue;
    const std::vector<const config::Node*> items = reader.list(key);
    const auto place = std::ranges::find(items, name, [](const config::Node* item) { return item->text(); });
    const std::string message = fmt::format("\"{}\" is no label's name", name);
    if (place == items.end()) {
      reader.error(key, message);
    } else {
      reader.error(**place, fmt::format("\"{}\": {}", key, message));
    }
  }
  return names;
}

}  // namespace weir::notify
