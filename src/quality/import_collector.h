#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/collector.h"
#include "core/secret.h"
#include "quality/import_results.h"

namespace weir::quality {

/// How to log on where files are fetched from.
struct RemoteLogin {
  core::Secret bearer_token;
  std::string ca_file;
  core::Duration timeout = std::chrono::seconds(30);
};

/// Fetches what is at an http or https URL, bounded in size. Errors name no more of the URL than its host.
using FetchFile = std::function<core::Result<std::string>(const std::string& url, const RemoteLogin& login,
                                                          std::size_t most_bytes, const core::CollectContext& context)>;

/// One entry of `check_results:`.
struct CheckResultsSettings {
  std::string name;  // the label `source` of its results
  ResultFormat format = ResultFormat::dbt;
  std::vector<std::string> files;        // paths or patterns, from the folder of the configuration; URLs
  std::string manifest;                  // of dbt, "" for none; may be a URL
  std::string warehouse;                 // of dbt: the source that its relations are tables of, "" for none
  std::vector<std::string> tables = {};  // names by which checks know the warehouse's tables; not read from the section
  RemoteLogin login;
  core::Duration interval = std::chrono::minutes(1);
  std::optional<core::Duration> max_age;  // older results are a fault
};

/// Reads the list under `check_results:`:
///
///     - {name: dbt, format: dbt | dbt_sources | gx, files: [target/run_results.json], manifest: target/manifest.json,
///        warehouse: shop, interval: 1m, max_age: 1d, bearer_token: …, ca_file: …, request_timeout: 30s}
///
/// `sources` are the names that `warehouse` may be; an empty one stands for any.
std::vector<CheckResultsSettings> parse_check_results_section(const config::Node& section,
                                                              config::Diagnostics& diagnostics,
                                                              const std::vector<std::string>& sources = {""});

/// Reads the results that other programs leave in files: weir_check_status and weir_check_value as the checks of Weir
/// have them, and weir_check_results_age_seconds{source}, how long ago the oldest of the files was made. A file is read
/// again when it has changed. One that is cut off or cannot be read is a fault, and what it said before stands; a
/// pattern without files and results older than max_age are faults too. Of dbt also how long each node took, and with
/// the manifest the ways of data between tables.
std::unique_ptr<core::Collector> make_results_collector(CheckResultsSettings settings, FetchFile fetch = {});

}  // namespace weir::quality
