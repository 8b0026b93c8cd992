#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/collector.h"
#include "quality/check.h"
#include "quality/governance.h"
#include "quality/probe.h"
#include "sql/source.h"

namespace weir::quality {

/// The collector "governance/<source>": what of a source's tables holds personal data (by the names of columns and by
/// patterns in a bounded sample of their values, of which none is kept or told), what no check file names, and what has
/// no owner. A cycle takes a minute at most; tables that had no turn are looked at in the next one, which then comes a
/// minute later.
class GovernanceCollector final : public core::Collector {
 public:
  /// `checked` are the datasets of the source's check files.
  GovernanceCollector(GovernanceSettings settings, std::unique_ptr<sql::SqlSource> source,
                      std::vector<Dataset> checked);

  std::string_view name() const override { return settings_.name; }
  core::Duration interval() const override { return settings_.interval; }
  core::Time next(core::Time now) const override;
  std::span<const core::MetricInfo> metrics() const override { return metric_table(); }
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

  static std::span<const core::MetricInfo> metric_table();

 private:
  struct Finding {
    std::string column;
    std::string kind;
    std::string found_by;  // "name" or "values"
    auto operator<=>(const Finding&) const = default;
  };
  struct Table {
    std::vector<std::string> parts;
    bool visible = false;
    bool is_table = false;  // no view
    std::vector<Column> columns;
    std::map<Finding, std::string> findings;  // with what was seen, for a person
    bool sampled = false;
    std::uint64_t round = 0;  // of the last look
  };

  core::Result<void> read_catalog(const sql::QueryLimits& limits);
  core::Result<void> look_at(const std::string& label, Table& table, const sql::QueryLimits& limits);
  core::Result<void> sample(const std::string& label, Table& table, const sql::QueryLimits& limits);
  void find(Table& table, const std::string& label, Finding finding, std::string seen) const;
  void tell(const std::string& label, Table& table, const std::map<Finding, std::string>& before,
            core::Batch& batch) const;
  void report(core::Batch& batch);
  void report_coverage(const std::string& label, const Table& table, core::Batch& batch) const;
  std::string label_of(const std::vector<std::string>& parts, bool visible) const;

  GovernanceSettings settings_;
  const std::unique_ptr<sql::SqlSource> source_;
  std::vector<Dataset> checked_;
  std::map<std::string, Table> tables_;  // by label
  std::size_t left_out_ = 0;
  std::uint64_t round_ = 0;
  bool unfinished_ = false;
  core::Time now_;
};

}  // namespace weir::quality
