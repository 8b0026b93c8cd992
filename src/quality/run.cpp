#include "quality/run.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "quality/planner.h"
#include "quality/sample.h"
#include "quality/scan_keeper.h"

namespace weir::quality {
namespace {

/// The source went away, or definitely refuses us: no use in asking it for the rest.
bool is_lost(const core::Error& error) {
  return error.kind == core::ErrorKind::unavailable || error.kind == core::ErrorKind::cancelled || is_definite(error);
}

/// A statement that says only what to count, in the SQL of the source that it goes to.
Statement written(Statement statement, const sql::Dialect& dialect) {
  if (statement.count_of.empty()) return statement;
  const Dataset counted{
      .table = statement.count_of, .filter = "", .where = statement.where, .checks = {}, .position = {}};
  statement.sql = select(counted, "count(*)", dialect);
  return statement;
}

/// How much of the history a change looks at. Loads that were measured while they grew have several entries each; a
/// month of hourly loads must be there for the same day of the last one.
std::size_t entries_for(const Change& change) {
  return change.same_day == Change::SameDay::no ? static_cast<std::size_t>(change.last) * 2 + 32 : 3000;
}

}  // namespace

RunReport RunResult::report() const {
  RunReport report{started, seconds, {}, statements};
  for (const DatasetRun& dataset : datasets) {
    for (const Observed& check : dataset.checks) {
      if (check.groups.empty()) {
        report.results.push_back(check.result);
      } else {
        report.results.insert(report.results.end(), check.groups.begin(), check.groups.end());
      }
    }
  }
  return report;
}

core::Result<RunResult> CheckRun::run(std::span<const Dataset> given, core::Time now, const sql::QueryLimits& limits,
                                      std::size_t first) {
  const auto begun = std::chrono::steady_clock::now();
  if (auto connected = setup_.session.connect(limits); !connected) return std::unexpected(connected.error());
  RunResult result;
  result.started = now;
  const auto expanded = expand(given, limits, result);
  if (!expanded) return std::unexpected(expanded.error());
  const std::vector<Dataset>& datasets = *expanded;
  result.datasets.resize(datasets.size());
  std::optional<core::Error> lost;
  bool seen_any = false;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    const std::size_t index = (first + i) % datasets.size();
    const Dataset& dataset = datasets[index];
    DatasetRun& seen = result.datasets[index];
    seen.label = dataset.label();
    if (lost) {
      all_unknown(dataset, *lost, seen);
      continue;
    }
    Turn turn{dataset, Session(setup_.session, limits, seen.label, result.statements), limits, now, seen};
    if (const auto checked = check_dataset(turn); !checked) {
      if (std::chrono::steady_clock::now() >= limits.deadline && !result.late) result.late = index;
      if (is_lost(checked.error())) lost = checked.error();
      all_unknown(dataset, checked.error(), seen);
    } else {
      seen_any = true;
    }
  }
  if (lost && !seen_any) return std::unexpected(*lost);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return result;
}

/// The datasets with a "for each dataset" replaced by the tables it means: its checks join those of the table's own
/// section, which go before where both have a check of one name. One that fits no table stays, and is not found.
core::Result<std::vector<Dataset>> CheckRun::expand(std::span<const Dataset> datasets, const sql::QueryLimits& limits,
                                                    RunResult& result) {
  std::vector<Dataset> expanded;
  for (const Dataset& dataset : datasets) {
    if (!dataset.for_each) expanded.push_back(dataset);
  }
  if (expanded.size() == datasets.size()) return expanded;
  Session session(setup_.session, limits, "", result.statements);
  const auto tables = session.query(session.dialect().tables());
  if (!tables) return std::unexpected(tables.error());
  for (const Dataset& dataset : datasets) {
    if (!dataset.for_each) continue;
    bool any = false;
    for (const sql::Row& row : tables->rows) {
      const auto* schema = row.size() < 4 ? nullptr : std::get_if<std::string>(&row[0]);
      const auto* name = row.size() < 4 ? nullptr : std::get_if<std::string>(&row[1]);
      if (schema == nullptr || name == nullptr) continue;
      const bool visible = to_number(row[3]).value_or(0) != 0;
      if (!dataset.for_each->fits(*schema, *name, visible)) continue;
      any = true;
      Dataset table;
      table.table = visible ? std::vector{*name} : std::vector{*schema, *name};
      table.position = dataset.position;
      const auto own = std::ranges::find(expanded, table.label(), &Dataset::label);
      Dataset& target = own == expanded.end() ? expanded.emplace_back(std::move(table)) : *own;
      for (Check& check : dataset.for_each->checks(*name)) {
        if (std::ranges::find(target.checks, check.name, &Check::name) == target.checks.end()) {
          target.checks.push_back(std::move(check));
        }
      }
    }
    if (!any) expanded.push_back(dataset);
  }
  return expanded;
}

/// An error is one without a definite answer; whatever is definite is in the turn's dataset.
core::Result<void> CheckRun::check_dataset(Turn& turn) {
  if (turn.dataset.for_each) {
    turn.seen.error = core::Error{core::ErrorKind::not_found, "no table fits the patterns under \"datasets\"", false,
                                  setup_.source + "/" + turn.seen.label};
    return {};
  }
  auto scanned = scan(turn.dataset, turn.session, setup_.keeper, turn.now);
  if (!scanned) {
    if (!is_definite(scanned.error())) return std::unexpected(scanned.error());
    // "denied" may have come from opening a new session, and then concerns no dataset.
    if (auto open = setup_.session.connect(turn.limits); !open) return std::unexpected(open.error());
    turn.seen.error = scanned.error();
    for (const Check& check : turn.dataset.checks) {
      turn.seen.checks.push_back(refused(turn.dataset, check, scanned.error()));
    }
    return {};
  }
  turn.scan = std::move(*scanned);
  turn.seen.reused = turn.scan.reused;
  turn.seen.not_incremental = turn.scan.not_incremental;
  turn.seen.row_count = turn.scan.observation.row_count();
  turn.load = load_time({turn.scan.observation, {}, turn.scan.columns, turn.dataset, turn.session.dialect(), turn.now});
  for (const Check& check : turn.dataset.checks) check_one(turn, check);
  remember(turn);
  return {};
}

void CheckRun::check_one(Turn& turn, const Check& check) {
  const auto refuse = [&](const core::Error& error) {
    turn.seen.checks.push_back(refused(turn.dataset, check, error));
    // More than was asked for is an answer, too.
    const bool definite = is_definite(error) || error.kind == core::ErrorKind::limit;
    if (!definite) turn.seen.checks.back().state = Observed::State::unknown;
  };
  const std::string impossible = check.probe->needs(turn.dataset, turn.session.dialect()).impossible;
  if (!impossible.empty()) return refuse({core::ErrorKind::invalid, impossible, false, setup_.source});
  const auto unreadable = turn.scan.unreadable.find(&check);
  if (unreadable != turn.scan.unreadable.end()) return refuse(unreadable->second);
  const auto answers = ask(turn, check);
  if (!answers && answers.error().kind == core::ErrorKind::limit && check.probe->grouped()) {
    core::Error error = answers.error();
    error.message += "; more groups than \"group_limit\" are not judged: let the query give fewer, or raise it";
    return refuse(error);
  }
  if (!answers) return refuse(answers.error());
  settle_approximations(turn, check);
  turn.seen.checks.push_back(observe(turn, check, *answers));
}

/// An approximate value that lies so near to a bound that the exact one may be judged otherwise is measured exactly.
/// When that cannot be done the approximation stands, and says what it is.
void CheckRun::settle_approximations(Turn& turn, const Check& check) {
  if (check.change || check.probe->history() > 0) return;
  for (const Aggregate& each : check.probe->needs(turn.dataset, turn.session.dialect()).aggregates) {
    Observation& observation = turn.scan.observation;
    const Observation::Way* way = observation.way(each.sql);
    const auto value = to_number(observation.value(each.sql));
    if (way == nullptr || way->relative_error == 0 || !value) continue;
    // The error is a share of the exact value, which may be the greater one.
    const double off = std::abs(*value) * way->relative_error / (1 - way->relative_error);
    const auto near = [&](const std::optional<Condition>& condition) {
      return condition && condition->has_bound_within(*value - off, *value + off);
    };
    if (!near(check.expected) && !near(check.warn_when) && !near(check.fail_when)) continue;
    Statement statement;
    statement.sql = each.alone ? each.sql : select(turn.dataset, each.sql, turn.session.dialect());
    statement.own_table = !each.moves;
    const auto exact = query(turn, statement);
    if (!exact || exact->rows.size() != 1 || exact->rows[0].empty()) continue;
    observation.set_value(each.sql, exact->rows[0][0]);
    observation.set_way(each.sql, {0, "read in full, since a threshold is near"});
  }
}

/// The answers to a check's own statements. An error of any of them is the check's.
core::Result<std::vector<core::Result<sql::Table>>> CheckRun::ask(Turn& turn, const Check& check) {
  std::vector<core::Result<sql::Table>> answers;
  for (const Statement& statement : check.probe->needs(turn.dataset, turn.session.dialect()).statements) {
    const auto known = std::ranges::find(turn.answers, statement, &Answers::value_type::first);
    if (known != turn.answers.end()) {
      answers.push_back(known->second);
    } else {
      answers.push_back(query(turn, statement));
      turn.answers.emplace_back(statement, answers.back());
    }
    if (!answers.back()) return std::unexpected(answers.back().error());
  }
  return answers;
}

core::Result<sql::Table> CheckRun::query(Turn& turn, const Statement& statement) {
  const auto proves = [&](const std::vector<std::string>& index) {
    return std::ranges::all_of(index, [&](const std::string& column) {
      return std::ranges::find(statement.unless_unique, column) != statement.unless_unique.end();
    });
  };
  if (!statement.unless_unique.empty() && std::ranges::any_of(turn.scan.unique, proves)) return sql::Table{};
  if (statement.source.empty() || statement.source == setup_.source) {
    const sql::Table* known =
        turn.scan.reused && setup_.keeper != nullptr ? setup_.keeper->answer(turn.dataset, statement) : nullptr;
    if (known != nullptr) return *known;
    auto answer = turn.session.query(written(statement, turn.session.dialect()));
    if (answer && setup_.keeper != nullptr) setup_.keeper->keep_answer(turn.dataset, statement, *answer);
    return answer;
  }
  if (!setup_.other) {
    return core::fail(core::ErrorKind::not_found, fmt::format("there is no source \"{}\"", statement.source));
  }
  const auto other = setup_.other(statement.source);
  if (!other) return std::unexpected(other.error());
  if (auto open = (*other)->connect(turn.limits); !open) return std::unexpected(open.error());
  Session session = turn.session.to(**other);
  return session.query(written(statement, session.dialect()));
}

Observed CheckRun::observe(Turn& turn, const Check& check, std::span<const core::Result<sql::Table>> answers) {
  const Findings findings{
      turn.scan.observation, answers, turn.scan.columns, turn.dataset, turn.session.dialect(), turn.now, {}, turn.load};
  Observed observed = blank(turn.dataset, check);
  observed.series = check.probe->series();
  if (!observed.series.empty()) observed.series_value = check.probe->series_value(findings);
  if (check.probe->grouped()) {
    observe_groups(check, findings, observed);
    return observed;
  }
  const auto verdict = judge_with_history(turn, check, findings);
  if (!verdict) {
    // Weir's own history cannot be read: nothing is known about the check, so its last state stands.
    observed.state = Observed::State::unknown;
    observed.error = verdict.error();
    observed.result.message = verdict.error().message;
    turn.flagged.insert(check.probe->identity());
    return observed;
  }
  observed.result.outcome = verdict->outcome;
  observed.result.value = verdict->value;
  observed.result.message = verdict->message;
  observed.problem = verdict->problem;
  tell_how(turn, check, observed.result);
  take_sample(turn, check, observed);
  observed.foresight = verdict->foresight;
  observed.result.learning = verdict->learning || (verdict->foresight && !verdict->foresight->judged);
  return observed;
}

/// What was not read just now, or not to the last digit, says so.
void CheckRun::tell_how(const Turn& turn, const Check& check, CheckResult& result) const {
  if (turn.scan.reused) {
    result.reused = true;
    result.message += fmt::format("; reused: nothing was written since {}", core::format_rfc3339(*turn.scan.reused));
  }
  for (const Aggregate& each : check.probe->needs(turn.dataset, turn.session.dialect()).aggregates) {
    const Observation::Way* way = turn.scan.observation.way(each.sql);
    if (way == nullptr) continue;
    result.relative_error = std::max(result.relative_error, way->relative_error);
    result.message += "; " + way->note;
  }
}

/// Shows some failing rows where that was asked for. That it cannot be done changes nothing about the verdict.
void CheckRun::take_sample(Turn& turn, const Check& check, Observed& observed) {
  if (check.samples.limit == 0 || observed.result.outcome != Outcome::fail) return;
  if (setup_.was_failing && setup_.was_failing(turn.seen.label, check.name)) return;
  const auto rows = check.probe->failing_rows(turn.dataset, turn.session.dialect());
  if (!rows) return;
  const auto table = turn.session.query(
      Statement{.sql = sample_query(*rows, check.samples, turn.session.dialect()), .rows = check.samples.limit});
  observed.result.sample = table ? show_sample(*table) : std::vector{"no sample: " + table.error().message};
}

/// The verdict on what was seen now beside what was seen the last time. What cannot be kept is seen the same way again.
core::Result<Verdict> CheckRun::judge_with_text(Turn& turn, const Check& check, Findings findings) {
  if (setup_.texts == nullptr) return check.probe->verdict(check, findings);
  const std::string key = fmt::format("check/{}/{}/{}", setup_.source, turn.dataset.label(), check.identity());
  const auto kept = setup_.texts->text(key);
  if (!kept) return std::unexpected(kept.error());
  if (*kept) findings.kept = **kept;
  Verdict verdict = check.probe->verdict(check, findings);
  if (verdict.keep && *verdict.keep != findings.kept) {
    if (auto put = setup_.texts->put_text(key, *verdict.keep); !put) turn.seen.not_remembered = put.error();
  }
  return verdict;
}

core::Result<Verdict> CheckRun::judge_with_history(Turn& turn, const Check& check, Findings findings) {
  if (check.probe->keeps()) return judge_with_text(turn, check, findings);
  const std::string metric = check.probe->identity();
  const std::size_t looks_back = check.probe->history();
  const bool wanted = check.change || looks_back > 0;
  const Measured measured = wanted ? check.probe->measure(findings) : Measured{};
  if (!wanted || !measured.value) {
    const Verdict verdict = check.change ? judge(check, measured) : check.probe->verdict(check, findings);
    if (verdict.outcome != Outcome::pass) turn.flagged.insert(metric);
    return verdict;
  }
  const std::string identity = fmt::format("{}/{}/{}", setup_.source, turn.dataset.label(), check.identity());
  const std::size_t entries = check.change ? entries_for(*check.change) : looks_back;
  core::Result<std::vector<core::Measurement>> history;
  if (setup_.history != nullptr) history = setup_.history->newest(identity, entries);
  if (!history) return std::unexpected(history.error());
  const Baseline before = baseline(check.change.value_or(Change{}), *measured.value, turn.load, *history, turn.now);
  findings.history = *history;
  const Verdict verdict = check.change ? judge_change(check, measured, before) : check.probe->verdict(check, findings);
  auto measurement = verdict.measurement ? verdict.measurement
                                         : to_remember(identity, verdict, *measured.value, before, turn.load, turn.now);
  if (!measurement) return verdict;
  measurement->check = identity;
  Candidate& candidate = turn.candidates[identity];
  // Of two checks that share a history the one that objects goes before.
  const bool objected = candidate.measurement && candidate.measurement->mark == core::Mark::anomalous;
  // What anomaly detection found is its own matter, whatever other checks say of the metric.
  if (!objected) candidate = {std::move(measurement), verdict.measurement ? "" : metric};
  return verdict;
}

void CheckRun::observe_groups(const Check& check, const Findings& findings, Observed& observed) const {
  observed.result.outcome = Outcome::pass;
  std::size_t bad = 0;
  for (const GroupValue& group : check.probe->groups(findings)) {
    const Verdict verdict = judge(check, group.measured);
    CheckResult result = observed.result;
    result.group = group.group;
    result.outcome = verdict.outcome;
    result.value = verdict.value;
    result.message = group.group + ": " + verdict.message;
    bad += verdict.outcome == Outcome::pass ? 0 : 1;
    if (verdict.outcome > observed.result.outcome || observed.groups.empty()) {
      observed.result.outcome = verdict.outcome;
      observed.result.message = result.message;
      observed.problem = verdict.problem;
    }
    observed.groups.push_back(std::move(result));
  }
  if (observed.groups.empty()) {
    const Verdict verdict = cannot_tell(check, "there are no groups");
    observed.result.outcome = verdict.outcome;
    observed.result.message = verdict.message;
    observed.problem = verdict.problem;
  } else if (bad > 1) {
    observed.result.message += fmt::format(" (and {} more of {} groups)", bad - 1, observed.groups.size());
  }
}

void CheckRun::remember(Turn& turn) {
  std::vector<core::Measurement> measurements;
  for (auto& [identity, candidate] : turn.candidates) {
    if (candidate.measurement && !turn.flagged.contains(candidate.metric))
      measurements.push_back(std::move(*candidate.measurement));
  }
  if (measurements.empty() || setup_.history == nullptr) return;
  // Not written now, the load is still unknown next time, and written then.
  if (auto written = setup_.history->append(measurements); !written) turn.seen.not_remembered = written.error();
}

Observed CheckRun::blank(const Dataset& dataset, const Check& check) const {
  Observed observed;
  const auto columns = check.probe->columns();
  observed.foresees = check.probe->foresees();
  observed.result.source = setup_.source;
  observed.result.dataset = dataset.label();
  observed.result.check = check.name;
  observed.result.column = columns.size() == 1 ? columns.front() : "";
  observed.result.attributes = check.attributes;
  observed.result.position = check.position;
  return observed;
}

Observed CheckRun::refused(const Dataset& dataset, const Check& check, const core::Error& error) const {
  Observed observed = blank(dataset, check);
  const Verdict verdict = cannot_tell(check, error.message);
  observed.state = Observed::State::unreadable;
  observed.result.outcome = verdict.outcome;
  observed.result.message = verdict.message;
  observed.problem = verdict.problem;
  observed.error = error;
  observed.series = check.probe->series();
  return observed;
}

void CheckRun::all_unknown(const Dataset& dataset, const core::Error& error, DatasetRun& seen) const {
  seen.error = error;
  seen.checks.clear();
  for (const Check& check : dataset.checks) {
    seen.checks.push_back(refused(dataset, check, error));
    seen.checks.back().state = Observed::State::unknown;
  }
}

}  // namespace weir::quality
