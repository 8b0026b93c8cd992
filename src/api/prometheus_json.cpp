#include "api/prometheus_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "api/utf8.h"

namespace weir::api {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

void append_escaped_json(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
}

bool needs_care(signed char c) { return c < 0x20 || c == '"' || c == '\\'; }  // bytes past ASCII are negative

void append_integer(std::string& out, std::int64_t number) {
  std::array<char, 24> buffer{};
  out.append(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr);
}

/// NaN and the infinities; false for a finite value.
bool append_not_finite(std::string& out, double value) {
  if (std::isfinite(value)) return false;
  out += std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  return true;
}

/// A whole number from 2^53 on: its shortest digits, filled up with zeros where std::to_chars would print digits that
/// the double happens to have.
void append_large(std::string& out, double value) {
  std::array<char, 32> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t mark = text.find('e');
  std::size_t exponent = 0;
  std::from_chars(text.data() + mark + 2, text.data() + text.size(), exponent);  // past "e+"
  std::size_t digits = 0;
  for (const char c : text.substr(0, mark)) {
    if (c == '.') continue;
    out += c;
    if (c != '-') ++digits;
  }
  out.append(exponent + 1 - digits, '0');
}

void append_pair(std::string& out, core::Time time, double value) {
  out += '[';
  append_sample_time(out, time);
  out += ",\"";
  append_sample_value(out, value);
  out += "\"]";
}

core::Result<void> bounded(const std::string& out, std::size_t most_bytes) {
  if (out.size() <= most_bytes) return {};
  return core::fail(core::ErrorKind::limit,
                    fmt::format("the answer is larger than {} MiB: ask for fewer series (aggregate, or add limit=) or "
                                "for fewer steps (a larger step=)",
                                most_bytes >> 20U));
}

core::Result<void> append_vector(std::string& out, const promql::Vector& vector, core::Time at,
                                 std::size_t most_bytes) {
  bool first = true;
  for (const promql::VectorSample& sample : vector) {
    out += first ? "{\"metric\":" : ",{\"metric\":";
    first = false;
    append_json(out, sample.labels);
    out += ",\"value\":";
    append_pair(out, at, sample.value);
    out += '}';
    if (auto fits = bounded(out, most_bytes); !fits) return fits;
  }
  return {};
}

core::Result<void> append_matrix(std::string& out, const promql::Matrix& matrix, std::size_t most_bytes) {
  bool first = true;
  for (const core::SeriesView& series : matrix) {
    out += first ? "{\"metric\":" : ",{\"metric\":";
    first = false;
    append_json(out, series.labels);
    out += ",\"values\":[";
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      if (i > 0) out += ',';
      append_pair(out, series.points[i].time, series.points[i].value);
    }
    out += "]}";
    if (auto fits = bounded(out, most_bytes); !fits) return fits;
  }
  return {};
}

/// `[seconds,"text"]` of scalars and strings, whose time Go prints as an ordinary number.
void append_single(std::string& out, core::Time at, std::string_view text) {
  out += '[';
  append_seconds(out, core::to_seconds(at));
  out += ',';
  append_json(out, text);
  out += ']';
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
  out += '"';
  if (std::ranges::none_of(text, needs_care)) {
    out += text;
  } else {
    std::string valid;
    append_valid_utf8(valid, text);
    append_escaped_json(out, valid);
  }
  out += '"';
}

void append_json(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    append_json(out, texts[i]);
  }
  out += ']';
}

void append_json(std::string& out, const core::Labels& labels) {
  char opened = '{';
  for (const auto& [name, value] : labels) {
    out += opened;
    opened = ',';
    append_json(out, name);
    out += ':';
    append_json(out, value);
  }
  out += opened == '{' ? "{}" : "}";
}

void append_sample_time(std::string& out, core::Time time) {
  const std::int64_t ms = time.time_since_epoch().count();
  if (ms < 0) out += '-';
  const std::uint64_t size = ms < 0 ? 0 - static_cast<std::uint64_t>(ms) : static_cast<std::uint64_t>(ms);
  append_integer(out, static_cast<std::int64_t>(size / 1000));
  const std::uint64_t fraction = size % 1000;
  if (fraction == 0) return;
  out += {'.', static_cast<char>('0' + fraction / 100), static_cast<char>('0' + fraction / 10 % 10),
          static_cast<char>('0' + fraction % 10)};
}

void append_plain_value(std::string& out, double value) {
  if (append_not_finite(out, value)) return;
  const double size = std::abs(value);
  if (size >= kExactIntegers) return append_large(out, value);
  // Counts and offsets are whole numbers, and printing those is several times faster.
  if (value == std::trunc(value) && !(value == 0 && std::signbit(value)))
    return append_integer(out, static_cast<std::int64_t>(value));
  std::array<char, 400> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed).ptr;
  out.append(buffer.data(), end);
}

void append_exponent_value(std::string& out, double value) {
  if (append_not_finite(out, value)) return;
  std::array<char, 32> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  out.append(buffer.data(), end);
}

void append_sample_value(std::string& out, double value) {
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e21) || !std::isfinite(value);
  plain ? append_plain_value(out, value) : append_exponent_value(out, value);
}

void append_seconds(std::string& out, double seconds) { append_sample_value(out, seconds); }

void append_json_time(std::string& out, core::Time time) {
  std::string text = core::format_rfc3339(time);
  text.pop_back();
  if (text.find('.') != std::string::npos) {
    while (text.ends_with('0')) text.pop_back();
    if (text.ends_with('.')) text.pop_back();
  }
  out += '"' + text + "Z\"";
}

core::Result<void> append_query_data(std::string& out, const promql::Value& value, core::Time at,
                                     std::size_t most_bytes) {
  core::Result<void> done;
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    std::string text;
    append_plain_value(text, scalar->value);
    out += R"({"resultType":"scalar","result":)";
    append_single(out, at, text);
  } else if (const auto* string = std::get_if<promql::Text>(&value)) {
    out += R"({"resultType":"string","result":)";
    append_single(out, at, string->text);
  } else if (const auto* vector = std::get_if<promql::Vector>(&value)) {
    out += R"({"resultType":"vector","result":[)";
    done = append_vector(out, *vector, at, most_bytes);
    out += ']';
  } else {
    out += R"({"resultType":"matrix","result":[)";
    done = append_matrix(out, std::get<promql::Matrix>(value), most_bytes);
    out += ']';
  }
  out += '}';
  return done;
}

void close_success(std::string& out, std::span<const std::string> warnings) {
  if (!warnings.empty()) {
    out += ",\"warnings\":";
    append_json(out, std::vector<std::string>(warnings.begin(), warnings.end()));
  }
  out += '}';
}

std::string error_json(std::string_view type, std::string_view message) {
  std::string out = R"({"status":"error","errorType":)";
  append_json(out, type);
  out += ",\"error\":";
  append_json(out, message);
  return out += '}';
}

}  // namespace weir::api
