#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/openlineage.h"
#include "core/batch.h"

namespace weir::collectors {

using OpenLineageWay = std::pair<core::Node, core::Node>;

/// What is known of a job.
struct OpenLineageJob {
  core::Labels labels;
  std::optional<core::Time> started, completed, failed;
  std::optional<double> duration;
  std::optional<core::Time> ended;         // the newest run to end
  bool last_failed = false;                // that one did
  std::map<std::string, core::Time> open;  // runs and when they began
  std::deque<std::string> done;            // runs that ended, the newest last
  std::set<std::string> stuck;             // told of
  std::map<std::string, std::uint64_t> counts;
  std::map<OpenLineageWay, core::Time> ways;  // when last told of
  core::Time heard{};
};

struct OpenLineageCheck {
  int outcome = 0;
  core::Time time{};
};

/// What is known of a dataset.
struct OpenLineageDatasetState {
  OpenLineageDataset newest;  // without lineage and assertions
  core::Time measured{};      // when
  core::Time written{};
  std::map<std::string, OpenLineageCheck> checks;
  std::map<core::Node, std::map<core::ColumnLink, core::Time>> made_of;
  core::Time heard{};
};

/// How much is kept of all jobs and datasets together.
struct OpenLineageBounds {
  std::size_t ways = 100'000;
  std::size_t checks = 50'000;
  std::size_t columns = 100'000;
  std::size_t links = 200'000;  // between columns
};

/// What the events so far say. Pure; used by the collector's cycle alone.
class OpenLineageState {
 public:
  /// `settings` outlives it.
  explicit OpenLineageState(const OpenLineageSettings& settings, OpenLineageBounds bounds = {})
      : settings_(settings), bounds_(bounds) {}

  /// An event of a time that lies ahead counts as of when it came. Who sends such is a fault for an hour, or until an
  /// event of the right time comes.
  void take(const OpenLineageEvent& event, core::Time now, core::Batch& batch);
  /// What nothing was heard of for settings.keep.
  void forget(core::Time now);
  void report(core::Time now, core::Batch& batch);

  /// All of it, for the next start; whether it changed since it was last asked for.
  bool changed() const { return changed_; }
  std::string to_text();
  /// Errors: storage (not what to_text() wrote). Then nothing is known, as before.
  core::Result<void> restore(const std::string& text);

 private:
  using Add = std::function<void(std::string_view metric, const core::Labels& labels, double value)>;

  struct Ahead {
    core::Duration by;
    core::Time heard;
  };
  void note_clock(const OpenLineageEvent& event, core::Time now);
  void report_clocks(core::Time now, core::Batch& batch);
  OpenLineageJob* job_for(const OpenLineageEvent& event, core::Time now);
  void run(const OpenLineageEvent& event, core::Time at, OpenLineageJob& job, core::Batch& batch);
  void end(const OpenLineageEvent& event, core::Time at, OpenLineageJob& job, core::Batch& batch);
  core::Node node_of(const std::string& name_space, const std::string& name) const;
  void ways(const OpenLineageEvent& event, core::Time at, OpenLineageJob& job);
  void take(const OpenLineageDataset& dataset, core::Time at, core::Time now, core::Batch& batch);
  void measure(const OpenLineageDataset& dataset, core::Time at, OpenLineageDatasetState& known);
  void link(const OpenLineageDataset& dataset, core::Time at, OpenLineageDatasetState& known);
  void take(const OpenLineageAssertion& assertion, const core::Node& node, core::Time at,
            OpenLineageDatasetState& dataset, core::Batch& batch);
  void report(OpenLineageJob& job, core::Time now, const Add& add, core::Batch& batch) const;
  static void report(const core::Node& node, const OpenLineageDatasetState& dataset, const Add& add,
                     core::Batch& batch);
  void count();
  void refuse(const char* what);

  const OpenLineageSettings& settings_;
  const OpenLineageBounds bounds_;
  std::map<std::pair<std::string, std::string>, OpenLineageJob> jobs_;
  std::map<core::Node, OpenLineageDatasetState> datasets_;
  std::map<std::string, std::uint64_t> refused_;
  std::map<std::string, Ahead> ahead_;  // by who sends it; bounded
  OpenLineageBounds held_{0, 0, 0, 0};
  bool changed_ = false;
};

}  // namespace weir::collectors
