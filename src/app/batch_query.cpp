#include "app/batch_query.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/json_values.h"
#include "api/query_json.h"
#include "promql/engine.h"
#include "promql/parser.h"

namespace weir::app {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestLine = 1U << 20U;
constexpr std::int64_t kMostSteps = 11'000;
constexpr double kLargestTime = 1e11;  // seconds

json bad_data(const std::string& message) { return api::query_error("bad_data", message); }

json failure(const core::Error& error) {
  const bool timeout = error.kind == core::ErrorKind::timeout;
  return api::query_error(timeout ? "timeout" : "execution", error.describe());
}

json success(const promql::Value& value, core::Time at) {
  return {{"status", "success"}, {"data", api::query_data(value, at)}};
}

/// A number of seconds, as a number or as text.
core::Result<double> read_seconds(const json& request, const char* name) {
  const auto found = request.find(name);
  double seconds = std::numeric_limits<double>::quiet_NaN();
  if (found != request.end() && found->is_number()) {
    seconds = found->get<double>();
  } else if (found != request.end() && found->is_string()) {
    const auto text = found->get<std::string>();
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failed != std::errc() || end != text.data() + text.size()) seconds = std::numeric_limits<double>::quiet_NaN();
  }
  if (std::abs(seconds) < kLargestTime) return seconds;
  return core::fail(core::ErrorKind::invalid, fmt::format("invalid parameter \"{}\": {} is no number of seconds", name,
                                                          found == request.end() ? "nothing" : api::dump(*found)));
}

json answer_range(const json& request, const promql::Expr& expr, const core::SeriesSource& source) {
  const auto start = read_seconds(request, "start");
  if (!start) return bad_data(start.error().message);
  const auto end = read_seconds(request, "end");
  if (!end) return bad_data(end.error().message);
  const auto step = read_seconds(request, "step");
  if (!step) return bad_data(step.error().message);
  const core::Duration every = core::time_from_seconds(*step).time_since_epoch();
  const core::Time from = core::time_from_seconds(*start);
  const core::Time to = core::time_from_seconds(*end);
  if (to < from) return bad_data("invalid parameter \"end\": end timestamp must not be before start time");
  if (every <= core::Duration::zero()) {
    return bad_data(
        "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive "
        "integer");
  }
  if ((to - from) / every > kMostSteps) {
    return bad_data(
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)");
  }
  if (expr.type() != promql::ValueType::scalar && expr.type() != promql::ValueType::vector) {
    return bad_data(
        fmt::format("invalid parameter \"query\": invalid expression type \"{}\" for range query, must be "
                    "Scalar or instant Vector",
                    promql::to_string(expr.type())));
  }
  const auto matrix = promql::evaluate_range(expr, source, from, to, every);
  return matrix ? success(*matrix, to) : failure(matrix.error());
}

json answer(const json& request, const core::SeriesSource& source) {
  if (!request.is_object()) return bad_data("a query is a JSON object: {\"query\": \"up\", \"time\": 60}");
  const auto query = request.find("query");
  if (query == request.end() || !query->is_string()) return bad_data("invalid parameter \"query\": it is missing");
  const auto expr = promql::parse(query->get<std::string>());
  if (!expr) return bad_data("invalid parameter \"query\": " + expr.error().describe());
  if (request.contains("start") || request.contains("end") || request.contains("step"))
    return answer_range(request, *expr, source);
  const auto seconds = read_seconds(request, "time");
  if (!seconds) return bad_data(seconds.error().message);
  const core::Time at = core::time_from_seconds(*seconds);
  const auto value = promql::evaluate(*expr, source, at);
  return value ? success(*value, at) : failure(value.error());
}

/// A line without its end, cut one character past `longest`; the rest of it is skipped.
bool read_line(std::istream& in, std::string& line, std::size_t longest) {
  line.clear();
  std::streambuf* buffer = in.rdbuf();
  bool any = false;
  for (int c = buffer->sbumpc(); c != std::char_traits<char>::eof(); c = buffer->sbumpc()) {
    any = true;
    if (c == '\n') return true;
    if (line.size() <= longest) line += static_cast<char>(c);
  }
  return any;
}

}  // namespace

std::string answer_query(std::string_view request, const core::SeriesSource& source) {
  if (request.size() > kLongestLine) return api::dump(bad_data("the line is longer than 1 MiB"));
  const json parsed = json::parse(request, nullptr, false);
  if (parsed.is_discarded()) return api::dump(bad_data("the line is not JSON"));
  return api::dump(answer(parsed, source));
}

void answer_queries(std::istream& queries, const core::SeriesSource& source, std::ostream& out) {
  std::string line;
  while (read_line(queries, line, kLongestLine)) out << answer_query(line, source) << std::endl;
}

}  // namespace weir::app
