#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <string>
#include <string_view>

#include "config/node.h"

namespace weir::config {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

/// Texts that YAML 1.1 readers take for something else than text.
bool reads_as_other(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kWords = {"~",  "null", "true", "false", "yes", "no",
                                                              "on", "off",  "y",    "n",     "<<",  "="};
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(kWords, lower) != kWords.end();
}

bool reads_as_nothing(std::string_view text) {
  return text == "~" || text == "null" || text == "Null" || text == "NULL";
}

bool plain_is_safe(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (std::string_view("!&*-?|>@`%\"'#,[]{}:").find(text.front()) != std::string_view::npos) {
    // "-5" is a number, "- 5" begins a list.
    if (text.front() != '-' || text.size() < 2 || std::string_view(" -").find(text[1]) != std::string_view::npos)
      return false;
  }
  if (std::ranges::any_of(text, [](char c) { return is_control(c) || (static_cast<unsigned char>(c) & 0x80U) != 0; }))
    return false;
  return text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos;
}

/// A literal block keeps every character but control characters, and needs a first line that is not indented.
bool block_is_safe(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n') return false;
  const auto odd = [](char c) { return is_control(c) && c != '\n'; };
  return std::ranges::none_of(text, odd) && text.find(" \n") == std::string_view::npos && !text.ends_with("\n\n") &&
         text.back() != ' ';
}

std::string in_quotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (is_control(c)) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      quoted += escape.data();
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

class Writer {
 public:
  void write(const Node& node, std::size_t indent) {
    if (node.is_mapping()) return write_mapping(node, indent);
    if (node.is_sequence()) return write_sequence(node, indent);
    text_ += scalar(node, indent) + '\n';
  }

  std::string take() { return std::move(text_); }

 private:
  static std::string one_line(const Node& node) {
    if (node.is_null()) return "null";
    const std::string& text = node.text();
    // Quotes tell text from a number or a truth value, so they are kept.
    const bool other = node.quoted() ? reads_as_other(text) || looks_like_number(text) : reads_as_nothing(text);
    if (plain_is_safe(text) && !other) return text;
    return in_quotes(text);
  }

  static bool looks_like_number(std::string_view text) {
    return std::string_view("0123456789+-.").find(text.front()) != std::string_view::npos &&
           text.find_first_not_of("0123456789+-._:eExXabcdefABCDEFnNiI") == std::string_view::npos;
  }

  static std::string scalar(const Node& node, std::size_t indent) {
    if (!node.is_scalar() || !block_is_safe(node.text())) return one_line(node);
    std::string_view rest = node.text();
    std::string block = rest.ends_with('\n') ? "|" : "|-";
    if (rest.ends_with('\n')) rest.remove_suffix(1);
    while (true) {
      const std::size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      block += '\n';
      if (!line.empty()) block.append(std::max<std::size_t>(indent, 2), ' ').append(line);
      if (end == std::string_view::npos) return block;
      rest.remove_prefix(end + 1);
    }
  }

  static bool opens_block(const Node& node) {
    return (node.is_mapping() && !node.entries().empty()) || (node.is_sequence() && !node.items().empty());
  }

  static bool all_short_scalars(const Node& node) {
    std::size_t width = 0;
    for (const Node& item : node.items()) {
      if (item.is_mapping() || item.is_sequence()) return false;
      width += one_line(item).size() + 2;
      // What ends an item within brackets must not stand in it bare.
      if (item.text().find_first_of(",[]{}?:\n") != std::string::npos) return false;
    }
    return width < 90;
  }

  static std::string flow(const Node& node) {
    std::string text = "[";
    for (const Node& item : node.items()) text.append(text.size() == 1 ? "" : ", ").append(one_line(item));
    return text + "]";
  }

  void write_value(const Node& value, std::size_t indent) {
    if (value.is_mapping() && value.entries().empty()) {
      text_ += " {}\n";
    } else if (value.is_sequence() && all_short_scalars(value)) {
      text_ += " " + flow(value) + "\n";
    } else if (opens_block(value)) {
      text_ += '\n';
      text_.append(indent + 2, ' ');
      write(value, indent + 2);
    } else {
      text_ += " " + scalar(value, indent + 2) + "\n";
    }
  }

  /// The cursor stands at `indent` already.
  void write_mapping(const Node& node, std::size_t indent) {
    if (node.entries().empty()) text_ += "{}\n";
    bool first = true;
    for (const auto& [key, value] : node.entries()) {
      if (!first) text_.append(indent, ' ');
      first = false;
      text_ += one_line(key) + ":";
      write_value(value, indent);
    }
  }

  void write_sequence(const Node& node, std::size_t indent) {
    if (node.items().empty()) text_ += "[]\n";
    bool first = true;
    for (const Node& item : node.items()) {
      if (!first) text_.append(indent, ' ');
      first = false;
      text_ += "- ";
      write(item, indent + 2);
    }
  }

  std::string text_;
};

}  // namespace

Node Node::nothing(Position position) {
  Node node;
  node.position_ = std::move(position);
  node.derived_ = true;
  return node;
}

Node Node::scalar(std::string text, Position position, bool quoted) {
  Node node = nothing(std::move(position));
  node.kind_ = Kind::scalar;
  node.text_ = std::move(text);
  node.quoted_ = quoted;
  return node;
}

Node Node::sequence(std::vector<Node> items, Position position) {
  Node node = nothing(std::move(position));
  node.kind_ = Kind::sequence;
  node.items_ = std::move(items);
  return node;
}

Node Node::mapping(std::vector<Entry> entries, Position position) {
  Node node = nothing(std::move(position));
  node.kind_ = Kind::mapping;
  node.entries_ = std::move(entries);
  return node;
}

bool Node::same_content(const Node& other) const {
  const auto same = [](const Node& one, const Node& two) { return one.same_content(two); };
  const auto same_entry = [](const Entry& one, const Entry& two) {
    return one.first.same_content(two.first) && one.second.same_content(two.second);
  };
  return kind_ == other.kind_ && text_ == other.text_ && std::ranges::equal(items_, other.items_, same) &&
         std::ranges::equal(entries_, other.entries_, same_entry);
}

std::string to_yaml(const Node& node) {
  Writer writer;
  writer.write(node, 0);
  return writer.take();
}

}  // namespace weir::config
