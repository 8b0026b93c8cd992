// What Go's text/template makes of values: truth, text, names of types, what a range goes over.
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "templates/template_functions.h"

namespace weir::templates {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>  // which clang 16 needs
Overloaded(Functions...)->Overloaded<Functions...>;

std::string map_text(const auto& map, auto&& text_of) {
  std::string out;
  for (const auto& [name, value] : map) out += fmt::format("{}{}:{}", out.empty() ? "" : " ", name, text_of(value));
  return "map[" + out + "]";
}

std::string sample_text(const TemplateSample& sample) {
  return fmt::format("{{{} {}}}", template_text(sample.labels), go_float(sample.value));
}

/// What Go prints for a time: fractions without their last zeros, cut off after milliseconds as Prometheus keeps them.
std::string time_text(core::Time time) {
  std::string text = core::format_rfc3339(time);  // 2015-01-01T00:00:00.500Z
  text[10] = ' ';
  text.pop_back();
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + " +0000 UTC";
}

std::string without_zeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

/// Go's time.Duration.String(): 1h2m0.5s, 1.5ms, 0s.
std::string duration_text(double seconds) {
  const auto nanoseconds = static_cast<std::int64_t>(seconds * 1e9);
  if (nanoseconds == 0) return "0s";
  const std::string sign = nanoseconds < 0 ? "-" : "";
  const std::uint64_t left = nanoseconds < 0 ? 0 - static_cast<std::uint64_t>(nanoseconds) : nanoseconds;
  const auto fraction = [](std::uint64_t whole, std::uint64_t rest, int digits) {
    return without_zeros(fmt::format("{}.{:0{}}", whole, rest, digits));
  };
  if (left < 1'000) return fmt::format("{}{}ns", sign, left);
  if (left < 1'000'000) return sign + fraction(left / 1'000, left % 1'000, 3) + "µs";
  if (left < 1'000'000'000) return sign + fraction(left / 1'000'000, left % 1'000'000, 6) + "ms";
  const std::uint64_t whole = left / 1'000'000'000;
  const std::string tail = fraction(whole % 60, left % 1'000'000'000, 9) + "s";
  if (whole < 60) return sign + tail;
  if (whole < 3600) return fmt::format("{}{}m{}", sign, whole / 60, tail);
  return fmt::format("{}{}h{}m{}", sign, whole / 3600, whole / 60 % 60, tail);
}

/// Go's order is that of the declaration; the values come by name here.
std::string object_text(const TemplateStructure& object) {
  std::string out;
  for (const auto& [name, field] : object.fields) out += (out.empty() ? "" : " ") + template_text(field);
  return "{" + out + "}";
}

std::string list_text(const TemplateItems& list) {
  std::string out;
  for (const TemplateValue& item : list.items) {
    if (out.size() > Template::kMaxOutput) break;
    out += (out.empty() ? "" : " ") + template_text(item);
  }
  return "[" + out + "]";
}

}  // namespace

bool template_truth(const TemplateValue& value) {
  return std::visit(
      Overloaded{[](bool flag) { return flag; }, [](std::int64_t whole) { return whole != 0; },
                 [](double number) { return number != 0; }, [](const std::string& text) { return !text.empty(); },
                 [](const core::Labels& labels) { return !labels.empty(); },
                 [](const TemplateSamples& samples) { return !samples->empty(); },
                 [](const TemplateMap& map) { return !map->empty(); }, [](std::monostate) { return false; },
                 [](const TemplateKv& kv) { return !kv.labels.empty(); },
                 [](const TemplateHtml& html) { return !html.text.empty(); },
                 [](const TemplateList& list) { return !list->items.empty(); }, [](const auto&) { return true; }},
      value);
}

std::string template_text(const TemplateValue& value) {
  return std::visit(
      Overloaded{[](bool flag) -> std::string { return flag ? "true" : "false"; },
                 [](std::int64_t whole) { return fmt::format("{}", whole); },
                 [](double number) { return go_float(number); }, [](const std::string& text) { return text; },
                 [](const core::Labels& labels) { return map_text(labels, [](const auto& text) { return text; }); },
                 [](const TemplateRoot&) { return std::string("{}"); },
                 [](const TemplateSample& sample) { return sample_text(sample); },
                 [](const TemplateSamples& samples) {
                   std::string out;  // Go prints addresses
                   for (const TemplateSample& sample : *samples) out += (out.empty() ? "" : " ") + sample_text(sample);
                   return "[" + out + "]";
                 },
                 [](const TemplateMap& map) {
                   return map_text(*map, [](const TemplateValue& field) { return template_text(field); });
                 },
                 [](const TemplateTime& time) { return time_text(time.value); },
                 [](const TemplateDuration& duration) { return duration_text(duration.seconds); },
                 [](const TemplateKv& kv) { return map_text(kv.labels, [](const auto& text) { return text; }); },
                 [](const TemplateHtml& html) { return html.text; },
                 [](const TemplateObject& object) { return object_text(*object); },
                 [](const TemplateList& list) { return list_text(*list); },
                 [](std::monostate) { return std::string("<no value>"); }},
      value);
}

std::string_view template_type(const TemplateValue& value) {
  if (const auto* object = std::get_if<TemplateObject>(&value)) return (*object)->type;
  if (const auto* list = std::get_if<TemplateList>(&value)) return (*list)->type;
  constexpr std::array<std::string_view, 16> kNames{"bool",
                                                    "int",
                                                    "float64",
                                                    "string",
                                                    "map[string]string",
                                                    "template data",
                                                    "*template.sample",
                                                    "template.queryResult",
                                                    "map[string]interface {}",
                                                    "*time.Time",
                                                    "*time.Duration",
                                                    "nil",
                                                    "template.KV",
                                                    "template.HTML",
                                                    "struct",
                                                    "slice"};
  static_assert(kNames.size() == std::variant_size_v<TemplateValue>);
  return kNames[value.index()];
}

std::string html_escaped(std::string_view text, bool plus) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      case '+': out += plus ? "&#43;" : "+"; break;
      case '\0': out += "\xEF\xBF\xBD"; break;
      default: out += c;
    }
  }
  return out;
}

core::Result<std::vector<std::pair<TemplateValue, TemplateValue>>> template_items(const TemplateValue& value,
                                                                                  std::size_t most) {
  std::vector<std::pair<TemplateValue, TemplateValue>> items;
  if (const auto* samples = std::get_if<TemplateSamples>(&value)) {
    for (const TemplateSample& sample : **samples) items.emplace_back(static_cast<std::int64_t>(items.size()), sample);
  } else if (const auto* labels = std::get_if<core::Labels>(&value)) {
    for (const auto& [name, text] : *labels) items.emplace_back(std::string(name), std::string(text));
  } else if (const auto* kv = std::get_if<TemplateKv>(&value)) {
    for (const auto& [name, text] : kv->labels) items.emplace_back(std::string(name), std::string(text));
  } else if (const auto* list = std::get_if<TemplateList>(&value)) {
    for (const TemplateValue& item : (*list)->items) items.emplace_back(static_cast<std::int64_t>(items.size()), item);
  } else if (const auto* map = std::get_if<TemplateMap>(&value)) {
    for (const auto& [name, field] : **map) items.emplace_back(name, field);
  } else if (const auto* count = std::get_if<std::int64_t>(&value)) {
    if (*count > static_cast<std::int64_t>(most)) {
      return core::fail(core::ErrorKind::limit, fmt::format("a range over more than {} numbers", most));
    }
    for (std::int64_t i = 0; i < *count; ++i) items.emplace_back(i, i);
  } else if (!std::holds_alternative<std::monostate>(value)) {
    return core::fail(core::ErrorKind::invalid, fmt::format("range can't iterate over {}", template_text(value)));
  }
  return items;
}

}  // namespace weir::templates
