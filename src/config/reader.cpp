#include "config/reader.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "config/reader_checks.h"
#include "core/masking.h"

namespace weir::config {
namespace {

constexpr std::size_t kMostShown = 1000;  // values of the environment that are looked for in a message

/// Adds what `${NAME}` in the node's texts stands for: value and `${NAME}`.
void collect_variables(const Node& node, std::vector<std::pair<std::string, std::string>>& found) {
  const std::string& text = node.text();
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 2)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos || found.size() == kMostShown) break;
    const char* value = std::getenv(text.substr(at + 2, end - at - 2).c_str());
    if (value != nullptr && *value != '\0') found.emplace_back(value, text.substr(at, end + 1 - at));
  }
  for (const Node& item : node.items()) collect_variables(item, found);
  for (const auto& [key, value] : node.entries()) collect_variables(value, found);
}

/// The message with what came from the environment as it is written in the file: it may be a secret elsewhere.
std::string as_written(std::string message, const Node& node) {
  std::vector<std::pair<std::string, std::string>> variables;
  collect_variables(node, variables);
  // The longest first, which may hold another.
  std::ranges::stable_sort(variables, [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  for (const auto& [value, written] : variables) message = core::without_secret(std::move(message), value, written);
  return message;
}

/// Whether what is under a key of this name is a secret: properties and headers are read like secrets and mostly are
/// none.
bool names_secret(std::string_view key) {
  for (const std::string_view ending : {"password", "secret", "token", "credentials", "api_key", "routing_key"}) {
    if (key.ends_with(ending)) return true;
  }
  return false;
}

std::string quote(std::string_view text) { return "\"" + std::string(text) + "\""; }

/// First line of a secret's file, without its line end.
}  // namespace

std::string expand_environment(const Node& scalar, Diagnostics& diagnostics) {
  const std::string& text = scalar.text();
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t start = text.find("${", at);
    if (start == std::string::npos) break;
    if (start > at && text[start - 1] == '$') {
      out.append(text, at, start - 1 - at).append("${");
      at = start + 2;
      continue;
    }
    const std::size_t end = text.find('}', start);
    if (end == std::string::npos) {
      diagnostics.error(scalar.position(), "unclosed ${: write ${NAME}, or $${ for these two characters themselves");
      break;
    }
    out.append(text, at, start - at);
    const std::string name = text.substr(start + 2, end - start - 2);
    if (name.empty()) {
      diagnostics.error(scalar.position(), "${} names no variable");
    } else if (const char* value = std::getenv(name.c_str())) {
      out += value;
    } else {
      diagnostics.error(scalar.position(), "environment variable " + quote(name) + " is not set");
    }
    at = end + 1;
  }
  return out.append(text, at);
}

MapReader::MapReader(const Node& node, Diagnostics& diagnostics, std::string what)
    : node_(node), diagnostics_(diagnostics), what_(std::move(what)) {
  if (!node.is_mapping() && !node.is_null()) {
    diagnostics.error(node.position(),
                      what_ + ": expected a mapping of keys to values, found " + std::string(node.kind_name()));
  }
}

const Node* MapReader::child(std::string_view key) {
  if (std::ranges::find(asked_, key) == asked_.end()) asked_.emplace_back(key);
  return node_.find(key);
}

bool MapReader::has(std::string_view key) { return child(key) != nullptr; }

std::vector<const Node*> MapReader::list(std::string_view key) {
  const Node* node = child(key);
  std::vector<const Node*> items;
  if (node == nullptr || node->is_null()) return items;
  if (!node->is_sequence()) return {node};
  for (const Node& item : node->items()) items.push_back(&item);
  return items;
}

const Node* MapReader::scalar(std::string_view key) {
  const Node* node = child(key);
  if (node == nullptr || node->is_null()) return nullptr;
  if (node->is_scalar()) return node;
  error(*node, quote(key) + ": expected one value, found " + std::string(node->kind_name()));
  return nullptr;
}

std::string MapReader::text(std::string_view key, std::string fallback) {
  const Node* node = scalar(key);
  return node == nullptr ? std::move(fallback) : expand_environment(*node, diagnostics_);
}

std::string MapReader::required_text(std::string_view key) {
  const Node* node = child(key);
  if (node == nullptr || node->is_null()) {
    missing(key);
    return {};
  }
  std::string value = text(key);
  if (value.empty() && node->is_scalar()) error(*node, quote(key) + " must not be empty");
  return value;
}

std::vector<std::string> MapReader::text_list(std::string_view key) {
  std::vector<std::string> values;
  for (const Node* item : list(key)) {
    if (item->is_scalar()) {
      values.push_back(expand_environment(*item, diagnostics_));
    } else {
      error(*item, quote(key) + ": expected text, found " + std::string(item->kind_name()));
    }
  }
  return values;
}

core::Duration MapReader::duration(std::string_view key, core::Duration fallback) {
  const Node* node = scalar(key);
  if (node == nullptr) return fallback;
  const auto parsed = core::parse_duration(expand_environment(*node, diagnostics_));
  if (parsed) return *parsed;
  error(*node, quote(key) + ": " + parsed.error().message);
  return fallback;
}

std::int64_t MapReader::integer(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most) {
  const Node* node = scalar(key);
  if (node == nullptr) return fallback;
  const std::string value = expand_environment(*node, diagnostics_);
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failed == std::errc() && end == value.data() + value.size() && number >= least && number <= most) return number;
  error(*node, quote(key) + ": " + quote(value) + " is not a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most));
  return fallback;
}

double MapReader::number(std::string_view key, double fallback) {
  const Node* node = scalar(key);
  if (node == nullptr) return fallback;
  const std::string value = expand_environment(*node, diagnostics_);
  double parsed = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (failed == std::errc() && end == value.data() + value.size()) return parsed;
  error(*node, quote(key) + ": " + quote(value) + " is not a number");
  return fallback;
}

bool MapReader::boolean(std::string_view key, bool fallback) {
  const Node* node = scalar(key);
  if (node == nullptr) return fallback;
  const std::string value = expand_environment(*node, diagnostics_);
  if (value == "true" || value == "yes" || value == "on") return true;
  if (value == "false" || value == "no" || value == "off") return false;
  error(*node, quote(key) + ": " + quote(value) + " is neither true nor false");
  return fallback;
}

std::vector<std::pair<std::string, std::string>> MapReader::text_map(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> values;
  const Node* node = child(key);
  if (node == nullptr || node->is_null()) return values;
  if (!node->is_mapping()) {
    error(*node, quote(key) + ": expected a mapping, found " + std::string(node->kind_name()));
    return values;
  }
  for (const auto& [name, value] : node->entries()) {
    if (value.is_scalar() || value.is_null()) {
      values.emplace_back(name.text(), expand_environment(value, diagnostics_));
    } else {
      error(value, quote(key) + ": " + quote(name.text()) + ": expected text, found " + std::string(value.kind_name()));
    }
  }
  return values;
}

std::string MapReader::choice(std::string_view key, std::string fallback, const std::vector<std::string>& choices) {
  const Node* node = scalar(key);
  if (node == nullptr) return fallback;
  std::string value = expand_environment(*node, diagnostics_);
  if (std::ranges::find(choices, value) != choices.end()) return value;
  std::string allowed;
  for (const std::string& choice : choices) allowed += (allowed.empty() ? "" : ", ") + choice;
  error(*node, quote(key) + ": " + quote(value) + " is not one of " + allowed + did_you_mean(value, choices));
  return fallback;
}

core::Secret MapReader::secret(std::string_view key) {
  const std::string file_key = std::string(key) + "_file";
  const Node* file = scalar(file_key);
  const Node* direct = scalar(key);
  if (file != nullptr && direct != nullptr) {
    error(*file, "give either " + quote(key) + " or " + quote(file_key) + ", not both");
    return {};
  }
  const auto kept = [&](const Node& place, core::Secret secret) {
    if (names_secret(key) && !secret.empty() && secret.reveal().size() < core::kLeastMasked)
      diagnostics_.hint(place.position(), what_ + ": " + quote(key) + " has fewer than " +
                                              std::to_string(core::kLeastMasked) +
                                              " characters: what a server says may show it; take a longer one");
    return secret;
  };
  if (direct != nullptr) return kept(*direct, core::Secret(expand_environment(*direct, diagnostics_)));
  if (file == nullptr) return {};
  const std::string path = path_beside(*file, expand_environment(*file, diagnostics_));
  if (auto secret = read_secret_file(path)) return kept(*file, std::move(*secret));
  error(*file, quote(file_key) + ": cannot read " + quote(path));
  return {};
}

void MapReader::error(std::string_view key, const std::string& message) {
  const Node* node = node_.find(key);
  error(node == nullptr ? node_ : *node, quote(key) + ": " + message);
}

void MapReader::missing(std::string_view key, const std::string& message) {
  missing({key}, message.empty() ? "key " + quote(key) + " is missing" : message);
}

void MapReader::missing(std::initializer_list<std::string_view> keys, const std::string& message) {
  error(node_, message);
  for (const std::string_view key : keys) {
    child(key);
    missing_.emplace_back(key, what_ + ": " + message);
  }
}

void MapReader::error(const Node& node, const std::string& message) {
  // What a node that is no mapping lacks, it lacks for that.
  if (!node_.is_mapping() && !node_.is_null()) return;
  const std::string shown = as_written(as_written(what_ + ": " + message, node), node_);
  diagnostics_.error(node.position(), shown);
}

bool MapReader::asked(std::string_view key) const { return std::ranges::find(asked_, key) != asked_.end(); }

void MapReader::finish() {
  if (!node_.is_mapping()) return;
  for (const auto& [key, value] : node_.entries()) {
    if (std::ranges::find(asked_, key.text()) != asked_.end()) continue;
    const std::string* meant = nearest(key.text(), asked_);
    for (const auto& [absent, message] : missing_) {
      if (meant != nullptr && absent == *meant) diagnostics_.withdraw(node_.position(), as_written(message, node_));
    }
    error(key, "unknown key " + quote(key.text()) + did_you_mean(key.text(), asked_));
  }
}

}  // namespace weir::config
