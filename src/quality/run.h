#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/keyed_texts.h"
#include "core/measurement.h"
#include "core/time.h"
#include "quality/check.h"
#include "quality/report.h"
#include "quality/scan.h"
#include "sql/source.h"

namespace weir::quality {

/// One check's result with what turns into series and events.
struct Observed {
  enum class State {
    judged,      // it was looked at: `result` is the judgement, an outcome of error included
    unreadable,  // the database refuses it: the outcome is error, `error` says why
    unknown,     // nothing can be said, since something did not answer: what was known before stands
  };
  State state = State::judged;
  CheckResult result;               // of a check with groups the worst
  std::vector<CheckResult> groups;  // of a check with groups
  std::string problem;              // why there is no value, as a phrase
  std::optional<core::Error> error;
  std::string_view series;  // "weir_dataset_…" that shows what was measured, "" for none
  std::optional<double> series_value;
  bool foresees = false;               // weir_check_expected… belong to it
  std::optional<Foresight> foresight;  // what was expected
};

/// What became of one dataset in one run.
struct DatasetRun {
  std::string label;
  std::optional<double> row_count;
  std::optional<core::Error> error;            // the dataset gave no answer, or refuses any
  std::optional<core::Error> not_remembered;   // the history could not be written
  std::optional<core::Error> not_incremental;  // why it was read in full
  std::optional<core::Time> reused;            // nothing was read: nothing was written to the table since then
  std::vector<Observed> checks;                // one for each check of the dataset
};

struct RunResult {
  core::Time started;
  double seconds = 0;
  std::vector<DatasetRun> datasets;         // in the order given
  std::vector<StatementReport> statements;  // in the order run
  std::optional<std::size_t> late;          // the dataset in whose turn the deadline passed

  /// The results alone, a check with groups once for each of them.
  RunReport report() const;
};

/// The session of another source, for checks that compare two. Errors: no source of this name; it cannot be reached.
using SourceByName = std::function<core::Result<sql::SqlSource*>(const std::string& name)>;

/// Runs the checks of datasets once: one SELECT a dataset for all that one pass can give, and the statements that
/// checks have of their own. Whoever runs checks uses this: the daemon's collector and the command line.
class CheckRun {
 public:
  struct Setup {
    std::string source;  // the configured name, for results and for the history
    sql::SqlSource& session;
    core::MeasurementHistory* history = nullptr;  // without one no load is known but the present
    SourceByName other = {};
    core::KeyedTexts* texts = nullptr;  // without it nothing is known of the last run
    ScanKeeper* keeper = nullptr;       // of the same datasets, run after run; without it everything is read
    /// Whether a check failed the last time already: then no sample of its rows is taken. Without it, of each that
    /// fails.
    std::function<bool(const std::string& dataset, const std::string& check)> was_failing = {};
  };

  explicit CheckRun(Setup setup) : setup_(std::move(setup)) {}

  /// Begins with the dataset at `first` and goes round. An error means that the source cannot be reached, or was
  /// lost before anything was seen.
  core::Result<RunResult> run(std::span<const Dataset> datasets, core::Time now, const sql::QueryLimits& limits,
                              std::size_t first = 0);

 private:
  /// A measurement that may enter the history, unless another check of its metric objects.
  struct Candidate {
    std::optional<core::Measurement> measurement;
    std::string metric;
  };
  using Answers = std::vector<std::pair<Statement, core::Result<sql::Table>>>;
  /// All that belongs to one dataset's turn.
  struct Turn {
    const Dataset& dataset;
    Session session;
    const sql::QueryLimits& limits;
    core::Time now;
    DatasetRun& seen;
    Scan scan = {};
    std::optional<core::Time> load = std::nullopt;
    Answers answers = {};
    std::map<std::string, Candidate> candidates = {};  // by the key of the history
    std::set<std::string> flagged = {};                // metrics that a check with a threshold of its own objects to
  };

  core::Result<std::vector<Dataset>> expand(std::span<const Dataset> datasets, const sql::QueryLimits& limits,
                                            RunResult& result);
  core::Result<void> check_dataset(Turn& turn);
  void check_one(Turn& turn, const Check& check);
  core::Result<std::vector<core::Result<sql::Table>>> ask(Turn& turn, const Check& check);
  core::Result<sql::Table> query(Turn& turn, const Statement& statement);
  Observed observe(Turn& turn, const Check& check, std::span<const core::Result<sql::Table>> answers);
  core::Result<Verdict> judge_with_history(Turn& turn, const Check& check, Findings findings);
  core::Result<Verdict> judge_with_text(Turn& turn, const Check& check, Findings findings);
  void settle_approximations(Turn& turn, const Check& check);
  void tell_how(const Turn& turn, const Check& check, CheckResult& result) const;
  void take_sample(Turn& turn, const Check& check, Observed& observed);
  void observe_groups(const Check& check, const Findings& findings, Observed& observed) const;
  void remember(Turn& turn);
  Observed blank(const Dataset& dataset, const Check& check) const;
  Observed refused(const Dataset& dataset, const Check& check, const core::Error& error) const;
  void all_unknown(const Dataset& dataset, const core::Error& error, DatasetRun& seen) const;

  Setup setup_;
};

}  // namespace weir::quality
