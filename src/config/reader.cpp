#include "config/reader.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "config/reader_checks.h"
#include "core/masking.h"

namespace weir::config {
namespace {

/// Whether what is under a key of this name is a secret: properties and headers are read like secrets and mostly are
/// none.
bool names_secret(std::string_view key) {
  for (const std::string_view ending : {"password", "secret", "token", "credentials", "api_key", "routing_key"}) {
    if (key.ends_with(ending)) return true;
  }
  return false;
}

std::string quote(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

std::string expand_environment(const Node& scalar, Diagnostics& diagnostics) {
  const std::string& text = scalar.text();
  std::string out;
  bool whole = true;  // nothing was replaced
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
      diagnostics.expanded(value, text.substr(start, end + 1 - start));
    } else {
      diagnostics.error(scalar.position(), "environment variable " + quote(name) + " is not set");
    }
    at = end + 1;
    whole = false;
  }
  out.append(text, at);
  // As a whole it may be longer than its variables, and shown with them run together.
  if (!whole) diagnostics.expanded(out, text);
  return out;
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
  const std::size_t mistakes = diagnostics_.errors().size();
  std::string value = text(key);
  const bool told = diagnostics_.errors().size() != mistakes;  // a variable that is not set
  if (value.empty() && node->is_scalar() && !told) error(*node, quote(key) + " must not be empty");
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
  constexpr core::Duration kLongest = std::chrono::days(36'525);  // with more, times would overflow
  const auto parsed = core::parse_duration(expand_environment(*node, diagnostics_));
  if (parsed && *parsed <= kLongest) return *parsed;
  error(*node, quote(key) + ": " + (parsed ? "must be at most 100 years" : parsed.error().message));
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
  const std::string path = placed(expand_environment(*file, diagnostics_), *file);
  auto line = read_first_line(path);
  if (line) return kept(*file, core::Secret(std::move(*line)));
  error(*file, quote(file_key) + ": " + quote(path) + " " + line.error().message);
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
  diagnostics_.error(node.position(), what_ + ": " + message);
}

bool MapReader::asked(std::string_view key) const { return std::ranges::find(asked_, key) != asked_.end(); }

void MapReader::finish() {
  if (!node_.is_mapping()) return;
  for (const auto& [key, value] : node_.entries()) {
    if (std::ranges::find(asked_, key.text()) != asked_.end()) continue;
    const std::string* meant = nearest(key.text(), asked_);
    for (const auto& [absent, message] : missing_) {
      if (meant != nullptr && absent == *meant) diagnostics_.withdraw(node_.position(), message);
    }
    error(key, "unknown key " + quote(key.text()) + did_you_mean(key.text(), asked_));
  }
}

}  // namespace weir::config
