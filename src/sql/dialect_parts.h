#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sql/dialect.h"

namespace weir::sql {

/// In quotes with backslash escapes (BigQuery, Databricks, ClickHouse): texts and, there, names.
std::string backslash_quoted(std::string_view text, char quote);

/// A pattern of `Dialect::like` for engines whose LIKE has a backslash for its escape and no ESCAPE clause.
std::string backslash_pattern(std::string_view pattern);

/// The catalog by way of information_schema, for engines that have one: columns table_schema, table_name, table_type,
/// column_name, data_type, ordinal_position.
class InformationSchemaDialect : public Dialect {
 public:
  std::string tables() const override;
  std::string columns_of(std::span<const std::string> table_parts) const override;
  std::string kind_of(std::span<const std::string> table_parts) const override;

 protected:
  /// Where its views are, with the dot; a third part before the schema is a catalog.
  virtual std::string catalog(std::span<const std::string> table_parts) const;
  virtual std::string current_schema() const { return "current_schema()"; }
  /// `table_schema = … AND table_name = …`
  std::string at(std::span<const std::string> table_parts) const;
};

}  // namespace weir::sql
