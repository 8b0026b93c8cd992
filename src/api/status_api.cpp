#include "api/status_api.h"

#include <filesystem>
#include <unistd.h>

#include "api/prometheus_api.h"
#include "api/prometheus_json.h"

namespace weir::api {
namespace {

using net::ServerRequest;
using net::ServerResponse;

std::size_t threads_running() {
  std::error_code failed;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/task", failed), end; !failed && entry != end;
       entry.increment(failed))
    ++count;
  return count;
}

std::string host_name() {
  std::string name(256, '\0');
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.c_str();
}

/// `"name":"text"` with a comma where it is not the first.
void append_text(std::string& out, std::string_view name, std::string_view text) {
  if (out.size() > 1) out += ',';
  append_json(out, name);
  out += ':';
  append_json(out, text);
}

void append_raw(std::string& out, std::string_view name, std::string_view raw) {
  if (out.size() > 1) out += ',';
  append_json(out, name);
  out += ':';
  out += raw;
}

std::string time_json(core::Time time) {
  std::string out;
  append_json_time(out, time);
  return out;
}

}  // namespace

ServerResponse build_info(const Backend& backend, const ServerRequest&) {
  std::string out = "{";
  append_text(out, "version", kPrometheusVersion);
  append_text(out, "revision", "weir-" + backend.version);
  append_text(out, "branch", "weir");
  append_text(out, "buildUser", "");
  append_text(out, "buildDate", "");
  append_text(out, "goVersion", "");
  return api_success(out += '}');
}

ServerResponse runtime_info(const Backend& backend, const ServerRequest&) {
  const ReloadStatus reload = backend.reload_status ? backend.reload_status() : ReloadStatus{true, backend.started_at};
  std::error_code failed;
  std::string out = "{";
  append_raw(out, "startTime", time_json(backend.started_at));
  append_text(out, "CWD", std::filesystem::current_path(failed).string());
  append_text(out, "hostname", host_name());
  append_raw(out, "serverTime", time_json(backend.now()));
  append_raw(out, "reloadConfigSuccess", reload.last_successful ? "true" : "false");
  append_raw(out, "lastConfigTime", time_json(reload.last_success));
  append_raw(out, "corruptionCount", "0");
  append_raw(out, "goroutineCount", std::to_string(threads_running()));
  append_raw(out, "GOMAXPROCS", std::to_string(sysconf(_SC_NPROCESSORS_ONLN)));
  append_raw(out, "GOMEMLIMIT", "0");
  append_text(out, "GOGC", "");
  append_text(out, "GODEBUG", "");
  append_text(out, "storageRetention", core::format_duration(backend.retention));
  return api_success(out += '}');
}

}  // namespace weir::api
