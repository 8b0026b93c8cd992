#include "templates/template_functions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <re2/re2.h>

#include "core/time.h"

#include "templates/template_data.h"
#include "templates/template_message.h"

namespace weir::templates {
namespace {

using Arguments = std::span<const TemplateValue>;
using Result = core::Result<TemplateValue>;

std::unexpected<core::Error> invalid(std::string message) {
  return core::fail(core::ErrorKind::invalid, std::move(message));
}

std::string four_digits(double value, std::string_view suffix = {}) {
  if (!std::isfinite(value)) return go_float(value) + std::string(suffix);
  return fmt::format("{:.4g}{}", value, suffix);
}

std::string scale_down(double value, std::string_view suffix) {
  std::string_view prefix;
  for (const std::string_view next : {"m", "u", "n", "p", "f", "a", "z", "y"}) {
    if (std::abs(value) >= 1) break;
    prefix = next;
    value *= 1000;
  }
  return four_digits(value, fmt::format("{}{}", prefix, suffix));
}

std::string humanize(double value) {
  if (value == 0 || !std::isfinite(value)) return four_digits(value);
  if (std::abs(value) < 1) return scale_down(value, "");
  std::string_view prefix;
  for (const std::string_view next : {"k", "M", "G", "T", "P", "E", "Z", "Y"}) {
    if (std::abs(value) < 1000) break;
    prefix = next;
    value /= 1000;
  }
  return four_digits(value, prefix);
}

std::string humanize_1024(double value) {
  if (std::abs(value) <= 1 || !std::isfinite(value)) return four_digits(value);
  std::string_view prefix;
  for (const std::string_view next : {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"}) {
    if (std::abs(value) < 1024) break;
    prefix = next;
    value /= 1024;
  }
  return four_digits(value, prefix);
}

std::string humanize_duration(double value) {
  if (!std::isfinite(value)) return four_digits(value);
  if (value == 0) return four_digits(value, "s");
  if (std::abs(value) < 1) return scale_down(value, "s");
  const std::string_view sign = value < 0 ? "-" : "";
  value = std::abs(value);
  const auto total = static_cast<std::int64_t>(std::min(value, 9.2e18));
  const auto seconds = total % 60;
  const auto minutes = total / 60 % 60;
  const auto hours = total / 3600 % 24;
  const auto days = total / 86400;
  if (days != 0) return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, seconds);
  if (hours != 0) return fmt::format("{}{}h {}m {}s", sign, hours, minutes, seconds);
  if (minutes != 0) return fmt::format("{}{}m {}s", sign, minutes, seconds);
  return fmt::format("{}{}", sign, four_digits(value, "s"));
}

std::string humanize_percentage(double value) { return four_digits(value * 100, "%"); }

template <std::string (*function)(double)>
Result number_function(Arguments arguments) {
  const auto value = template_number(arguments[0]);
  if (!value) return std::unexpected(value.error());
  return function(*value);
}

Result humanize_timestamp(Arguments arguments) {
  const auto seconds = template_number(arguments[0]);
  if (!seconds) return std::unexpected(seconds.error());
  if (!std::isfinite(*seconds)) return four_digits(*seconds);
  const auto time = template_time(*seconds);
  if (!time) return std::unexpected(time.error());
  return template_text(TemplateTime{*time});
}

std::string change_case(std::string text, bool upper) {
  std::ranges::transform(text, text.begin(), [upper](char c) {
    if (upper) return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return text;
}

/// Go's strings.Title: the first letter of each word; digits and `_` belong to words. ASCII letters only.
std::string title(std::string text) {
  bool inside = false;
  for (char& c : text) {
    if (!inside && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    inside = letter || c == '_' || static_cast<unsigned char>(c) >= 0x80;
  }
  return text;
}

std::string strip_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.substr(0, colon).find(':') != std::string_view::npos) {
    if (!host.starts_with('[') || host.find(']') == std::string_view::npos) return std::string(host);
    return std::string(host.substr(1, host.find(']') - 1));
  }
  return std::string(host.substr(0, colon));
}

std::string strip_domain(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? "" : host.substr(colon);
  const std::string_view name = host.substr(0, colon);
  const bool address = std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == ':'; });
  if (address || host.starts_with('[')) return std::string(host);
  return std::string(name.substr(0, name.find('.'))) + std::string(port);
}

std::string to_upper(const std::string& text) { return change_case(text, true); }
std::string to_lower(const std::string& text) { return change_case(text, false); }
std::string title_of(const std::string& text) { return title(text); }
std::string strip_port_of(const std::string& text) { return strip_port(text); }
std::string strip_domain_of(const std::string& text) { return strip_domain(text); }

core::Result<std::string> to_text(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return invalid(fmt::format("wrong type for value; expected string; got {}", template_type(value)));
}

template <std::string (*function)(const std::string&)>
Result text_function(Arguments arguments) {
  const auto text = to_text(arguments[0]);
  if (!text) return std::unexpected(text.error());
  return function(*text);
}

Result safe_html(Arguments arguments) {
  if (std::holds_alternative<TemplateHtml>(arguments[0])) return arguments[0];
  auto text = to_text(arguments[0]);
  if (!text) return std::unexpected(text.error());
  return TemplateHtml{std::move(*text)};
}

core::Result<std::vector<std::string>> to_texts(Arguments arguments) {
  std::vector<std::string> texts;
  for (const TemplateValue& argument : arguments) {
    auto text = to_text(argument);
    if (!text) return std::unexpected(text.error());
    texts.push_back(std::move(*text));
  }
  return texts;
}

bool compile(re2::RE2& pattern, std::string& error) {
  if (!pattern.ok()) error = fmt::format("invalid regular expression: {}", pattern.error());
  return pattern.ok();
}

re2::RE2::Options quiet() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return options;
}

Result match(Arguments arguments) {
  const auto texts = to_texts(arguments);
  if (!texts) return std::unexpected(texts.error());
  re2::RE2 pattern((*texts)[0], quiet());
  std::string error;
  if (!compile(pattern, error)) return invalid(error);
  return re2::RE2::PartialMatch((*texts)[1], pattern);
}

/// Go's replacement syntax ($1, ${1}, $$) in RE2's.
std::string rewrite(std::string_view go) {
  std::string out;
  for (std::size_t i = 0; i < go.size(); ++i) {
    const bool braced = go.substr(i, 2) == "${";
    const std::size_t digit = i + (braced ? 2 : 1);
    const bool group = go[i] == '$' && digit < go.size() && go[digit] >= '0' && go[digit] <= '9';
    if (group) {
      out += '\\';
      out += go[digit];
      i = digit + (braced ? 1 : 0);
    } else if (go[i] == '\\') {
      out += "\\\\";
    } else {
      out += go[i];
      if (go.substr(i, 2) == "$$") ++i;
    }
  }
  return out;
}

Result replace_all(Arguments arguments) {
  const auto texts = to_texts(arguments);
  if (!texts) return std::unexpected(texts.error());
  re2::RE2 pattern((*texts)[0], quiet());
  std::string error;
  if (!compile(pattern, error)) return invalid(error);
  const std::string replacement = rewrite((*texts)[1]);
  if (!pattern.CheckRewriteString(replacement, &error)) return invalid(error);
  std::string text = (*texts)[2];
  re2::RE2::GlobalReplace(&text, pattern, replacement);
  return text;
}

Result parse_duration(Arguments arguments) {
  const auto text = to_text(arguments[0]);
  if (!text) return std::unexpected(text.error());
  const auto duration = core::parse_duration(*text);
  if (!duration) return std::unexpected(duration.error());
  return core::to_seconds(*duration);
}

Result print(Arguments arguments) {
  std::string out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    // fmt.Sprint puts a space between two operands when neither is a string.
    const bool apart = i > 0 && !std::holds_alternative<std::string>(arguments[i]) &&
                       !std::holds_alternative<std::string>(arguments[i - 1]);
    if (apart) out += ' ';
    out += template_text(arguments[i]);
  }
  return out;
}

Result println(Arguments arguments) {
  std::string out;
  for (const TemplateValue& argument : arguments) out += (out.empty() ? "" : " ") + template_text(argument);
  return out + "\n";
}

Result printf_function(Arguments arguments) {
  const auto format = to_text(arguments[0]);
  if (!format) return std::unexpected(format.error());
  return go_sprintf(*format, arguments.subspan(1));
}

bool comparable(const TemplateValue& value) {
  return std::holds_alternative<bool>(value) || std::holds_alternative<std::int64_t>(value) ||
         std::holds_alternative<double>(value) || std::holds_alternative<std::string>(value);
}

std::partial_ordering order(const TemplateValue& a, const TemplateValue& b) {
  if (const auto* text = std::get_if<std::string>(&a)) return *text <=> std::get<std::string>(b);
  if (const auto* whole = std::get_if<std::int64_t>(&a)) return *whole <=> std::get<std::int64_t>(b);
  if (const auto* number = std::get_if<double>(&a)) return *number <=> std::get<double>(b);
  const bool equal = template_text(a) == template_text(b);
  return equal ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
}

core::Result<std::partial_ordering> compare(const TemplateValue& a, const TemplateValue& b) {
  for (const TemplateValue* value : {&a, &b}) {
    if (!comparable(*value)) return invalid(fmt::format("non-comparable type {}", template_type(*value)));
  }
  if (a.index() == b.index()) return order(a, b);
  return invalid(fmt::format("incompatible types for comparison: {} and {}", template_type(a), template_type(b)));
}

Result equal(Arguments arguments) {
  for (const TemplateValue& other : arguments.subspan(1)) {
    const auto compared = compare(arguments[0], other);
    if (!compared) return std::unexpected(compared.error());
    if (*compared == 0) return true;
  }
  return false;
}

template <bool (*holds)(std::partial_ordering)>
Result comparison(Arguments arguments) {
  const auto found = compare(arguments[0], arguments[1]);
  if (!found) return std::unexpected(found.error());
  return holds(*found);
}

bool differs(std::partial_ordering found) { return found != 0; }
bool less(std::partial_ordering found) { return found < 0; }
bool at_most(std::partial_ordering found) { return found <= 0; }
bool greater(std::partial_ordering found) { return found > 0; }
bool at_least(std::partial_ordering found) { return found >= 0; }

Result negate(Arguments arguments) { return !template_truth(arguments[0]); }
// `and` and `or` stop at the argument that decides; whoever evaluates arguments sees to that. What is left is the last.
Result last(Arguments arguments) { return arguments.back(); }

struct Function {
  std::string_view name;
  std::size_t least;
  std::size_t most;
  Result (*call)(Arguments);
};

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

constexpr std::array kFunctions{
    Function{"humanize", 1, 1, number_function<humanize>},
    Function{"humanize1024", 1, 1, number_function<humanize_1024>},
    Function{"humanizeDuration", 1, 1, number_function<humanize_duration>},
    Function{"humanizePercentage", 1, 1, number_function<humanize_percentage>},
    Function{"humanizeTimestamp", 1, 1, humanize_timestamp},
    Function{"title", 1, 1, text_function<title_of>},
    Function{"toUpper", 1, 1, text_function<to_upper>},
    Function{"toLower", 1, 1, text_function<to_lower>},
    Function{"stripPort", 1, 1, text_function<strip_port_of>},
    Function{"stripDomain", 1, 1, text_function<strip_domain_of>},
    Function{"safeHtml", 1, 1, safe_html},
    Function{"match", 2, 2, match},
    Function{"reReplaceAll", 3, 3, replace_all},
    Function{"parseDuration", 1, 1, parse_duration},
    Function{"print", 0, kAny, print},
    Function{"println", 0, kAny, println},
    Function{"printf", 1, kAny, printf_function},
    Function{"eq", 2, kAny, equal},
    Function{"ne", 2, 2, comparison<differs>},
    Function{"lt", 2, 2, comparison<less>},
    Function{"le", 2, 2, comparison<at_most>},
    Function{"gt", 2, 2, comparison<greater>},
    Function{"ge", 2, 2, comparison<at_least>},
    Function{"not", 1, 1, negate},
    Function{"and", 1, kAny, last},
    Function{"or", 1, kAny, last},
};

const Function* find_function(std::string_view name) {
  const auto* found = std::ranges::find(kFunctions, name, &Function::name);
  return found == kFunctions.end() ? nullptr : found;
}

}  // namespace

core::Result<double> template_number(const TemplateValue& value) {
  if (const auto* duration = std::get_if<TemplateDuration>(&value)) return duration->seconds;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* text = std::get_if<std::string>(&value)) {
    std::string_view digits = *text;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    double number = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failed == std::errc() && end == digits.data() + digits.size()) return number;
    return invalid(fmt::format("\"{}\" is not a number", *text));
  }
  return invalid(fmt::format("can't convert {} to float", template_type(value)));
}

bool is_template_function(std::string_view name, TemplateUse use) {
  if (use == TemplateUse::message && find_message_function(name) != nullptr) return true;
  return find_function(name) != nullptr || find_data_function(name) != nullptr;
}

std::vector<std::string> template_function_names(TemplateUse use) {
  std::vector<std::string> names;
  for (const Function& function : kFunctions) names.emplace_back(function.name);
  for (const DataFunction& function : data_functions()) names.emplace_back(function.name);
  if (use == TemplateUse::rule) return names;
  for (const DataFunction& function : message_functions()) names.emplace_back(function.name);
  return names;
}

core::Result<TemplateValue> call_template_function(std::string_view name, Arguments arguments,
                                                   const TemplateData& data) {
  const Function* function = find_function(name);
  const DataFunction* of_data = function == nullptr ? find_data_function(name) : nullptr;
  if (function == nullptr && of_data == nullptr) of_data = find_message_function(name);
  if (function == nullptr && of_data == nullptr) return invalid(fmt::format("function \"{}\" is not defined", name));
  const std::size_t least = function != nullptr ? function->least : of_data->least;
  const std::size_t most = function != nullptr ? function->most : of_data->most;
  if (arguments.size() < least || arguments.size() > most) {
    return invalid(fmt::format("wrong number of arguments for {}: want {}{}, got {}", name,
                               least == most ? "" : "at least ", least, arguments.size()));
  }
  auto result = function != nullptr ? function->call(arguments) : of_data->call(arguments, data);
  if (result && template_weight(*result) > Template::kMaxOutput * 4) {
    result = core::fail(core::ErrorKind::limit, "the value is too large");
  }
  if (!result) result.error().message = fmt::format("error calling {}: {}", name, result.error().message);
  return result;
}

}  // namespace weir::templates
