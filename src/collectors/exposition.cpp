#include "collectors/exposition.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <utility>

namespace weir::collectors {
namespace {

using core::ErrorKind;

constexpr std::size_t kShown = 60;  // of a line, in messages

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Reads a line from the left.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  std::size_t place() const { return at_; }
  std::string_view from(std::size_t begin) const { return text_.substr(begin, at_ - begin); }
  std::string_view rest() const { return text_.substr(at_); }

  bool take(char wanted) {
    if (at_end() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void skip_blanks() {
    while (!at_end() && is_blank(text_[at_])) ++at_;
  }
  /// Letters, digits and underscores, not beginning with a digit; with colons in a metric's name.
  std::string_view name(bool colons) {
    const std::size_t begin = at_;
    while (!at_end() &&
           (is_letter(text_[at_]) || (colons && text_[at_] == ':') || (at_ > begin && is_digit(text_[at_])))) {
      ++at_;
    }
    return from(begin);
  }
  std::string_view word() {
    const std::size_t begin = at_;
    while (!at_end() && !is_blank(text_[at_])) ++at_;
    return from(begin);
  }
  /// What stands between quotes, escapes taken out of it where `out` is given; false without a closing quote.
  bool quoted(std::string* out) {
    if (!take('"')) return false;
    while (!at_end()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (c != '\\') {
        if (out != nullptr) *out += c;
        continue;
      }
      if (at_end()) return false;
      const char escaped = text_[at_++];
      if (out == nullptr) continue;
      if (escaped == 'n') {
        *out += '\n';
      } else {
        // Any other escape stays as it is written, as for Prometheus.
        if (escaped != '"' && escaped != '\\') *out += '\\';
        *out += escaped;
      }
    }
    return false;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

/// Past the braces, without a look at what the labels are.
bool skip_labels(Cursor& cursor) {
  if (!cursor.take('{')) return true;
  while (!cursor.at_end()) {
    if (cursor.take('}')) return true;
    if (cursor.peek() == '"') {
      if (!cursor.quoted(nullptr)) return false;
    } else {
      cursor.take(cursor.peek());
    }
  }
  return false;
}

std::optional<double> parse_value(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.starts_with('+')) return std::nullopt;
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  // Too large or small for a double: from_chars leaves the value, so take what strtod would say.
  if (failed == std::errc::result_out_of_range) return std::strtod(std::string(text).c_str(), nullptr);
  if (failed != std::errc()) return std::nullopt;
  return value;
}

/// The time behind a value, as the format has it; nothing where it is none.
std::optional<core::Time> parse_exposed_time(std::string_view text, ExpositionFormat format) {
  constexpr double kLast = 1e11;  // s, past which nothing is meant
  const auto number = parse_value(text);
  if (!number) return std::nullopt;
  const double seconds = format == ExpositionFormat::text ? *number / 1000 : *number;
  if (!(std::abs(seconds) < kLast)) return std::nullopt;
  return core::time_from_seconds(seconds);
}

/// A sample's line. What follows the value may be a time and an exemplar.
std::optional<ExposedSample> parse_line(std::string_view line, ExpositionFormat format) {
  Cursor cursor(line);
  const std::string_view name = cursor.name(true);
  if (name.empty() && cursor.peek() != '{') return std::nullopt;
  std::size_t end = cursor.place();
  cursor.skip_blanks();
  if (cursor.peek() == '{') {
    if (!skip_labels(cursor)) return std::nullopt;
    end = cursor.place();
    cursor.skip_blanks();
  } else if (cursor.place() == end) {
    return std::nullopt;  // "name" alone, or a character that no name has
  }
  const auto value = parse_value(cursor.word());
  if (!value) return std::nullopt;
  cursor.skip_blanks();
  std::optional<core::Time> time;
  if (!cursor.at_end() && cursor.peek() != '#') {
    time = parse_exposed_time(cursor.word(), format);
    if (!time) return std::nullopt;
  }
  cursor.skip_blanks();
  if (!cursor.at_end() && cursor.peek() != '#') return std::nullopt;
  return ExposedSample{line.substr(0, end), *value, time};
}

std::unexpected<core::Error> malformed(std::string_view series, std::string_view why) {
  return core::fail(ErrorKind::protocol, fmt::format("series {}: {}", shown_series(series), why));
}

}  // namespace

std::string shown_series(std::string_view line) {
  std::string text(line.substr(0, kShown));
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e; }, '?');
  return text + (line.size() > kShown ? "…" : "");
}

core::Result<ExpositionFormat> exposition_format(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  std::ranges::transform(type, type.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  while (type.ends_with(' ')) type.pop_back();
  if (type == "application/openmetrics-text") return ExpositionFormat::openmetrics;
  if (type.empty() || type == "text/plain") return ExpositionFormat::text;
  return core::fail(ErrorKind::protocol,
                    fmt::format("the answer is {}, not metrics; is this the URL of the metrics?", shown_series(type)));
}

core::Result<std::vector<ExposedSample>> parse_exposition(std::string_view page, ExpositionFormat format,
                                                          std::size_t most) {
  std::vector<ExposedSample> samples;
  std::size_t number = 0;
  bool ended = false;
  while (!page.empty()) {
    ++number;
    const std::size_t feed = page.find('\n');
    std::string_view line = page.substr(0, feed);
    page.remove_prefix(feed == std::string_view::npos ? page.size() : feed + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    if (line.empty()) continue;
    if (ended) return core::fail(ErrorKind::protocol, fmt::format("line {}: there is more after \"# EOF\"", number));
    if (line.front() == '#') {
      ended = format == ExpositionFormat::openmetrics && line == "# EOF";
      continue;
    }
    const auto sample = parse_line(line, format);
    if (!sample) {
      return core::fail(ErrorKind::protocol, fmt::format("line {} is no sample (name{{label=\"value\"}} number): {}",
                                                         number, shown_series(line)));
    }
    if (samples.size() == most) {
      return core::fail(ErrorKind::limit,
                        fmt::format("there are more than {} samples on the page; have less exposed", most));
    }
    samples.push_back(*sample);
  }
  if (format == ExpositionFormat::openmetrics && !ended) {
    return core::fail(ErrorKind::protocol, "the answer was cut off: \"# EOF\" is missing at its end");
  }
  return samples;
}

core::Result<core::Labels> parse_exposed_series(std::string_view series, std::size_t most_labels) {
  std::vector<std::pair<std::string, std::string>> owned;
  Cursor cursor(series);
  if (const std::string_view name = cursor.name(true); !name.empty()) owned.emplace_back(core::kMetricName, name);
  cursor.skip_blanks();
  if (cursor.take('{')) {
    while (true) {
      cursor.skip_blanks();
      if (cursor.take('}')) break;
      std::string name;
      if (cursor.peek() == '"') {
        if (!cursor.quoted(&name)) return malformed(series, "a quote is not closed");
      } else {
        name = cursor.name(false);
      }
      if (name.empty()) return malformed(series, "a label without a name");
      cursor.skip_blanks();
      if (cursor.take('=')) {
        cursor.skip_blanks();
        std::string value;
        if (!cursor.quoted(&value)) return malformed(series, "a label's value is not in quotes");
        owned.emplace_back(std::move(name), std::move(value));
      } else {
        owned.emplace_back(core::kMetricName, std::move(name));  // the metric's name in quotes
      }
      cursor.skip_blanks();
      if (!cursor.take(',') && cursor.peek() != '}') return malformed(series, "labels are parted by commas");
      if (owned.size() > most_labels + 1) return malformed(series, fmt::format("over {} labels", most_labels));
    }
  }
  if (!cursor.at_end()) return malformed(series, "there is something after the labels");
  std::ranges::sort(owned);
  const auto twice = std::ranges::adjacent_find(owned, {}, [](const auto& pair) { return pair.first; });
  if (twice != owned.end()) return malformed(series, fmt::format("label {} is given twice", twice->first));
  std::vector<core::Labels::Pair> pairs(owned.begin(), owned.end());
  core::Labels labels(pairs);
  if (labels.name().empty()) return malformed(series, "it has no name");
  return labels;
}

}  // namespace weir::collectors
