#include "api/rules_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <re2/re2.h>
#include <tuple>

#include "api/parameters.h"
#include "api/prometheus_api.h"
#include "api/prometheus_json.h"

namespace weir::api {
namespace {

using net::ServerRequest;
using net::ServerResponse;

struct Filter {
  bool alerting = true;
  bool recording = true;
  bool alerts = true;
  std::vector<std::string> names;
  std::vector<std::string> groups;
  std::vector<std::string> files;
  std::vector<std::vector<core::Matcher>> matchers;
  std::size_t most_groups = 0;  // 0 is all
  std::string_view next_group;  // the token of the first one to show
};

bool allows(const std::vector<std::string>& wanted, const std::string& value) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

bool matches(const core::Matcher& matcher, const core::Labels& labels) {
  const std::string_view value = labels.get(matcher.name);
  const bool negated = matcher.op == core::MatchOp::not_equal || matcher.op == core::MatchOp::not_regex;
  const bool plain = matcher.op == core::MatchOp::equal || matcher.op == core::MatchOp::not_equal;
  return (plain ? value == matcher.value : RE2::FullMatch(value, "(?s:" + matcher.value + ")")) != negated;
}

bool allows(const std::vector<std::vector<core::Matcher>>& sets, const core::Labels& labels) {
  return sets.empty() || std::ranges::any_of(sets, [&](const auto& matchers) {
           return std::ranges::all_of(matchers, [&](const auto& matcher) { return matches(matcher, labels); });
         });
}

std::string token_of(const RuleGroupView& group) {
  return fmt::format("{:016x}", core::Labels({{"file", group.file}, {"name", group.name}}).hash());
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

core::Result<bool> read_flag(const Parameters& parameters, std::string_view name) {
  static constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "true", "TRUE", "True"};
  static constexpr std::array<std::string_view, 6> kFalse{"0", "f", "F", "false", "FALSE", "False"};
  const std::string_view text = parameters.get(name);
  if (text.empty() || std::ranges::find(kFalse, text) != kFalse.end()) return false;
  if (std::ranges::find(kTrue, text) != kTrue.end()) return true;
  return invalid_parameter(name, fmt::format("\"{}\" is neither true nor false", text));
}

core::Result<void> read_page(const Parameters& parameters, Filter& filter) {
  filter.next_group = parameters.get("group_next_token");
  const std::string_view limit = parameters.get("group_limit");
  if (limit.empty() && !filter.next_group.empty()) {
    return invalid_parameter("group_next_token",
                             "group_limit needs to be present in order to paginate over the groups");
  }
  if (limit.empty()) return {};
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(limit.data(), limit.data() + limit.size(), number);
  if (failed != std::errc() || end != limit.data() + limit.size())
    return invalid_parameter("group_limit", fmt::format("group_limit needs to be a valid number, not \"{}\"", limit));
  if (number <= 0) return invalid_parameter("group_limit", "group_limit needs to be greater than 0");
  filter.most_groups = static_cast<std::size_t>(number);
  return {};
}

core::Result<Filter> read_filter(const Parameters& parameters) {
  Filter filter;
  const std::string type = lower(parameters.get("type"));
  if (!type.empty() && type != "alert" && type != "record")
    return invalid_parameter("type", fmt::format("not supported value \"{}\"", type));
  filter.alerting = type != "record";
  filter.recording = type != "alert";
  const auto without_alerts = read_flag(parameters, "exclude_alerts");
  if (!without_alerts) return std::unexpected(without_alerts.error());
  filter.alerts = !*without_alerts;
  filter.names = parameters.all("rule_name[]");
  filter.groups = parameters.all("rule_group[]");
  filter.files = parameters.all("file[]");
  auto matchers = parameters.matchers();
  if (!matchers) return std::unexpected(std::move(matchers.error()));
  filter.matchers = std::move(*matchers);
  if (auto page = read_page(parameters, filter); !page) return std::unexpected(page.error());
  return filter;
}

void append_alert(std::string& out, const core::Alert& alert) {
  out += "{\"labels\":";
  append_json(out, alert.labels);
  out += ",\"annotations\":";
  append_json(out, alert.annotations);
  out += ",\"state\":";
  append_json(out, core::to_string(alert.state));
  out += ",\"activeAt\":";
  append_json_time(out, alert.active_at);
  if (alert.keep_firing_since) {
    out += ",\"keepFiringSince\":";
    append_json_time(out, *alert.keep_firing_since);
  }
  out += ",\"value\":\"";
  append_exponent_value(out, alert.value);
  out += "\"}";
}

void append_alerts(std::string& out, const std::vector<core::Alert>& alerts) {
  out += '[';
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    if (i > 0) out += ',';
    append_alert(out, alerts[i]);
  }
  out += ']';
}

/// Go's zero time stands for "never".
void append_evaluation(std::string& out, const EvaluationView& last) {
  out += ",\"evaluationTime\":";
  append_seconds(out, last.seconds);
  out += ",\"lastEvaluation\":";
  last.at ? append_json_time(out, *last.at) : append_json(out, "0001-01-01T00:00:00Z");
}

core::AlertState state_of(const RuleView& rule) {
  core::AlertState state = core::AlertState::inactive;
  for (const core::Alert& alert : rule.alerts) state = std::max(state, alert.state);
  return state;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(out), "\"{}\":", name);
  append_json(out, text);
}

void append_health(std::string& out, const EvaluationView& last) {
  out += ',';
  append_member(out, "health", !last.at ? "unknown" : last.error.empty() ? "ok" : "err");
  if (last.error.empty()) return;
  out += ',';
  append_member(out, "lastError", last.error);
}

void append_rule(std::string& out, const RuleView& rule, bool with_alerts) {
  out += '{';
  if (rule.alerting) {
    append_member(out, "state", core::to_string(state_of(rule)));
    out += ',';
  }
  append_member(out, "name", rule.name);
  out += ',';
  append_member(out, "query", rule.query);
  if (rule.alerting) {
    out += ",\"duration\":";
    append_seconds(out, core::to_seconds(rule.hold));
    out += ",\"keepFiringFor\":";
    append_seconds(out, core::to_seconds(rule.keep_firing_for));
  }
  if (rule.alerting || !rule.labels.empty()) {
    out += ",\"labels\":";
    append_json(out, rule.labels);
  }
  if (rule.alerting) {
    out += ",\"annotations\":";
    append_json(out, rule.annotations);
    out += ",\"alerts\":";
    with_alerts ? append_alerts(out, rule.alerts) : void(out += "null");
  }
  append_health(out, rule.last);
  append_evaluation(out, rule.last);
  out += ',';
  append_member(out, "type", rule.alerting ? "alerting" : "recording");
  out += '}';
}

std::string rules_json(const RuleGroupView& group, const Filter& filter) {
  std::string out;
  for (const RuleView& rule : group.rules) {
    if (!(rule.alerting ? filter.alerting : filter.recording) || !allows(filter.names, rule.name)) continue;
    if (!allows(filter.matchers, rule.labels)) continue;
    if (!out.empty()) out += ',';
    append_rule(out, rule, filter.alerts);
  }
  return out;
}

/// False when none of its rules is to be shown: then the group is not either.
bool append_group(std::string& out, const RuleGroupView& group, const Filter& filter, bool first) {
  if (!allows(filter.groups, group.name) || !allows(filter.files, group.file)) return false;
  const std::string rules = rules_json(group, filter);
  if (rules.empty()) return false;
  out += first ? "{" : ",{";
  append_member(out, "name", group.name);
  out += ',';
  append_member(out, "file", group.file);
  out += ",\"rules\":[" + rules + "],\"interval\":";
  append_seconds(out, core::to_seconds(group.interval));
  fmt::format_to(std::back_inserter(out), ",\"limit\":{}", group.limit);
  append_evaluation(out, group.last);
  out += '}';
  return true;
}

}  // namespace

ServerResponse rules(const Backend& backend, const ServerRequest& request) {
  const Parameters parameters(request);
  const auto filter = read_filter(parameters);
  if (!filter) return bad_data(filter.error());
  RuleGroupViews groups = backend.rule_groups();
  std::ranges::stable_sort(groups, {}, [](const auto& view) { return std::tie(view->file, view->name); });
  auto group = groups.begin();
  if (!filter->next_group.empty()) {
    group = std::ranges::find(groups, filter->next_group, [](const auto& view) { return token_of(*view); });
    if (group == groups.end()) {
      return bad_data(invalid_parameter("group_next_token", fmt::format("invalid group_next_token '{}'. were rule "
                                                                        "groups changed?",
                                                                        filter->next_group))
                          .error());
    }
  }
  std::string out = "{\"groups\":[";
  std::size_t shown = 0;
  for (; group != groups.end() && (filter->most_groups == 0 || shown < filter->most_groups); ++group) {
    if (append_group(out, **group, *filter, shown == 0)) ++shown;
  }
  out += ']';
  if (group != groups.end()) {
    out += ',';
    append_member(out, "groupNextToken", token_of(**group));
  }
  return api_success(out += '}');
}

ServerResponse alerts(const Backend& backend, const ServerRequest&) {
  std::string out = "{\"alerts\":";
  append_alerts(out, backend.alerts());
  return api_success(out += '}');
}

}  // namespace weir::api
