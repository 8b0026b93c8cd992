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
  Scanner(const Dataset& dataset, sql::SqlSource& source, const sql::QueryLimits& limits)
      : dataset_(dataset), source_(source), limits_(limits) {
    for (const Check& check : dataset.checks) checks_.push_back(&check);
  }

  core::Result<Scan> run() {
    auto all = measure(checks_);
    if (all) return Scan{std::move(*all), {}};
    if (!is_definite(all.error())) return std::unexpected(all.error());
    if (auto readable = probe({}); !readable) return std::unexpected(readable.error());
    return without_the_unreadable();
  }

 private:
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
    const ScanPlan scan_plan = plan(dataset_, checks, source_.dialect());
    auto table = source_.query(scan_plan.sql, {}, limits_);
    if (!table) return std::unexpected(table.error());
    if (table->rows.size() != 1 || table->rows[0].size() != scan_plan.aggregates.size()) {
      return core::fail(core::ErrorKind::protocol, fmt::format("the scan of {} gave no single row", dataset_.label()),
                        std::string(source_.name()));
    }
    return Observation(scan_plan, table->rows[0]);
  }

  core::Result<void> probe(const Checks& checks) {
    const ScanPlan scan_plan = plan(dataset_, checks, source_.dialect());
    auto nothing = source_.query(source_.dialect().without_rows(scan_plan.sql), {}, limits_);
    if (!nothing) return std::unexpected(nothing.error());
    return {};
  }

  /// A missing column's error with the name that may be meant.
  core::Error explained(core::Error error, const Check& check) {
    if (error.kind != core::ErrorKind::not_found) return error;
    if (!columns_read_) {
      columns_read_ = true;
      const auto table = source_.query(source_.dialect().columns_of(dataset_.table), {}, limits_);
      for (const sql::Row& row : table ? table->rows : std::vector<sql::Row>()) {
        const auto* name = row.empty() ? nullptr : std::get_if<std::string>(&row[0]);
        if (name != nullptr) columns_.push_back(*name);
      }
    }
    error.message = fmt::format("column \"{}\" does not exist in {}{}", check.metric.column, dataset_.label(),
                                config::did_you_mean(check.metric.column, columns_));
    return error;
  }

  const Dataset& dataset_;
  sql::SqlSource& source_;
  const sql::QueryLimits& limits_;
  Checks checks_;
  bool columns_read_ = false;
  std::vector<std::string> columns_;
};

}  // namespace

bool is_definite(const core::Error& error) {
  return error.kind == core::ErrorKind::not_found || error.kind == core::ErrorKind::denied ||
         error.kind == core::ErrorKind::invalid;
}

core::Result<Scan> scan(const Dataset& dataset, sql::SqlSource& source, const sql::QueryLimits& limits) {
  return Scanner(dataset, source, limits).run();
}

}  // namespace weir::quality
