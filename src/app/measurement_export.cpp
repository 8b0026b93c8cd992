#include "app/measurement_export.h"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/time.h"

namespace weir::app {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result.append(c == '"' ? 2 : 1, c);
  return result + "\"";
}

/// As json::dump(), and never an exception: a name may hold any bytes.
std::string json(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string to_string(core::Mark mark) {
  switch (mark) {
    case core::Mark::none: return "";
    case core::Mark::anomalous: return "anomalous";
    case core::Mark::level_shift: return "level_shift";
    case core::Mark::level_back: return "level_back";
  }
  return "";
}

std::string to_string(core::Feedback feedback) {
  switch (feedback) {
    case core::Feedback::none: return "";
    case core::Feedback::fine: return "fine";
    case core::Feedback::wrong: return "wrong";
  }
  return "";
}

void MeasurementWriter::begin() { out_ << (format_ == ExportFormat::csv ? "check,time,value,mark,feedback\r\n" : "["); }

void MeasurementWriter::write(const core::Measurement& each) {
  if (first_) begin();
  const bool first = std::exchange(first_, false);
  const std::string time = core::format_rfc3339(each.time);
  if (format_ == ExportFormat::csv) {
    out_ << fmt::format("{},{},{},{},{}\r\n", quoted(each.check), time, each.value, to_string(each.mark),
                        to_string(each.feedback));
    return;
  }
  const std::string value = std::isfinite(each.value) ? fmt::format("{}", each.value) : "null";
  out_ << fmt::format("{}\n{{\"check\": {}, \"time\": \"{}\", \"value\": {}, \"mark\": \"{}\", \"feedback\": \"{}\"}}",
                      first ? "" : ",", json(each.check), time, value, to_string(each.mark), to_string(each.feedback));
}

void MeasurementWriter::finish() {
  if (first_) begin();
  if (format_ == ExportFormat::json) out_ << (first_ ? "]\n" : "\n]\n");
}

}  // namespace weir::app
