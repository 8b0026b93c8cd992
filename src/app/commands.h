#pragma once

#include <string>

namespace weir::app {

/// Exit codes of every command: 0 done, 1 failed while running, 2 wrong configuration.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

/// Monitors until SIGINT or SIGTERM.
int run(const std::string& config_file);

/// Reports every mistake of the configuration and the files it names, as file:line:col.
int validate(const std::string& config_file);

struct DemoOptions {
  std::string listen = "127.0.0.1:9877";
  std::string root = ".";  // holds rules/ and checks/
  std::string folder;      // where the demo's files go; a temporary folder when empty
};

/// Monitors a small shop that lives inside the process, until SIGINT or SIGTERM.
int demo(const DemoOptions& options);

}  // namespace weir::app
