#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/node.h"
#include "core/error.h"
#include "core/time.h"
#include "sql/source.h"

namespace weir::quality {

/// What was seen of a column in a sample of its table.
struct ColumnProfile {
  enum class Kind { number, text, time, other };
  std::string name;
  std::string type;  // as the catalog has it
  Kind kind = Kind::other;
  double missing = 0;
  double distinct = 0;
  std::optional<double> least;  // of a number; of a text its length; of a time seconds since 1970
  std::optional<double> most;
  std::string format;                    // SodaCL's word for a format that every value has, "" for none
  std::vector<std::string> values = {};  // of a text with few of them, all; else empty
};

struct TableProfile {
  std::vector<std::string> table;
  double rows = 0;     // of the table
  double sampled = 0;  // how many of them were looked at
  std::vector<ColumnProfile> columns;
};

struct ProfileLimits {
  std::size_t rows = 1'000'000;  // of the sample: the first that the engine gives
  std::size_t columns = 200;
};

/// Looks at a table: its columns in the catalog, its row count, and one pass over a bounded sample. Errors: as
/// SqlSource::query; not_found for a table without columns; limit.
core::Result<TableProfile> profile_table(const std::vector<std::string>& table, sql::SqlSource& source,
                                         const sql::QueryLimits& limits, const ProfileLimits& bounds = {});

/// A check file that the table passes now, with margins: half to twice the rows, the columns and types there are, no
/// missing values where there are none (else up to twice the share), unique columns, ranges widened by half their width
/// (never below 0 where nothing is), lengths, formats, and freshness of the newest of the time columns with twice its
/// present age, an hour at least. An empty table gives a schema check alone.
config::Node propose_checks(const TableProfile& profile, core::Time now);

}  // namespace weir::quality
