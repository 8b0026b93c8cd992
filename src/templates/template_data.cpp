#include "templates/template_data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "core/percent.h"

#include "templates/template_functions.h"
#include "templates/template_message.h"

namespace weir::templates {
namespace {

using Arguments = std::span<const TemplateValue>;
using Result = core::Result<TemplateValue>;

std::unexpected<core::Error> invalid(std::string message) {
  return core::fail(core::ErrorKind::invalid, std::move(message));
}

template <class Type>
core::Result<Type> expect(const TemplateValue& value, std::string_view wanted) {
  if (const auto* typed = std::get_if<Type>(&value)) return *typed;
  return invalid(fmt::format("wrong type for value; expected {}; got {}", wanted, template_type(value)));
}

core::Result<std::string> expect_text(const TemplateValue& value) { return expect<std::string>(value, "string"); }
core::Result<TemplateSample> expect_sample(const TemplateValue& value) {
  return expect<TemplateSample>(value, "*template.sample");
}
core::Result<TemplateSamples> expect_samples(const TemplateValue& value) {
  return expect<TemplateSamples>(value, "template.queryResult");
}

Result query(Arguments arguments, const TemplateData& data) {
  const auto expression = expect_text(arguments[0]);
  if (!expression) return std::unexpected(expression.error());
  if (!data.query) return invalid("there is nothing to query here");
  auto found = data.query(*expression);
  if (!found) return std::unexpected(std::move(found.error()));
  return std::make_shared<const std::vector<TemplateSample>>(std::move(*found));
}

Result first(Arguments arguments, const TemplateData&) {
  const auto samples = expect_samples(arguments[0]);
  if (!samples) return std::unexpected(samples.error());
  if ((*samples)->empty()) return invalid("first() called on vector with no elements");
  return (*samples)->front();
}

Result value_of(Arguments arguments, const TemplateData&) {
  const auto sample = expect_sample(arguments[0]);
  if (!sample) return std::unexpected(sample.error());
  return sample->value;
}

Result label_of(Arguments arguments, const TemplateData&) {
  const auto name = expect_text(arguments[0]);
  if (!name) return std::unexpected(name.error());
  const auto sample = expect_sample(arguments[1]);
  if (!sample) return std::unexpected(sample.error());
  return std::string(sample->labels.get(*name));
}

Result text_value(Arguments arguments, const TemplateData&) {
  const auto sample = expect_sample(arguments[0]);
  if (!sample) return std::unexpected(sample.error());
  return std::string(sample->labels.get("__value__"));
}

Result sort_by_label(Arguments arguments, const TemplateData&) {
  const auto name = expect_text(arguments[0]);
  if (!name) return std::unexpected(name.error());
  const auto samples = expect_samples(arguments[1]);
  if (!samples) return std::unexpected(samples.error());
  std::vector<TemplateSample> sorted = **samples;
  std::ranges::stable_sort(sorted, {}, [&](const TemplateSample& sample) { return sample.labels.get(*name); });
  return std::make_shared<const std::vector<TemplateSample>>(std::move(sorted));
}

Result named_arguments(Arguments arguments, const TemplateData&) {
  auto fields = std::make_shared<TemplateFields>();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    fields->weight += template_weight(arguments[i]) + 8;
    fields->emplace(fmt::format("arg{}", i), arguments[i]);
  }
  return TemplateMap(std::move(fields));
}

template <int tab>
Result expression_link(Arguments arguments, const TemplateData&) {
  const auto expression = expect_text(arguments[0]);
  if (!expression) return std::unexpected(expression.error());
  return fmt::format("/graph?g0.expr={}&g0.tab={}", core::form_encoded(*expression), tab);
}

Result external_url(Arguments, const TemplateData& data) { return data.external_url; }

Result path_prefix(Arguments, const TemplateData& data) {
  std::string_view url = data.external_url;
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
    url.remove_prefix(std::min(url.find_first_of("/?#"), url.size()));
  }
  return std::string(url.substr(0, url.find_first_of("?#")));
}

Result now(Arguments, const TemplateData& data) { return core::to_seconds(data.now); }

Result to_time(Arguments arguments, const TemplateData&) {
  const auto seconds = template_number(arguments[0]);
  if (!seconds) return std::unexpected(seconds.error());
  if (!std::isfinite(*seconds)) return invalid("value is NaN or Inf");
  const auto time = template_time(*seconds);
  if (!time) return std::unexpected(time.error());
  return TemplateTime{*time};
}

Result to_duration(Arguments arguments, const TemplateData&) {
  const auto seconds = template_number(arguments[0]);
  if (!seconds) return std::unexpected(seconds.error());
  if (!std::isfinite(*seconds)) return invalid("value is NaN or Inf");
  if (std::abs(*seconds * 1e9) > 9.2e18) {
    return invalid(fmt::format("{} cannot be represented as a nanoseconds duration", go_float(*seconds)));
  }
  return TemplateDuration{*seconds};
}

std::string joined(Arguments arguments) {
  std::string out;
  for (const TemplateValue& argument : arguments) out += template_text(argument);
  return out;
}

Result url_query(Arguments arguments, const TemplateData&) { return core::form_encoded(joined(arguments)); }

Result html(Arguments arguments, const TemplateData&) { return html_escaped(joined(arguments), false); }

/// Go's JSEscapeString; bytes past ASCII stay as they are.
Result js(Arguments arguments, const TemplateData&) {
  std::string out;
  for (const char c : joined(arguments)) {
    const bool quoted = c == '\\' || c == '\'' || c == '"';
    const bool coded = (c >= 0 && c < ' ') || c == '<' || c == '>' || c == '&' || c == '=';
    if (coded) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      if (quoted) out += '\\';
      out += c;
    }
  }
  return out;
}

Result length(Arguments arguments, const TemplateData&) {
  const TemplateValue& of = arguments[0];
  const auto size = [](const auto& container) { return static_cast<std::int64_t>(container.size()); };
  if (const auto* labels = std::get_if<core::Labels>(&of)) return size(*labels);
  if (const auto* text = std::get_if<std::string>(&of)) return size(*text);
  if (const auto* samples = std::get_if<TemplateSamples>(&of)) return size(**samples);
  if (const auto* map = std::get_if<TemplateMap>(&of)) return size(**map);
  if (const auto* kv = std::get_if<TemplateKv>(&of)) return size(kv->labels);
  if (const auto* list = std::get_if<TemplateList>(&of)) return size((*list)->items);
  return invalid(fmt::format("len of type {}", template_type(of)));
}

/// One step of `index`: a number for samples and text, a name for labels and fields.
Result index_one(const TemplateValue& of, const TemplateValue& by) {
  const auto* name = std::get_if<std::string>(&by);
  const auto* number = std::get_if<std::int64_t>(&by);
  const auto* kv = std::get_if<TemplateKv>(&of);
  const auto* list = std::get_if<TemplateList>(&of);
  const bool named =
      std::holds_alternative<core::Labels>(of) || std::holds_alternative<TemplateMap>(of) || kv != nullptr;
  const bool listed =
      std::holds_alternative<std::string>(of) || std::holds_alternative<TemplateSamples>(of) || list != nullptr;
  if (!named && !listed) return invalid(fmt::format("can't index item of type {}", template_type(of)));
  if (named && name == nullptr) {
    return invalid(fmt::format("value has type {}; should be string", template_type(by)));
  }
  if (listed && number == nullptr)
    return invalid(fmt::format("cannot index slice/array with type {}", template_type(by)));
  if (const auto* labels = std::get_if<core::Labels>(&of)) return std::string(labels->get(*name));
  if (kv != nullptr) return std::string(kv->labels.get(*name));
  if (const auto* map = std::get_if<TemplateMap>(&of)) {
    const auto found = (*map)->find(*name);
    return found == (*map)->end() ? TemplateValue(std::monostate{}) : found->second;
  }
  const auto* text = std::get_if<std::string>(&of);
  const std::size_t size = text != nullptr   ? text->size()
                           : list != nullptr ? (*list)->items.size()
                                             : std::get<TemplateSamples>(of)->size();
  if (*number < 0 || static_cast<std::size_t>(*number) >= size) {
    return invalid(fmt::format("index out of range: {}", *number));
  }
  const auto at = static_cast<std::size_t>(*number);
  if (text != nullptr) return static_cast<std::int64_t>(static_cast<unsigned char>((*text)[at]));
  if (list != nullptr) return (*list)->items[at];
  return (*std::get<TemplateSamples>(of))[at];
}

Result index(Arguments arguments, const TemplateData&) {
  TemplateValue value = arguments[0];
  for (const TemplateValue& by : arguments.subspan(1)) {
    auto next = index_one(value, by);
    if (!next) return next;
    value = std::move(*next);
  }
  return value;
}

/// Go's slice of a text or of samples, with none, one or two bounds.
Result slice(Arguments arguments, const TemplateData&) {
  const auto* text = std::get_if<std::string>(&arguments[0]);
  const auto* samples = std::get_if<TemplateSamples>(&arguments[0]);
  const auto* list = std::get_if<TemplateList>(&arguments[0]);
  if (text == nullptr && samples == nullptr && list == nullptr) {
    return invalid(fmt::format("can't slice item of type {}", template_type(arguments[0])));
  }
  const std::size_t size = text != nullptr   ? text->size()
                           : list != nullptr ? (*list)->items.size()
                                             : (*samples)->size();
  std::array<std::size_t, 2> bounds{0, size};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const auto* bound = std::get_if<std::int64_t>(&arguments[i]);
    if (bound == nullptr) {
      return invalid(fmt::format("cannot index slice/array with type {}", template_type(arguments[i])));
    }
    if (*bound < 0 || static_cast<std::size_t>(*bound) > size) {
      return invalid(fmt::format("index out of range: {}", *bound));
    }
    bounds[i - 1] = static_cast<std::size_t>(*bound);
  }
  if (bounds[0] > bounds[1]) return invalid(fmt::format("invalid slice index: {} > {}", bounds[0], bounds[1]));
  if (text != nullptr) return text->substr(bounds[0], bounds[1] - bounds[0]);
  if (list != nullptr) {
    const auto items = std::span((*list)->items).subspan(bounds[0], bounds[1] - bounds[0]);
    return template_list((*list)->type, {items.begin(), items.end()});
  }
  const std::span<const TemplateSample> part = std::span(**samples).subspan(bounds[0], bounds[1] - bounds[0]);
  return std::make_shared<const std::vector<TemplateSample>>(part.begin(), part.end());
}

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

constexpr std::array kFunctions{
    DataFunction{"query", 1, 1, query},
    DataFunction{"first", 1, 1, first},
    DataFunction{"value", 1, 1, value_of},
    DataFunction{"label", 2, 2, label_of},
    DataFunction{"strvalue", 1, 1, text_value},
    DataFunction{"sortByLabel", 2, 2, sort_by_label},
    DataFunction{"args", 0, kAny, named_arguments},
    DataFunction{"graphLink", 1, 1, expression_link<0>},
    DataFunction{"tableLink", 1, 1, expression_link<1>},
    DataFunction{"externalURL", 0, 0, external_url},
    DataFunction{"pathPrefix", 0, 0, path_prefix},
    DataFunction{"now", 0, 0, now},
    DataFunction{"toTime", 1, 1, to_time},
    DataFunction{"toDuration", 1, 1, to_duration},
    DataFunction{"urlQueryEscape", 1, 1, url_query},
    DataFunction{"urlquery", 0, kAny, url_query},
    DataFunction{"html", 0, kAny, html},
    DataFunction{"js", 0, kAny, js},
    DataFunction{"len", 1, 1, length},
    DataFunction{"index", 1, kAny, index},
    DataFunction{"slice", 1, 3, slice},
};

}  // namespace

std::span<const DataFunction> data_functions() { return kFunctions; }

const DataFunction* find_data_function(std::string_view name) {
  const auto* found = std::ranges::find(kFunctions, name, &DataFunction::name);
  return found == kFunctions.end() ? nullptr : found;
}

std::size_t template_weight(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text->size();
  if (const auto* map = std::get_if<TemplateMap>(&value)) return (*map)->weight;
  if (const auto* html = std::get_if<TemplateHtml>(&value)) return html->text.size();
  if (const auto* list = std::get_if<TemplateList>(&value)) {
    std::size_t weight = 0;
    for (const TemplateValue& item : (*list)->items) {
      const auto* text = std::get_if<std::string>(&item);
      weight += text == nullptr ? 8 : text->size() + 8;
    }
    return weight;
  }
  return 8;
}

core::Result<core::Time> template_time(double seconds) {
  if (std::abs(seconds * 1e9) > 9.2e18) {
    return invalid(fmt::format("{} cannot be represented as a nanoseconds timestamp", go_float(seconds)));
  }
  return core::Time(core::Duration(static_cast<std::int64_t>(seconds * 1e9) / 1'000'000));
}

}  // namespace weir::templates
