#include "quality/sample.h"

#include <algorithm>
#include <fmt/format.h>
#include <re2/re2.h>

namespace weir::quality {
namespace {

constexpr std::int64_t kMostRows = 100;
constexpr std::int64_t kUsualRows = 5;
constexpr std::size_t kMostValueBytes = 80;
constexpr std::size_t kMostBytes = 2000;
constexpr std::size_t kMostRead = 4096;  // of one value: no more of it is looked at

/// The check digit of payment cards (ISO/IEC 7812-1, Luhn).
bool is_card(std::string_view text) {
  int sum = 0;
  int digits = 0;
  for (auto c = text.rbegin(); c != text.rend(); ++c) {
    if (*c < '0' || *c > '9') continue;
    const int digit = *c - '0';
    const int doubled = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digits++ % 2 == 1 ? doubled : digit;
  }
  return digits >= 13 && digits <= 19 && sum % 10 == 0;
}

/// Replaces the first group of every match that `wanted` agrees to.
template <class Wanted>
std::string replaced(const std::string& text, const RE2& pattern, std::string_view by, Wanted wanted) {
  std::string out;
  re2::StringPiece rest(text);
  re2::StringPiece found;
  while (RE2::PartialMatch(rest, pattern, &found) && !found.empty()) {
    const auto before = static_cast<std::size_t>(found.data() - rest.data());
    out.append(rest.data(), before);
    const std::string_view match(found.data(), found.size());
    out += wanted(match) ? by : match;
    rest.remove_prefix(before + found.size());
  }
  return out.append(rest.data(), rest.size());
}

/// Whole characters of UTF-8 only.
std::string cut(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  return text.substr(0, bytes) + "…";
}

std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  return text;
}

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

std::string mask(std::string_view given) {
  // Also in quotes (RFC 5322), with an apostrophe, and of a host without a domain.
  static const RE2 kEmail(R"(((?:"[^"]{1,64}"|[^\s@<>,;:"'()][^\s@<>,;:"()]*)@[^\s@<>,;:"'()]*[^\s@<>,;:"'().]))");
  static const RE2 kIban(R"((?i)(\b[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}\b))");
  static const RE2 kCard(R"((\b[0-9](?:[ -]?[0-9]){12,18}\b))");
  static const RE2 kIpv4(R"((\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b))");
  static const RE2 kIpv6(R"(((?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{0,4}|[0-9A-Fa-f]{0,4}::[0-9A-Fa-f:]*))");
  static const RE2 kPhone(R"(((?:\+|\b00|\(?\b0)[0-9 ()./-]{6,}[0-9]|\(?\b[0-9]{3}\)?[-. /][0-9]{3}[-. ][0-9]{4}\b))");
  // With its country's code and no sign that says so; 13 digits that begin with 1 are a time in milliseconds.
  static const RE2 kBarePhone(R"((\b(?:[1-9][0-9]{10,11}|[2-9][0-9]{12})\b))");
  const auto always = [](std::string_view) { return true; };
  std::string text = replaced(std::string(given), kEmail, "<email>", always);
  text = replaced(text, kIban, "<iban>", [](std::string_view match) {
    return std::ranges::count_if(match, [](unsigned char c) { return std::isdigit(c) != 0; }) >= 8;
  });
  text = replaced(text, kCard, "<card>", is_card);
  text = replaced(text, kIpv4, "<ip>", always);
  text = replaced(text, kIpv6, "<ip>", [](std::string_view match) { return match.size() > 2; });
  text = replaced(text, kBarePhone, "<phone>", always);
  return replaced(text, kPhone, "<phone>", [](std::string_view match) {
    return std::ranges::count_if(match, [](unsigned char c) { return std::isdigit(c) != 0; }) >= 8;
  });
}

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
