#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "core/keyed_texts.h"
#include "core/time.h"
#include "quality/gate.h"
#include "quality/incremental.h"
#include "quality/judge.h"
#include "quality/probe.h"

namespace weir::quality {

class Session;

/// What was measured of datasets, to read no more of them the next time than has to be: nothing where the engine's
/// counters show that nothing was written (gate.h), the newest rows of a table that is measured incrementally
/// (incremental.h). Owned by whoever runs the same checks again and again; used by one thread at a time. Holds one row
/// of values a dataset.
class ScanKeeper {
 public:
  /// `texts` outlives the keeper; with it incremental states survive a restart.
  ScanKeeper(std::string source, core::KeyedTexts* texts) : source_(std::move(source)), texts_(texts) {}

  struct Kept {
    Observation observation;
    std::optional<core::Time> reused;  // when it was measured, if nothing was read now
  };
  /// What the scan of the aggregates would give; nothing where it has to be done in full. `problem` is set when a
  /// dataset that should be measured incrementally cannot be.
  std::optional<Kept> measure(const Dataset& dataset, std::span<const Aggregate> aggregates, Session& session,
                              core::Time now, std::optional<core::Error>& problem);
  /// What a full scan gave, after measure() gave nothing.
  void keep(const Dataset& dataset, std::span<const Aggregate> aggregates, const Observation& observation,
            core::Time now);

  /// The answer to a statement about nothing but the dataset's table, while its last scan is reused.
  const sql::Table* answer(const Dataset& dataset, const Statement& statement) const;
  void keep_answer(const Dataset& dataset, const Statement& statement, const sql::Table& table);

 private:
  struct Entry {
    std::string plan;
    std::optional<WriteMark> mark;     // read before what is kept was measured
    std::optional<WriteMark> pending;  // read in this run
    Observation observation;
    core::Time measured;
    std::vector<std::pair<Statement, sql::Table>> answers;
    std::optional<IncrementalState> state;
    bool asked_texts = false;
    std::map<std::string, std::string> exact;  // percentiles that cannot be sketched, by what they are of, and why
  };
  /// The aggregates by how they are measured.
  struct Split {
    std::vector<Aggregate> merging;
    std::vector<Aggregate> whole;  // have to see the whole table
  };
  struct Turn {
    const Dataset& dataset;
    std::span<const Aggregate> aggregates;
    Session& session;
    core::Time now;
    Entry& entry;
    sql::Table counters = {};
  };

  void read_mark(Turn& turn) const;
  core::Result<Observation> measure_incrementally(Turn& turn);
  static Split split(const Turn& turn);
  std::optional<std::vector<Partial>> from_state(Turn& turn, std::span<const Aggregate> merging);
  core::Result<std::vector<Partial>> in_full(Turn& turn, Split& split);
  core::Result<void> measure_whole(Turn& turn, std::span<const Aggregate> whole, Observation& observation) const;
  using Sketches = std::map<std::string, SketchHalves>;  // by what they are of
  core::Result<std::optional<SketchHalves>> sketch(Turn& turn, const Aggregate& aggregate,
                                                   std::optional<std::int64_t> from, std::int64_t to) const;
  core::Result<Sketches> sketch_all(Turn& turn, std::int64_t to) const;
  void save(const Turn& turn) const;
  std::string key(const Dataset& dataset) const;

  std::string source_;
  core::KeyedTexts* texts_;
  std::map<std::string, Entry> entries_;  // by the dataset's label
};

}  // namespace weir::quality
