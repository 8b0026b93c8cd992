#include "app/routing_notes.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <string>
#include <vector>

#include "notify/matcher.h"
#include "rules/absence.h"

namespace weir::app {
namespace {

using config::Node;
using Names = std::vector<std::string>;

bool has(const Names& names, const std::string& name) { return std::ranges::find(names, name) != names.end(); }

const Names& usual_labels() {
  static const Names names{"alertname", "severity", "cluster",   "consumergroup", "topic",     "dataset",
                           "source",    "pipeline", "partition", "collector",     "connector", "registry",
                           "subject",   "check",    "instance",  "owner",         "service",   "team"};
  return names;
}

const Names& usual_severities() {
  static const Names names{"critical", "warning", "info", "error", "page"};
  return names;
}

/// The items of a list, or one thing alone.
template <class Visit>
void each(const Node* section, const Visit& visit) {
  if (section == nullptr || section->is_null()) return;
  if (!section->is_sequence()) return visit(*section);
  for (const Node& item : section->items()) visit(item);
}

class RoutingNotes {
 public:
  RoutingNotes(const Settings& settings, config::Diagnostics& diagnostics) : diagnostics_(diagnostics) {
    for (const rules::Group& group : settings.rule_groups) {
      for (const rules::Rule& rule : group.rules) add_rule(rule);
    }
    // Labels of what Weir fetches are as its owner calls them.
    for (const collectors::ScrapeTargets& scrape : settings.scrapes) {
      for (const collectors::ScrapeSettings& page : scrape.pages) {
        for (const auto& [name, value] : page.labels) labels_.emplace_back(name);
      }
    }
    for (const collectors::HttpJsonSettings& service : settings.http_json) {
      for (const auto& [name, value] : service.labels) labels_.emplace_back(name);
    }
    if (settings.all_rules_read && !alerts_.empty()) {
      alerts_.emplace_back(rules::kDataAbsent);
    } else {
      alerts_.clear();  // one of those that could not be read may be meant
    }
  }

  void check_rules(const Settings& settings) {
    for (const rules::Group& group : settings.rule_groups) {
      for (const rules::Rule& rule : group.rules) {
        const std::string severity(rule.constant_labels.get("severity"));
        if (rule.alerting())
          note_slip(rule.position, fmt::format("rule \"{}\": severity", rule.name), severity, usual_severities());
      }
    }
  }

  void check_route(const Node& route) {
    if (const Node* receiver = route.find("receiver"); receiver != nullptr) used_.insert(receiver->text());
    check_matchers(route, "", "route");
    each(route.find("group_by"), [&](const Node& name) { check_label(name, "route: \"group_by\"", name.text()); });
    each(route.find("routes"), [&](const Node& child) { check_route(child); });
  }

  void check_inhibition(const Node& rule) {
    check_matchers(rule, "source_", "inhibit rule");
    check_matchers(rule, "target_", "inhibit rule");
    each(rule.find("equal"), [&](const Node& name) { check_label(name, "inhibit rule: \"equal\"", name.text()); });
  }

  /// A route's receiver that is not there, or comes from the environment, may be any.
  void check_receivers(const Node* receivers, const Settings& settings) {
    const bool known = std::ranges::all_of(used_, [&](const std::string& name) { return settings.routing.find(name); });
    if (!known || used_.empty()) return;
    each(receivers, [&](const Node& receiver) {
      const Node* name = receiver.find("name");
      if (name == nullptr || !name->is_scalar() || name->text().contains("${") || used_.contains(name->text())) return;
      diagnostics_.hint(name->position(),
                        fmt::format("receiver \"{}\": no route leads to it, so nobody is told by it", name->text()));
    });
  }

 private:
  void add_rule(const rules::Rule& rule) {
    if (rule.alerting()) alerts_.push_back(rule.name);
    for (const rules::TemplatedText& label : rule.labels) labels_.push_back(label.name);
    if (const auto severity = rule.constant_labels.get("severity"); !severity.empty())
      severities_.emplace_back(severity);
  }

  void check_matchers(const Node& node, const std::string& prefix, const std::string& what) {
    each(node.find(prefix + "matchers"), [&](const Node& item) {
      const auto parsed = notify::parse_matchers(item.is_scalar() ? item.text() : "");
      if (!parsed) return;  // who reads the section tells it
      for (const notify::LabelMatcher& matcher : *parsed) check_matcher(item, what, matcher.spec());
    });
    for (const auto& [key, op] :
         {std::pair{"match", core::MatchOp::equal}, std::pair{"match_re", core::MatchOp::regex}}) {
      const Node* map = node.find(prefix + key);
      if (map == nullptr) continue;
      for (const auto& [name, value] : map->entries())
        check_matcher(name, what, {.name = name.text(), .op = op, .value = value.text()});
    }
  }

  void check_matcher(const Node& place, const std::string& what, const core::Matcher& matcher) {
    check_label(place, what, matcher.name);
    if (matcher.op != core::MatchOp::equal || matcher.value.empty() || matcher.value.contains("${")) return;
    if (matcher.name == "alertname" && !alerts_.empty() && !has(alerts_, matcher.value)) {
      diagnostics_.hint(place.position(), fmt::format("{}: no rule has an alert \"{}\"{}", what, matcher.value,
                                                      config::did_you_mean(matcher.value, alerts_)));
    }
    if (matcher.name == "severity" && !has(severities_, matcher.value))
      note_slip(place.position(), what + ": severity", matcher.value, usual_severities());
  }

  void check_label(const Node& place, const std::string& what, const std::string& name) {
    if (!has(labels_, name)) note_slip(place.position(), what + ": label", name, usual_labels());
  }

  /// A longer word that holds the other one, as "resource" does, is one of its own, but for the plural.
  void note_slip(const config::Position& place, const std::string& what, const std::string& word, const Names& usual) {
    const std::string* meant = has(usual, word) ? nullptr : config::nearest(word, usual);
    if (meant == nullptr || (word.contains(*meant) && word != *meant + "s")) return;
    diagnostics_.hint(place, fmt::format("{} \"{}\" may be a slip (did you mean \"{}\"?)", what, word, *meant));
  }

  config::Diagnostics& diagnostics_;
  Names alerts_;  // none: not all are known
  Names labels_;  // that rules and fetched metrics have
  Names severities_;
  std::set<std::string> used_;  // receivers
};

}  // namespace

void note_routing(const config::Node& root, const Settings& settings, config::Diagnostics& diagnostics) {
  RoutingNotes notes(settings, diagnostics);
  notes.check_rules(settings);
  if (const Node* route = root.find("route"); route != nullptr && route->is_mapping()) {
    notes.check_route(*route);
    notes.check_receivers(root.find("receivers"), settings);
  }
  each(root.find("inhibit_rules"), [&](const Node& rule) { notes.check_inhibition(rule); });
}

}  // namespace weir::app
