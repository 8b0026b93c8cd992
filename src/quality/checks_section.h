#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/time.h"
#include "quality/check.h"
#include "quality/schedule.h"
#include "quality/variables.h"

namespace weir::quality {

/// One entry of `checks:`, its files read.
struct ChecksSettings {
  std::string name;    // of its collector: "checks/warehouse", of a source's second entry "checks/warehouse-2"
  std::string source;  // as in `sources:`
  core::Duration interval = std::chrono::minutes(1);
  std::optional<CronTimes> cron = {};   // then instead of the interval
  std::vector<std::string> files = {};  // that `datasets` were read from
  std::vector<Dataset> datasets;
};

/// Reads the list under `checks:` (see src/README.md) and every check file it names. `files` are paths or
/// patterns with * ? [ ], relative to the file that holds the section. `sources` are the names it may refer to;
/// an empty one is a source whose name could not be read, and then any name may be right.
/// `variables` are the command line's, which go before the entry's own.
/// All mistakes, those in the check files included, are diagnostics; so are a pattern without a file and a
/// dataset that two entries of one source check.
std::vector<ChecksSettings> parse_checks_section(const config::Node& section, std::span<const std::string> sources,
                                                 config::Diagnostics& diagnostics, const Variables& variables = {});

/// The datasets of check files, merged; paths as they are.
std::vector<Dataset> read_check_files(const std::vector<std::string>& files, const Variables& variables,
                                      config::Diagnostics& diagnostics);

}  // namespace weir::quality
