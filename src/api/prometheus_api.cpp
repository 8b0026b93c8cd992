#include "api/prometheus_api.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "api/parameters.h"
#include "api/prometheus_json.h"
#include "promql/engine.h"

namespace weir::api {
namespace {

using core::ErrorKind;
using net::ServerRequest;
using net::ServerResponse;

constexpr std::size_t kMostBytes = 256U << 20U;  // of one answer
constexpr core::Duration kMostTime{30'000};      // of one evaluation
constexpr std::int64_t kMostSteps = 11'000;      // of one range query, as Prometheus has it

/// What instant and range queries have in common.
struct Asked {
  promql::Expr expr;
  promql::Limits limits;
  std::size_t limit = 0;
};

core::Result<promql::Expr> parse_query(const Parameters& parameters) {
  auto expr = promql::parse(parameters.get("query"));
  if (!expr) return invalid_parameter("query", expr.error().describe());
  return expr;
}

core::Result<Asked> read_query(const Parameters& parameters) {
  const auto limit = parameters.limit();
  if (!limit) return std::unexpected(limit.error());
  const auto timeout = parameters.duration_or("timeout", kMostTime);
  if (!timeout) return std::unexpected(timeout.error());
  const auto look_back = parameters.duration_or("lookback_delta", promql::kLookBack);
  if (!look_back) return std::unexpected(look_back.error());
  if (*look_back != promql::kLookBack)
    return invalid_parameter("lookback_delta",
                             "the look-back is " + core::format_duration(promql::kLookBack) + " and cannot be changed");
  auto expr = parse_query(parameters);
  if (!expr) return std::unexpected(std::move(expr.error()));
  promql::Limits limits;
  limits.timeout = std::clamp(*timeout, core::Duration::zero(), kMostTime);
  return Asked{std::move(*expr), limits, *limit};
}

/// Leaves the first `limit` series; true when there were more.
bool truncate(promql::Value& value, std::size_t limit) {
  const auto cut = [limit](auto& series) {
    if (limit == 0 || series.size() <= limit) return false;
    series.erase(series.begin() + static_cast<std::ptrdiff_t>(limit), series.end());
    return true;
  };
  if (auto* vector = std::get_if<promql::Vector>(&value)) return cut(*vector);
  if (auto* matrix = std::get_if<promql::Matrix>(&value)) return cut(*matrix);
  return false;
}

ServerResponse show(promql::Value value, core::Time at, std::size_t limit) {
  std::vector<std::string> warnings;
  if (truncate(value, limit)) warnings.emplace_back(kTruncated);
  std::string out(kSuccessBegins);
  if (auto done = append_query_data(out, value, at, kMostBytes); !done) return execution_failure(done.error());
  close_success(out, warnings);
  return ServerResponse::json(200, std::move(out));
}

struct Range {
  core::Time start;
  core::Time end;
  core::Duration step;
};

core::Result<Range> read_range(const Parameters& parameters) {
  const auto start = parameters.time("start");
  if (!start) return std::unexpected(start.error());
  const auto end = parameters.time("end");
  if (!end) return std::unexpected(end.error());
  if (*end < *start) return invalid_parameter("end", "end timestamp must not be before start time");
  const auto step = parameters.duration("step");
  if (!step) return std::unexpected(step.error());
  if (step->count() <= 0) {
    return invalid_parameter("step",
                             "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  std::int64_t span = 0;
  if (__builtin_sub_overflow(end->time_since_epoch().count(), start->time_since_epoch().count(), &span))
    span = std::numeric_limits<std::int64_t>::max();
  if (span / step->count() > kMostSteps) {
    return core::fail(ErrorKind::invalid,
                      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
                      "resolution (?step=XX)");
  }
  return Range{*start, *end, *step};
}

bool has_range_value(const promql::Expr& expr) {
  return expr.type() == promql::ValueType::scalar || expr.type() == promql::ValueType::vector;
}

}  // namespace

ServerResponse api_failure(std::string_view type, std::string_view message) {
  static constexpr std::array<std::pair<std::string_view, int>, 7> kStatuses{{{"bad_data", 400},
                                                                              {"not_found", 404},
                                                                              {"execution", 422},
                                                                              {"canceled", 499},
                                                                              {"internal", 500},
                                                                              {"timeout", 503},
                                                                              {"unavailable", 503}}};
  const auto* found = std::ranges::find(kStatuses, type, &std::pair<std::string_view, int>::first);
  return ServerResponse::json(found == kStatuses.end() ? 500 : found->second, error_json(type, message));
}

ServerResponse bad_data(const core::Error& error) { return api_failure("bad_data", error.describe()); }

ServerResponse execution_failure(const core::Error& error) {
  switch (error.kind) {
    case ErrorKind::timeout: return api_failure("timeout", error.message);
    case ErrorKind::cancelled: return api_failure("canceled", error.message);
    case ErrorKind::unavailable: return api_failure("unavailable", error.message);
    case ErrorKind::not_found: return api_failure("not_found", error.message);
    case ErrorKind::internal:
    case ErrorKind::storage: return api_failure("internal", error.message);
    default: return api_failure("execution", error.message);
  }
}

ServerResponse api_success(std::string_view data, std::span<const std::string> warnings) {
  std::string out(kSuccessBegins);
  out.reserve(out.size() + data.size() + 64);
  out += data;
  close_success(out, warnings);
  return ServerResponse::json(200, std::move(out));
}

ServerResponse query(const Backend& backend, const ServerRequest& request) {
  const Parameters parameters(request);
  const auto at = parameters.time_or("time", backend.now());
  if (!at) return bad_data(at.error());
  const auto asked = read_query(parameters);
  if (!asked) return bad_data(asked.error());
  auto value = promql::evaluate(asked->expr, backend.series, *at, asked->limits);
  if (!value) return execution_failure(value.error());
  return show(std::move(*value), *at, asked->limit);
}

ServerResponse query_range(const Backend& backend, const ServerRequest& request) {
  const Parameters parameters(request);
  const auto range = read_range(parameters);
  if (!range) return bad_data(range.error());
  const auto asked = read_query(parameters);
  if (!asked) return bad_data(asked.error());
  if (!has_range_value(asked->expr)) {
    return api_failure("bad_data", "invalid parameter \"query\": invalid expression type \"" +
                                       std::string(promql::to_string(asked->expr.type())) +
                                       "\" for range query, must be Scalar or instant Vector");
  }
  auto matrix =
      promql::evaluate_range(asked->expr, backend.series, range->start, range->end, range->step, asked->limits);
  if (!matrix) return execution_failure(matrix.error());
  return show(std::move(*matrix), range->end, asked->limit);
}

ServerResponse query_exemplars(const Backend&, const ServerRequest& request) {
  const Parameters parameters(request);
  const auto start = parameters.time_or("start", kMinTime);
  if (!start) return bad_data(start.error());
  const auto end = parameters.time_or("end", kMaxTime);
  if (!end) return bad_data(end.error());
  if (*end < *start) return api_failure("bad_data", "end timestamp must not be before start timestamp");
  const auto expr = promql::parse(parameters.get("query"));
  if (!expr) return bad_data(expr.error());
  return api_success("[]");
}

ServerResponse format_query(const Backend&, const ServerRequest& request) {
  const auto expr = parse_query(Parameters(request));
  if (!expr) return bad_data(expr.error());
  std::string text;
  append_json(text, promql::pretty(*expr));
  return api_success(text);
}

}  // namespace weir::api
