// What Alertmanager's templates have and Prometheus's lack.
#include "templates/template_message.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "templates/template_functions.h"

namespace weir::templates {
namespace {

using Arguments = std::span<const TemplateValue>;
using Result = core::Result<TemplateValue>;

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
constexpr std::string_view kTexts = "[]string";

std::unexpected<core::Error> invalid(std::string message) {
  return core::fail(core::ErrorKind::invalid, std::move(message));
}

std::unexpected<core::Error> wrong_type(std::string_view wanted, const TemplateValue& given) {
  return invalid(fmt::format("wrong type for value; expected {}; got {}", wanted, template_type(given)));
}

core::Result<std::vector<std::string>> to_texts(const TemplateValue& value) {
  const auto* list = std::get_if<TemplateList>(&value);
  if (list == nullptr || (*list)->type != kTexts) return wrong_type(kTexts, value);
  std::vector<std::string> texts;
  for (const TemplateValue& item : (*list)->items) texts.push_back(std::get<std::string>(item));
  return texts;
}

Result join(Arguments arguments, const TemplateData&) {
  const auto* between = std::get_if<std::string>(&arguments[0]);
  if (between == nullptr) return wrong_type("string", arguments[0]);
  const auto texts = to_texts(arguments[1]);
  if (!texts) return std::unexpected(texts.error());
  std::string out;
  for (std::size_t i = 0; i < texts->size(); ++i) out += (i == 0 ? "" : *between) + (*texts)[i];
  return out;
}

Result string_slice(Arguments arguments, const TemplateData&) {
  std::vector<std::string> texts;
  for (const TemplateValue& argument : arguments) {
    const auto* text = std::get_if<std::string>(&argument);
    if (text == nullptr) return wrong_type("string", argument);
    texts.push_back(*text);
  }
  return template_texts(std::move(texts));
}

Result trim_space(Arguments arguments, const TemplateData&) {
  const auto* text = std::get_if<std::string>(&arguments[0]);
  if (text == nullptr) return wrong_type("string", arguments[0]);
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const std::size_t first = text->find_first_not_of(kSpace);
  if (first == std::string::npos) return std::string();
  return text->substr(first, text->find_last_not_of(kSpace) - first + 1);
}

Result since(Arguments arguments, const TemplateData& data) {
  const auto* time = std::get_if<TemplateTime>(&arguments[0]);
  if (time == nullptr) return wrong_type("time.Time", arguments[0]);
  return TemplateDuration{core::to_seconds(data.now - time->value)};
}

Result date(Arguments arguments, const TemplateData&) {
  if (!std::holds_alternative<TemplateTime>(arguments[1])) return wrong_type("time.Time", arguments[1]);
  return call_template_method(arguments[1], "Format", arguments.first(1));
}

constexpr std::array kFunctions{
    DataFunction{"join", 2, 2, join},
    DataFunction{"stringSlice", 0, kAny, string_slice},
    DataFunction{"trimSpace", 1, 1, trim_space},
    DataFunction{"since", 1, 1, since},
    DataFunction{"date", 2, 2, date},
};

/// By name, the alert's name first, as Alertmanager sorts them.
std::vector<std::pair<std::string, std::string>> sorted(const core::Labels& labels) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [name, value] : labels) pairs.emplace_back(name, value);
  std::ranges::stable_sort(pairs, {},
                           [](const auto& pair) { return std::pair(pair.first != "alertname", pair.first); });
  return pairs;
}

Result of_kv(const core::Labels& labels, std::string_view name, Arguments arguments) {
  if (name == "Remove") {
    if (arguments.size() != 1) return invalid("wrong number of args for Remove: want 1");
    const auto keys = to_texts(arguments[0]);
    if (!keys) return std::unexpected(keys.error());
    core::LabelsBuilder builder(labels);
    for (const std::string& key : *keys) builder.erase(key);
    return TemplateKv{builder.build()};
  }
  std::vector<TemplateValue> pairs;
  std::vector<std::string> names;
  std::vector<std::string> values;
  for (auto& [key, value] : sorted(labels)) {
    pairs.push_back(template_object("template.Pair", {{"Name", key}, {"Value", value}}));
    names.push_back(std::move(key));
    values.push_back(std::move(value));
  }
  if (name == "Names") return template_texts(std::move(names));
  if (name == "Values") return template_texts(std::move(values));
  return template_list("template.Pairs", std::move(pairs));
}

Result of_pairs(const TemplateItems& pairs, std::string_view name) {
  std::vector<std::string> texts;
  for (const TemplateValue& pair : pairs.items) {
    const auto& fields = std::get<TemplateObject>(pair)->fields;
    texts.push_back(std::get<std::string>(fields.find(name == "Names" ? "Name" : "Value")->second));
  }
  return template_texts(std::move(texts));
}

Result of_alerts(const TemplateItems& alerts, std::string_view name) {
  const std::string_view wanted = name == "Firing" ? "firing" : "resolved";
  std::vector<TemplateValue> chosen;
  for (const TemplateValue& alert : alerts.items) {
    const auto& fields = std::get<TemplateObject>(alert)->fields;
    if (std::get<std::string>(fields.find("Status")->second) == wanted) chosen.push_back(alert);
  }
  return template_list("[]template.Alert", std::move(chosen));
}

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::span<const DataFunction> message_functions() { return kFunctions; }

const DataFunction* find_message_function(std::string_view name) {
  const auto* found = std::ranges::find(kFunctions, name, &DataFunction::name);
  return found == kFunctions.end() ? nullptr : found;
}

Result call_message_method(const TemplateValue& receiver, std::string_view name, Arguments arguments) {
  const auto* kv = std::get_if<TemplateKv>(&receiver);
  const auto* list = std::get_if<TemplateList>(&receiver);
  const std::string_view type = list == nullptr ? std::string_view() : std::string_view((*list)->type);
  const bool of_labels = kv != nullptr && one_of(name, {"SortedPairs", "Names", "Values", "Remove"});
  const bool pairs = type == "template.Pairs" && one_of(name, {"Names", "Values"});
  const bool alerts = type == "template.Alerts" && one_of(name, {"Firing", "Resolved"});
  if (!of_labels && !pairs && !alerts) return core::fail(core::ErrorKind::not_found, "no such method");
  if (name != "Remove" && !arguments.empty())
    return invalid(fmt::format("wrong number of args for {}: want 0 got {}", name, arguments.size()));
  if (of_labels) return of_kv(kv->labels, name, arguments);
  return pairs ? of_pairs(**list, name) : of_alerts(**list, name);
}

TemplateValue template_texts(std::vector<std::string> texts) {
  return template_list(std::string(kTexts),
                       {std::make_move_iterator(texts.begin()), std::make_move_iterator(texts.end())});
}

TemplateValue template_list(std::string type, std::vector<TemplateValue> items) {
  return std::make_shared<const TemplateItems>(TemplateItems{.type = std::move(type), .items = std::move(items)});
}

TemplateValue template_object(std::string type, std::map<std::string, TemplateValue, std::less<>> fields) {
  return std::make_shared<const TemplateStructure>(
      TemplateStructure{.type = std::move(type), .fields = std::move(fields)});
}

}  // namespace weir::templates
