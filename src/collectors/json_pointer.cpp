#include "collectors/json_pointer.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

namespace weir::collectors {

using nlohmann::json;

core::Result<JsonPointer> JsonPointer::parse(std::string_view text) {
  JsonPointer pointer;
  if (text.empty()) return pointer;
  if (text.front() != '/') {
    return core::fail(core::ErrorKind::invalid, fmt::format("\"{}\" is no JSON Pointer; write /name/*/name", text));
  }
  while (!text.empty()) {
    text.remove_prefix(1);
    std::string segment(text.substr(0, text.find('/')));
    text.remove_prefix(segment.size());
    std::string plain;
    for (std::size_t i = 0; i < segment.size(); ++i) {
      const bool escape = segment[i] == '~' && i + 1 < segment.size();
      if (escape && (segment[i + 1] == '0' || segment[i + 1] == '1')) {
        plain += segment[++i] == '0' ? '~' : '/';
      } else {
        plain += segment[i];
      }
    }
    pointer.segments_.push_back(std::move(plain));
  }
  return pointer;
}

std::size_t JsonPointer::stars() const { return static_cast<std::size_t>(std::ranges::count(segments_, "*")); }

const json* JsonPointer::find(const json& root) const {
  const json* found = nullptr;
  each(root, [&](const json& value, const std::vector<std::string>&) {
    found = &value;
    return false;
  });
  return found;
}

void JsonPointer::each(const json& root, const Visit& visit) const {
  std::vector<std::string> names;
  walk(root, 0, names, visit);
}

bool JsonPointer::walk(const json& node, std::size_t depth, std::vector<std::string>& names, const Visit& visit) const {
  if (depth == segments_.size()) return visit(node, names);
  const std::string& segment = segments_[depth];
  if (segment != "*") {
    if (node.is_object()) {
      const auto member = node.find(segment);
      return member == node.end() || walk(*member, depth + 1, names, visit);
    }
    std::size_t index = 0;
    const auto [end, failed] = std::from_chars(segment.data(), segment.data() + segment.size(), index);
    const bool is_index = failed == std::errc() && end == segment.data() + segment.size();
    return !node.is_array() || !is_index || index >= node.size() || walk(node[index], depth + 1, names, visit);
  }
  if (!node.is_structured()) return true;
  for (const auto& [name, value] : node.items()) {
    names.push_back(name);
    const bool go_on = walk(value, depth + 1, names, visit);
    names.pop_back();
    if (!go_on) return false;
  }
  return true;
}

core::Result<json> parse_json(const std::string& body, std::size_t deepest) {
  bool deep = false;
  const auto bounded = [&](int depth, json::parse_event_t, json&) {
    deep = deep || static_cast<std::size_t>(depth) > deepest;
    return !deep;
  };
  json root = json::parse(body, bounded, false);
  if (deep) {
    return core::fail(core::ErrorKind::limit, fmt::format("the answer is nested deeper than {} levels", deepest));
  }
  if (!root.is_discarded()) return root;
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return core::fail(core::ErrorKind::protocol, "the answer is empty, not JSON");
  if (body[begin] == '<') {
    return core::fail(core::ErrorKind::protocol,
                      "the answer is a web page, not JSON; is this the URL of the interface?");
  }
  return core::fail(core::ErrorKind::protocol, "the answer is cut off, or no JSON");
}

std::optional<std::string> json_text(const json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number()) return value.dump();
  return std::nullopt;
}

std::optional<double> json_number(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::optional<core::Time> json_time(const json& value) {
  if (value.is_string()) {
    if (const auto time = core::parse_iso_time(value.get_ref<const std::string&>())) return time;
  }
  const auto number = json_number(value);
  if (!number || value.is_boolean() || !std::isfinite(*number) || *number <= 0) return std::nullopt;
  // 10^11 s are the year 5138, 10^11 ms 1973, and so on.
  double seconds = *number;
  while (seconds > 1e11) seconds /= 1000;
  return core::time_from_seconds(seconds);
}

}  // namespace weir::collectors
