#include "quality/profile.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <fmt/format.h>

#include "config/diagnostics.h"
#include "quality/check.h"
#include "quality/contract_parts.h"

namespace weir::quality {
namespace {

using config::Node;

/// SodaCL's names of formats worth proposing; the expressions recognise them.
struct Format {
  std::string_view name;
  std::string_view regex;
};
constexpr std::array kFormats = {
    Format{"uuid", "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
    Format{"email", "^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*[.][A-Za-z]{2,4}$"},
    Format{"ipv4 address",
           "^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$"},
};

std::optional<double> number_of(const sql::Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value); number != nullptr && std::isfinite(*number)) return *number;
  if (const auto* time = std::get_if<core::Time>(&value)) return core::to_seconds(*time);
  return std::nullopt;
}

ColumnProfile::Kind kind_of(std::string type) {
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto has = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](std::string_view word) { return type.find(word) != std::string::npos; });
  };
  if (type.find('[') != std::string::npos || has({"json", "array", "interval", "range", "point"}))
    return ColumnProfile::Kind::other;
  if (has({"timestamp", "datetime", "date"})) return ColumnProfile::Kind::time;
  if (has({"char", "text", "string", "uuid", "clob"})) return ColumnProfile::Kind::text;
  if (has({"int", "num", "dec", "double", "float", "real", "money", "serial"})) return ColumnProfile::Kind::number;
  return ColumnProfile::Kind::other;
}

/// The columns of the one SELECT, in the order of their aggregates.
class Plan {
 public:
  Plan(const TableProfile& profile, const sql::Dialect& dialect) : dialect_(dialect) {
    add("count(*)");
    for (const ColumnProfile& column : profile.columns) add_column(column);
  }

  std::string sql(const std::string& table, std::size_t rows) const {
    std::string text = "SELECT ";
    for (std::size_t i = 0; i < aggregates_.size(); ++i)
      text += fmt::format("{}{} AS a{}", i == 0 ? "" : ", ", aggregates_[i], i);
    return fmt::format("{} FROM ({}) weir_sample", text, dialect_.limited("SELECT * FROM " + table, rows));
  }

  /// Takes the values of one row, in the same order.
  void read(const sql::Row& row, TableProfile& profile) const {
    std::size_t at = 0;
    const auto next = [&] { return at < row.size() ? number_of(row[at++]) : std::nullopt; };
    profile.sampled = next().value_or(0);
    for (ColumnProfile& column : profile.columns) {
      column.missing = next().value_or(0);
      if (column.kind == ColumnProfile::Kind::other) continue;
      column.distinct = next().value_or(0);
      column.least = next();
      column.most = next();
      if (column.kind != ColumnProfile::Kind::text || !regexes_) continue;
      for (const Format& format : kFormats) {
        const double fits = next().value_or(0);
        const double present = profile.sampled - column.missing;
        if (column.format.empty() && present > 0 && fits == present) column.format = format.name;
      }
    }
  }

 private:
  void add(std::string aggregate) { aggregates_.push_back(std::move(aggregate)); }

  void add_column(const ColumnProfile& column) {
    const std::string name = dialect_.identifier(column.name);
    add(dialect_.count_if(name + " IS NULL"));
    if (column.kind == ColumnProfile::Kind::other) return;
    add(dialect_.count_distinct(name));
    const std::string text = dialect_.cast_text(name);
    const std::string measure = column.kind == ColumnProfile::Kind::text   ? dialect_.length(text)
                                : column.kind == ColumnProfile::Kind::time ? dialect_.epoch_seconds(name)
                                                                           : name;
    add("min(" + measure + ")");
    add("max(" + measure + ")");
    if (column.kind != ColumnProfile::Kind::text) return;
    for (const Format& format : kFormats) {
      const auto fits = dialect_.matches(text, format.regex);
      regexes_ = regexes_ && fits;
      if (fits) add(dialect_.count_if(*fits));
    }
  }

  const sql::Dialect& dialect_;
  std::vector<std::string> aggregates_;
  bool regexes_ = true;
};

class Proposal {
 public:
  Proposal(const TableProfile& profile, core::Time now)
      : profile_(profile), now_(now), checks_(contract::check_table(joined(profile.table)), {}) {}

  Node run() && {
    add_schema();
    if (profile_.rows > 0) {
      add("row_count", fmt::format("between {} and {}", number(std::max(1.0, std::floor(profile_.rows / 2))),
                                   number(profile_.rows * 2)));
      for (const ColumnProfile& column : profile_.columns) add_column(column);
      add_freshness();
    }
    return escaped(Node::mapping(std::move(checks_).sections(), {}));
  }

 private:
  /// A name may hold "${", which in a check file begins a variable.
  static Node escaped(const Node& node) {
    if (node.kind() == Node::Kind::sequence) {
      std::vector<Node> items;
      for (const Node& item : node.items()) items.push_back(escaped(item));
      return Node::sequence(std::move(items), node.position());
    }
    if (node.kind() == Node::Kind::mapping) {
      std::vector<Node::Entry> entries;
      for (const auto& [key, value] : node.entries()) entries.emplace_back(escaped(key), escaped(value));
      return Node::mapping(std::move(entries), node.position());
    }
    if (!node.is_scalar()) return node;
    std::string text = node.text();
    for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3)) text.insert(at, "$");
    return Node::scalar(std::move(text), node.position(), node.quoted());
  }

  static std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text.append(text.empty() ? "" : ".").append(contract::check_name(part));
    return text;
  }
  /// All digits of whole numbers: a margin must not be lost in rounding.
  static std::string number(double value) {
    return std::trunc(value) == value && std::abs(value) < 1e15 ? fmt::format("{:.0f}", value)
                                                                : fmt::format("{}", value);
  }
  void add(const std::string& measure, const std::string& wanted, contract::Extras extras = {}) {
    checks_.add(measure, {wanted, ""}, std::move(extras), {});
  }
  static void setting(contract::Extras& extras, const char* key, const std::string& value) {
    extras.settings.emplace_back(Node::scalar(key, {}), Node::scalar(value, {}));
  }

  void add_schema() {
    std::vector<Node> required;
    std::vector<Node::Entry> types;
    for (const ColumnProfile& column : profile_.columns) {
      required.push_back(Node::scalar(column.name, {}, true));
      if (!column.type.empty())
        types.emplace_back(Node::scalar(column.name, {}, true), Node::scalar(column.type, {}, true));
    }
    std::vector<Node::Entry> demands;
    demands.emplace_back(Node::scalar("when required column missing", {}), Node::sequence(std::move(required), {}));
    if (!types.empty())
      demands.emplace_back(Node::scalar("when wrong column type", {}), Node::mapping(std::move(types), {}));
    contract::Extras extras;
    extras.name = "columns and their types";
    extras.settings.emplace_back(Node::scalar("fail", {}), Node::mapping(std::move(demands), {}));
    checks_.add_block("schema", std::move(extras), {});
  }

  void add_column(const ColumnProfile& column) {
    const std::string name = contract::check_name(column.name);
    const double present = profile_.sampled - column.missing;
    if (column.missing == 0) {
      add("missing_count(" + name + ")", "= 0");
    } else if (present > 0) {
      const double share = std::min(100.0, std::ceil(column.missing * 200 / profile_.sampled));
      if (share < 100) add("missing_percent(" + name + ")", fmt::format("<= {}%", number(share)));
    }
    if (present <= 0) return;
    // One of a few rows is no candidate: with ten values all different there is some reason to it. Times often are by
    // chance.
    const bool unique = column.distinct == present && present >= 10;
    const bool whole = !(column.least && std::trunc(*column.least) != *column.least);
    if (unique && (column.kind == ColumnProfile::Kind::text || (column.kind == ColumnProfile::Kind::number && whole))) {
      add("duplicate_count(" + name + ")", "= 0");
    }
    if (!column.least || !column.most) return;
    if (column.kind == ColumnProfile::Kind::number) add_range(column, name, unique && whole);
    if (column.kind == ColumnProfile::Kind::text) add_text(column, name);
  }

  /// A number that is another in each row is likely one that counts up: it has no largest.
  void add_range(const ColumnProfile& column, const std::string& name, bool counts) {
    const double margin = std::max((*column.most - *column.least) / 2, std::abs(*column.most) / 10);
    double least = *column.least - margin;
    if (*column.least >= 0) least = std::max(least, 0.0);
    contract::Extras extras;
    setting(extras, "valid min", number(std::floor(least)));
    if (!counts) setting(extras, "valid max", number(std::ceil(*column.most + margin)));
    add("invalid_count(" + name + ")", "= 0", std::move(extras));
  }

  void add_text(const ColumnProfile& column, const std::string& name) {
    contract::Extras extras;
    if (!column.values.empty()) {
      std::vector<Node> values;
      for (const std::string& value : column.values) values.push_back(Node::scalar(value, {}, true));
      extras.settings.emplace_back(Node::scalar("valid values", {}), Node::sequence(std::move(values), {}));
    } else if (!column.format.empty()) {
      setting(extras, "valid format", column.format);
    } else if (*column.least == *column.most) {
      setting(extras, "valid length", number(*column.most));
    } else {
      setting(extras, "valid max length", number(*column.most * 2));
    }
    // An empty text is none that is invalid.
    if (*column.most > 0) add("invalid_count(" + name + ")", "= 0", std::move(extras));
  }

  void add_freshness() {
    const ColumnProfile* newest = nullptr;
    const double now = core::to_seconds(now_);
    for (const ColumnProfile& column : profile_.columns) {
      const bool past = column.kind == ColumnProfile::Kind::time && column.most && *column.most <= now;
      if (past && (newest == nullptr || *column.most > *newest->most)) newest = &column;
    }
    // Of a table that has not changed for long it says nothing.
    if (newest == nullptr || now - *newest->most > 366.0 * 86400) return;
    const double hours = std::ceil(std::max(now - *newest->most, 1800.0) * 2 / 3600);
    add(fmt::format("freshness({})", contract::check_name(newest->name)), fmt::format("< {}h", number(hours)));
  }

  const TableProfile& profile_;
  const core::Time now_;
  contract::TableChecks checks_;
};

/// A text that has few values in many rows is likely one of a fixed list. Only of a table that was seen as a whole.
core::Result<void> read_values(TableProfile& profile, const std::string& from, sql::SqlSource& source,
                               const sql::QueryLimits& limits) {
  constexpr double kMostValues = 12;
  constexpr double kRowsEach = 20;
  for (ColumnProfile& column : profile.columns) {
    const double rows = profile.sampled - column.missing;
    const bool few = column.distinct > 1 && column.distinct <= kMostValues && rows >= column.distinct * kRowsEach;
    if (column.kind != ColumnProfile::Kind::text || !few || profile.sampled < profile.rows) continue;
    const sql::Dialect& dialect = source.dialect();
    const std::string text = dialect.cast_text(dialect.identifier(column.name));
    const auto seen = source.query(
        fmt::format("SELECT DISTINCT {0} FROM {1} WHERE {0} IS NOT NULL ORDER BY 1", text, from), {}, limits);
    if (!seen) return std::unexpected(seen.error());
    for (const sql::Row& row : seen->rows) {
      const auto* value = row.empty() ? nullptr : std::get_if<std::string>(&row[0]);
      if (value != nullptr) column.values.push_back(*value);
    }
    if (static_cast<double>(column.values.size()) != column.distinct) column.values.clear();
  }
  return {};
}

/// "; there is a table "Mixed"" where only the case of the letters differs.
/// The table that may be meant by a name that none has; "" where no name is near.
std::string meant_table(const std::string& name, sql::SqlSource& source, const sql::QueryLimits& limits) {
  const auto tables = source.query(source.dialect().tables(), {}, limits);
  if (!tables) return "";
  constexpr std::size_t kMostNames = 10'000;
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  std::vector<std::string> names;
  for (const sql::Row& row : tables->rows) {
    const auto* other = row.size() < 2 ? nullptr : std::get_if<std::string>(&row[1]);
    if (other != nullptr && std::ranges::equal(*other, name, same)) {
      return fmt::format("; there is a table \"{}\": names are taken exactly as written", *other);
    }
    if (other != nullptr && names.size() < kMostNames) names.push_back(*other);
  }
  return config::did_you_mean(name, names);
}

}  // namespace

core::Result<TableProfile> profile_table(const std::vector<std::string>& table, sql::SqlSource& source,
                                         const sql::QueryLimits& limits, const ProfileLimits& bounds) {
  const sql::Dialect& dialect = source.dialect();
  const std::string from = dialect.table(table);
  const auto catalog = source.query(dialect.columns_of(table), {}, limits);
  if (!catalog) return std::unexpected(catalog.error());
  TableProfile profile;
  profile.table = table;
  for (const sql::Row& row : catalog->rows) {
    const auto* name = row.empty() ? nullptr : std::get_if<std::string>(&row[0]);
    const auto* type = row.size() < 2 ? nullptr : std::get_if<std::string>(&row[1]);
    if (name == nullptr) continue;
    ColumnProfile column;
    column.name = *name;
    if (type != nullptr) column.type = *type;
    column.kind = kind_of(column.type);
    profile.columns.push_back(std::move(column));
  }
  if (profile.columns.empty()) {
    const std::string hint = table.empty() ? "" : meant_table(table.back(), source, limits);
    return core::fail(core::ErrorKind::not_found, "there is no table " + from + hint);
  }
  if (profile.columns.size() > bounds.columns)
    return core::fail(core::ErrorKind::limit, fmt::format("the table has more than {} columns", bounds.columns));
  const auto rows = source.query("SELECT count(*) FROM " + from, {}, limits);
  if (!rows) return std::unexpected(rows.error());
  if (!rows->rows.empty() && !rows->rows[0].empty()) profile.rows = number_of(rows->rows[0][0]).value_or(0);
  const Plan plan(profile, dialect);
  const auto seen = source.query(plan.sql(from, bounds.rows), {}, limits);
  if (!seen) return std::unexpected(seen.error());
  if (!seen->rows.empty()) plan.read(seen->rows[0], profile);
  if (auto read = read_values(profile, from, source, limits); !read) return std::unexpected(read.error());
  return profile;
}

Node propose_checks(const TableProfile& profile, core::Time now) { return Proposal(profile, now).run(); }

}  // namespace weir::quality
