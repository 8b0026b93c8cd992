#include "quality/governance_collector.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "privacy/pii.h"

namespace weir::quality {
namespace {

using core::Labels;
using core::MetricType;

constexpr core::Duration kLongestCycle = std::chrono::minutes(1);
constexpr core::Duration kQueryTime = std::chrono::seconds(20);
constexpr std::size_t kMostColumns = 300;      // of a table
constexpr std::size_t kColumnsAtOnce = 40;     // of a SELECT
constexpr std::size_t kMostValueBytes = 4096;  // longer values are not looked at
constexpr std::size_t kMostCatalog = 100'000;
constexpr std::size_t kMostFindings = 50;  // of a table

constexpr std::array kMetricTable = {
    core::MetricInfo{"weir_pii_columns", MetricType::gauge,
                     "Columns of the table that hold personal data of a kind, and are not accepted."},
    core::MetricInfo{"weir_governance_tables", MetricType::gauge, "Tables and views of the source."},
    core::MetricInfo{"weir_governance_tables_looked_at", MetricType::gauge,
                     "Tables and views that were looked at since the start; the others are not known."},
    core::MetricInfo{"weir_governance_covered", MetricType::gauge,
                     "1 when a check file or contract names the table, else 0."},
    core::MetricInfo{"weir_governance_uncovered_columns", MetricType::gauge,
                     "Columns of a covered table that no check or contract names."},
    core::MetricInfo{"weir_governance_owned", MetricType::gauge, "1 when a check of the table has an owner, else 0."},
};

std::string text_of(const sql::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  return {};
}

bool is_true(const sql::Value& value) {
  const std::string text = text_of(value);
  return !text.empty() && text != "0";
}

/// Types whose values are no text that could hold anything of a person.
bool is_opaque(const std::string& type) {
  std::string lower(type);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::any_of(std::array{"bytea", "blob", "binary", "image", "raw", "geometry", "geography", "bool",
                                        "date", "time", "double", "float", "real", "vector"},
                             [&](const char* word) { return lower.find(word) != std::string::npos; });
}

std::string joined(const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, ".")); }

/// Whether a dataset of a check file is this table.
bool is_of(const Dataset& dataset, const std::vector<std::string>& parts, bool visible) {
  if (dataset.for_each) {
    return parts.size() >= 2 && dataset.for_each->fits(parts[parts.size() - 2], parts.back(), visible);
  }
  if (dataset.table.empty() || dataset.table.back() != parts.back()) return false;
  return dataset.table.size() == 1 ? visible : dataset.table[dataset.table.size() - 2] == parts[parts.size() - 2];
}

}  // namespace

GovernanceCollector::GovernanceCollector(GovernanceSettings settings, std::unique_ptr<sql::SqlSource> source,
                                         std::vector<Dataset> checked)
    : settings_(std::move(settings)), source_(std::move(source)), checked_(std::move(checked)) {}

std::span<const core::MetricInfo> GovernanceCollector::metric_table() { return kMetricTable; }

core::Time GovernanceCollector::next(core::Time now) const {
  return now + (unfinished_ ? std::min(settings_.interval, kLongestCycle) : settings_.interval);
}

std::string GovernanceCollector::label_of(const std::vector<std::string>& parts, bool visible) const {
  for (const Dataset& dataset : checked_) {
    if (!dataset.for_each && is_of(dataset, parts, visible)) return joined(dataset.table);
  }
  return visible || parts[0].empty() ? parts.back() : joined(parts);
}

core::Result<core::Batch> GovernanceCollector::collect(const core::CollectContext& context) {
  now_ = context.now;
  sql::QueryLimits limits;
  limits.deadline = std::min(context.deadline, std::chrono::steady_clock::now() + kLongestCycle);
  limits.timeout = kQueryTime;
  limits.stop = context.stop;
  limits.tag = "governance";
  if (!unfinished_) ++round_;
  unfinished_ = false;
  if (auto connected = source_->connect(limits); !connected) return std::unexpected(connected.error());
  if (auto read = read_catalog(limits); !read) return std::unexpected(read.error());
  core::Batch batch;
  for (auto& [label, table] : tables_) {
    if (table.round == round_) continue;
    if (std::chrono::steady_clock::now() >= limits.deadline || context.stop.stop_requested()) {
      unfinished_ = true;
      break;
    }
    const std::map<Finding, std::string> before = table.findings;
    if (auto seen = look_at(label, table, limits); !seen) {
      batch.faults.push_back({seen.error(), Labels{{"source", settings_.source}, {"dataset", label}}});
      table.findings.insert(before.begin(), before.end());  // what cannot be looked at is not gone
    }
    table.round = round_;
    tell(label, table, before, batch);
  }
  report(batch);
  return batch;
}

core::Result<void> GovernanceCollector::read_catalog(const sql::QueryLimits& given) {
  sql::QueryLimits limits = given;
  limits.rows = kMostCatalog;
  const auto found = source_->query(source_->dialect().tables(), {}, limits);
  if (!found) return std::unexpected(found.error());
  std::set<std::string> there;
  left_out_ = 0;
  for (const sql::Row& row : found->rows) {
    if (row.size() < 4) continue;
    const std::vector<std::string> parts{text_of(row[0]), text_of(row[1])};
    const bool visible = is_true(row[3]);
    const std::string label = label_of(parts, visible);
    if (settings_.pii && !settings_.contracts && !settings_.owners && !settings_.pii->names.admits(label)) continue;
    if (!tables_.contains(label) && tables_.size() >= settings_.most_tables) {
      ++left_out_;
      continue;
    }
    Table& table = tables_[label];
    table.parts = parts;
    table.visible = visible;
    table.is_table = text_of(row[2]) == "table";
    there.insert(label);
  }
  std::erase_if(tables_, [&](const auto& entry) { return !there.contains(entry.first); });
  return {};
}

core::Result<void> GovernanceCollector::look_at(const std::string& label, Table& table,
                                                const sql::QueryLimits& limits) {
  const sql::Dialect& dialect = source_->dialect();
  std::vector<std::string> parts = table.parts;
  if (parts.front().empty()) parts.erase(parts.begin());
  const auto found = source_->query(dialect.columns_of(parts), {}, limits);
  if (!found) return std::unexpected(found.error());
  table.columns.clear();
  for (const sql::Row& row : found->rows) {
    if (row.size() >= 2) table.columns.push_back({text_of(row[0]), text_of(row[1])});
  }
  if (!settings_.pii || !settings_.pii->names.admits(label)) return {};
  table.findings.clear();
  for (const Column& column : table.columns) {
    const std::string_view kind = privacy::pii_of_name(column.name);
    if (!kind.empty()) find(table, label, {column.name, std::string(kind), "name"}, "by its name");
  }
  return table.is_table ? sample(label, table, limits) : core::Result<void>{};
}

core::Result<void> GovernanceCollector::sample(const std::string& label, Table& table, const sql::QueryLimits& given) {
  const sql::Dialect& dialect = source_->dialect();
  std::vector<std::string> names;
  for (const Column& column : table.columns) {
    if (!is_opaque(column.type) && names.size() < kMostColumns) names.push_back(column.name);
  }
  std::vector<std::string> parts = table.parts;
  if (parts.front().empty()) parts.erase(parts.begin());
  for (std::size_t from = 0; from < names.size(); from += kColumnsAtOnce) {
    const std::size_t count = std::min(kColumnsAtOnce, names.size() - from);
    std::string list;
    for (std::size_t i = from; i < from + count; ++i) {
      const std::string text = dialect.cast_text(dialect.identifier(names[i]));
      list += fmt::format("{}CASE WHEN {} <= {} THEN {} END AS c{}", list.empty() ? "" : ", ", dialect.length(text),
                          kMostValueBytes, text, i);
    }
    sql::QueryLimits limits = given;
    limits.rows = settings_.pii->sample;
    const auto rows = source_->query(
        dialect.limited(fmt::format("SELECT {} FROM {}", list, dialect.table(parts)), settings_.pii->sample), {},
        limits);
    if (!rows) return std::unexpected(rows.error());
    std::vector<privacy::PiiTally> tallies(count);
    for (const sql::Row& row : rows->rows) {
      for (std::size_t i = 0; i < std::min(count, row.size()); ++i) tallies[i].add(text_of(row[i]));
    }
    for (std::size_t i = 0; i < count; ++i) {
      for (const auto& [kind, times] : tallies[i].found()) {
        find(table, label, {names[from + i], std::string(kind), "values"},
             fmt::format("in {} of {} values", times, tallies[i].values()));
      }
    }
  }
  table.sampled = true;
  return {};
}

void GovernanceCollector::find(Table& table, const std::string& label, Finding finding, std::string seen) const {
  const std::string name = label + "." + finding.column;
  const bool accepted = std::ranges::any_of(settings_.pii->accepted,
                                            [&](const std::string& pattern) { return fits_pattern(pattern, name); });
  if (!accepted && table.findings.size() < kMostFindings) table.findings.emplace(std::move(finding), std::move(seen));
}

void GovernanceCollector::tell(const std::string& label, Table& table, const std::map<Finding, std::string>& before,
                               core::Batch& batch) const {
  for (const auto& [finding, seen] : table.findings) {
    if (before.contains(finding)) continue;
    batch.events.push_back(
        {now_, "pii_found",
         Labels{{"source", settings_.source}, {"dataset", label}, {"column", finding.column}, {"kind", finding.kind}},
         fmt::format("Column {} of {} in {} seems to hold personal data ({}), {}", finding.column, label,
                     settings_.source, finding.kind, seen)});
  }
}

void GovernanceCollector::report(core::Batch& batch) {
  const Labels scope{{"source", settings_.source}};
  const auto emit = [&](const Labels& labels, const char* metric, double value) {
    batch.samples.push_back({labels.with(core::kMetricName, metric), now_, value});
  };
  std::size_t looked_at = 0;
  for (const auto& [label, table] : tables_) {
    const Labels of_table = scope.with("dataset", label);
    looked_at += table.round > 0 ? 1 : 0;
    std::map<std::pair<std::string, std::string>, std::set<std::string>> columns;
    for (const auto& [finding, seen] : table.findings) columns[{finding.kind, finding.found_by}].insert(finding.column);
    for (const auto& [key, names] : columns) {
      emit(of_table.with("kind", key.first).with("found_by", key.second), "weir_pii_columns", double(names.size()));
    }
    report_coverage(label, table, batch);
  }
  emit(scope, "weir_governance_tables", double(tables_.size() + left_out_));
  emit(scope, "weir_governance_tables_looked_at", double(looked_at));
}

void GovernanceCollector::report_coverage(const std::string& label, const Table& table, core::Batch& batch) const {
  if (!settings_.contracts && !settings_.owners) return;
  const Labels scope{{"source", settings_.source}, {"dataset", label}};
  const auto emit = [&](const char* metric, double value) {
    batch.samples.push_back({scope.with(core::kMetricName, metric), now_, value});
  };
  bool covered = false;
  bool owned = false;
  std::set<std::string> named;
  for (const Dataset& dataset : checked_) {
    if (!is_of(dataset, table.parts, table.visible)) continue;
    const std::vector<Check> made = dataset.for_each ? dataset.for_each->checks(label) : std::vector<Check>();
    covered = covered || !dataset.checks.empty() || !made.empty();
    for (const std::vector<Check>* checks : {&dataset.checks, &made}) {
      for (const Check& check : *checks) {
        const auto owner = check.attributes.find("owner");
        owned = owned || (owner != check.attributes.end() && !owner->second.empty());
        for (const auto& list : {check.probe->columns(), check.probe->declared()})
          named.insert(list.begin(), list.end());
      }
    }
  }
  if (settings_.owners) emit("weir_governance_owned", owned ? 1 : 0);
  if (!settings_.contracts) return;
  emit("weir_governance_covered", covered ? 1 : 0);
  if (!covered || table.round == 0) return;
  const auto missing =
      std::ranges::count_if(table.columns, [&](const Column& column) { return !named.contains(column.name); });
  emit("weir_governance_uncovered_columns", static_cast<double>(missing));
}

}  // namespace weir::quality
