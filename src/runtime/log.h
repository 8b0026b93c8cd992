#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace weir::runtime {

/// One `key=value` pair of a log line.
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, double v);
  LogField(std::string_view k, long v) : key(k), value(std::to_string(v)) {}
  LogField(std::string_view k, long long v) : key(k), value(std::to_string(v)) {}
  LogField(std::string_view k, unsigned long v) : key(k), value(std::to_string(v)) {}
  LogField(std::string_view k, int v) : key(k), value(std::to_string(v)) {}

  std::string_view key;
  std::string value;
};
using LogFields = std::initializer_list<LogField>;

/// Lines on standard error: `time level message key=value …`, values quoted where they need it. Line
/// breaks never pass through, so that one event is one line. Any thread.
void log_debug(std::string_view message, LogFields fields = {});
void log_info(std::string_view message, LogFields fields = {});
void log_warn(std::string_view message, LogFields fields = {});
void log_error(std::string_view message, LogFields fields = {});

/// "debug", "info", "warn" or "error"; anything else leaves the level as it is and returns false.
bool set_log_level(std::string_view level);

/// The line that a message and its fields make, without time and level.
std::string format_log_line(std::string_view message, LogFields fields);

}  // namespace weir::runtime
