#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/collector.h"
#include "core/keyed_texts.h"
#include "core/measurement.h"
#include "core/series_source.h"
#include "quality/checks_section.h"
#include "quality/judge.h"
#include "quality/run.h"
#include "quality/scan_keeper.h"
#include "quality/sessions.h"
#include "sql/source.h"

namespace weir::quality {

/// Runs the checks of one `checks:` entry, one SELECT a dataset and cycle, over a session of its own.
///
/// A source that cannot be reached is the cycle's error. A dataset that gave no answer (timeout, broken
/// connection) is a fault: its series keep their last state. A definite refusal (table or column gone,
/// privilege lost) is a fault too, and the checks concerned get status 3. A check that was looked at and cannot be
/// evaluated (the table is empty, the column holds NaN or no time) gets status 3 and a fault with no_value, which
/// is no failure of the collector. Both are the same in the first cycle as in any later one.
/// Alert on weir_check_status >= 2, and a failing check whose table disappears goes on alerting.
/// A change of outcome, or of why there is none, is an event; also one since the last run.
class CheckCollector final : public core::Collector {
 public:
  /// `history` outlives the collector. `past` is asked once, in the first cycle, for the outcomes that the last run
  /// left; without it everything passed. `texts` outlives the collector; `other` opens the sources that checks compare
  /// with.
  CheckCollector(ChecksSettings settings, std::unique_ptr<sql::SqlSource> source, core::MeasurementHistory& history,
                 const core::SeriesSource* past = nullptr, core::KeyedTexts* texts = nullptr, SessionMaker other = {});

  std::string_view name() const override { return settings_.name; }
  core::Duration interval() const override { return settings_.interval; }
  std::span<const core::MetricInfo> metrics() const override;
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

  /// HELP and TYPE of everything any check collector emits.
  static std::span<const core::MetricInfo> metric_table();

 private:
  /// How a check stood when it was last seen.
  struct Last {
    Outcome outcome = Outcome::pass;
    std::optional<std::string> problem;  // of an error, without what may differ each cycle; unset: not known
  };
  struct Cycle {
    core::Time now;
    core::Batch batch;
    std::set<core::Labels> emitted;
  };

  void report_dataset(const DatasetRun& dataset, Cycle& cycle);
  void report_check(const core::Labels& scope, const Observed& check, Cycle& cycle);
  void report_outcome(const core::Labels& of_check, const Observed& check, Cycle& cycle);
  static void emit_info(const core::Labels& of_check, const CheckResult& result, Cycle& cycle);
  void recall(core::Time now);
  static void emit(const core::Labels& labels, double value, Cycle& cycle);

  const ChecksSettings settings_;
  const std::unique_ptr<sql::SqlSource> source_;
  core::MeasurementHistory& history_;
  const core::SeriesSource* past_;  // until it was asked
  core::KeyedTexts* texts_;
  Sessions others_;
  ScanKeeper keeper_;
  std::map<core::Labels, Last> last_;  // by the labels of weir_check_status
  std::size_t first_ = 0;              // where the next cycle begins: what the last one had no time for
};

}  // namespace weir::quality
