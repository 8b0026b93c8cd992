#include <fmt/format.h>

#include "sql/dialect_parts.h"

namespace weir::sql {
namespace {

/// Databricks SQL with Unity Catalog.
class DatabricksDialect final : public InformationSchemaDialect {
 public:
  std::string_view name() const override { return "databricks"; }

  std::string identifier(std::string_view name) const override {
    std::string out = "`";
    for (const char c : name) out += c == '`' ? std::string("``") : std::string(1, c);
    return out + "`";
  }

  /// Two texts beside each other are one, so a doubled quote would vanish.
  std::string text_literal(std::string_view text) const override { return backslash_quoted(text, '\''); }

  std::string timestamp_literal(core::Time time) const override {
    return fmt::format("TIMESTAMP '{}'", core::format_rfc3339(time));
  }

  std::string approximate_count_distinct(std::string_view expression) const override {
    return fmt::format("approx_count_distinct({})", expression);
  }

  std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("{} RLIKE {}", expression, text_literal(pattern));
  }

  std::string cast_text(std::string_view expression) const override {
    return fmt::format("CAST({} AS string)", expression);
  }

  std::string cast_number(std::string_view expression) const override {
    return fmt::format("CAST({} AS double)", expression);
  }

  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format("unix_micros(CAST({} AS timestamp)) / 1e6", expression);
  }

  std::optional<std::string> explain(std::string_view select) const override {
    return fmt::format("EXPLAIN COST {}", select);
  }
};

}  // namespace

const Dialect& databricks_dialect() {
  static const DatabricksDialect dialect;
  return dialect;
}

}  // namespace weir::sql
