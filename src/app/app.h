#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/settings.h"
#include "core/error.h"
#include "core/fail_points.h"
#include "runtime/loop.h"

namespace weir::app {

/// The whole daemon: built from settings in order of dependency, and taken down in the reverse. Owned by the
/// command, on whose thread the loop runs.
class App {
 public:
  /// Opens storage, takes up what the last run left, and listens. Nothing is collected yet.
  /// `fail_points`, if any, outlive it.
  static core::Result<std::unique_ptr<App>> build(Settings settings, runtime::Loop& loop,
                                                  core::FailPoints* fail_points = nullptr);
  class Impl;
  explicit App(std::unique_ptr<Impl> impl);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// Begins to collect, to judge and to deliver.
  void start();
  /// Ends all of it; waits for what runs, a few seconds at the most.
  void stop();
  /// Reads the configuration file anew, soon, and applies its rules, receivers, route, Alertmanagers and log level;
  /// when anything in it is wrong, everything stays as it is. The log says how it went.
  void reload();
  /// Where the page is, with the port that was given where 0 was asked for.
  std::string page_url() const;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::app
