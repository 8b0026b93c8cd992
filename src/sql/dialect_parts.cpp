#include "sql/dialect_parts.h"

#include <fmt/format.h>

namespace weir::sql {
namespace {

constexpr std::string_view kKind =
    "CASE WHEN table_type LIKE '%VIEW%' THEN 'view' WHEN table_type LIKE '%EXTERNAL%' OR table_type LIKE '%FOREIGN%' "
    "THEN 'foreign' WHEN table_type LIKE '%TABLE%' OR table_type IN ('MANAGED', 'STREAMING_TABLE') THEN 'table' "
    "ELSE 'other' END";

}  // namespace

std::string backslash_quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\0') {
      out += "\\x00";
    } else {
      if (c == quote || c == '\\') out += '\\';
      out += c;
    }
  }
  return out += quote;
}

std::string backslash_pattern(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool escape = pattern[i] == '!' && i + 1 < pattern.size();
    const char c = escape ? pattern[++i] : pattern[i];
    if (c == '\\' || (escape && (c == '%' || c == '_'))) out += '\\';
    out += c;
  }
  return out;
}

std::string InformationSchemaDialect::catalog(std::span<const std::string> table_parts) const {
  const std::string prefix = table_parts.size() > 2 ? identifier(table_parts.front()) + "." : std::string();
  return prefix + "information_schema.";
}

std::string InformationSchemaDialect::at(std::span<const std::string> table_parts) const {
  const Location location = locate(table_parts);
  return fmt::format("table_schema = {} AND table_name = {}",
                     location.schema.empty() ? current_schema() : text_literal(location.schema),
                     text_literal(location.table));
}

std::string InformationSchemaDialect::tables() const {
  return fmt::format(
      "SELECT table_schema, table_name, {}, CASE WHEN table_schema = {} THEN 1 ELSE 0 END FROM {}tables "
      "WHERE lower(table_schema) <> 'information_schema' ORDER BY table_schema, table_name",
      kKind, current_schema(), catalog({}));
}

std::string InformationSchemaDialect::columns_of(std::span<const std::string> table_parts) const {
  return fmt::format("SELECT column_name, data_type FROM {}columns WHERE {} ORDER BY ordinal_position",
                     catalog(table_parts), at(table_parts));
}

std::string InformationSchemaDialect::kind_of(std::span<const std::string> table_parts) const {
  return fmt::format("SELECT {} FROM {}tables WHERE {}", kKind, catalog(table_parts), at(table_parts));
}

}  // namespace weir::sql
