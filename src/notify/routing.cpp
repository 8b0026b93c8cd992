#include "notify/routing.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <utility>

#include "config/reader.h"
#include "notify/label_names.h"
#include "notify/message_text.h"
#include "notify/registry.h"

namespace weir::notify {
namespace {

/// Receivers of Alertmanager's that Weir does not have.
constexpr std::array kForeign =
    std::to_array<std::string_view>({"pushover_configs", "victorops_configs", "wechat_configs", "sns_configs",
                                     "telegram_configs", "webex_configs", "discord_configs", "hipchat_configs",
                                     "jira_configs", "rocketchat_configs", "mattermost_configs", "incidentio_configs"});

Receiver parse_receiver(const config::Node& node, const GlobalSettings& global,
                        const templates::TemplateLibrary& library, config::Diagnostics& diagnostics) {
  const config::Node* name = node.find("name");
  const bool named = name != nullptr && !name->text().empty();
  const std::string what = named ? fmt::format("receiver \"{}\"", name->text()) : "receiver";
  const std::size_t mistakes = diagnostics.errors().size();
  config::MapReader reader(node, diagnostics, what);
  Receiver receiver{.name = reader.required_text("name"), .integrations = {}};
  for (const NotifierKind& kind : notifier_kinds()) {
    std::size_t index = 0;
    for (const config::Node* item : reader.list(kind.key)) {
      ParsedNotifier parsed =
          kind.parse(*item, {diagnostics, fmt::format("{}, {}[{}]", what, kind.key, index), global, library});
      receiver.integrations.push_back({.id = fmt::format("{}/{}", kind.name, index),
                                       .send_resolved = parsed.send_resolved,
                                       .make = std::move(parsed.make)});
      ++index;
    }
  }
  for (const std::string_view key : kForeign) {
    if (reader.has(key)) reader.error(key, "Weir does not have this kind of receiver; a webhook may do");
  }
  reader.finish();
  if (receiver.integrations.empty() && diagnostics.errors().size() == mistakes) {
    diagnostics.hint(node.position(),
                     what + ": nobody is told what reaches it; give it webhook_configs, slack_configs or another kind");
  }
  return receiver;
}

std::vector<Receiver> parse_receivers(const config::Node& node, const GlobalSettings& global,
                                      const templates::TemplateLibrary& library, config::Diagnostics& diagnostics) {
  std::vector<Receiver> receivers;
  if (!node.is_sequence() && !node.is_null()) {
    diagnostics.error(node.position(), fmt::format("receivers: expected a list, found {}", node.kind_name()));
    receivers.emplace_back();
    return receivers;
  }
  for (const config::Node& item : node.items()) {
    Receiver receiver = parse_receiver(item, global, library, diagnostics);
    const bool known = std::ranges::find(receivers, receiver.name, &Receiver::name) != receivers.end();
    if (known && !receiver.name.empty()) {
      diagnostics.error(item.position(), fmt::format("receiver \"{}\": the name is taken already", receiver.name));
    }
    receivers.push_back(std::move(receiver));
  }
  return receivers;
}

class RouteParser {
 public:
  RouteParser(const RoutingSettings& settings, config::Diagnostics& diagnostics) : diagnostics_(diagnostics) {
    for (const Receiver& receiver : settings.receivers) receivers_.push_back(receiver.name);
    for (const NamedIntervals& named : settings.intervals) intervals_.push_back(named.name);
  }

  Route parse(const config::Node& node, const Route* parent) {
    config::MapReader reader(node, diagnostics_, "route");
    Route route;
    if (parent != nullptr) inherit(*parent, route);
    read_receiver(reader, parent, route);
    read_group_by(reader, parent == nullptr, route);
    route.group_wait = reader.duration("group_wait", route.group_wait);
    route.group_interval = reader.duration("group_interval", route.group_interval);
    route.repeat_interval = reader.duration("repeat_interval", route.repeat_interval);
    // What is inherited was told where it is written.
    for (const auto& [key, value] :
         {std::pair{"group_interval", route.group_interval}, std::pair{"repeat_interval", route.repeat_interval}}) {
      if (reader.has(key) && value.count() <= 0) reader.error(key, "must be more than 0");
    }
    route.matchers = read_matchers(reader);
    std::ranges::stable_sort(route.matchers, {}, [](const LabelMatcher& matcher) {
      return std::pair(matcher.spec().name, matcher.spec().value);
    });
    route.continue_matching = reader.boolean("continue", false);
    route.key = unique((parent == nullptr ? "" : parent->key + "/") + to_string(route.matchers));
    route.mute_time_intervals = read_intervals(reader, "mute_time_intervals", parent == nullptr);
    route.active_time_intervals = read_intervals(reader, "active_time_intervals", parent == nullptr);
    if (parent == nullptr && !route.matchers.empty()) {
      reader.error(node, "the root of the tree must have no matchers, for it takes every alert");
    }
    if (parent == nullptr && route.continue_matching) reader.error("continue", "has no sense at the root");
    for (const config::Node* child : reader.list("routes")) route.routes.push_back(parse(*child, &route));
    reader.finish();
    return route;
  }

 private:
  static void inherit(const Route& parent, Route& route) {
    route.receiver = parent.receiver;
    route.group_by_incident = parent.group_by_incident;
    route.group_by_all = parent.group_by_all;
    route.group_by = parent.group_by;
    route.group_wait = parent.group_wait;
    route.group_interval = parent.group_interval;
    route.repeat_interval = parent.repeat_interval;
  }

  void read_receiver(config::MapReader& reader, const Route* parent, Route& route) {
    if (parent == nullptr) {
      route.receiver = reader.required_text("receiver");
    } else {
      route.receiver = reader.text("receiver", route.receiver);
    }
    // A receiver whose name could not be read may be the one.
    const bool known = std::ranges::none_of(receivers_, &std::string::empty);
    if (!reader.has("receiver") || route.receiver.empty() || !known) return;
    if (std::ranges::find(receivers_, route.receiver) != receivers_.end()) return;
    reader.error("receiver", fmt::format("no receiver is named \"{}\"{}", route.receiver,
                                         config::did_you_mean(route.receiver, receivers_)));
  }

  /// An empty list says nothing below the root; at the root that all alerts are one group.
  static void read_group_by(config::MapReader& reader, bool root, Route& route) {
    if (!reader.has("group_by")) return;
    std::vector<std::string> names = read_label_names(reader, "group_by", "...");
    if (names.empty() && !root) return;
    route.group_by_incident = false;
    route.group_by_all = std::ranges::find(names, "...") != names.end();
    if (route.group_by_all && names.size() > 1)
      reader.error("group_by", "\"...\" stands for all labels; give it alone");
    std::ranges::sort(names);
    if (std::ranges::adjacent_find(names) != names.end()) reader.error("group_by", "a label is named twice");
    route.group_by = std::move(names);
  }

  std::vector<std::string> read_intervals(config::MapReader& reader, std::string_view key, bool root) {
    std::vector<std::string> names = reader.text_list(key);
    if (root && !names.empty()) reader.error(key, "the root of the tree must have none, for it takes every alert");
    for (const std::string& name : names) {
      if (std::ranges::find(intervals_, name) == intervals_.end())
        reader.error(key,
                     fmt::format("no time interval is named \"{}\"{}", name, config::did_you_mean(name, intervals_)));
    }
    return names;
  }

  /// Two routes may have the same matchers; their groups are not the same.
  std::string unique(std::string key) {
    const int count = ++seen_[key];
    return count == 1 ? key : fmt::format("{}#{}", key, count);
  }

  std::vector<std::string> receivers_;
  std::vector<std::string> intervals_;
  std::map<std::string, int> seen_;
  config::Diagnostics& diagnostics_;
};

NotificationLimits parse_limits(const config::Node* section, config::Diagnostics& diagnostics) {
  NotificationLimits limits;
  if (section == nullptr || section->is_null()) return limits;
  config::MapReader reader(*section, diagnostics, "notifications");
  if (reader.has("start_delay")) {
    limits.start_delay = reader.duration("start_delay", core::Duration(0));
    if (*limits.start_delay > std::chrono::hours(1)) reader.error("start_delay", "must be at most 1h");
  }
  limits.burst = static_cast<double>(reader.integer("burst", 30, 2, 100'000));
  limits.per_minute = static_cast<double>(reader.integer("per_minute", 60, 1, 100'000));
  limits.flap_changes = static_cast<int>(reader.integer("flap_changes", limits.flap_changes, 0, 100));
  limits.flap_calm = static_cast<int>(reader.integer("flap_calm", limits.flap_calm, 0, 100));
  limits.flap_window = reader.duration("flap_window", limits.flap_window);
  if (limits.flap_changes != 0 && limits.flap_calm >= limits.flap_changes)
    reader.error("flap_calm", "must be less than flap_changes");
  reader.finish();
  return limits;
}

void collect(const Route& route, const core::Labels& labels, std::vector<const Route*>& found) {
  const std::size_t before = found.size();
  for (const Route& child : route.routes) {
    if (!all_match(child.matchers, labels)) continue;
    collect(child, labels, found);
    if (!child.continue_matching) break;
  }
  if (found.size() == before) found.push_back(&route);
}

}  // namespace

const Receiver* RoutingSettings::find(std::string_view receiver) const {
  const auto found = std::ranges::find(receivers, receiver, &Receiver::name);
  return found == receivers.end() ? nullptr : &*found;
}

bool RoutingSettings::tells_at(const Route& route, core::Time now) const {
  const auto within = [&](const std::string& name) {
    const auto named = std::ranges::find(intervals, name, &NamedIntervals::name);
    return named != intervals.end() && named->contains(now);
  };
  if (!route.active_time_intervals.empty() && std::ranges::none_of(route.active_time_intervals, within)) return false;
  return std::ranges::none_of(route.mute_time_intervals, within);
}

RoutingSettings parse_routing(const RoutingSections& sections, config::Diagnostics& diagnostics) {
  RoutingSettings settings;
  const GlobalSettings global = parse_global(sections.global, diagnostics);
  const templates::TemplateLibrary library = parse_templates(sections.templates, diagnostics);
  settings.intervals = parse_time_intervals(sections.time_intervals, sections.mute_time_intervals, diagnostics);
  settings.inhibit_rules = parse_inhibit_rules(sections.inhibit_rules, diagnostics);
  std::ranges::move(own_inhibit_rules(), std::back_inserter(settings.inhibit_rules));
  settings.limits = parse_limits(sections.notifications, diagnostics);
  if (sections.receivers != nullptr)
    settings.receivers = parse_receivers(*sections.receivers, global, library, diagnostics);
  if (sections.route != nullptr && !sections.route->is_null()) {
    settings.root = RouteParser(settings, diagnostics).parse(*sections.route, nullptr);
  } else if (!settings.receivers.empty()) {
    diagnostics.error(sections.receivers->position(), "receivers: nothing leads to them; add \"route: {receiver: …}\"");
  }
  return settings;
}

std::string endpoint_name(std::string_view receiver, std::string_view integration) {
  return fmt::format("{}/{}", receiver, integration);
}

std::vector<std::pair<std::string, Integration>> endpoints(const RoutingSettings& settings) {
  std::vector<std::pair<std::string, Integration>> found;
  for (const Receiver& receiver : settings.receivers) {
    for (const Integration& integration : receiver.integrations) {
      found.emplace_back(endpoint_name(receiver.name, integration.id), integration);
    }
  }
  return found;
}

std::vector<const Route*> matching_routes(const Route& root, const core::Labels& labels) {
  std::vector<const Route*> found;
  if (all_match(root.matchers, labels)) collect(root, labels, found);
  return found;
}

}  // namespace weir::notify
