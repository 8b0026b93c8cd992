#include "sql/mysql_result.h"

#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <memory>
#include <optional>

#include "sql/decimal.h"

namespace weir::sql {
namespace {

constexpr std::size_t kMostBytes = 256U << 20U;  // of a whole result

struct FreeResult {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};

/// How a column comes over.
enum class Shape { whole, real, decimal, moment, bits, bytes };

Shape shape_of(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR: return Shape::whole;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE: return Shape::real;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL: return Shape::decimal;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP: return Shape::moment;
    case MYSQL_TYPE_BIT: return Shape::bits;
    default: return Shape::bytes;
  }
}

/// One column's buffers. Texts are fetched once their length is known.
struct Cell {
  Shape shape = Shape::bytes;
  bool is_unsigned = false;
  bool date_only = false;
  std::int64_t whole = 0;
  double real = 0;
  MYSQL_TIME moment = {};
  unsigned long length = 0;
  my_bool null = 0;
  my_bool cut = 0;
};

MYSQL_BIND bind_to(Cell& cell) {
  MYSQL_BIND bind = {};
  bind.length = &cell.length;
  bind.is_null = &cell.null;
  bind.error = &cell.cut;
  switch (cell.shape) {
    case Shape::whole:
      bind.buffer_type = MYSQL_TYPE_LONGLONG;
      bind.buffer = &cell.whole;
      bind.is_unsigned = cell.is_unsigned ? 1 : 0;
      break;
    case Shape::real:
      bind.buffer_type = MYSQL_TYPE_DOUBLE;
      bind.buffer = &cell.real;
      break;
    case Shape::moment:
      bind.buffer_type = MYSQL_TYPE_DATETIME;
      bind.buffer = &cell.moment;
      bind.buffer_length = sizeof cell.moment;
      break;
    default: bind.buffer_type = cell.shape == Shape::bits ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING; break;
  }
  return bind;
}

Value moment_value(const MYSQL_TIME& time, bool date_only) {
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(time.year)), std::chrono::month(time.month),
                                         std::chrono::day(time.day)};
  if (time.year > 0 && date.ok()) {
    return core::Time(std::chrono::sys_days(date)) + std::chrono::hours(time.hour) + std::chrono::minutes(time.minute) +
           std::chrono::seconds(time.second) + core::Duration(time.second_part / 1000);
  }
  const std::string day = fmt::format("{:04}-{:02}-{:02}", time.year, time.month, time.day);
  return date_only ? day : fmt::format("{} {:02}:{:02}:{:02}", day, time.hour, time.minute, time.second);
}

Value bits_value(const std::string& bytes) {
  std::uint64_t bits = 0;
  for (const char c : bytes) bits = bits << 8U | static_cast<unsigned char>(c);
  if (bits <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return static_cast<std::int64_t>(bits);
  }
  return static_cast<double>(bits);
}

/// The text of a field whose length is known by now; false when the library fails.
bool fetch_text(MYSQL_STMT* statement, unsigned column, unsigned long length, enum_field_types type,
                std::string& text) {
  text.resize(length);
  if (length == 0) return true;
  MYSQL_BIND bind = {};
  unsigned long got = 0;
  my_bool null = 0;
  my_bool cut = 0;
  bind.buffer_type = type;
  bind.buffer = text.data();
  bind.buffer_length = length;
  bind.length = &got;
  bind.is_null = &null;
  bind.error = &cut;
  return mysql_stmt_fetch_column(statement, &bind, column, 0) == 0;
}

bool cell_value(MYSQL_STMT* statement, unsigned column, const Cell& cell, Value& value) {
  if (cell.null != 0) return value = std::monostate{}, true;
  if (cell.shape == Shape::whole) {
    // The bits of an unsigned number past the signed ones are those of a negative one.
    const bool huge = cell.is_unsigned && cell.whole < 0;
    value = huge ? Value(static_cast<double>(static_cast<std::uint64_t>(cell.whole))) : Value(cell.whole);
    return true;
  }
  if (cell.shape == Shape::real) return value = cell.real, true;
  if (cell.shape == Shape::moment) return value = moment_value(cell.moment, cell.date_only), true;
  std::string text;
  const auto type = cell.shape == Shape::bits ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
  if (!fetch_text(statement, column, cell.length, type, text)) return false;
  if (cell.shape == Shape::decimal) {
    value = decimal_value(text);
  } else if (cell.shape == Shape::bits) {
    value = bits_value(text);
  } else {
    value = std::move(text);
  }
  return true;
}

std::vector<Cell> cells_of(MYSQL_RES* meta, Table& table) {
  std::vector<Cell> cells(mysql_num_fields(meta));
  for (unsigned i = 0; i < cells.size(); ++i) {
    const MYSQL_FIELD* field = mysql_fetch_field_direct(meta, i);
    table.columns.emplace_back(field->name, field->name_length);
    cells[i].shape = shape_of(field->type);
    cells[i].is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;
    cells[i].date_only = field->type == MYSQL_TYPE_DATE || field->type == MYSQL_TYPE_NEWDATE;
  }
  return cells;
}

}  // namespace

bool execute_mysql(MYSQL_STMT* statement, const std::vector<Value>& parameters) {
  std::vector<MYSQL_BIND> binds(parameters.size());
  std::vector<std::string> texts(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    MYSQL_BIND& bind = binds[i];
    if (const auto* whole = std::get_if<std::int64_t>(&parameters[i])) {
      bind.buffer_type = MYSQL_TYPE_LONGLONG;
      bind.buffer = const_cast<std::int64_t*>(whole);
      continue;
    }
    if (const auto* number = std::get_if<double>(&parameters[i])) {
      bind.buffer_type = MYSQL_TYPE_DOUBLE;
      bind.buffer = const_cast<double*>(number);
      continue;
    }
    if (const auto* text = std::get_if<std::string>(&parameters[i])) {
      texts[i] = *text;
    } else if (const auto* time = std::get_if<core::Time>(&parameters[i])) {
      texts[i] = core::format_rfc3339(*time).substr(0, 23);
      texts[i][10] = ' ';
    } else {
      bind.buffer_type = MYSQL_TYPE_NULL;
      continue;
    }
    bind.buffer_type = MYSQL_TYPE_STRING;
    bind.buffer = texts[i].data();
    bind.buffer_length = texts[i].size();
  }
  if (!binds.empty() && mysql_stmt_bind_param(statement, binds.data()) != 0) return false;
  return mysql_stmt_execute(statement) == 0;
}

core::Result<std::optional<Table>> fetch_mysql(MYSQL_STMT* statement, std::size_t most, const std::string& where) {
  using core::ErrorKind;
  Table table;
  const std::unique_ptr<MYSQL_RES, FreeResult> meta(mysql_stmt_result_metadata(statement));
  if (!meta) return std::nullopt;
  std::vector<Cell> cells = cells_of(meta.get(), table);
  std::vector<MYSQL_BIND> binds;
  binds.reserve(cells.size());
  for (Cell& cell : cells) binds.push_back(bind_to(cell));
  if (mysql_stmt_bind_result(statement, binds.data()) != 0) return std::nullopt;
  std::size_t bytes = 0;
  for (int status = mysql_stmt_fetch(statement); status != MYSQL_NO_DATA; status = mysql_stmt_fetch(statement)) {
    // Texts are cut on purpose: their buffers come with their lengths.
    if (status != 0 && status != MYSQL_DATA_TRUNCATED) return std::nullopt;
    if (table.rows.size() >= most) {
      return core::fail(ErrorKind::limit, fmt::format("the result has more than {} rows", most), where);
    }
    Row row(cells.size());
    for (unsigned i = 0; i < cells.size(); ++i) {
      bytes += cells[i].shape == Shape::bytes && cells[i].null == 0 ? cells[i].length : sizeof(Value);
      if (bytes > kMostBytes) {
        return core::fail(ErrorKind::limit, fmt::format("the result has more than {} MB", kMostBytes >> 20U), where);
      }
      if (!cell_value(statement, i, cells[i], row[i])) return std::nullopt;
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace weir::sql
