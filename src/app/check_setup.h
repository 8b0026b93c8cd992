#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "core/measurement.h"
#include "quality/check.h"
#include "quality/run.h"
#include "sql/registry.h"
#include "sql/source.h"

namespace weir::app {

/// What `weir check run` and `weir check plan` are given.
struct CheckOptions {
  std::vector<std::string> paths;      // check files, contracts, and folders of them
  std::vector<std::string> contracts;  // --contract
  std::string config = "weir.yml";     // holds the source
  std::string source;                  // its name there
  std::string url;                     // of a database, instead of --config and --source
  std::string sqlite;                  // a file, the same
  std::vector<std::string> variables;  // name=value
  std::string history;                 // a file that keeps measurements between runs, "" for none
};

/// A source's sessions, opened when they are asked for.
class CheckSources {
 public:
  /// Reads the source of the options; other sources of the same configuration are read when a check asks for them.
  static std::expected<CheckSources, config::Diagnostics> read(const CheckOptions& options);

  const std::string& name() const { return settings_.name; }
  /// A new session of the source itself.
  core::Result<std::unique_ptr<sql::SqlSource>> open() const { return sql::make_source(settings_); }
  /// The session of another source; it lives as long as this object.
  core::Result<sql::SqlSource*> other(const std::string& name);

 private:
  sql::SourceSettings settings_;
  config::Node sources_;  // of the configuration, null without one
  std::map<std::string, std::unique_ptr<sql::SqlSource>> others_;
};

/// The check files of the options: files as they are, of a folder its *.yml and *.yaml by name. Errors: what is not
/// there; a folder without check files.
std::expected<std::vector<std::string>, std::string> check_files(const std::vector<std::string>& paths);

/// Reads check files and contracts. All mistakes are diagnostics; hints are added to `notes`.
std::expected<std::vector<quality::Dataset>, config::Diagnostics> read_checks(const std::vector<std::string>& files,
                                                                              const std::vector<std::string>& contracts,
                                                                              const CheckOptions& options,
                                                                              std::vector<config::Diagnostic>& notes);

}  // namespace weir::app
