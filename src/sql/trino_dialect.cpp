#include <fmt/format.h>

#include "sql/dialect_parts.h"

namespace weir::sql {
namespace {

class TrinoDialect final : public InformationSchemaDialect {
 public:
  std::string_view name() const override { return "trino"; }

  std::string timestamp_literal(core::Time time) const override {
    std::string text = core::format_rfc3339(time);
    text.replace(10, 1, " ");
    text.replace(text.size() - 1, 1, " UTC");
    return fmt::format("TIMESTAMP '{}'", text);
  }

  std::string approximate_count_distinct(std::string_view expression) const override {
    return fmt::format("approx_distinct({})", expression);
  }

  /// Only approx_percentile, which is not exact.
  std::optional<std::string> percentile(Percentile, std::string_view, double) const override { return std::nullopt; }

  std::string length(std::string_view expression) const override { return fmt::format("length({})", expression); }

  std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("regexp_like({}, {})", expression, text_literal(pattern));
  }

  std::string cast_number(std::string_view expression) const override {
    return fmt::format("CAST({} AS double)", expression);
  }

  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format("to_unixtime(CAST({} AS timestamp(6) with time zone))", expression);
  }

  /// query.max-length is a million letters unless set.
  StatementBounds bounds() const override { return {.columns = 1000, .bytes = 900'000}; }

  std::optional<std::string> explain(std::string_view select) const override {
    return fmt::format("EXPLAIN (FORMAT JSON) {}", select);
  }

 protected:
  std::string current_schema() const override { return "current_schema"; }
};

}  // namespace

const Dialect& trino_dialect() {
  static const TrinoDialect dialect;
  return dialect;
}

}  // namespace weir::sql
