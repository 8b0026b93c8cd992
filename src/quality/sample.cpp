#include "quality/sample.h"

#include <algorithm>
#include <fmt/format.h>

#include "privacy/mask.h"

namespace weir::quality {
namespace {

using privacy::cut;
using privacy::mask;
using privacy::printable;

constexpr std::int64_t kMostRows = 100;
constexpr std::int64_t kUsualRows = 5;
constexpr std::size_t kMostValueBytes = 80;
constexpr std::size_t kMostBytes = 2000;
constexpr std::size_t kMostRead = 4096;  // of one value: no more of it is looked at

std::string show(const sql::Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return "NULL";
  if (const auto* time = std::get_if<core::Time>(&value)) return core::format_rfc3339(*time);
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return mask(fmt::format("{}", *whole));
  const std::string& text = std::get<std::string>(value);
  // What is cut off must not hide the end of something that is masked by its whole.
  const bool long_text = text.size() > kMostRead;
  std::string shown = mask(printable(long_text ? text.substr(0, kMostRead) : text));
  return cut(std::move(shown), kMostValueBytes);
}

}  // namespace

SampleSettings parse_samples(ProbeContext& context) {
  SampleSettings settings;
  const config::Node* columns = context.reader.child("samples columns");
  const config::Node* limit = context.reader.child("samples limit");
  if (columns == nullptr && limit == nullptr) return settings;
  const auto rows = context.reader.integer("samples limit", columns == nullptr ? 0 : kUsualRows, 0, kMostRows);
  if (rows > 0 && columns == nullptr) {
    context.error(*limit, "add \"samples columns: [id, …]\": rows are shown only with the columns that may be seen");
    return settings;
  }
  for (const config::Node& item : columns == nullptr ? std::vector<config::Node>() : columns->items()) {
    if (item.is_scalar() && !item.text().empty()) settings.columns.push_back(item.text());
  }
  if (columns != nullptr && (settings.columns.empty() || settings.columns.size() != columns->items().size())) {
    context.error(*columns, "\"samples columns\": expected a list of columns, such as [id, region]");
    return settings;
  }
  settings.limit = static_cast<std::size_t>(rows);
  return settings;
}

std::string sample_query(const FailingRows& rows, const SampleSettings& settings, const sql::Dialect& dialect) {
  std::string list;
  for (const std::string& column : settings.columns) {
    // Of the dataset where the rows come from a join.
    list += fmt::format("{}{}{}", list.empty() ? "" : ", ", rows.columns_of, dialect.identifier(column));
  }
  std::string sql = fmt::format("SELECT {} FROM {}", list, rows.from);
  if (!rows.where.empty()) sql += fmt::format(" WHERE {}", rows.where);
  return dialect.limited(sql, settings.limit);
}

std::vector<std::string> show_sample(const sql::Table& table) {
  std::vector<std::string> shown;
  std::size_t bytes = 0;
  for (const sql::Row& row : table.rows) {
    std::string text;
    for (std::size_t i = 0; i < row.size() && i < table.columns.size(); ++i) {
      text +=
          fmt::format("{}{}: {}", i == 0 ? "{" : ", ", cut(printable(table.columns[i]), kMostValueBytes), show(row[i]));
    }
    text += '}';
    bytes += text.size();
    if (bytes > kMostBytes) break;
    shown.push_back(std::move(text));
  }
  return shown;
}

}  // namespace weir::quality
