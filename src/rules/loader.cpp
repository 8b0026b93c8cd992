#include "rules/loader.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <glob.h>
#include <optional>
#include <set>

#include "config/reader.h"
#include "config/yaml_place.h"
#include "promql/parser.h"
#include "rules/selectors.h"

namespace weir::rules {
namespace {

constexpr std::string_view kNoDataAnnotation = "weir_no_data";
constexpr std::string_view kOnErrorAnnotation = "weir_on_error";

bool is_label_start(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool valid_label_name(std::string_view name) {
  return !name.empty() && is_label_start(name[0]) &&
         std::ranges::all_of(name, [](char c) { return is_label_start(c) || (c >= '0' && c <= '9'); });
}

bool valid_metric_name(std::string_view name) {
  std::string without_colons(name);
  std::ranges::replace(without_colons, ':', '_');
  return valid_label_name(without_colons);
}

/// What a label or an annotation is written as.
struct NamedNode {
  std::string name;
  const config::Node* value = nullptr;
};

class Loader {
 public:
  Loader(const std::string& text, std::string file, config::Diagnostics& diagnostics, core::Duration interval,
         Dialect dialect)
      : file_(std::move(file)), place_(text), diagnostics_(diagnostics), interval_(interval), dialect_(dialect) {}

  std::vector<Group> run(const config::Node& root) {
    std::vector<Group> groups;
    config::MapReader reader(root, diagnostics_, "rule file");
    if (root.is_mapping() && !reader.has("groups")) reader.missing("groups");
    std::set<std::string> names;
    for (const config::Node* node : reader.list("groups")) {
      Group group = read_group(*node);
      if (!group.name.empty() && !names.insert(group.name).second) {
        reader.error(*node, fmt::format("group \"{}\" is given twice", group.name));
      }
      groups.push_back(std::move(group));
    }
    reader.finish();
    return groups;
  }

 private:
  static std::string text_of(const config::Node* node) { return node == nullptr ? "" : node->text(); }

  /// False with a mistake for a list or a mapping; what is absent may be text.
  static bool is_text(config::MapReader& reader, std::string_view key) {
    const config::Node* node = reader.child(key);
    if (node == nullptr || node->is_null() || node->is_scalar()) return true;
    reader.error(key, fmt::format("expected text, found {}", node->kind_name()));
    return false;
  }

  /// As written, for `$` is none of the environment's here.
  static std::string required_text(config::MapReader& reader, std::string_view key) {
    std::string text = text_of(reader.child(key));
    if (text.empty() && is_text(reader, key)) reader.missing(key);
    return text;
  }

  static std::string called(std::string_view what, const std::string& name) {
    return name.empty() ? std::string(what) : fmt::format("{} \"{}\"", what, name);
  }

  Group read_group(const config::Node& node) {
    config::MapReader reader(node, diagnostics_, called("group", text_of(node.find("name"))));
    Group group;
    group.file = file_;
    group.name = required_text(reader, "name");
    group.interval = reader.duration("interval", interval_);
    if (group.interval == core::Duration::zero()) group.interval = interval_;  // as Prometheus
    group.query_offset = reader.duration("query_offset", core::Duration::zero());
    group.limit = static_cast<std::size_t>(reader.integer("limit", 0, 0, 10'000'000));
    const std::vector<NamedNode> labels = read_names(reader, "labels");
    std::set<std::string> seen;
    for (const config::Node* item : reader.list("rules")) {
      if (auto rule = read_rule(*item, labels)) {
        if (dialect_ == Dialect::weir) note_duplicate(*rule, seen);
        group.rules.push_back(std::move(*rule));
      }
    }
    reader.finish();
    return group;
  }

  void note_duplicate(const Rule& rule, std::set<std::string>& seen) {
    std::string identity = fmt::format("{}\n{}\n{}", rule.alerting(), rule.name, rule.expression);
    for (const TemplatedText& label : rule.labels) identity += fmt::format("\n{}={}", label.name, label.text);
    if (!seen.insert(std::move(identity)).second) {
      diagnostics_.error(rule.position,
                         fmt::format("rule \"{}\": the same rule is already in this group: delete one", rule.name));
    }
  }

  std::optional<Rule> read_rule(const config::Node& node, const std::vector<NamedNode>& group_labels) {
    const std::size_t mistakes = diagnostics_.errors().size();
    const std::string alert = text_of(node.find("alert"));
    const std::string record = text_of(node.find("record"));
    config::MapReader reader(node, diagnostics_, called("rule", alert.empty() ? record : alert));
    reader.child("alert");
    reader.child("record");
    Rule rule;
    rule.position = node.position();
    rule.kind = alert.empty() ? Rule::Kind::recording : Rule::Kind::alerting;
    rule.name = alert.empty() ? record : alert;
    if (rule.name.empty() && is_text(reader, "alert") && is_text(reader, "record")) {
      reader.missing({"alert", "record"}, "needs a key \"alert\" or \"record\"");
    }
    if (!alert.empty() && !record.empty()) reader.error("record", "a rule is either an alert or a record, not both");
    rule.hold = reader.duration("for", core::Duration::zero());
    rule.keep_firing_for = reader.duration("keep_firing_for", core::Duration::zero());
    read_expression(reader, rule);
    read_labels(reader, group_labels, rule);
    read_annotations(reader, rule);
    if (!rule.alerting()) check_recording(reader, rule);
    reader.finish();
    if (diagnostics_.errors().size() != mistakes) return std::nullopt;
    return rule;
  }

  void check_recording(config::MapReader& reader, const Rule& rule) {
    for (const std::string_view key : {"for", "keep_firing_for", "annotations"}) {
      if (reader.has(key)) reader.error(key, "a recording rule has none");
    }
    if (!rule.name.empty() && !valid_metric_name(rule.name)) reader.error("record", "is not a valid metric name");
  }

  void read_expression(config::MapReader& reader, Rule& rule) {
    const config::Node* node = reader.child("expr");
    rule.expression = required_text(reader, "expr");
    while (!rule.expression.empty() && rule.expression.back() == '\n') rule.expression.pop_back();
    if (rule.expression.empty()) return;
    auto parsed = promql::parse(rule.expression);
    if (!parsed) {
      diagnostics_.error(place_.locate(*node, parsed.error().where),
                         fmt::format("{}: \"expr\": {}", reader.what(), parsed.error().message));
      return;
    }
    // Prometheus loads such a rule and fails at each evaluation.
    const bool usable = parsed->type() == promql::ValueType::vector || parsed->type() == promql::ValueType::scalar;
    if (dialect_ == Dialect::weir && !usable) {
      diagnostics_.error(place_.locate(*node, "1:1"),
                         fmt::format("{}: \"expr\": {} needs an instant vector or a scalar, found a {}", reader.what(),
                                     rule.alerting() ? "an alert" : "a record", promql::to_string(parsed->type())));
      return;
    }
    rule.expr = std::make_shared<const promql::Expr>(std::move(*parsed));
    SelectorUses uses = selector_uses(*rule.expr);
    rule.selectors = std::move(uses.selectors);
    rule.rewritten_labels = std::move(uses.rewritten_labels);
  }

  std::vector<NamedNode> read_names(config::MapReader& reader, std::string_view key) {
    std::vector<NamedNode> names;
    const config::Node* node = reader.child(key);
    if (node == nullptr || node->is_null()) return names;
    if (!node->is_mapping()) {
      reader.error(*node, fmt::format("\"{}\": expected a mapping, found {}", key, node->kind_name()));
      return names;
    }
    for (const auto& [name, value] : node->entries()) {
      if (!valid_label_name(name.text()) || (key == "labels" && name.text() == core::kMetricName)) {
        reader.error(name, fmt::format("\"{}\": \"{}\" is not a valid name", key, name.text()));
      } else if (!value.is_scalar() && !value.is_null()) {
        reader.error(value,
                     fmt::format("\"{}\": \"{}\": expected text, found {}", key, name.text(), value.kind_name()));
      } else {
        names.push_back({name.text(), &value});
      }
    }
    return names;
  }

  std::optional<TemplatedText> read_text(const config::MapReader& reader, const NamedNode& named,
                                         std::string_view key) {
    auto parsed = Template::parse(named.value->text());
    if (parsed) {
      if (const auto unknown = dialect_ == Dialect::weir ? parsed->unknown_field(named.value->text()) : std::nullopt)
        diagnostics_.hint(place_.locate(*named.value, unknown->where),
                          fmt::format("{}: \"{}\": \"{}\": the template will fail: {}", reader.what(), key, named.name,
                                      unknown->message));
      return TemplatedText{named.name, named.value->text(), std::move(*parsed)};
    }
    diagnostics_.error(
        place_.locate(*named.value, parsed.error().where),
        fmt::format("{}: \"{}\": \"{}\": template: {}", reader.what(), key, named.name, parsed.error().message));
    return std::nullopt;
  }

  /// The group's labels, replaced by the rule's own of the same name.
  void read_labels(config::MapReader& reader, std::vector<NamedNode> labels, Rule& rule) {
    for (NamedNode& own : read_names(reader, "labels")) {
      std::erase_if(labels, [&](const NamedNode& other) { return other.name == own.name; });
      labels.push_back(std::move(own));
    }
    core::LabelsBuilder constant;
    for (const NamedNode& label : labels) {
      // The labels of a recording rule are no templates.
      auto text = rule.alerting() ? read_text(reader, label, "labels") : literal(label);
      if (!text) continue;
      if (text->value.constant()) constant.set(text->name, text->text);
      rule.labels.push_back(std::move(*text));
    }
    rule.constant_labels = constant.build();
  }

  static std::optional<TemplatedText> literal(const NamedNode& named) {
    return TemplatedText{named.name, named.value->text(), Template::literal(named.value->text())};
  }

  void read_annotations(config::MapReader& reader, Rule& rule) {
    for (const NamedNode& annotation : read_names(reader, "annotations")) {
      if (annotation.name == kNoDataAnnotation && dialect_ == Dialect::weir) {
        read_choice(reader, kNoDataAnnotation, *annotation.value, rule.no_data);
      } else if (annotation.name == kOnErrorAnnotation && dialect_ == Dialect::weir) {
        read_choice(reader, kOnErrorAnnotation, *annotation.value, rule.on_error);
      } else if (auto text = read_text(reader, annotation, "annotations")) {
        rule.annotations.push_back(std::move(*text));
      }
    }
  }

  /// Both enumerations have these three, in this order.
  template <class Choice>
  static void read_choice(config::MapReader& reader, std::string_view name, const config::Node& value, Choice& choice) {
    const std::vector<std::string> choices{"keep", "alert", "resolve"};
    const auto found = std::ranges::find(choices, value.text());
    if (found == choices.end()) {
      reader.error(value, fmt::format("\"{}\": \"{}\" is not one of keep, alert, resolve{}", name, value.text(),
                                      config::did_you_mean(value.text(), choices)));
      return;
    }
    choice = static_cast<Choice>(found - choices.begin());
  }

  std::string file_;
  config::YamlPlace place_;
  config::Diagnostics& diagnostics_;
  core::Duration interval_;
  Dialect dialect_;
};

}  // namespace

std::optional<std::string> read_text_file(const std::string& file, config::Diagnostics& diagnostics,
                                          std::size_t most_bytes) {
  auto text = config::read_file(file, most_bytes, config::Streams::own);
  if (text) return std::move(*text);
  diagnostics.error({file, 0, 0}, text.error().message);
  return std::nullopt;
}

std::vector<std::string> expand_glob(const std::string& pattern, const std::string& file) {
  std::filesystem::path path(pattern);
  if (path.is_relative()) path = std::filesystem::path(file).parent_path() / path;
  glob_t found{};
  std::vector<std::string> files;
  if (glob(path.c_str(), 0, nullptr, &found) == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return files;
}

RuleSettings parse_rules_section(const config::Node& node, config::Diagnostics& diagnostics) {
  RuleSettings settings;
  config::MapReader reader(node, diagnostics, "rules");
  for (const config::Node* item : reader.list("files")) {
    if (!item->is_scalar()) {
      reader.error(*item, fmt::format("\"files\": expected text, found {}", item->kind_name()));
      continue;
    }
    const std::string pattern = config::expand_environment(*item, diagnostics);
    const std::vector<std::string> files = expand_glob(pattern, item->position().file);
    if (files.empty()) reader.error(*item, fmt::format("\"files\": no file matches \"{}\"", pattern));
    for (const std::string& file : files) {
      if (std::ranges::find(settings.files, file) == settings.files.end()) settings.files.push_back(file);
    }
  }
  settings.interval = reader.duration("interval", settings.interval);
  if (settings.interval <= core::Duration::zero()) reader.error("interval", "must be more than 0");
  reader.finish();
  return settings;
}

std::vector<Group> load_text(const std::string& text, const std::string& file, config::Diagnostics& diagnostics,
                             core::Duration default_interval, Dialect dialect) {
  const config::Node root = config::parse_yaml(text, file, diagnostics);
  return Loader(text, file, diagnostics, default_interval, dialect).run(root);
}

std::vector<Group> load(const std::vector<std::string>& files, config::Diagnostics& diagnostics,
                        core::Duration default_interval, Dialect dialect) {
  std::vector<Group> groups;
  for (const std::string& file : files) {
    const auto text = read_text_file(file, diagnostics);
    if (!text) continue;
    std::vector<Group> loaded = load_text(*text, file, diagnostics, default_interval, dialect);
    std::ranges::move(loaded, std::back_inserter(groups));
  }
  return groups;
}

}  // namespace weir::rules
