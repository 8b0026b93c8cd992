#include "sql/dialect.h"

#include <fmt/format.h>

namespace weir::sql {
namespace {

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out += quote;
}

}  // namespace

std::string Dialect::identifier(std::string_view name) const { return doubled(name, '"'); }

std::string Dialect::table(std::span<const std::string> parts) const {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ".") + identifier(part);
  return out;
}

std::string Dialect::text_literal(std::string_view text) const { return doubled(text, '\''); }

std::string Dialect::number_literal(double number) const { return fmt::format("{}", number); }

std::string Dialect::count_if(std::string_view condition) const {
  return fmt::format("count(CASE WHEN {} THEN 1 END)", condition);
}

std::string Dialect::average(std::string_view column) const { return fmt::format("avg({})", column); }

std::vector<std::string> Dialect::histogram(std::string_view column, std::span<const double> edges) const {
  std::vector<std::string> counts;
  if (edges.empty()) return counts;
  counts.push_back(count_if(fmt::format("{} < {}", column, number_literal(edges.front()))));
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    const std::string_view below = i + 2 == edges.size() ? "<=" : "<";
    counts.push_back(count_if(fmt::format("{0} >= {1} AND {0} {2} {3}", column, number_literal(edges[i]), below,
                                          number_literal(edges[i + 1]))));
  }
  counts.push_back(count_if(fmt::format("{} > {}", column, number_literal(edges.back()))));
  return counts;
}

std::string Dialect::without_rows(std::string_view select) const { return fmt::format("{} LIMIT 0", select); }

}  // namespace weir::sql
