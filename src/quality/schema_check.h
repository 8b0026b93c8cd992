#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quality/registry.h"

namespace weir::quality {

/// What a `schema` check warns of or fails for.
struct SchemaRules {
  std::vector<std::string> required = {};                               // must be there
  std::vector<std::pair<std::string, std::string>> types = {};          // must be there, of this type; "" for any
  std::vector<std::pair<std::string, std::size_t>> indexes = {};        // must be there, at this place from 0
  std::vector<std::string> forbidden = {};                              // as written, % and * wild
  std::vector<std::string> optional = {};                               // of `types`, may be missing
  std::vector<std::pair<std::string, std::string>> logical_types = {};  // must be there, of a type of this kind
  bool only_these = false;                                              // no column but those of `types`
  bool additions = false, deletions = false, type_changes = false, index_changes = false;

  bool about_changes() const { return additions || deletions || type_changes || index_changes; }
};

/// What of a table's columns breaks the rules, a phrase each: `column "ssn" is forbidden`. `previous` are the columns
/// seen before; null where there were none, and then nothing has changed.
std::vector<std::string> schema_violations(const SchemaRules& rules, std::span<const Column> columns,
                                           const std::vector<Column>* previous);

/// Whether an expected type is the catalog's, as Soda 3 compares them: case does not matter, varchar and text are
/// "character varying", timestamp and timestamptz the long forms. A type written without its length or precision is
/// any of them; one with them (which Soda never finds equal) is just that.
bool same_type(std::string_view expected, std::string_view actual);

/// Soda 3 takes a forbidden name as the beginning of a regular expression where * is anything and % at least one
/// character: "ssn" forbids ssn_hash too. Nothing when the expression does not parse.
std::optional<bool> is_forbidden(std::string_view pattern, std::string_view column);

/// Columns as text that can be kept, and back; nothing for text of another form.
std::string columns_to_text(std::span<const Column> columns);
std::optional<std::vector<Column>> columns_from_text(std::string_view text);

/// The kind of check `schema`.
ProbePtr parse_schema(ProbeContext& context);
bool is_schema(const config::Node& line, const config::Node& settings);

}  // namespace weir::quality
