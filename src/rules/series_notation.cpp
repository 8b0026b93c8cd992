#include "rules/series_notation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <set>

#include "core/series_source.h"

namespace weir::rules {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alphanumeric(char c) { return is_alpha(c) || is_digit(c); }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// Words of PromQL that its grammar takes for no metric.
bool reserved(std::string_view word) {
  static constexpr std::array<std::string_view, 8> kWords{"on",   "ignoring", "group_left", "group_right",
                                                          "bool", "atan2",    "inf",        "nan"};
  return std::ranges::find(kWords, lower(word)) != kWords.end();
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t bits) { out += static_cast<char>(bits); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xc0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      byte(0xe0 | (code >> 12));
    } else {
      byte(0xf0 | (code >> 18));
      byte(0x80 | ((code >> 12) & 0x3f));
    }
    byte(0x80 | ((code >> 6) & 0x3f));
  }
  byte(0x80 | (code & 0x3f));
}

class Reader {
 public:
  Reader(std::string_view text, bool series) : text_(text), series_(series) {}

  core::Result<MetricNotation> metric() {
    skip_space();
    std::string name;
    if (is_alpha(peek()) || peek() == ':') {
      const std::size_t start = at_;
      while (is_alphanumeric(peek()) || peek() == ':') name += text_[at_++];
      if (reserved(name)) return error(start, fmt::format("\"{}\" is no name of a metric", name));
    }
    if (!series_) skip_space();
    MetricNotation metric;
    if (peek() == '{') {
      if (auto read = label_set(name); !read) return std::unexpected(read.error());
    } else if (name.empty() && !at_end()) {
      return error(at_, "expected a metric, found " + shown());
    }
    core::LabelsBuilder labels;
    for (const auto& [label, value] : labels_) labels.set(label, value);
    if (name.empty()) metric.empty_labels = empty_;
    if (!name.empty()) labels.set(core::kMetricName, name);
    metric.labels = labels.build();
    return metric;
  }

  core::Result<std::vector<std::optional<double>>> values(std::size_t most) {
    most_ = most;
    while (!at_end()) {
      if (!is_space(peek())) return error(at_, "expected a space, found " + shown());
      skip_space();
      if (at_end()) break;
      if (auto read = item(); !read) return std::unexpected(read.error());
    }
    return std::move(values_);
  }

  core::Result<void> end() {
    skip_space();
    if (!at_end()) return error(at_, "expected the end, found " + shown());
    return {};
  }

 private:
  using Done = core::Result<void>;

  bool at_end() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool accept(char c) {
    if (at_end() || peek() != c) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (!at_end() && is_space(peek())) ++at_;
  }
  void skip_space_and_comments() {
    for (skip_space(); accept('#'); skip_space()) {
      while (!at_end() && peek() != '\n') ++at_;
    }
  }

  std::string shown() const { return at_end() ? "the end" : fmt::format("\"{}\"", text_.substr(at_, 1)); }

  std::unexpected<core::Error> error(std::size_t at, std::string message,
                                     core::ErrorKind kind = core::ErrorKind::invalid) const {
    const std::string_view before = text_.substr(0, std::min(at, text_.size()));
    const auto line = 1 + std::ranges::count(before, '\n');
    const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    return core::fail(kind, std::move(message), fmt::format("{}:{}", line, column));
  }

  Done label_set(std::string& name) {
    ++at_;
    std::set<std::string> seen;
    while (true) {
      skip_space_and_comments();
      if (accept('}')) return {};
      if (auto read = label(name, seen); !read) return read;
      skip_space_and_comments();
      if (accept(',')) continue;
      if (peek() != '}') return error(at_, "expected \",\" or \"}\", found " + shown());
    }
  }

  Done label(std::string& name, std::set<std::string>& seen) {
    const std::size_t start = at_;
    std::string label;
    const bool quoted_name = peek() == '"' || peek() == '\'' || peek() == '`';
    if (quoted_name) {
      if (auto read = quoted(label); !read) return read;
    } else {
      if (!is_alpha(peek())) return error(at_, "expected a label's name or \"}\", found " + shown());
      while (is_alphanumeric(peek())) label += text_[at_++];
    }
    skip_space_and_comments();
    if (quoted_name && (peek() == ',' || peek() == '}')) {
      if (!name.empty()) return error(start, "the metric's name is given twice");
      name = label;
      return {};
    }
    if (!accept('=')) return error(at_, "expected \"=\", found " + shown());
    skip_space_and_comments();
    std::string value;
    if (auto read = quoted(value); !read) return read;
    if (!seen.insert(label).second) return error(start, fmt::format("label \"{}\" is given twice", label));
    if (value.empty()) empty_.push_back(label);
    labels_.emplace_back(std::move(label), std::move(value));
    return {};
  }

  Done quoted(std::string& out) {
    const std::size_t start = at_;
    const char quote = peek();
    if (quote != '"' && quote != '\'' && quote != '`') return error(at_, "expected a string, found " + shown());
    ++at_;
    while (true) {
      if (at_end() || (peek() == '\n' && quote != '`')) return error(start, "the string is not closed");
      const char c = text_[at_++];
      if (c == quote) return {};
      if (c != '\\' || quote == '`') {
        out += c;
      } else if (!escape(out, quote)) {
        return error(at_ - 1, "unknown escape in the string");
      }
    }
  }

  bool escape(std::string& out, char quote) {
    const char c = peek();
    ++at_;
    static constexpr std::string_view kNames = "abfnrtv\\";
    static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
    const std::size_t known = kNames.find(c);
    if (c != '\0' && (known != std::string_view::npos || c == quote)) {
      out += c == quote ? quote : kValues[known];
      return true;
    }
    if (c >= '0' && c <= '7') {
      --at_;
      return code_point(out, 3, 8);
    }
    return (c == 'x' && code_point(out, 2, 16)) || (c == 'u' && code_point(out, 4, 16)) ||
           (c == 'U' && code_point(out, 8, 16));
  }

  bool code_point(std::string& out, std::size_t digits, int base) {
    std::uint32_t code = 0;
    if (at_ + digits > text_.size()) return false;
    const char* start = text_.data() + at_;
    const auto [stop, failed] = std::from_chars(start, start + digits, code, base);
    if (failed != std::errc() || stop != start + digits) return false;
    at_ += digits;
    if (digits < 4) {
      if (code > 0xff) return false;
      out += static_cast<char>(code);
      return true;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    append_utf8(out, code);
    return true;
  }

  Done item() {
    if (accept('_')) {
      std::uint64_t times = 1;
      if (accept('x')) {
        if (auto read = repetition(times); !read) return read;
      }
      return append(times, [] { return std::nullopt; });
    }
    double value = 0;
    if (auto read = signed_or_word(value, true); !read) return read;
    double growth = 0;
    const bool grows = peek() == '+' || peek() == '-';
    if (grows) {
      if (auto read = signed_or_word(growth, false); !read) return read;
      if (peek() != 'x') return error(at_, "expected \"x\" and how often, found " + shown());
    }
    std::uint64_t times = 0;
    if (accept('x')) {
      if (auto read = repetition(times); !read) return read;
    }
    if (times >= most_) return too_many();
    return append(times + 1, [&] {
      const double now = value;
      if (grows) value += growth;
      return std::optional(now);
    });
  }

  Done signed_or_word(double& value, bool stale_allowed) {
    const bool negative = peek() == '-';
    const bool has_sign = negative || peek() == '+';
    if (has_sign) ++at_;
    const std::size_t start = at_;
    if (is_alpha(peek()) && peek() != '_') {
      while (is_alphanumeric(peek()) || peek() == ':') ++at_;
      const std::string_view word = text_.substr(start, at_ - start);
      if (lower(word) == "nan") {
        value = std::numeric_limits<double>::quiet_NaN();
      } else if (lower(word) == "inf") {
        value = std::numeric_limits<double>::infinity();
      } else if (word == "stale" && stale_allowed && !has_sign) {
        value = core::stale_marker();
      } else {
        return error(start, fmt::format("\"{}\" is neither a number nor \"stale\"", word));
      }
    } else if (auto read = number(value); !read) {
      return read;
    }
    if (negative) value = -value;
    return {};
  }

  Done number(double& value) {
    const std::size_t start = at_;
    if (!is_digit(peek()) && !(peek() == '.' && is_digit(peek(1)))) {
      return error(at_, "expected a number, \"_\" or \"stale\", found " + shown());
    }
    const auto digits = [&] {
      while (is_digit(peek()) || (peek() == '_' && is_digit(peek(1)) && is_digit(text_[at_ - 1]))) ++at_;
    };
    digits();
    if (accept('.')) digits();
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
    const auto parsed = parse_go_number(text_.substr(start, at_ - start));
    if (!parsed || (is_alphanumeric(peek()) && peek() != 'x')) {
      while (is_alphanumeric(peek()) || peek() == '.') ++at_;
      return error(start, fmt::format("\"{}\" is not a number", text_.substr(start, at_ - start)));
    }
    value = *parsed;
    return {};
  }

  Done repetition(std::uint64_t& times) {
    const std::size_t start = at_;
    while (is_digit(peek())) ++at_;
    const auto [stop, failed] = std::from_chars(text_.data() + start, text_.data() + at_, times);
    if (start == at_) return error(at_, "expected how often, found " + shown());
    if (failed == std::errc::result_out_of_range) return too_many();
    return {};
  }

  std::unexpected<core::Error> too_many() const {
    return error(at_, fmt::format("the series has more than {} values", most_), core::ErrorKind::limit);
  }

  template <class Next>
  Done append(std::uint64_t times, Next next) {
    if (times > most_ - values_.size()) return too_many();
    for (std::uint64_t i = 0; i < times; ++i) values_.push_back(next());
    return {};
  }

  std::string_view text_;
  bool series_;
  std::size_t at_ = 0;
  std::size_t most_ = 0;
  std::vector<std::pair<std::string, std::string>> labels_;
  std::vector<std::string> empty_;
  std::vector<std::optional<double>> values_;
};

}  // namespace

std::optional<double> parse_go_number(std::string_view text) {
  std::string plain(text);
  std::erase(plain, '_');
  const char* begin = plain.data();
  const char* end = begin + plain.size();
  if (plain.empty()) return std::nullopt;
  if (std::ranges::all_of(plain, is_digit)) {
    std::int64_t whole = 0;
    const auto [stop, failed] = std::from_chars(begin, end, whole, plain.size() > 1 && plain[0] == '0' ? 8 : 10);
    if (failed == std::errc() && stop == end) return static_cast<double>(whole);
  }
  double value = 0;
  const auto [stop, failed] = std::from_chars(begin, end, value);
  if (stop != end || failed == std::errc::invalid_argument) return std::nullopt;
  if (failed == std::errc()) return value;
  // Out of range: Go takes what is too small for zero, and refuses what is too large.
  value = std::strtod(plain.c_str(), nullptr);
  return std::isinf(value) ? std::nullopt : std::optional(value);
}

core::Result<SeriesNotation> parse_series(std::string_view text, std::size_t most_values) {
  Reader reader(text, true);
  auto metric = reader.metric();
  if (!metric) return std::unexpected(metric.error());
  auto values = reader.values(most_values);
  if (!values) return std::unexpected(values.error());
  return SeriesNotation{std::move(metric->labels), std::move(*values)};
}

core::Result<MetricNotation> parse_metric(std::string_view text) {
  Reader reader(text, false);
  auto metric = reader.metric();
  if (!metric) return metric;
  if (auto end = reader.end(); !end) return std::unexpected(end.error());
  return metric;
}

}  // namespace weir::rules
