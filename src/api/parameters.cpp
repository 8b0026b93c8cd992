#include "api/parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>

#include "promql/parser.h"

namespace weir::api {
namespace {

using core::ErrorKind;

constexpr std::string_view kMinTimeText = "-292273086-05-16T16:47:06Z";
constexpr std::string_view kMaxTimeText = "292277025-08-18T07:12:54.999999999Z";

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

/// Reads fixed-width fields from the front of a text.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}
  int digits(std::size_t count) {
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') return fail();
      number = number * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return number;
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail();
  }
  /// Milliseconds of the fraction, of as many digits as there are.
  int fraction() {
    int milliseconds = 0;
    int weight = 100;
    if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') return fail();
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1), weight /= 10)
      milliseconds += weight * (rest_[0] - '0');
    return milliseconds;
  }
  bool done() const { return ok_ && rest_.empty(); }

 private:
  int fail() {
    ok_ = false;
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<core::Time> parse_rfc3339(std::string_view text) {
  Fields fields(text);
  const std::chrono::year year(fields.digits(4));
  fields.expect('-');
  const std::chrono::month month(static_cast<unsigned>(fields.digits(2)));
  fields.expect('-');
  const std::chrono::day day(static_cast<unsigned>(fields.digits(2)));
  fields.expect('T');
  const int hour = fields.digits(2);
  fields.expect(':');
  const int minute = fields.digits(2);
  fields.expect(':');
  const int second = fields.digits(2);
  const int milliseconds = fields.take('.') ? fields.fraction() : 0;
  int zone = 0;  // minutes east of Greenwich
  if (!fields.take('Z')) {
    const bool west = fields.take('-');
    if (!west) fields.expect('+');
    const int hours = fields.digits(2);
    fields.expect(':');
    const int minutes = fields.digits(2);
    if (hours > 24 || minutes > 60) return std::nullopt;
    zone = (west ? -1 : 1) * (hours * 60 + minutes);
  }
  const std::chrono::year_month_day date(year, month, day);
  if (!fields.done() || !date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return core::Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute - zone) +
         std::chrono::seconds(second) + std::chrono::milliseconds(milliseconds);
}

core::Result<std::vector<core::Matcher>> parse_selector(const std::string& text) {
  const auto expr = promql::parse(text);
  if (!expr) {
    const std::string& message = expr.error().message;
    const bool empty = message.find("non-empty matcher") != std::string::npos ||
                       message.find("does not match the empty string") != std::string::npos;
    return core::fail(ErrorKind::invalid,
                      empty ? "match[] must contain at least one non-empty matcher" : expr.error().describe());
  }
  const auto* selector = std::get_if<promql::Selector>(&expr->root().kind);
  // Without range and modifiers it is printed as a name alone, or up to a brace.
  const std::string printed = promql::to_string(*expr);
  const bool bare = selector != nullptr && (printed.ends_with('}') || printed.find_first_of(" [") == std::string::npos);
  if (!bare) {
    return core::fail(ErrorKind::invalid, "1:1: parse error: \"" + text + "\" is not a series selector (write " +
                                              "name{label=\"value\"}, without functions, range or modifiers)");
  }
  return selector->matchers;
}

}  // namespace

const core::Time kMinTime{core::Duration(-9'223'309'901'257'974'000)};
const core::Time kMaxTime{core::Duration(9'223'309'901'257'974'999)};

std::unexpected<core::Error> invalid_parameter(std::string_view name, const std::string& message) {
  return core::fail(ErrorKind::invalid, fmt::format("invalid parameter \"{}\": {}", name, message));
}

core::Result<core::Time> parse_time(std::string_view text) {
  constexpr double kMost = 9'223'309'901'257'974.0;
  if (const auto number = parse_number(text); number && std::abs(*number) <= kMost) {
    double whole = 0;
    const double fraction = std::modf(*number, &whole);
    return core::Time(core::Duration(static_cast<std::int64_t>(whole) * 1000 + std::llround(fraction * 1000)));
  }
  if (const auto time = parse_rfc3339(text)) return *time;
  if (text == kMinTimeText) return kMinTime;
  if (text == kMaxTimeText) return kMaxTime;
  return core::fail(ErrorKind::invalid, fmt::format("cannot parse \"{}\" to a valid timestamp", text));
}

core::Result<core::Duration> parse_duration(std::string_view text) {
  if (const auto number = parse_number(text); number && !std::isnan(*number)) {
    constexpr double kMost = 9'223'372'036.0;  // seconds: Prometheus counts nanoseconds in 64 bits
    if (std::abs(*number) <= kMost) return core::Duration(static_cast<std::int64_t>(*number * 1000));
    return core::fail(ErrorKind::invalid,
                      fmt::format("cannot parse \"{}\" to a valid duration. It overflows int64", text));
  }
  if (const auto duration = core::parse_duration(text)) return *duration;
  return core::fail(ErrorKind::invalid, fmt::format("cannot parse \"{}\" to a valid duration", text));
}

Parameters::Parameters(const net::ServerRequest& request) : values_(request.parameters()) {
  net::ServerRequest address;
  address.query = request.query;
  const auto in_address = static_cast<std::ptrdiff_t>(address.parameters().size());
  std::ranges::rotate(values_, values_.begin() + in_address);
}

std::string_view Parameters::get(std::string_view name) const {
  const auto found = std::ranges::find(values_, name, [](const auto& value) { return std::string_view(value.first); });
  return found == values_.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<std::string> Parameters::all(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : values_) {
    if (key == name) found.push_back(value);
  }
  return found;
}

core::Result<core::Time> Parameters::time(std::string_view name) const {
  auto parsed = parse_time(get(name));
  if (!parsed) return invalid_parameter(name, parsed.error().message);
  return parsed;
}

core::Result<core::Time> Parameters::time_or(std::string_view name, core::Time fallback) const {
  if (get(name).empty()) return fallback;
  auto parsed = parse_time(get(name));
  if (!parsed)
    return invalid_parameter(name, fmt::format("Invalid time value for '{}': {}", name, parsed.error().message));
  return parsed;
}

core::Result<core::Duration> Parameters::duration(std::string_view name) const {
  auto parsed = parse_duration(get(name));
  if (!parsed) return invalid_parameter(name, parsed.error().message);
  return parsed;
}

core::Result<core::Duration> Parameters::duration_or(std::string_view name, core::Duration fallback) const {
  return get(name).empty() ? fallback : duration(name);
}

core::Result<std::size_t> Parameters::limit() const {
  const std::string_view text = get("limit");
  if (text.empty()) return 0;
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size())
    return invalid_parameter("limit", fmt::format("cannot parse \"{}\" to a whole number", text));
  if (number < 0) return invalid_parameter("limit", "limit must be non-negative");
  return static_cast<std::size_t>(number);
}

core::Result<std::vector<std::vector<core::Matcher>>> Parameters::matchers() const {
  std::vector<std::vector<core::Matcher>> sets;
  for (const std::string& text : all("match[]")) {
    auto parsed = parse_selector(text);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    sets.push_back(std::move(*parsed));
  }
  return sets;
}

}  // namespace weir::api
