#include "quality/scan.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <fmt/format.h>

#include "config/diagnostics.h"
#include "quality/planner.h"
#include "quality/scan_keeper.h"

namespace weir::quality {
namespace {

using Checks = std::vector<const Check*>;

constexpr double kWorthAsking = 50'000;  // of PostgreSQL's cost: some hundred milliseconds

class Scanner {
 public:
  Scanner(const Dataset& dataset, Session& session, ScanKeeper* keeper, core::Time now)
      : dataset_(dataset), session_(session), keeper_(keeper), now_(now) {
    for (const Check& check : dataset.checks) checks_.push_back(&check);
  }

  core::Result<Scan> run() {
    auto scan = keeper_ == nullptr ? measure_all() : measure_with_keeper();
    if (!scan) return scan;
    if (auto read = read_unique(*scan); !read) return std::unexpected(read.error());
    const bool wanted = std::ranges::any_of(
        checks_, [this](const Check* check) { return check->probe->needs(dataset_, session_.dialect()).columns; });
    if (!wanted) return scan;
    if (auto read = read_columns(); !read) return std::unexpected(read.error());
    scan->columns = columns_;
    return scan;
  }

 private:
  core::Result<Scan> measure_with_keeper() {
    const std::vector<Aggregate> aggregates = plan(dataset_, checks_, session_.dialect()).aggregates;
    std::optional<core::Error> problem;
    if (auto kept = keeper_->measure(dataset_, aggregates, session_, now_, problem)) {
      Scan scan;
      scan.observation = std::move(kept->observation);
      scan.reused = kept->reused;
      return scan;
    }
    auto scan = measure_all();
    if (!scan) return scan;
    // A refusal may be gone the next time though nothing is written.
    if (scan->unreadable.empty()) keeper_->keep(dataset_, aggregates, scan->observation, now_);
    scan->not_incremental = std::move(problem);
    return scan;
  }

  /// What cannot be read is no proof.
  core::Result<void> read_unique(Scan& scan) {
    bool wanted = false;
    for (const Check* check : checks_) {
      for (const Statement& each : check->probe->needs(dataset_, session_.dialect()).statements) {
        wanted = wanted || !each.unless_unique.empty();
      }
    }
    const auto query = wanted ? session_.dialect().unique_indexes_of(dataset_.table) : std::nullopt;
    if (!query) return {};
    const auto table = session_.query(*query);
    if (!table) return is_definite(table.error()) ? core::Result<void>() : std::unexpected(table.error());
    std::string last;
    for (const sql::Row& row : table->rows) {
      const auto* index = row.size() < 2 ? nullptr : std::get_if<std::string>(&row[0]);
      const auto* column = row.size() < 2 ? nullptr : std::get_if<std::string>(&row[1]);
      if (index == nullptr || column == nullptr) return {};
      if (scan.unique.empty() || *index != last) scan.unique.emplace_back();
      last = *index;
      scan.unique.back().push_back(*column);
    }
    return {};
  }

  core::Result<Scan> measure_all() {
    auto all = measure(checks_);
    if (all) return Scan{.observation = std::move(*all), .unreadable = {}, .columns = {}, .unique = {}};
    if (all.error().kind == core::ErrorKind::timeout) return without_the_slow(all.error());
    if (!is_definite(all.error())) return std::unexpected(all.error());
    if (auto readable = probe({}); !readable) return std::unexpected(with_table_hint(readable.error()));
    return without_the_unreadable();
  }

  bool is_apart(const Check* check) const {
    const auto needs = check->probe->needs(dataset_, session_.dialect());
    return std::ranges::any_of(needs.aggregates, [](const Aggregate& each) { return each.user_sql || each.alone; });
  }

  /// An expression of a check file, or a percentile, that takes too long must cost no other check its value.
  core::Result<Scan> without_the_slow(const core::Error& timeout) {
    Checks others = checks_;
    const auto own = std::ranges::stable_partition(others, [this](const Check* each) { return !is_apart(each); });
    const Checks slow(own.begin(), own.end());
    others.erase(own.begin(), own.end());
    Scan scan;
    if (auto seen = slow.empty() ? in_parts(others, timeout, scan) : others_than(others, scan); !seen) {
      return std::unexpected(seen.error());
    }
    for (const Check* check : slow) {
      auto alone = measure({check});
      if (alone) scan.observation.add(*alone);
      if (!alone && !is_definite(alone.error()) && alone.error().kind != core::ErrorKind::timeout) {
        return std::unexpected(alone.error());
      }
      if (!alone) scan.unreadable.emplace(check, alone.error());
    }
    return scan;
  }

  core::Result<void> others_than(const Checks& others, Scan& scan) {
    auto together = measure(others);
    if (!together && together.error().kind == core::ErrorKind::timeout) return in_parts(others, together.error(), scan);
    if (!together) return std::unexpected(together.error());
    scan.observation = std::move(*together);
    return {};
  }

  /// Checks that took too long together, in halves, and those in halves again. A table whose rows cannot even be
  /// counted in time is not tried further, and after some more timeouts the rest is given up.
  core::Result<void> in_parts(const Checks& checks, const core::Error& timeout, Scan& scan) {
    constexpr int kMostTimeouts = 16;
    auto rows = measure({});
    if (!rows) return std::unexpected(rows.error());
    scan.observation = std::move(*rows);
    std::deque<Checks> parts;
    const auto halve = [&](const Checks& part, const core::Error& error) {
      if (part.empty()) return;
      if (part.size() == 1) {
        scan.unreadable.emplace(part[0], error);
        return;
      }
      const auto middle = part.begin() + static_cast<std::ptrdiff_t>(part.size() / 2);
      parts.emplace_back(part.begin(), middle);
      parts.emplace_back(middle, part.end());
    };
    halve(checks, timeout);
    for (int timeouts = 0; !parts.empty(); parts.pop_front()) {
      const Checks part = parts.front();
      if (timeouts == kMostTimeouts) {
        for (const Check* check : part) scan.unreadable.emplace(check, timeout);
        continue;
      }
      auto seen = measure(part);
      if (seen) {
        scan.observation.add(*seen);
        continue;
      }
      const bool slow = seen.error().kind == core::ErrorKind::timeout;
      if (!slow && !is_definite(seen.error())) return std::unexpected(seen.error());
      if (slow) ++timeouts;
      halve(part, seen.error());
    }
    return {};
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
    Observation observation;
    for (const ScanPlan& scan_plan : plan_scans(dataset_, checks, session_.dialect(), ordered_apart(checks))) {
      auto table = session_.query(scan_plan.sql);
      if (!table) return std::unexpected(table.error());
      if (table->rows.size() != 1 || table->rows[0].size() != scan_plan.aggregates.size()) {
        return core::fail(core::ErrorKind::invalid, fmt::format("the scan of {} gave no single row", dataset_.label()),
                          session_.name());
      }
      observation.add(Observation(scan_plan, table->rows[0]));
    }
    return observation;
  }

  core::Result<void> probe(const Checks& checks) {
    for (const ScanPlan& scan_plan : plan_scans(dataset_, checks, session_.dialect())) {
      auto nothing = session_.query(session_.dialect().without_rows(scan_plan.sql));
      if (!nothing) return std::unexpected(nothing.error());
    }
    return {};
  }

  /// Whether a scan of its own for the percentiles is worth it, by the engine's own estimate.
  bool ordered_apart(const Checks& checks) {
    if (session_.dialect().name() != "postgres") return false;
    const ScanPlan whole = plan(dataset_, checks, session_.dialect());
    const auto ordered = std::ranges::count_if(whole.aggregates, &Aggregate::ordered_set);
    if (ordered == 0 || static_cast<std::size_t>(ordered) + 1 == whole.aggregates.size()) return false;
    const auto together = cost(whole.sql);
    if (!together || *together < kWorthAsking) return false;
    double apart = 0;
    for (const ScanPlan& each : plan_scans(dataset_, checks, session_.dialect(), true)) {
      const auto own = cost(each.sql);
      if (!own) return false;
      apart += *own;
    }
    return apart < 0.9 * *together;
  }

  /// The total of PostgreSQL's "Aggregate  (cost=431.00..431.01 rows=1 width=8)".
  std::optional<double> cost(const std::string& select) {
    const auto plan_text = session_.query("EXPLAIN " + select);
    if (!plan_text || plan_text->rows.empty() || plan_text->rows[0].empty()) return std::nullopt;
    const auto* line = std::get_if<std::string>(&plan_text->rows[0][0]);
    const std::size_t at = line == nullptr ? std::string::npos : line->find("..");
    if (at == std::string::npos) return std::nullopt;
    double total = 0;
    const auto parsed = std::from_chars(line->data() + at + 2, line->data() + line->size(), total);
    return parsed.ec == std::errc() ? std::optional(total) : std::nullopt;
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
    const auto other =
        std::ranges::find_if(names, [&](const std::string& each) { return differs_by_case(each, name); });
    error.message =
        fmt::format("column \"{}\" does not exist in {}{}", name, dataset_.label(),
                    other == names.end() ? config::did_you_mean(name, names) : in_other_case("column", *other));
    return error;
  }

  static bool differs_by_case(std::string_view a, std::string_view b) {
    return a != b && std::ranges::equal(
                         a, b, [](unsigned char c, unsigned char d) { return std::tolower(c) == std::tolower(d); });
  }

  static std::string in_other_case(std::string_view what, std::string_view name) {
    return fmt::format("; there is a {} \"{}\": names are taken exactly as written", what, name);
  }

  /// A missing table's error with the one that may be meant.
  core::Error with_table_hint(core::Error error) {
    if (error.kind != core::ErrorKind::not_found || dataset_.table.empty()) return error;
    constexpr std::size_t kMostNames = 10'000;
    const auto tables = session_.query(session_.dialect().tables());
    if (!tables) return error;
    std::vector<std::string> names;
    std::string wanted;
    for (const sql::Row& row : tables->rows) {
      const auto* schema = row.size() < 4 ? nullptr : std::get_if<std::string>(&row[0]);
      const auto* name = row.size() < 4 ? nullptr : std::get_if<std::string>(&row[1]);
      if (schema == nullptr || name == nullptr) continue;
      const bool with_schema = dataset_.table.size() > 1;
      if (!with_schema && to_number(row[3]).value_or(0) == 0) continue;
      const auto shown = [with_schema](std::string_view first, std::string_view second) {
        return with_schema ? fmt::format("{}.{}", first, second) : std::string(second);
      };
      const std::string written =
          shown(with_schema ? dataset_.table[dataset_.table.size() - 2] : "", dataset_.table.back());
      wanted = written;
      if (names.size() < kMostNames) names.push_back(shown(*schema, *name));
      if (!differs_by_case(shown(*schema, *name), written)) continue;
      error.message += in_other_case("table", shown(*schema, *name));
      return error;
    }
    error.message += config::did_you_mean(wanted, names);
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
  ScanKeeper* keeper_;
  core::Time now_;
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
  sql::QueryLimits tagged = limits;
  tagged.tag = dataset_.empty() ? "catalog" : "dataset=" + dataset_;
  auto table = source_.query(text, parameters, tagged);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  log_.push_back({std::string(source_.name()), dataset_, text, taken.count()});
  return table;
}

core::Result<Scan> scan(const Dataset& dataset, Session& session, ScanKeeper* keeper, core::Time now) {
  return Scanner(dataset, session, keeper, now).run();
}

}  // namespace weir::quality
