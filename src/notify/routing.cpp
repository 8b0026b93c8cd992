#include "notify/routing.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "config/reader.h"
#include "notify/registry.h"

namespace weir::notify {
namespace {

constexpr std::array<std::string_view, 5> kNotApplied{"group_wait", "group_interval", "repeat_interval",
                                                      "mute_time_intervals", "active_time_intervals"};

Receiver parse_receiver(const config::Node& node, config::Diagnostics& diagnostics) {
  const config::Node* name = node.find("name");
  const bool named = name != nullptr && !name->text().empty();
  const std::string what = named ? fmt::format("receiver \"{}\"", name->text()) : "receiver";
  const std::size_t mistakes = diagnostics.errors().size();
  config::MapReader reader(node, diagnostics, what);
  Receiver receiver{.name = reader.required_text("name"), .integrations = {}};
  for (const NotifierKind& kind : notifier_kinds()) {
    std::size_t index = 0;
    for (const config::Node* item : reader.list(kind.key)) {
      ParsedNotifier parsed = kind.parse(*item, diagnostics, fmt::format("{}, {}[{}]", what, kind.key, index));
      receiver.integrations.push_back({.id = fmt::format("{}/{}", kind.name, index),
                                       .send_resolved = parsed.send_resolved,
                                       .make = std::move(parsed.make)});
      ++index;
    }
  }
  reader.finish();
  if (receiver.integrations.empty() && diagnostics.errors().size() == mistakes) {
    diagnostics.hint(node.position(),
                     what + ": nobody is told what reaches it; give it webhook_configs or slack_configs");
  }
  return receiver;
}

std::vector<Receiver> parse_receivers(const config::Node& node, config::Diagnostics& diagnostics) {
  std::vector<Receiver> receivers;
  if (!node.is_sequence() && !node.is_null()) {
    diagnostics.error(node.position(), fmt::format("receivers: expected a list, found {}", node.kind_name()));
    receivers.emplace_back();
    return receivers;
  }
  for (const config::Node& item : node.items()) {
    Receiver receiver = parse_receiver(item, diagnostics);
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
  RouteParser(const std::vector<Receiver>& receivers, config::Diagnostics& diagnostics) : diagnostics_(diagnostics) {
    for (const Receiver& receiver : receivers) names_.push_back(receiver.name);
  }

  Route parse(const config::Node& node, const Route* parent) {
    config::MapReader reader(node, diagnostics_, "route");
    Route route;
    if (parent != nullptr) {
      route.receiver = parent->receiver;
      route.group_by = parent->group_by;
    }
    read_receiver(reader, parent, route);
    if (reader.has("group_by")) route.group_by = reader.text_list("group_by");
    read_matchers(reader, route);
    route.continue_matching = reader.boolean("continue", false);
    route.key = (parent == nullptr ? "" : parent->key + "/") + to_string(route.matchers);
    if (parent == nullptr && !route.matchers.empty()) {
      reader.error(node, "the root of the tree must have no matchers, for it takes every alert");
    }
    if (parent == nullptr && route.continue_matching) reader.error("continue", "has no sense at the root");
    for (const std::string_view key : kNotApplied) {
      if (reader.has(key)) reader.error(key, "Weir does not apply this key of Alertmanager yet; remove it");
    }
    for (const config::Node* child : reader.list("routes")) route.routes.push_back(parse(*child, &route));
    reader.finish();
    return route;
  }

 private:
  void read_receiver(config::MapReader& reader, const Route* parent, Route& route) {
    if (parent == nullptr) {
      route.receiver = reader.required_text("receiver");
    } else {
      route.receiver = reader.text("receiver", route.receiver);
    }
    // A receiver whose name could not be read may be the one.
    const bool known = std::ranges::none_of(names_, &std::string::empty);
    if (!reader.has("receiver") || route.receiver.empty() || !known) return;
    if (std::ranges::find(names_, route.receiver) != names_.end()) return;
    reader.error("receiver", fmt::format("no receiver is named \"{}\"{}", route.receiver,
                                         config::did_you_mean(route.receiver, names_)));
  }

  void read_matchers(config::MapReader& reader, Route& route) {
    for (const auto& [key, op] :
         {std::pair{"match", core::MatchOp::equal}, std::pair{"match_re", core::MatchOp::regex}}) {
      for (const auto& [name, value] : reader.text_map(key)) {
        add(reader, key, LabelMatcher::make({.name = name, .op = op, .value = value}), route);
      }
    }
    for (const config::Node* item : reader.list("matchers")) {
      if (!item->is_scalar()) {
        reader.error(*item, fmt::format("\"matchers\": expected text, found {}", item->kind_name()));
        continue;
      }
      auto parsed = parse_matchers(item->text());
      if (!parsed) {
        reader.error(*item, parsed.error().message);
        continue;
      }
      std::ranges::move(*parsed, std::back_inserter(route.matchers));
    }
  }

  static void add(config::MapReader& reader, std::string_view key, core::Result<LabelMatcher> matcher, Route& route) {
    if (matcher) {
      route.matchers.push_back(std::move(*matcher));
    } else {
      reader.error(key, matcher.error().message);
    }
  }

  std::vector<std::string> names_;
  config::Diagnostics& diagnostics_;
};

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

RoutingSettings parse_routing(const config::Node* receivers, const config::Node* route,
                              config::Diagnostics& diagnostics) {
  RoutingSettings settings;
  if (receivers != nullptr) settings.receivers = parse_receivers(*receivers, diagnostics);
  if (route != nullptr && !route->is_null()) {
    settings.root = RouteParser(settings.receivers, diagnostics).parse(*route, nullptr);
  } else if (!settings.receivers.empty()) {
    diagnostics.error(receivers->position(), "receivers: nothing leads to them; add \"route: {receiver: …}\"");
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
