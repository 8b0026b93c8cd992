#include "notify/routing.h"

#include <algorithm>
#include <re2/re2.h>

#include "config/reader.h"
#include "notify/registry.h"

namespace weir::notify {
namespace {

constexpr int kDeepestRoute = 32;

std::optional<RouteMatcher> parse_matcher(const std::string& text) {
  static const RE2 kForm(R"re(\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"]*?))\s*)re");
  RouteMatcher matcher;
  std::string quoted;
  std::string plain;
  if (!RE2::FullMatch(text, kForm, &matcher.label, &matcher.op, &quoted, &plain)) return std::nullopt;
  matcher.value = quoted.empty() ? plain : quoted;
  RE2::GlobalReplace(&matcher.value, R"(\\(.))", R"(\1)");
  if (matcher.op.back() == '~' && !RE2(matcher.value, RE2::Quiet).ok()) return std::nullopt;
  return matcher;
}

class RouteReader {
 public:
  RouteReader(const std::vector<ReceiverSettings>& receivers, config::Diagnostics& diagnostics)
      : diagnostics_(diagnostics) {
    for (const ReceiverSettings& receiver : receivers) names_.push_back(receiver.name);
  }

  Route read(const config::Node& node, const Route* parent, int depth = 0) {
    Route route;
    config::MapReader reader(node, diagnostics_, "route");
    route.receiver = reader.text("receiver", parent == nullptr ? "" : parent->receiver);
    route.group_by = reader.has("group_by") || parent == nullptr ? reader.text_list("group_by") : parent->group_by;
    route.continue_matching = reader.boolean("continue", false);
    if (route.receiver.empty()) reader.error(node, "key \"receiver\" is missing");
    if (!route.receiver.empty() && reader.has("receiver") &&
        std::ranges::find(names_, route.receiver) == names_.end()) {
      reader.error("receiver",
                   "there is no receiver \"" + route.receiver + "\"" + config::did_you_mean(route.receiver, names_));
    }
    for (const config::Node* item : reader.list("matchers")) {
      if (auto matcher = parse_matcher(item->text())) {
        route.matchers.push_back(std::move(*matcher));
      } else {
        reader.error(*item,
                     "\"" + item->text() + "\" is not a matcher (write severity=\"critical\" or team=~\"data|ml\")");
      }
    }
    if (parent == nullptr && !route.matchers.empty())
      reader.error("matchers", "the first route takes every alert: put matchers into its routes");
    for (const config::Node* child : reader.list("routes")) {
      if (depth >= kDeepestRoute) {
        reader.error(*child, "routes are nested too deeply");
        break;
      }
      route.routes.push_back(read(*child, &route, depth + 1));
    }
    reader.finish();
    return route;
  }

 private:
  config::Diagnostics& diagnostics_;
  std::vector<std::string> names_;
};

ReceiverSettings parse_receiver(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, "receiver");
  ReceiverSettings receiver{.name = reader.required_text("name"), .endpoints = {}};
  for (const NotifierKind& kind : notifier_kinds()) {
    for (const config::Node* item : reader.list(kind.config_key)) {
      EndpointSettings endpoint = kind.parse(*item, diagnostics);
      endpoint.kind = kind.name;
      receiver.endpoints.push_back(std::move(endpoint));
    }
  }
  reader.finish();
  return receiver;
}

void collect(const Route& route, const core::Labels& labels, std::vector<const Route*>& found) {
  const std::size_t before = found.size();
  for (const Route& child : route.routes) {
    if (!std::ranges::all_of(child.matchers, [&](const RouteMatcher& m) { return matches(m, labels); })) continue;
    collect(child, labels, found);
    if (!child.continue_matching) break;
  }
  if (found.size() == before) found.push_back(&route);
}

}  // namespace

bool matches(const RouteMatcher& matcher, const core::Labels& labels) {
  const std::string_view value = labels.get(matcher.label);
  const bool wanted = matcher.op.front() == '=';
  if (matcher.op.back() != '~') return (value == matcher.value) == wanted;
  const re2::StringPiece piece(value.data() == nullptr ? "" : value.data(), value.size());
  return RE2::FullMatch(piece, matcher.value) == wanted;
}

RoutingSettings parse_routing(const config::Node* receivers, const config::Node* route,
                              config::Diagnostics& diagnostics) {
  RoutingSettings settings;
  if (receivers != nullptr && receivers->is_sequence()) {
    for (const config::Node& item : receivers->items()) {
      ReceiverSettings receiver = parse_receiver(item, diagnostics);
      const bool known =
          std::ranges::any_of(settings.receivers, [&](const auto& other) { return other.name == receiver.name; });
      if (known) diagnostics.error(item.position(), "receiver \"" + receiver.name + "\" is given twice");
      settings.receivers.push_back(std::move(receiver));
    }
  } else if (receivers != nullptr && !receivers->is_null()) {
    diagnostics.error(receivers->position(),
                      "receivers: expected a list, found " + std::string(receivers->kind_name()));
  }
  if (route != nullptr && !route->is_null())
    settings.root = RouteReader(settings.receivers, diagnostics).read(*route, nullptr);
  if (!settings.root && !settings.receivers.empty()) {
    diagnostics.error(receivers->position(),
                      "receivers: nobody is told anything without a \"route:\" (add route: {receiver: " +
                          settings.receivers.front().name + "})");
  }
  return settings;
}

std::vector<const Route*> routes_for(const Route& root, const core::Labels& labels) {
  std::vector<const Route*> found;
  collect(root, labels, found);
  return found;
}

}  // namespace weir::notify
