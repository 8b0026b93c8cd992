#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/collector.h"
#include "quality/import_results.h"

namespace weir::quality {

/// One entry of `check_results:`.
struct CheckResultsSettings {
  std::string name;  // the label `source` of its results
  ResultFormat format = ResultFormat::dbt;
  std::vector<std::string> files;  // paths or patterns, from the folder of the configuration
  std::string manifest;            // of dbt, "" for none
  core::Duration interval = std::chrono::minutes(1);
  std::optional<core::Duration> max_age;  // older results are a fault
};

/// Reads the list under `check_results:`:
///
///     - {name: dbt, format: dbt | dbt_sources | gx, files: [target/run_results.json], manifest: target/manifest.json,
///        interval: 1m, max_age: 1d}
std::vector<CheckResultsSettings> parse_check_results_section(const config::Node& section,
                                                              config::Diagnostics& diagnostics);

/// Reads the results that other programs leave in files: weir_check_status and weir_check_value as the checks of Weir
/// have them, and weir_check_results_age_seconds{source}, how long ago the oldest of the files was made. A file is read
/// again when it has changed. One that is cut off or cannot be read is a fault, and what it said before stands; a
/// pattern without files and results older than max_age are faults too.
std::unique_ptr<core::Collector> make_results_collector(CheckResultsSettings settings);

}  // namespace weir::quality
