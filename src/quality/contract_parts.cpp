#include "quality/contract_parts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <iterator>

namespace weir::quality::contract {
namespace {

using config::Node;

bool is_word(std::string_view name, bool capitals) {
  const auto letter = [&](char c) { return (c >= 'a' && c <= 'z') || c == '_' || (capitals && c >= 'A' && c <= 'Z'); };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool in_quotes(std::string_view name) { return name.size() > 2 && (name.front() == '"' || name.front() == '`'); }

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

/// Words of SQL that are likely names of columns and tables.
bool is_reserved(std::string_view word) {
  static constexpr std::array<std::string_view, 44> kReserved = {
      "all",   "and",     "any",   "as",     "asc",    "between", "by",   "case",      "check",  "column", "create",
      "date",  "default", "desc",  "end",    "exists", "for",     "from", "full",      "grant",  "group",  "having",
      "in",    "index",   "key",   "left",   "like",   "limit",   "not",  "null",      "offset", "on",     "or",
      "order", "primary", "right", "select", "table",  "then",    "time", "timestamp", "to",     "user",   "where"};
  return std::ranges::find(kReserved, word) != kReserved.end();
}

template <typename Name>
std::string each_part(std::string_view name, Name of) {
  if (name.find('"') != std::string_view::npos || name.find('`') != std::string_view::npos) return std::string(name);
  std::string text;
  while (true) {
    const std::size_t dot = name.find('.');
    text += of(name.substr(0, dot));
    if (dot == std::string_view::npos) return text;
    text += '.';
    name.remove_prefix(dot + 1);
  }
}

}  // namespace

std::string check_name(std::string_view name) {
  return is_word(name, true) || in_quotes(name) ? std::string(name) : quoted(name);
}

std::string check_table(std::string_view name) { return each_part(name, check_name); }

std::string sql_name(std::string_view name) {
  const bool bare = (is_word(name, false) && !is_reserved(name)) || in_quotes(name);
  return bare ? std::string(name) : quoted(name);
}

std::string sql_table(std::string_view name) { return each_part(name, sql_name); }

std::string text_of(config::MapReader& reader, std::string_view key) {
  const Node* node = reader.child(key);
  if (node == nullptr || node->is_null()) return {};
  if (node->is_scalar()) return node->text();
  reader.error(*node, fmt::format("\"{}\": expected text, found {}", key, node->kind_name()));
  return {};
}

bool flag_of(config::MapReader& reader, std::string_view key) { return reader.boolean(key, false); }

void allow(config::MapReader& reader, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) reader.child(key);
}

std::optional<std::string> number_text(const Node& node, config::MapReader& reader, std::string_view key) {
  const std::string& text = node.text();
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failed == std::errc() && end == text.data() + text.size() && std::isfinite(number);
  if (node.is_scalar() && whole) return text;
  reader.error(node, fmt::format("\"{}\": expected a number, found {}", key,
                                 node.is_scalar() ? "\"" + text + "\"" : std::string(node.kind_name())));
  return std::nullopt;
}

void TableChecks::add(const std::string& measure, const Threshold& threshold, Extras extras,
                      const config::Position& position) {
  if (!extras.warns) return push(measure + " " + threshold.holds, std::move(extras), position);
  extras.settings.emplace_back(Node::scalar("warn", position), Node::scalar("when " + threshold.broken, position));
  push(measure, std::move(extras), position);
}

void TableChecks::add_block(const std::string& check, Extras extras, const config::Position& position) {
  push(check, std::move(extras), position);
}

void TableChecks::bring_forward() {
  if (!items_.empty()) std::ranges::rotate(items_, items_.end() - 1);
}

void TableChecks::push(const std::string& check, Extras extras, const config::Position& position) {
  std::vector<Node::Entry> entries;
  const auto entry = [&](const std::string& key, const std::string& value) {
    return Node::Entry{Node::scalar(key, position), Node::scalar(value, position, true)};
  };
  if (!extras.name.empty()) {
    entries.push_back(entry("name", unique_name(extras.name)));
  } else {
    // Its text is its name, but for another check with the same text and other settings.
    std::string own = check;
    for (const auto& [key, value] : extras.settings) {
      if (key.text() == "warn" && value.is_scalar()) own += " warn " + value.text();
    }
    if (const std::string unique = unique_name(own); unique != own) entries.push_back(entry("name", unique));
  }
  std::ranges::move(extras.settings, std::back_inserter(entries));
  if (!extras.attributes.empty()) {
    std::vector<Node::Entry> attributes;
    for (const auto& [key, value] : extras.attributes) attributes.push_back(entry(key, value));
    entries.emplace_back(Node::scalar("attributes", position), Node::mapping(std::move(attributes), position));
  }
  Node text = Node::scalar(check, position);
  if (entries.empty()) return add_item(std::move(text));
  std::vector<Node::Entry> item;
  item.emplace_back(std::move(text), Node::mapping(std::move(entries), position));
  add_item(Node::mapping(std::move(item), position));
}

std::string TableChecks::unique_name(const std::string& name) {
  std::string unique = name;
  for (int nth = 2; !names_.insert(unique).second; ++nth) unique = fmt::format("{} ({})", name, nth);
  return unique;
}

std::vector<Node::Entry> TableChecks::sections() && {
  std::vector<Node::Entry> sections;
  if (!items_.empty()) {
    sections.emplace_back(Node::scalar("checks for " + table_, position_),
                          with_attributes(Node::sequence(std::move(items_), position_)));
  }
  for (auto& [heading, content] : sections_) {
    const bool checks = heading.text().starts_with("checks for ") && content.is_sequence();
    sections.emplace_back(std::move(heading), checks ? with_attributes(content) : std::move(content));
  }
  return sections;
}

Node TableChecks::with_attributes(const Node& checks) const {
  if (attributes_.empty()) return checks;
  std::vector<Node::Entry> attributes;
  for (const auto& [key, value] : attributes_) {
    attributes.emplace_back(Node::scalar(key, position_), Node::scalar(value, position_, true));
  }
  std::vector<Node> items;
  std::vector<Node::Entry> item;
  item.emplace_back(Node::scalar("attributes", position_), Node::mapping(std::move(attributes), position_));
  items.push_back(Node::mapping(std::move(item), position_));
  std::ranges::copy(checks.items(), std::back_inserter(items));
  return Node::sequence(std::move(items), position_);
}

std::string schema_of_servers(const Node& root, config::Diagnostics& diagnostics) {
  std::string schema;
  const Node* servers = root.find("servers");
  if (servers == nullptr || !servers->is_sequence()) return {};
  for (const Node& server : servers->items()) {
    const Node* own = server.is_mapping() ? server.find("schema") : nullptr;
    if (own == nullptr || !own->is_scalar() || own->text().empty()) continue;
    if (!schema.empty() && schema != own->text()) {
      diagnostics.hint(own->position(), fmt::format("contract: the servers' schemas differ (\"{}\", \"{}\"), so the "
                                                    "tables are looked for by their names alone; give physicalName "
                                                    "with its schema",
                                                    schema, own->text()));
      return {};
    }
    schema = own->text();
  }
  return schema;
}

std::vector<std::pair<std::string, std::string>> attributes_of(const Node& root) {
  const auto scalar = [](const Node* node) {
    return node != nullptr && node->is_scalar() && !node->is_null() ? node->text() : std::string();
  };
  std::vector<std::pair<std::string, std::string>> attributes;
  const auto add = [&](std::string_view key, std::string value) {
    if (!value.empty()) attributes.emplace_back(key, std::move(value));
  };
  // Since 3.1 a mapping with members, before it the list of them.
  const Node* team = root.find("team");
  const Node* members = team != nullptr && team->is_mapping() ? team->find("members") : team;
  std::string owner;
  if (members != nullptr && members->is_sequence()) {
    for (const Node& member : members->items()) {
      if (!member.is_mapping() || !owner.empty()) continue;
      std::string role = scalar(member.find("role"));
      std::ranges::transform(role, role.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (role.find("owner") != std::string::npos) owner = scalar(member.find("username"));
    }
  }
  if (owner.empty() && team != nullptr && team->is_mapping()) owner = scalar(team->find("name"));
  add("owner", owner);
  add("domain", scalar(root.find("domain")));
  std::string tags;
  if (const Node* list = root.find("tags"); list != nullptr && list->is_sequence()) {
    for (const Node& tag : list->items()) {
      if (!scalar(&tag).empty()) tags += (tags.empty() ? "" : ", ") + scalar(&tag);
    }
  }
  add("tags", tags);
  return attributes;
}

const Names::Table* Names::find(std::string_view name_or_id) const {
  const auto found = std::ranges::find_if(
      tables, [&](const Table& table) { return table.name == name_or_id || table.id == name_or_id; });
  return found == tables.end() ? nullptr : &*found;
}

std::string Names::column(const Table& table, std::string_view name_or_id) {
  for (const auto* names : {&table.columns, &table.column_ids}) {
    const auto found = std::ranges::find(*names, name_or_id, &std::pair<std::string, std::string>::first);
    if (found != names->end()) return found->second;
  }
  return std::string(name_or_id);
}

}  // namespace weir::quality::contract
