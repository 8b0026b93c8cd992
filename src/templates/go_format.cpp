// Go's number and fmt.Sprintf formats.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <optional>

#include "templates/template_functions.h"

namespace weir::templates {
namespace {

std::string special(double value) {
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

struct Spec {
  bool minus = false;
  bool plus = false;
  bool zero = false;
  bool space = false;
  bool sharp = false;
  int width = 0;
  std::optional<int> precision;
};

constexpr int kMaxWidth = 1000;  // a template cannot ask for more text than this a verb

int read_count(std::string_view format, std::size_t& at) {
  int value = 0;
  for (; at < format.size() && format[at] >= '0' && format[at] <= '9'; ++at)
    value = std::min(kMaxWidth, value * 10 + (format[at] - '0'));
  return value;
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

std::string pad(std::string text, const Spec& spec) {
  const std::size_t length = characters(text);
  const auto width = static_cast<std::size_t>(spec.width);
  if (length >= width) return text;
  const std::size_t missing = width - length;
  if (spec.minus) return text.append(missing, ' ');
  if (spec.zero) {
    const std::size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
    return text.insert(sign, missing, '0');
  }
  return text.insert(0, missing, ' ');
}

std::string signed_text(std::string text, const Spec& spec) {
  if (text.starts_with('-') || text.starts_with('+')) return text;
  if (spec.plus) return "+" + text;
  return spec.space ? " " + text : text;
}

std::string format_float(double value, char verb, const Spec& spec) {
  if (!std::isfinite(value)) {
    Spec spaces = spec;
    spaces.zero = false;
    return pad(signed_text(special(value), spec), spaces);
  }
  if (verb == 'v') verb = 'g';
  if (verb == 'F') verb = 'f';
  const bool shortest = (verb == 'g' || verb == 'G') && !spec.precision;
  std::string text;
  if (shortest) {
    text = go_float(value);
    if (verb == 'G') std::ranges::transform(text, text.begin(), [](char c) { return c == 'e' ? 'E' : c; });
  } else {
    const int precision = spec.precision.value_or(6);
    switch (verb) {
      case 'f': text = fmt::format("{:.{}f}", value, precision); break;
      case 'e': text = fmt::format("{:.{}e}", value, precision); break;
      case 'E': text = fmt::format("{:.{}E}", value, precision); break;
      case 'G': text = fmt::format("{:.{}G}", value, precision); break;
      default: text = fmt::format("{:.{}g}", value, precision);
    }
  }
  return pad(signed_text(std::move(text), spec), spec);
}

std::optional<std::string> format_integer(std::int64_t value, char verb, const Spec& spec) {
  std::string text;
  switch (verb) {
    case 'v':
    case 'd': text = fmt::format("{}", value); break;
    case 'x': text = fmt::format("{:x}", value); break;
    case 'X': text = fmt::format("{:X}", value); break;
    case 'o': text = fmt::format("{:o}", value); break;
    case 'b': text = fmt::format("{:b}", value); break;
    default: return std::nullopt;
  }
  return pad(signed_text(std::move(text), spec), spec);
}

std::string quote_go(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

std::optional<std::string> format_string(const std::string& value, char verb, const Spec& spec) {
  std::string text = value;
  if (spec.precision && (verb == 's' || verb == 'v' || verb == 'q')) {
    std::size_t end = 0;
    for (int left = *spec.precision; end < text.size(); ++end) {
      const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
      if (starts && left-- == 0) break;
    }
    text.resize(end);
  }
  if (verb == 'q') text = quote_go(text);
  if (verb == 'x' || verb == 'X') {
    std::string hex;
    for (const char c : text)
      hex += fmt::format(fmt::runtime(verb == 'x' ? "{:02x}" : "{:02X}"), static_cast<unsigned char>(c));
    text = std::move(hex);
  } else if (verb != 's' && verb != 'v' && verb != 'q') {
    return std::nullopt;
  }
  return pad(std::move(text), spec);
}

std::optional<std::string> format_value(const TemplateValue& value, char verb, const Spec& spec) {
  if (const auto* number = std::get_if<double>(&value)) {
    if (std::string_view("vfFeEgG").find(verb) == std::string_view::npos) return std::nullopt;
    return format_float(*number, verb, spec);
  }
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return format_integer(*whole, verb, spec);
  if (const auto* text = std::get_if<std::string>(&value)) return format_string(*text, verb, spec);
  if (const auto* flag = std::get_if<bool>(&value)) {
    if (verb != 'v' && verb != 't') return std::nullopt;
    return pad(*flag ? "true" : "false", spec);
  }
  if (verb != 'v' && verb != 's') return std::nullopt;
  return pad(template_text(value), spec);
}

std::string mismatch(char verb, const TemplateValue& value) {
  return fmt::format("%!{}({}={})", verb, template_type(value), template_text(value));
}

Spec read_spec(std::string_view format, std::size_t& at) {
  Spec spec;
  for (; at < format.size(); ++at) {
    const char c = format[at];
    if (c == '-') {
      spec.minus = true;
    } else if (c == '+') {
      spec.plus = true;
    } else if (c == '0') {
      spec.zero = true;
    } else if (c == ' ') {
      spec.space = true;
    } else if (c == '#') {
      spec.sharp = true;
    } else {
      break;
    }
  }
  spec.width = read_count(format, at);
  if (at < format.size() && format[at] == '.') {
    ++at;
    spec.precision = read_count(format, at);
  }
  return spec;
}

}  // namespace

std::string go_float(double value) {
  if (!std::isfinite(value)) return special(value);
  std::array<char, 64> buffer{};
  const auto scientific =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string text(buffer.data(), scientific.ptr);
  const int exponent = std::stoi(text.substr(text.find('e') + 1));
  if (exponent < -4 || exponent >= 6) return text;  // strconv's bounds when it looks for the shortest
  const auto fixed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return {buffer.data(), fixed.ptr};
}

std::string go_sprintf(std::string_view format, std::span<const TemplateValue> arguments) {
  std::string out;
  std::size_t next = 0;
  std::size_t at = 0;
  while (at < format.size()) {
    const std::size_t percent = std::min(format.find('%', at), format.size());
    out += format.substr(at, percent - at);
    at = percent + 1;
    if (percent == format.size()) break;
    const Spec spec = read_spec(format, at);
    if (at >= format.size()) {
      out += "%!(NOVERB)";
      break;
    }
    const char verb = format[at++];
    if (verb == '%') {
      out += '%';
    } else if (next >= arguments.size()) {
      out += fmt::format("%!{}(MISSING)", verb);
    } else {
      const TemplateValue& argument = arguments[next++];
      out += format_value(argument, verb, spec).value_or(mismatch(verb, argument));
    }
  }
  if (next < arguments.size()) {
    out += "%!(EXTRA ";
    for (std::size_t i = next; i < arguments.size(); ++i) {
      out += fmt::format("{}{}={}", i == next ? "" : ", ", template_type(arguments[i]), template_text(arguments[i]));
    }
    out += ')';
  }
  return out;
}

}  // namespace weir::templates
