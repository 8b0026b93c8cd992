#include "notify/suppression.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "notify/label_names.h"

namespace weir::notify {
namespace {

/// Of one rule and set of values it is enough to name a few.
constexpr std::size_t kMostSources = 10;

void add(config::MapReader& reader, std::string_view key, core::Result<LabelMatcher> matcher,
         std::vector<LabelMatcher>& to) {
  if (matcher) {
    to.push_back(std::move(*matcher));
  } else {
    reader.error(key, matcher.error().message);
  }
}

InhibitRule parse_rule(const config::Node& node, config::Diagnostics& diagnostics, std::size_t index) {
  config::MapReader reader(node, diagnostics, fmt::format("inhibit_rules[{}]", index));
  InhibitRule rule;
  rule.source = read_matchers(reader, "source_");
  rule.target = read_matchers(reader, "target_");
  rule.equal = read_label_names(reader, "equal");
  if (rule.source.empty() && rule.target.empty())
    reader.error(node, "has neither source_matchers nor target_matchers: every alert would inhibit the others");
  reader.finish();
  return rule;
}

}  // namespace

std::vector<LabelMatcher> read_matchers(config::MapReader& reader, const std::string& prefix) {
  std::vector<LabelMatcher> matchers;
  for (const auto& [name, op] :
       {std::pair{"match", core::MatchOp::equal}, std::pair{"match_re", core::MatchOp::regex}}) {
    const std::string key = prefix + name;
    for (const auto& [label, value] : reader.text_map(key)) {
      if (!is_label_name(label)) reader.error(key, fmt::format("\"{}\" is no label's name", label));
      // As Alertmanager writes it in group keys.
      const std::string written = op == core::MatchOp::regex ? "^(?:" + value + ")$" : value;
      add(reader, key, LabelMatcher::make({.name = label, .op = op, .value = written}), matchers);
    }
  }
  const std::string key = prefix + "matchers";
  for (const config::Node* item : reader.list(key)) {
    if (!item->is_scalar()) {
      reader.error(*item, fmt::format("\"{}\": expected text, found {}", key, item->kind_name()));
      continue;
    }
    auto parsed = parse_matchers(item->text());
    if (!parsed) {
      reader.error(*item, parsed.error().message);
      continue;
    }
    std::ranges::move(*parsed, std::back_inserter(matchers));
  }
  return matchers;
}

std::vector<InhibitRule> parse_inhibit_rules(const config::Node* section, config::Diagnostics& diagnostics) {
  std::vector<InhibitRule> rules;
  if (section == nullptr || section->is_null()) return rules;
  if (!section->is_sequence()) {
    diagnostics.error(section->position(),
                      fmt::format("inhibit_rules: expected a list, found {}", section->kind_name()));
    return rules;
  }
  for (const config::Node& node : section->items()) rules.push_back(parse_rule(node, diagnostics, rules.size()));
  return rules;
}

std::vector<InhibitRule> own_inhibit_rules() {
  const auto matcher = [](core::MatchOp op) {
    return *LabelMatcher::make({.name = "alertname", .op = op, .value = "WeirOffline"});
  };
  return {{.source = {matcher(core::MatchOp::equal)}, .target = {matcher(core::MatchOp::not_equal)}, .equal = {}}};
}

std::vector<CompiledSilence> compile(std::span<const core::Silence> silences) {
  std::vector<CompiledSilence> all;
  all.reserve(silences.size());
  for (const core::Silence& silence : silences) {
    CompiledSilence compiled{.silence = silence, .matchers = {}};
    for (const core::Matcher& spec : silence.matchers) {
      if (auto matcher = LabelMatcher::make(spec)) compiled.matchers.push_back(std::move(*matcher));
    }
    if (compiled.matchers.size() != silence.matchers.size()) compiled.matchers.clear();
    all.push_back(std::move(compiled));
  }
  return all;
}

std::vector<std::string> Suppressor::values(const InhibitRule& rule, const core::Labels& labels) {
  std::vector<std::string> found;
  found.reserve(rule.equal.size());
  for (const std::string& name : rule.equal) found.emplace_back(labels.get(name));
  return found;
}

Suppressor::Suppressor(std::span<const InhibitRule> rules, std::span<const core::Alert* const> firing,
                       std::span<const CompiledSilence> silences, core::Time now) {
  for (const InhibitRule& rule : rules) {
    Rule indexed{.rule = &rule, .sources = {}};
    for (const core::Alert* alert : firing) {
      if (!all_match(rule.source, alert->labels)) continue;
      const bool target_too = all_match(rule.target, alert->labels);
      std::vector<Source>& sources = indexed.sources[values(rule, alert->labels)];
      // One that may inhibit all is never left out for one that may not.
      const auto alike = std::ranges::count(sources, target_too, &Source::target_too);
      if (static_cast<std::size_t>(alike) < kMostSources)
        sources.push_back({.fingerprint = alert->fingerprint, .target_too = target_too});
    }
    if (!indexed.sources.empty()) rules_.push_back(std::move(indexed));
  }
  for (const CompiledSilence& each : silences) {
    if (each.silence.active(now) && !each.matchers.empty()) silences_.push_back(&each);
  }
}

core::Suppression Suppressor::of(const core::Labels& labels) const {
  core::Suppression found;
  for (const Rule& indexed : rules_) {
    if (!all_match(indexed.rule->target, labels)) continue;
    const auto sources = indexed.sources.find(values(*indexed.rule, labels));
    if (sources == indexed.sources.end()) continue;
    const bool both = all_match(indexed.rule->source, labels);
    for (const Source& source : sources->second) {
      if (!both || !source.target_too) found.inhibited_by.push_back(source.fingerprint);
    }
  }
  std::ranges::sort(found.inhibited_by);
  const auto repeated = std::ranges::unique(found.inhibited_by);
  found.inhibited_by.erase(repeated.begin(), repeated.end());
  for (const CompiledSilence* each : silences_) {
    if (all_match(each->matchers, labels)) found.silenced_by.push_back(each->silence.id);
  }
  return found;
}

}  // namespace weir::notify
