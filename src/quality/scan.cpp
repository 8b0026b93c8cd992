#include "quality/scan.h"

#include <algorithm>
#include <fmt/format.h>

#include "config/diagnostics.h"
#include "quality/planner.h"

namespace weir::quality {
namespace {

using Checks = std::vector<const Check*>;

class Scanner {
 public:
  Scanner(const Dataset& dataset, Session& session) : dataset_(dataset), session_(session) {
    for (const Check& check : dataset.checks) checks_.push_back(&check);
  }

  core::Result<Scan> run() {
    auto scan = measure_all();
    if (!scan) return scan;
    const bool wanted = std::ranges::any_of(
        checks_, [this](const Check* check) { return check->probe->needs(dataset_, session_.dialect()).columns; });
    if (!wanted) return scan;
    if (auto read = read_columns(); !read) return std::unexpected(read.error());
    scan->columns = columns_;
    return scan;
  }

 private:
  core::Result<Scan> measure_all() {
    auto all = measure(checks_);
    if (all) return Scan{std::move(*all), {}, {}};
    if (!is_definite(all.error())) return std::unexpected(all.error());
    if (auto readable = probe({}); !readable) return std::unexpected(readable.error());
    return without_the_unreadable();
  }

  core::Result<Scan> without_the_unreadable() {
    Scan scan;
    Checks readable;
    for (const Check* check : checks_) {
      auto probed = probe({check});
      if (probed) {
        readable.push_back(check);
      } else if (!is_definite(probed.error())) {
        return std::unexpected(probed.error());
      } else {
        scan.unreadable.emplace(check, explained(probed.error(), *check));
      }
    }
    auto together = measure(readable);
    if (together) {
      scan.observation = std::move(*together);
      return scan;
    }
    if (!is_definite(together.error())) return std::unexpected(together.error());
    return one_by_one(readable, std::move(scan));
  }

  /// Last resort, for a value in the data that breaks one of the expressions.
  core::Result<Scan> one_by_one(const Checks& readable, Scan scan) {
    auto rows = measure({});
    if (!rows) return std::unexpected(rows.error());
    scan.observation = std::move(*rows);
    for (const Check* check : readable) {
      auto alone = measure({check});
      if (alone) {
        scan.observation.add(*alone);
      } else if (!is_definite(alone.error())) {
        return std::unexpected(alone.error());
      } else {
        scan.unreadable.emplace(check, alone.error());
      }
    }
    return scan;
  }

  core::Result<Observation> measure(const Checks& checks) {
    const ScanPlan scan_plan = plan(dataset_, checks, session_.dialect());
    auto table = session_.query(scan_plan.sql);
    if (!table) return std::unexpected(table.error());
    if (table->rows.size() != 1 || table->rows[0].size() != scan_plan.aggregates.size()) {
      return core::fail(core::ErrorKind::invalid, fmt::format("the scan of {} gave no single row", dataset_.label()),
                        session_.name());
    }
    return Observation(scan_plan, table->rows[0]);
  }

  core::Result<void> probe(const Checks& checks) {
    const ScanPlan scan_plan = plan(dataset_, checks, session_.dialect());
    auto nothing = session_.query(session_.dialect().without_rows(scan_plan.sql));
    if (!nothing) return std::unexpected(nothing.error());
    return {};
  }

  /// A missing column's error with the name that may be meant.
  core::Error explained(core::Error error, const Check& check) {
    const auto read = check.probe->columns();
    if (error.kind != core::ErrorKind::not_found || read.empty() || !read_columns()) return error;
    std::vector<std::string> names;
    for (const Column& column : columns_) names.push_back(column.name);
    const auto missing = std::ranges::find_if(
        read, [&](const std::string& name) { return std::ranges::find(names, name) == names.end(); });
    const std::string& name = missing == read.end() ? read.front() : *missing;
    error.message =
        fmt::format("column \"{}\" does not exist in {}{}", name, dataset_.label(), config::did_you_mean(name, names));
    return error;
  }

  core::Result<void> read_columns() {
    if (columns_read_) return {};
    const auto table = session_.query(session_.dialect().columns_of(dataset_.table));
    if (!table) return std::unexpected(table.error());
    columns_read_ = true;
    for (const sql::Row& row : table->rows) {
      const auto* name = row.empty() ? nullptr : std::get_if<std::string>(&row[0]);
      const auto* type = row.size() < 2 ? nullptr : std::get_if<std::string>(&row[1]);
      if (name != nullptr) columns_.push_back({*name, type == nullptr ? std::string() : *type});
    }
    return {};
  }

  const Dataset& dataset_;
  Session& session_;
  Checks checks_;
  bool columns_read_ = false;
  std::vector<Column> columns_;
};

}  // namespace

bool is_definite(const core::Error& error) {
  return error.kind == core::ErrorKind::not_found || error.kind == core::ErrorKind::denied ||
         error.kind == core::ErrorKind::invalid;
}

core::Result<sql::Table> Session::query(const std::string& text, const std::vector<sql::Value>& parameters) {
  return timed(text, parameters, limits_);
}

core::Result<sql::Table> Session::query(const Statement& statement) {
  sql::QueryLimits limits = limits_;
  limits.rows = statement.rows;
  return timed(statement.sql, statement.parameters, limits);
}

core::Result<sql::Table> Session::timed(const std::string& text, const std::vector<sql::Value>& parameters,
                                        const sql::QueryLimits& limits) {
  const auto begun = std::chrono::steady_clock::now();
  auto table = source_.query(text, parameters, limits);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  log_.push_back({std::string(source_.name()), dataset_, text, taken.count()});
  return table;
}

core::Result<Scan> scan(const Dataset& dataset, Session& session) { return Scanner(dataset, session).run(); }

}  // namespace weir::quality
