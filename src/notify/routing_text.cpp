#include <nlohmann/json.hpp>

#include "notify/routing.h"

namespace weir::notify {
namespace {

using Json = nlohmann::ordered_json;

Json texts(const std::vector<LabelMatcher>& matchers) {
  Json list = Json::array();
  for (const LabelMatcher& matcher : matchers) list.push_back(matcher.to_string());
  return list;
}

Json json_of(const Route& route) {
  Json node{{"receiver", route.receiver},
            {"group_wait", core::format_duration(route.group_wait)},
            {"group_interval", core::format_duration(route.group_interval)},
            {"repeat_interval", core::format_duration(route.repeat_interval)}};
  if (!route.group_by.empty()) node["group_by"] = route.group_by;
  if (!route.matchers.empty()) node["matchers"] = texts(route.matchers);
  if (route.continue_matching) node["continue"] = true;
  for (const Route& child : route.routes) node["routes"].push_back(json_of(child));
  return node;
}

}  // namespace

std::string routing_yaml(const RoutingSettings& settings) {
  Json file = Json::object();
  file["route"] = settings.root ? json_of(*settings.root) : Json{{"receiver", "nobody"}};
  file["receivers"] = Json::array();
  for (const Receiver& receiver : settings.receivers) file["receivers"].push_back({{"name", receiver.name}});
  if (!settings.root) file["receivers"].push_back({{"name", "nobody"}});
  for (const InhibitRule& rule : settings.inhibit_rules) {
    file["inhibit_rules"].push_back(
        {{"source_matchers", texts(rule.source)}, {"target_matchers", texts(rule.target)}, {"equal", rule.equal}});
  }
  return file.dump(1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace weir::notify
