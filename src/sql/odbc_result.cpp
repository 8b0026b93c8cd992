#include "sql/odbc_result.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>

#include "sql/decimal.h"
#include "sql/unicode.h"

namespace weir::sql {
namespace {

static_assert(sizeof(SQLWCHAR) == sizeof(char16_t));

constexpr std::size_t kMostBytes = 256U << 20U;  // of a whole result
constexpr std::size_t kChunk = 32U << 10U;       // of one piece of a long value

/// How a column comes over.
enum class Shape { whole, real, decimal, moment, bytes, text };

Shape shape_of(SQLSMALLINT type, bool is_unsigned) {
  switch (type) {
    case SQL_BIT:
    case SQL_TINYINT:
    case SQL_SMALLINT:
    case SQL_INTEGER: return Shape::whole;
    case SQL_BIGINT: return is_unsigned ? Shape::decimal : Shape::whole;
    case SQL_REAL:
    case SQL_FLOAT:
    case SQL_DOUBLE: return Shape::real;
    case SQL_DECIMAL:
    case SQL_NUMERIC: return Shape::decimal;
    case SQL_DATE:
    case SQL_TIMESTAMP:
    case SQL_TYPE_DATE:
    case SQL_TYPE_TIMESTAMP: return Shape::moment;
    case SQL_BINARY:
    case SQL_VARBINARY:
    case SQL_LONGVARBINARY: return Shape::bytes;
    default: return Shape::text;
  }
}

struct Reading {
  SQLHSTMT statement;
  std::size_t bytes = 0;  // so far, of all rows
  bool failed = false;    // ODBC has diagnostics
  bool too_large() const { return bytes > kMostBytes; }
};

/// One value of fixed size; false for NULL or a failure.
template <class T>
bool fixed(Reading& reading, SQLUSMALLINT column, SQLSMALLINT c_type, T& value) {
  SQLLEN length = 0;
  const SQLRETURN code = SQLGetData(reading.statement, column, c_type, &value, sizeof value, &length);
  if (!SQL_SUCCEEDED(code)) reading.failed = true;
  reading.bytes += sizeof(Value);
  return SQL_SUCCEEDED(code) && length != SQL_NULL_DATA;
}

/// A value of any length, in pieces; nothing for NULL, a failure or one that is too large.
std::optional<std::string> pieces(Reading& reading, SQLUSMALLINT column, SQLSMALLINT c_type) {
  const std::size_t end = c_type == SQL_C_WCHAR ? sizeof(SQLWCHAR) : 0;  // the terminator of each piece
  std::string all;
  std::vector<char> chunk(kChunk);
  while (true) {
    SQLLEN length = 0;
    const SQLRETURN code =
        SQLGetData(reading.statement, column, c_type, chunk.data(), static_cast<SQLLEN>(chunk.size()), &length);
    if (code == SQL_NO_DATA) return all;
    if (!SQL_SUCCEEDED(code)) {
      reading.failed = true;
      return std::nullopt;
    }
    if (length == SQL_NULL_DATA) return std::nullopt;
    const std::size_t room = chunk.size() - end;
    // The length is that of what is left, where the driver knows it.
    const bool whole = length != SQL_NO_TOTAL && static_cast<std::size_t>(length) <= room;
    const std::size_t got = whole ? static_cast<std::size_t>(length) : room;
    reading.bytes += got;
    if (reading.too_large()) return std::nullopt;
    all.append(chunk.data(), got);
    if (code == SQL_SUCCESS) return all;
  }
}

std::optional<std::string> text(Reading& reading, SQLUSMALLINT column) {
  const auto bytes = pieces(reading, column, SQL_C_WCHAR);
  if (!bytes) return std::nullopt;
  std::u16string wide(bytes->size() / sizeof(char16_t), u'\0');
  std::memcpy(wide.data(), bytes->data(), wide.size() * sizeof(char16_t));
  return to_utf8(wide);
}

Value moment(Reading& reading, SQLUSMALLINT column) {
  SQL_TIMESTAMP_STRUCT time = {};
  if (!fixed(reading, column, SQL_C_TYPE_TIMESTAMP, time)) return std::monostate{};
  const std::chrono::year_month_day date{std::chrono::year(time.year), std::chrono::month(time.month),
                                         std::chrono::day(time.day)};
  if (time.year > 0 && time.year <= 9999 && date.ok()) {
    return core::Time(std::chrono::sys_days(date)) + std::chrono::hours(time.hour) + std::chrono::minutes(time.minute) +
           std::chrono::seconds(time.second) + core::Duration(time.fraction / 1'000'000);
  }
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", time.year, time.month, time.day, time.hour, time.minute,
                     time.second);
}

Value value(Reading& reading, SQLUSMALLINT column, Shape shape) {
  if (shape == Shape::whole) {
    std::int64_t whole = 0;
    return fixed(reading, column, SQL_C_SBIGINT, whole) ? Value(whole) : Value();
  }
  if (shape == Shape::real) {
    double real = 0;
    return fixed(reading, column, SQL_C_DOUBLE, real) ? Value(real) : Value();
  }
  if (shape == Shape::moment) return moment(reading, column);
  auto found = shape == Shape::bytes ? pieces(reading, column, SQL_C_BINARY) : text(reading, column);
  if (!found) return std::monostate{};
  return shape == Shape::decimal ? decimal_value(*found) : Value(std::move(*found));
}

struct Column {
  std::string name;
  Shape shape;
};

bool describe(SQLHSTMT statement, SQLUSMALLINT number, Column& column) {
  std::array<SQLWCHAR, 1024> name = {};
  SQLSMALLINT length = 0;
  SQLSMALLINT type = 0;
  SQLULEN size = 0;
  SQLSMALLINT digits = 0;
  SQLSMALLINT nullable = 0;
  const SQLRETURN code = SQLDescribeColW(statement, number, name.data(), static_cast<SQLSMALLINT>(name.size()), &length,
                                         &type, &size, &digits, &nullable);
  if (!SQL_SUCCEEDED(code)) return false;
  SQLLEN is_unsigned = SQL_FALSE;
  SQLColAttributeW(statement, number, SQL_DESC_UNSIGNED, nullptr, 0, nullptr, &is_unsigned);
  const auto units = std::min<std::size_t>(static_cast<std::size_t>(std::max<SQLSMALLINT>(length, 0)), name.size() - 1);
  column.name = to_utf8(std::u16string(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(units)));
  column.name.resize(std::min(column.name.size(), column.name.find('\0')));  // some drivers count too many
  column.shape = shape_of(type, is_unsigned == SQL_TRUE);
  return true;
}

}  // namespace

std::vector<OdbcDiagnostic> diagnostics_of(SQLSMALLINT type, SQLHANDLE handle) {
  std::vector<OdbcDiagnostic> found;
  for (SQLSMALLINT record = 1; record <= 16; ++record) {
    std::array<SQLWCHAR, 6> state = {};
    std::array<SQLWCHAR, 2048> message = {};
    SQLINTEGER native = 0;
    SQLSMALLINT length = 0;
    const SQLRETURN code = SQLGetDiagRecW(type, handle, record, state.data(), &native, message.data(),
                                          static_cast<SQLSMALLINT>(message.size()), &length);
    if (!SQL_SUCCEEDED(code)) break;
    const auto units =
        std::min<std::size_t>(static_cast<std::size_t>(std::max<SQLSMALLINT>(length, 0)), message.size() - 1);
    found.push_back(
        {.state = to_utf8(std::u16string(state.begin(), state.begin() + 5)),
         .native = native,
         .message = to_utf8(std::u16string(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(units)))});
  }
  return found;
}

OdbcParameters::OdbcParameters(const std::vector<Value>& values) {
  parameters_.reserve(values.size());
  for (const Value& value : values) parameters_.push_back(parameter(value));
}

OdbcParameters::Parameter OdbcParameters::parameter(const Value& value) {
  Parameter out;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    out.c_type = SQL_C_SBIGINT;
    out.sql_type = SQL_BIGINT;
    out.size = 19;
    out.whole = *whole;
    out.length = 0;
  } else if (const auto* number = std::get_if<double>(&value)) {
    out.c_type = SQL_C_DOUBLE;
    out.sql_type = SQL_DOUBLE;
    out.size = 15;
    out.number = *number;
    out.length = 0;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    out.c_type = SQL_C_WCHAR;
    out.sql_type = SQL_WVARCHAR;
    out.text = to_utf16(*text);
    out.size = std::max<SQLULEN>(1, out.text.size());
    out.length = static_cast<SQLLEN>(out.text.size() * sizeof(char16_t));
  } else if (const auto* time = std::get_if<core::Time>(&value)) {
    const auto day = std::chrono::floor<std::chrono::days>(*time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{*time - day};
    out.c_type = SQL_C_TYPE_TIMESTAMP;
    out.sql_type = SQL_TYPE_TIMESTAMP;
    out.size = 23;
    out.digits = 3;
    out.time = {.year = static_cast<SQLSMALLINT>(static_cast<int>(date.year())),
                .month = static_cast<SQLUSMALLINT>(static_cast<unsigned>(date.month())),
                .day = static_cast<SQLUSMALLINT>(static_cast<unsigned>(date.day())),
                .hour = static_cast<SQLUSMALLINT>(clock.hours().count()),
                .minute = static_cast<SQLUSMALLINT>(clock.minutes().count()),
                .second = static_cast<SQLUSMALLINT>(clock.seconds().count()),
                .fraction = static_cast<SQLUINTEGER>(clock.subseconds().count() * 1'000'000)};
    out.length = 0;
  }
  return out;
}

bool OdbcParameters::bind(SQLHSTMT statement) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Parameter& p = parameters_[i];
    SQLPOINTER data = nullptr;
    if (p.c_type == SQL_C_SBIGINT) data = &p.whole;
    if (p.c_type == SQL_C_DOUBLE) data = &p.number;
    if (p.c_type == SQL_C_WCHAR) data = p.text.data();
    if (p.c_type == SQL_C_TYPE_TIMESTAMP) data = &p.time;
    const SQLRETURN code =
        SQLBindParameter(statement, static_cast<SQLUSMALLINT>(i + 1), SQL_PARAM_INPUT, p.c_type, p.sql_type, p.size,
                         p.digits, data, std::max<SQLLEN>(p.length, 0), &p.length);
    if (!SQL_SUCCEEDED(code)) return false;
  }
  return true;
}

core::Result<std::optional<Table>> fetch_odbc(SQLHSTMT statement, std::size_t most, const std::string& where) {
  using core::ErrorKind;
  SQLSMALLINT count = 0;
  if (!SQL_SUCCEEDED(SQLNumResultCols(statement, &count))) return std::nullopt;
  if (count == 0) {
    return core::fail(ErrorKind::denied, "the statement gives no rows, so it may do more than read", where);
  }
  std::vector<Column> columns(static_cast<std::size_t>(count));
  const auto describe_all = [&] {
    for (SQLUSMALLINT i = 0; i < columns.size(); ++i) {
      if (!describe(statement, static_cast<SQLUSMALLINT>(i + 1), columns[i])) return false;
    }
    return true;
  };
  if (!describe_all()) return std::nullopt;
  Table table;
  for (const Column& column : columns) table.columns.push_back(column.name);
  Reading reading{.statement = statement};
  while (true) {
    const SQLRETURN code = SQLFetch(statement);
    if (code == SQL_NO_DATA) return table;
    if (!SQL_SUCCEEDED(code)) return std::nullopt;
    if (table.rows.size() >= most) {
      return core::fail(ErrorKind::limit, fmt::format("the result has more than {} rows", most), where);
    }
    Row row;
    for (SQLUSMALLINT i = 0; i < columns.size(); ++i) {
      row.push_back(value(reading, static_cast<SQLUSMALLINT>(i + 1), columns[i].shape));
      if (reading.failed) return std::nullopt;
      if (reading.too_large()) {
        return core::fail(ErrorKind::limit, fmt::format("the result has more than {} MB", kMostBytes >> 20U), where);
      }
    }
    table.rows.push_back(std::move(row));
  }
}

}  // namespace weir::sql
