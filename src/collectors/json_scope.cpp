#include "collectors/json_scope.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include "collectors/json_pointer.h"
#include "collectors/json_template.h"
#include "collectors/stack_trace.h"

#include "privacy/mask.h"

namespace weir::collectors {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestText = 400;
constexpr std::string_view kTrace = "trace ";

std::string filled(const std::string& text, const JsonScope& scope, core::Time now) {
  return fill_template(
      text, now, [&](std::string_view name) { return scope.look_up(name); },
      [](std::string_view plain) { return std::string(plain); });
}

std::string raw_value(const std::string& from, const JsonScope& scope, core::Time now) {
  if (from.empty() || from.starts_with('/')) return json_text_at(scope.value, from);
  if (from.size() == 2 && from[0] == '*' && from[1] >= '1' && from[1] <= '9') {
    const auto index = static_cast<std::size_t>(from[1] - '1');
    return index < scope.stars.size() ? scope.stars[index] : std::string();
  }
  return filled(from, scope, now);
}

std::string joined(const json* list, const std::string& by) {
  std::string text;
  if (list == nullptr || !list->is_array()) return text;
  for (const json& part : *list) text += (text.empty() ? "" : by) + json_text(part).value_or("");
  return text;
}

std::string replaced(std::string text, const std::string& old, const std::string& by) {
  for (std::size_t at = text.find(old); at != std::string::npos; at = text.find(old, at + by.size())) {
    text.replace(at, old.size(), by);
    if (text.size() > 64 * kLongestText) break;
  }
  return text;
}

}  // namespace

const json* json_at(const json& root, const std::string& pointer) {
  const auto parsed = JsonPointer::parse(pointer);
  return parsed ? parsed->find(root) : nullptr;
}

std::string json_text_at(const json& root, const std::string& pointer) {
  const json* found = json_at(root, pointer);
  return found == nullptr ? std::string() : json_text(*found).value_or("");
}

std::optional<std::string> JsonScope::one(std::string_view name, bool masked) const {
  const auto shown = [&](std::string text) { return masked ? privacy::mask(text) : text; };
  if (name.starts_with('/')) return shown(json_text_at(value, std::string(name)));
  if (name.starts_with(kTrace)) {
    return shown(trace_summary(json_text_at(value, std::string(name.substr(kTrace.size())))));
  }
  for (const JsonNames* names : {&lets, &labels, &variables}) {
    if (const auto found = names->find(name); found != names->end()) return found->second;
  }
  return std::nullopt;
}

std::optional<std::string> JsonScope::first_of(std::string_view name, bool masked) const {
  std::optional<std::string> found;
  while (!name.empty()) {
    const std::string_view first = name.substr(0, name.find('|'));
    name.remove_prefix(std::min(name.size(), first.size() + 1));
    auto text = one(first, masked);
    if (text && (!found || found->empty())) found = std::move(text);
  }
  return found;
}

std::optional<std::string> JsonScope::look_up(std::string_view name) const { return first_of(name, false); }

std::optional<std::string> JsonScope::look_up_masked(std::string_view name) const { return first_of(name, true); }

std::optional<std::string> text_of(const std::string& from, const JsonScope& scope) {
  if (from.starts_with('{')) return scope.look_up(std::string_view(from).substr(1, from.size() - 2));
  const json* found = json_at(scope.value, from);
  return found == nullptr ? std::nullopt : json_text(*found);
}

std::string value_of(const JsonValue& value, const JsonScope& scope, core::Time now) {
  std::string text =
      value.join ? joined(json_at(scope.value, value.from), *value.join) : raw_value(value.from, scope, now);
  if (text.empty() && !value.otherwise.empty()) text = raw_value(value.otherwise, scope, now);
  if (value.match) {
    std::string out;
    if (!RE2::Extract(text, *value.match, value.to, &out)) return {};
    text = std::move(out);
  }
  for (const auto& [old, by] : value.replace) text = replaced(std::move(text), old, filled(by, scope, now));
  if (const auto table = scope.memory.find(value.of); !value.of.empty() && table != scope.memory.end()) {
    if (const auto known = table->second.find(text); known != table->second.end()) text = known->second;
  }
  if (value.map.empty() || text.empty()) return text;
  auto found = value.map.find(text);
  if (found == value.map.end()) found = value.map.find("*");
  return found == value.map.end() ? std::string() : found->second;
}

bool holds(const JsonScope& scope, const std::vector<JsonCondition>& conditions) {
  return std::ranges::all_of(conditions, [&](const JsonCondition& condition) {
    const std::string& from = condition.from;
    const std::string text = from.starts_with('{')
                                 ? scope.look_up(std::string_view(from).substr(1, from.size() - 2)).value_or("")
                                 : json_text_at(scope.value, from);
    return std::ranges::any_of(
        condition.values, [&](const std::string& wanted) { return wanted == "*" ? !text.empty() : wanted == text; });
  });
}

std::string json_excerpt(std::string text) { return privacy::printable(privacy::cut(std::move(text), kLongestText)); }

std::optional<double> number_of(const JsonMetric& metric, const json& value, core::Time now) {
  if (!metric.map.empty()) {
    const auto text = json_text(value);
    if (!text) return std::nullopt;
    auto found = metric.map.find(*text);
    if (found == metric.map.end()) found = metric.map.find("*");
    return found == metric.map.end() ? std::nullopt : std::optional(found->second);
  }
  switch (metric.unit) {
    case JsonUnit::plain: return json_number(value);
    case JsonUnit::milliseconds: {
      const auto number = json_number(value);
      return number ? std::optional(*number / 1000) : std::nullopt;
    }
    case JsonUnit::timestamp:
    case JsonUnit::age: {
      const auto time = json_time(value);
      if (!time) return std::nullopt;
      if (metric.unit == JsonUnit::timestamp) return core::to_seconds(*time);
      return std::max(0.0, core::to_seconds(now - *time));
    }
    case JsonUnit::length: return value.is_structured() ? std::optional(double(value.size())) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace weir::collectors
