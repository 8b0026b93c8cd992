#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/labels.h"
#include "core/time.h"
#include "promql/value.h"

namespace weir::api {

/// Prometheus's JSON, written piece by piece into one string: an answer of 60,000 series is no tree of objects.

/// A JSON string; bytes that are not UTF-8 become U+FFFD.
void append_json(std::string& out, std::string_view text);
void append_json(std::string& out, const std::vector<std::string>& texts);
/// `{"__name__":"up","job":"a"}`
void append_json(std::string& out, const core::Labels& labels);

/// Seconds since 1970 as samples carry them: "1435781430", or with three decimals "1435781430.780".
void append_sample_time(std::string& out, core::Time time);
/// A sample's value without quotes: the shortest digits that read back the same, with an exponent below 1e-6 and from
/// 1e21 on, as Go's FormatFloat writes them; "NaN", "+Inf", "-Inf".
void append_sample_value(std::string& out, double value);
/// The same without an exponent, as a scalar is written.
void append_plain_value(std::string& out, double value);
/// The same with an exponent always, as an alert's value is written: "1e+00".
void append_exponent_value(std::string& out, double value);
/// A finite number of seconds, as JSON.
void append_seconds(std::string& out, double seconds);
/// `"2026-01-02T03:04:05.678Z"`, quoted; trailing zeros of the fraction are left out, as Go does.
void append_json_time(std::string& out, core::Time time);

/// Appends `{"resultType":"vector","result":[…]}`. `at` is the time of the query. Errors (limit): `out` would become
/// longer than `most_bytes`.
core::Result<void> append_query_data(std::string& out, const promql::Value& value, core::Time at,
                                     std::size_t most_bytes);

/// An answer is begun with this, its data appended, and closed.
inline constexpr std::string_view kSuccessBegins = R"({"status":"success","data":)";
void close_success(std::string& out, std::span<const std::string> warnings = {});
/// `{"status":"error","errorType":…,"error":…}`
std::string error_json(std::string_view type, std::string_view message);

}  // namespace weir::api
