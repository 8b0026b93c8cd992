#include "collectors/relabel.h"

#include <algorithm>
#include <array>
#include <re2/re2.h>
#include <utility>

#include "config/reader.h"

namespace weir::collectors {
namespace {

using Action = RelabelRule::Action;

constexpr std::array<std::pair<std::string_view, Action>, 10> kActions{{
    {"replace", Action::replace},
    {"keep", Action::keep},
    {"drop", Action::drop},
    {"keepequal", Action::keepequal},
    {"dropequal", Action::dropequal},
    {"labelmap", Action::labelmap},
    {"labeldrop", Action::labeldrop},
    {"labelkeep", Action::labelkeep},
    {"lowercase", Action::lowercase},
    {"uppercase", Action::uppercase},
}};

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

std::string group_text(const re2::RE2& regex, const std::vector<re2::StringPiece>& groups, std::string_view name) {
  std::size_t index = groups.size();
  if (!name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) {
    if (name.size() < 4) index = static_cast<std::size_t>(std::stoul(std::string(name)));
  } else if (const auto found = regex.NamedCapturingGroups().find(std::string(name));
             found != regex.NamedCapturingGroups().end()) {
    index = static_cast<std::size_t>(found->second);
  }
  if (index >= groups.size()) return {};
  return {groups[index].data(), groups[index].size()};
}

/// `$1`, `${1}`, `$name` and `$$`, as Go's Regexp.Expand has them: an unknown group is empty.
std::string expand(std::string_view pattern, const re2::RE2& regex, const std::vector<re2::StringPiece>& groups) {
  std::string out;
  while (!pattern.empty()) {
    const std::size_t dollar = pattern.find('$');
    out += pattern.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    pattern.remove_prefix(dollar + 1);
    if (pattern.starts_with('$')) {
      out += '$';
      pattern.remove_prefix(1);
      continue;
    }
    const bool braces = pattern.starts_with('{');
    const std::string_view rest = pattern.substr(braces ? 1 : 0);
    const auto length = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_word) - rest.begin());
    if (length == 0 || (braces && (length == rest.size() || rest[length] != '}'))) {
      out += '$';
      continue;
    }
    out += group_text(regex, groups, rest.substr(0, length));
    pattern = rest.substr(length + (braces ? 1 : 0));
  }
  return out;
}

std::vector<re2::StringPiece> groups_of(const re2::RE2& regex, const std::string& value) {
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  const auto text = piece(value);
  if (!regex.Match(text, 0, text.size(), re2::RE2::ANCHOR_BOTH, groups.data(), static_cast<int>(groups.size()))) {
    groups.clear();
  }
  return groups;
}

std::string in_case(std::string text, char from, char to, int shift) {
  for (char& c : text) {
    if (c >= from && c <= to) c = static_cast<char>(c + shift);
  }
  return text;
}

bool needs_target(Action action) {
  return action == Action::replace || action == Action::keepequal || action == Action::dropequal ||
         action == Action::lowercase || action == Action::uppercase;
}

/// `${1}` is a group of the expression here, and no variable of the environment.
std::string as_written(config::MapReader& reader, std::string_view key, std::string fallback) {
  const config::Node* node = reader.child(key);
  if (node == nullptr) return fallback;
  if (node->is_scalar()) return node->text();
  reader.error(*node, "\"" + std::string(key) + "\": expected text, found " + std::string(node->kind_name()));
  return fallback;
}

}  // namespace

core::Result<RelabelRule> RelabelRule::make(Parts parts) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  auto regex = std::make_shared<const re2::RE2>(parts.regex, options);
  if (!regex->ok()) {
    return core::fail(core::ErrorKind::invalid, "\"" + parts.regex + "\" is no regular expression: " + regex->error());
  }
  if (needs_target(parts.action) && parts.target_label.empty()) {
    return core::fail(core::ErrorKind::invalid, "the action needs a target_label");
  }
  static const re2::RE2 kLabelName("[a-zA-Z_][a-zA-Z0-9_]*");
  const bool with_groups = parts.target_label.find('$') != std::string::npos;
  if (needs_target(parts.action) && !with_groups && !re2::RE2::FullMatch(parts.target_label, kLabelName)) {
    return core::fail(core::ErrorKind::invalid, "\"" + parts.target_label + "\" is no label's name");
  }
  return RelabelRule(std::move(parts), std::move(regex));
}

void RelabelRule::replace(core::LabelsBuilder& labels, const std::string& value) const {
  const auto groups = groups_of(*regex_, value);
  if (groups.empty()) return;
  const std::string target = expand(parts_.target_label, *regex_, groups);
  if (target.empty()) return;
  const std::string text = expand(parts_.replacement, *regex_, groups);
  if (text.empty()) {
    labels.erase(target);
  } else {
    labels.set(target, text);
  }
}

void RelabelRule::map_names(core::LabelsBuilder& labels) const {
  const core::Labels before = labels.build();
  for (const auto& [name, value] : before) {
    const std::string text(name);
    const auto groups = groups_of(*regex_, text);
    const bool matches = !groups.empty();
    if (parts_.action == Action::labelmap && matches) labels.set(expand(parts_.replacement, *regex_, groups), value);
    if (parts_.action == Action::labeldrop && matches) labels.erase(text);
    if (parts_.action == Action::labelkeep && !matches) labels.erase(text);
  }
}

bool RelabelRule::apply(core::LabelsBuilder& labels) const {
  std::string value;
  for (std::size_t i = 0; i < parts_.source_labels.size(); ++i) {
    if (i > 0) value += parts_.separator;
    value += labels.get(parts_.source_labels[i]);
  }
  switch (parts_.action) {
    case Action::replace: replace(labels, value); return true;
    case Action::keep: return !groups_of(*regex_, value).empty();
    case Action::drop: return groups_of(*regex_, value).empty();
    case Action::keepequal: return labels.get(parts_.target_label) == value;
    case Action::dropequal: return labels.get(parts_.target_label) != value;
    case Action::labelmap:
    case Action::labeldrop:
    case Action::labelkeep: map_names(labels); return true;
    case Action::lowercase: labels.set(parts_.target_label, in_case(value, 'A', 'Z', 'a' - 'A')); return true;
    case Action::uppercase: labels.set(parts_.target_label, in_case(value, 'a', 'z', 'A' - 'a')); return true;
  }
  return true;
}

core::Labels relabel(const core::Labels& labels, const std::vector<RelabelRule>& rules) {
  if (rules.empty()) return labels;
  core::LabelsBuilder builder(labels);
  for (const RelabelRule& rule : rules) {
    if (!rule.apply(builder)) return {};
  }
  core::Labels made = builder.build();
  return made.name().empty() ? core::Labels() : made;
}

std::vector<RelabelRule> parse_relabel_rules(const std::vector<const config::Node*>& nodes, const std::string& what,
                                             config::Diagnostics& diagnostics) {
  std::vector<RelabelRule> rules;
  std::vector<std::string> names;
  for (const auto& [name, action] : kActions) names.emplace_back(name);
  for (const config::Node* node : nodes) {
    config::MapReader reader(*node, diagnostics, what + ", metric_relabel_configs");
    RelabelRule::Parts parts;
    parts.source_labels = reader.text_list("source_labels");
    parts.separator = reader.text("separator", parts.separator);
    parts.regex = as_written(reader, "regex", parts.regex);
    parts.target_label = as_written(reader, "target_label", "");
    parts.replacement = as_written(reader, "replacement", parts.replacement);
    const bool shards = reader.text("action") == "hashmod";
    if (shards) reader.error("action", "hashmod is for shards of targets, and there are none here");
    const std::string action = shards ? "" : reader.choice("action", "replace", names);
    for (const auto& [name, value] : kActions) {
      if (name == action) parts.action = value;
    }
    reader.finish();
    auto rule = RelabelRule::make(std::move(parts));
    if (rule) {
      rules.push_back(std::move(*rule));
    } else {
      reader.error(*node, rule.error().message);
    }
  }
  return rules;
}

}  // namespace weir::collectors
