#include "quality/variables.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "quality/check_parser.h"

namespace weir::quality {
namespace {

using config::Node;

constexpr std::size_t kLongest = 1U << 20U;

class Replacer {
 public:
  Replacer(const Variables& variables, config::Diagnostics& diagnostics)
      : variables_(variables), diagnostics_(diagnostics) {
    for (const auto& [name, value] : variables) names_.push_back(name);
  }

  Node run(const Node& node) {
    switch (node.kind()) {
      case Node::Kind::null: return node;
      case Node::Kind::scalar: return scalar(node);
      case Node::Kind::sequence: {
        std::vector<Node> items;
        for (const Node& item : node.items()) items.push_back(run(item));
        return Node::sequence(std::move(items), node.position());
      }
      case Node::Kind::mapping: break;
    }
    std::vector<Node::Entry> entries;
    for (const auto& [key, value] : node.entries()) {
      Node replaced = scalar(key);
      const auto same = [&](const Node::Entry& entry) { return entry.first.text() == replaced.text(); };
      if (std::ranges::any_of(entries, same)) {
        diagnostics_.error(key.position(),
                           fmt::format("\"{}\" is there twice once variables are replaced", replaced.text()));
        continue;
      }
      entries.emplace_back(std::move(replaced), run(value));
    }
    return Node::mapping(std::move(entries), node.position());
  }

 private:
  Node scalar(const Node& node) {
    const std::string& text = node.text();
    if (text.find("${") == std::string::npos) return node;
    std::string result;
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t begin = text.find("${", at);
      if (begin == std::string::npos) break;
      if (begin > at && text[begin - 1] == '$') {
        result += text.substr(at, begin - 1 - at) + "${";
        at = begin + 2;
        continue;
      }
      const std::size_t end = text.find('}', begin);
      if (end == std::string::npos) {
        error(node, begin, "\"${\" is not closed with \"}\"");
        return node;
      }
      result += text.substr(at, begin - at) + value(node, begin, text.substr(begin + 2, end - begin - 2));
      at = end + 1;
      if (result.size() > kLongest) {
        error(node, begin, fmt::format("with its variables the text is longer than {} bytes", kLongest));
        return node;
      }
    }
    return Node::scalar(result + text.substr(std::min(at, text.size())), node.position(), node.quoted());
  }

  std::string value(const Node& node, std::size_t offset, std::string name) {
    name.erase(0, name.find_first_not_of(' '));
    name.erase(name.find_last_not_of(' ') + 1);
    const auto known = variables_.find(name);
    if (known != variables_.end()) return known->second;
    error(node, offset,
          fmt::format(
              "variable \"{}\" is not set{}; set it under \"variables\" of this file or of the entry of checks: in "
              "weir.yml, or with -v {}=<value>; for the text itself write $${{…}}",
              name, config::did_you_mean(name, names_), name));
    return "0";
  }

  void error(const Node& node, std::size_t offset, std::string message) {
    diagnostics_.error(position_in(node, offset), std::move(message));
  }

  const Variables& variables_;
  config::Diagnostics& diagnostics_;
  std::vector<std::string> names_;
};

}  // namespace

Node with_variables(const Node& node, const Variables& variables, config::Diagnostics& diagnostics) {
  return Replacer(variables, diagnostics).run(node);
}

Variables read_variables(const Node& node, const std::string& what, config::Diagnostics& diagnostics) {
  Variables variables;
  if (!node.is_mapping()) {
    diagnostics.error(node.position(), fmt::format("{}: expected names and values, found {}", what, node.kind_name()));
    return variables;
  }
  for (const auto& [key, value] : node.entries()) {
    const Node* text = value.is_mapping() && value.entries().size() == 1 ? value.find("default") : &value;
    if (text == nullptr || !text->is_scalar()) {
      diagnostics.error(value.position(),
                        fmt::format("{}: \"{}\": expected a text, or \"default: <text>\"", what, key.text()));
      continue;
    }
    if (const std::string mistake = variable_mistake(key.text(), text->text()); !mistake.empty()) {
      diagnostics.error(key.position(), fmt::format("{}: {}", what, mistake));
      continue;
    }
    variables[key.text()] = text->text();
  }
  return variables;
}

std::string variable_mistake(std::string_view name, std::string_view value) {
  const bool odd = std::ranges::any_of(
      name, [](char c) { return std::string_view("${}= \t\r\n").find(c) != std::string_view::npos; });
  if (name.empty() || name.size() > 200 || odd) return fmt::format("\"{}\" is no name of a variable", name);
  if (value.find("${") != std::string_view::npos) {
    return fmt::format("the value of variable \"{}\" holds \"${{\": variables are not replaced within variables", name);
  }
  return {};
}

}  // namespace weir::quality
