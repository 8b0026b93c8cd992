#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace weir::collectors {

/// A column that another is made of.
struct OpenLineageInput {
  std::string name_space;
  std::string name;
  std::string field;
};

/// What a check of another program found.
struct OpenLineageAssertion {
  std::string name;    // "not_null(id)": its name, else its kind with the column
  std::string column;  // "" for one about the whole dataset
  bool success = false;
  bool warns = false;  // a failure of the severity warn
  std::string description;
};

struct OpenLineageColumn {
  std::optional<double> nulls;
  std::optional<double> distinct;
  std::optional<double> least;
  std::optional<double> most;
};

/// A dataset of an event with the facets that Weir looks at.
struct OpenLineageDataset {
  std::string name_space;
  std::string name;
  std::map<std::string, std::vector<OpenLineageInput>> made_of;  // by column: columnLineage
  std::optional<double> rows;                                    // dataQualityMetrics
  std::optional<double> bytes;                                   // likewise
  std::map<std::string, OpenLineageColumn> columns;              // likewise
  std::vector<OpenLineageAssertion> assertions;                  // dataQualityAssertions
  std::optional<double> written_rows;                            // outputStatistics
  std::optional<double> written_bytes;                           // likewise
};

enum class OpenLineageKind { run, job, dataset };

/// One event of OpenLineage (https://openlineage.io/spec/2-0-2/OpenLineage.json).
struct OpenLineageEvent {
  OpenLineageKind kind = OpenLineageKind::run;
  core::Time time;
  std::string run;    // its id, of a RunEvent
  std::string state;  // "START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"; of a RunEvent
  std::string job_namespace;
  std::string job_name;
  std::vector<OpenLineageDataset> inputs;
  std::vector<OpenLineageDataset> outputs;  // of a DatasetEvent the dataset itself
  std::string error;                        // errorMessage, of a run that failed
};

struct OpenLineageLimits {
  std::size_t datasets = 1'000;    // of one event, on each side
  std::size_t columns = 2'000;     // of one dataset
  std::size_t assertions = 1'000;  // of one dataset
  std::size_t text = 1'024;        // bytes of a name
  std::size_t depth = 64;
};

/// Reads the body of one event and checks it against the specification. Facets that are malformed are passed over, as
/// the specification has consumers do; what an event must have and has not is an error that names it. Errors: invalid,
/// limit.
core::Result<OpenLineageEvent> parse_openlineage(const std::string& body, const OpenLineageLimits& limits = {});

}  // namespace weir::collectors
