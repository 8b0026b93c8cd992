#include "runtime/log.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace weir::runtime {
namespace {

// The one thing of the process that everything writes to; the first call of any thread makes it.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("weir", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" \"=\\") != std::string_view::npos ||
         std::ranges::any_of(value, is_control);
}

void append_value(std::string& line, std::string_view value) {
  std::string clean;
  for (const char c : value) {
    if (c == '\n') {
      clean += "\\n";
    } else if (is_control(c)) {
      clean += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else if (c == '"' || c == '\\') {
      clean += '\\';
      clean += c;
    } else {
      clean += c;
    }
  }
  line += needs_quotes(value) ? '"' + clean + '"' : clean;
}

void write(spdlog::level::level_enum level, std::string_view message, LogFields fields) {
  if (logger().should_log(level)) logger().log(level, format_log_line(message, fields));
}

}  // namespace

LogField::LogField(std::string_view k, double v) : key(k), value(fmt::format("{}", v)) {}

std::string format_log_line(std::string_view message, LogFields fields) {
  std::string line;
  line += "msg=";
  append_value(line, message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  return line;
}

void log_debug(std::string_view message, LogFields fields) { write(spdlog::level::debug, message, fields); }
void log_info(std::string_view message, LogFields fields) { write(spdlog::level::info, message, fields); }
void log_warn(std::string_view message, LogFields fields) { write(spdlog::level::warn, message, fields); }
void log_error(std::string_view message, LogFields fields) { write(spdlog::level::err, message, fields); }

bool set_log_level(std::string_view level) {
  for (const auto& [name, value] : {std::pair{std::string_view("debug"), spdlog::level::debug},
                                    std::pair{std::string_view("info"), spdlog::level::info},
                                    std::pair{std::string_view("warn"), spdlog::level::warn},
                                    std::pair{std::string_view("error"), spdlog::level::err}}) {
    if (name == level) {
      logger().set_level(value);
      return true;
    }
  }
  return false;
}

}  // namespace weir::runtime
