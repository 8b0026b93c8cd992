#include "api/series_api.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

#include "api/parameters.h"
#include "api/prometheus_api.h"
#include "api/prometheus_json.h"
#include "api/utf8.h"

namespace weir::api {
namespace {

using net::ServerRequest;
using net::ServerResponse;

/// A time range that reaches into the last hour is answered from the index, which knows no times. (Prometheus's own
/// index is that coarse.)
constexpr core::Duration kRecent = std::chrono::hours(1);

struct Asked {
  std::vector<std::vector<core::Matcher>> matchers;
  core::Time start;
  core::Time end;
  std::size_t limit = 0;
};

/// Prometheus names the parameter of a wrong match[] for series, and not for labels.
enum class MatchError { named, plain };

core::Result<Asked> read(const ServerRequest& request, MatchError match_error) {
  const Parameters parameters(request);
  const auto limit = parameters.limit();
  if (!limit) return std::unexpected(limit.error());
  const auto start = parameters.time_or("start", kMinTime);
  if (!start) return std::unexpected(start.error());
  const auto end = parameters.time_or("end", kMaxTime);
  if (!end) return std::unexpected(end.error());
  auto matchers = parameters.matchers();
  if (!matchers && match_error == MatchError::named) return invalid_parameter("match[]", matchers.error().message);
  if (!matchers) return std::unexpected(std::move(matchers.error()));
  return Asked{std::move(*matchers), *start, *end, *limit};
}

/// Calls `visit` with the labels of every series that one of the selectors names; some series come twice.
template <class Visit>
core::Result<void> each_series(const Backend& backend, const Asked& asked, Visit visit) {
  if (asked.end < asked.start) return {};
  std::vector<std::vector<core::Matcher>> sets = asked.matchers;
  if (sets.empty()) sets.emplace_back();
  for (std::vector<core::Matcher>& matchers : sets) {
    const auto found = backend.series.select({std::move(matchers), asked.start, asked.end, true});
    if (!found) return std::unexpected(found.error());
    for (const core::SeriesView& view : *found) visit(view.labels);
  }
  return {};
}

bool index_will_do(const Backend& backend, const Asked& asked) {
  const core::Time now = backend.now();
  return asked.matchers.empty() && asked.start <= now && asked.end >= now - kRecent;
}

/// The first `limit` of these texts, in order.
ServerResponse show_texts(std::vector<std::string> texts, std::size_t limit) {
  std::ranges::sort(texts);
  std::vector<std::string> warnings;
  if (limit > 0 && texts.size() > limit) {
    texts.resize(limit);
    warnings.emplace_back(kTruncated);
  }
  std::string out;
  append_json(out, texts);
  return api_success(out, warnings);
}

std::string utf8_of(std::uint32_t code) {
  std::string out;
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    tail(6);
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    tail(12);
    tail(6);
  }
  tail(0);
  return out;
}

/// Prometheus's way to write any name with letters, digits and underscores: `U__http_2e_code` is `http.code`, a
/// doubled underscore a single one. A name that is not written so stays as it is.
std::string unescape_name(const std::string& name) {
  if (!name.starts_with("U__")) return name;
  std::string out;
  const std::string_view rest = std::string_view(name).substr(3);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != '_') {
      out += rest[i];
      continue;
    }
    const std::size_t end = rest.find('_', i + 1);
    if (end == std::string_view::npos) return name;
    const std::string_view hex = rest.substr(i + 1, end - i - 1);
    std::uint32_t code = 0;
    const auto [stop, failed] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    const bool good = hex.empty() ||
                      (failed == std::errc() && stop == hex.data() + hex.size() && hex.size() <= 6 && code <= 0x10FFFF);
    if (!good) return name;
    out += hex.empty() ? "_" : utf8_of(code);
    i = end;
  }
  return out;
}

bool valid_utf8(const std::string& text) {
  std::string valid;
  append_valid_utf8(valid, text);
  return valid == text;
}

std::string_view type_of(core::MetricType type) {
  switch (type) {
    case core::MetricType::gauge: return "gauge";
    case core::MetricType::counter: return "counter";
    case core::MetricType::histogram: return "histogram";
    case core::MetricType::untyped: return "unknown";
  }
  return "unknown";
}

/// A whole number, −1 where it is absent.
core::Result<std::int64_t> whole_number(const Parameters& parameters, std::string_view name) {
  const std::string_view text = parameters.get(name);
  if (text.empty()) return -1;
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc() && end == text.data() + text.size()) return number;
  return core::fail(core::ErrorKind::invalid, std::string(name) + " must be a number");
}

}  // namespace

ServerResponse series(const Backend& backend, const ServerRequest& request) {
  const auto asked = read(request, MatchError::named);
  if (!asked) return bad_data(asked.error());
  if (asked->matchers.empty()) return api_failure("bad_data", "no match[] parameter provided");
  std::set<core::Labels> found;
  if (auto done = each_series(backend, *asked, [&](const core::Labels& labels) { found.insert(labels); }); !done)
    return execution_failure(done.error());
  std::vector<std::string> warnings;
  std::string out = "[";
  std::size_t shown = 0;
  for (const core::Labels& labels : found) {
    if (asked->limit > 0 && shown == asked->limit) {
      warnings.emplace_back(kTruncated);
      break;
    }
    if (shown++ > 0) out += ',';
    append_json(out, labels);
  }
  return api_success(out += ']', warnings);
}

ServerResponse labels(const Backend& backend, const ServerRequest& request) {
  const auto asked = read(request, MatchError::plain);
  if (!asked) return bad_data(asked.error());
  if (index_will_do(backend, *asked)) return show_texts(backend.label_names(), asked->limit);
  std::set<std::string, std::less<>> names;
  const auto done = each_series(backend, *asked, [&](const core::Labels& found) {
    for (const auto& [name, value] : found) {
      if (!names.contains(name)) names.emplace(name);
    }
  });
  if (!done) return execution_failure(done.error());
  return show_texts({names.begin(), names.end()}, asked->limit);
}

ServerResponse label_values(const Backend& backend, const ServerRequest& request, const std::string& name) {
  const std::string label = unescape_name(name);
  if (label.empty() || !valid_utf8(label)) {
    std::string quoted;
    append_json(quoted, label);
    return api_failure("bad_data", "invalid label name: " + quoted);
  }
  const auto asked = read(request, MatchError::plain);
  if (!asked) return bad_data(asked.error());
  if (index_will_do(backend, *asked)) return show_texts(backend.label_values(label), asked->limit);
  std::set<std::string, std::less<>> values;
  const auto done = each_series(backend, *asked, [&](const core::Labels& found) {
    const std::string_view value = found.get(label);
    if (!value.empty() && !values.contains(value)) values.emplace(value);
  });
  if (!done) return execution_failure(done.error());
  return show_texts({values.begin(), values.end()}, asked->limit);
}

ServerResponse metadata(const Backend& backend, const ServerRequest& request) {
  const Parameters parameters(request);
  const auto limit = whole_number(parameters, "limit");
  if (!limit) return bad_data(limit.error());
  // A metric has one type and one help here, so that only its form matters.
  const auto per_metric = whole_number(parameters, "limit_per_metric");
  if (!per_metric) return bad_data(per_metric.error());
  const std::string_view wanted = parameters.get("metric");
  std::string out = "{";
  std::int64_t shown = 0;
  for (const core::MetricInfo& metric : backend.metrics.described()) {
    if (!wanted.empty() && metric.name != wanted) continue;
    if (*limit >= 0 && shown == *limit) break;
    if (shown++ > 0) out += ',';
    append_json(out, metric.name);
    out += ":[{\"type\":";
    append_json(out, type_of(metric.type));
    out += ",\"help\":";
    append_json(out, metric.help);
    out += ",\"unit\":\"\"}]";
  }
  return api_success(out += '}');
}

}  // namespace weir::api
