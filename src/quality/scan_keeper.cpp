#include "quality/scan_keeper.h"

#include <algorithm>
#include <fmt/format.h>

#include "quality/scan.h"

namespace weir::quality {
namespace {

constexpr core::Duration kMostReuse = std::chrono::hours(1);  // then it is read again, whatever the counters say

std::string plan_id(const Dataset& dataset, std::span<const Aggregate> aggregates) {
  std::string id = dataset.where;
  for (const Aggregate& aggregate : aggregates) id += "\n" + aggregate.sql;
  if (dataset.incremental) {
    id += fmt::format("\n{} {}", dataset.incremental->column, dataset.incremental->lateness.count());
  }
  return id;
}

bool is_reusable(const Dataset& dataset, std::span<const Aggregate> aggregates) {
  return is_stable(dataset.where) && std::ranges::all_of(aggregates, is_stable, &Aggregate::sql);
}

Observation observation_of(std::span<const Aggregate> aggregates, const sql::Row& row) {
  return Observation(ScanPlan{"", {aggregates.begin(), aggregates.end()}}, row);
}

std::optional<std::vector<Partial>> merged(std::span<const Aggregate> aggregates, const std::vector<Partial>& a,
                                           const std::vector<Partial>& b) {
  std::vector<Partial> result;
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    auto one = merged(aggregates[i], a[i], b[i]);
    if (!one) return std::nullopt;
    result.push_back(std::move(*one));
  }
  return result;
}

/// The row count comes first.
double rows_of(std::span<const Aggregate> aggregates, const std::vector<Partial>& partials) {
  return to_number(value_of(aggregates[0], partials[0])).value_or(0);
}

core::Error not_mergeable(const Dataset& dataset) {
  return {core::ErrorKind::invalid, fmt::format("{} cannot be measured incrementally: the minimum or maximum of text "
                                                "is the database's own matter",
                                                dataset.label())};
}

}  // namespace

std::optional<ScanKeeper::Kept> ScanKeeper::measure(const Dataset& dataset, std::span<const Aggregate> aggregates,
                                                    Session& session, core::Time now,
                                                    std::optional<core::Error>& problem) {
  Entry& entry = entries_[dataset.label()];
  Turn turn{dataset, aggregates, session, now, entry};
  const std::string plan = plan_id(dataset, aggregates);
  read_mark(turn);
  const bool same = entry.plan == plan && entry.mark && entry.pending && unchanged(*entry.mark, *entry.pending);
  if (same && now >= entry.measured && now - entry.measured < kMostReuse && is_reusable(dataset, aggregates)) {
    return Kept{entry.observation, entry.measured};
  }
  entry.answers.clear();
  entry.mark.reset();
  if (!dataset.incremental || !dataset.where.empty()) return std::nullopt;
  auto observation = measure_incrementally(turn);
  if (!observation) {
    problem = observation.error();
    return std::nullopt;
  }
  keep(dataset, aggregates, *observation, now);
  return Kept{std::move(*observation), std::nullopt};
}

void ScanKeeper::keep(const Dataset& dataset, std::span<const Aggregate> aggregates, const Observation& observation,
                      core::Time now) {
  Entry& entry = entries_[dataset.label()];
  entry.plan = plan_id(dataset, aggregates);
  entry.mark = std::move(entry.pending);
  entry.pending.reset();
  entry.observation = observation;
  entry.measured = now;
}

const sql::Table* ScanKeeper::answer(const Dataset& dataset, const Statement& statement) const {
  const auto entry = entries_.find(dataset.label());
  if (entry == entries_.end() || !statement.own_table) return nullptr;
  const auto known = std::ranges::find(entry->second.answers, statement, &std::pair<Statement, sql::Table>::first);
  return known == entry->second.answers.end() ? nullptr : &known->second;
}

void ScanKeeper::keep_answer(const Dataset& dataset, const Statement& statement, const sql::Table& table) {
  constexpr std::size_t kMostRows = 10;
  if (!statement.own_table || table.rows.size() > kMostRows) return;
  entries_[dataset.label()].answers.emplace_back(statement, table);
}

/// The delay first: what was committed after it was read is not claimed to be unwritten.
void ScanKeeper::read_mark(Turn& turn) const {
  turn.entry.pending.reset();
  const auto counters = turn.session.dialect().change_counters(turn.dataset.table);
  if (!counters) return;
  const auto delay = turn.session.dialect().counter_delay();
  const auto late = delay ? turn.session.query(*delay) : core::Result<sql::Table>();
  const auto counted = turn.session.query(*counters);
  if (counted) turn.counters = *counted;
  turn.entry.pending = write_mark(counted, delay ? &late : nullptr);
}

core::Result<Observation> ScanKeeper::measure_incrementally(Turn& turn) {
  std::vector<Aggregate> merging;
  std::vector<Aggregate> others;
  for (const Aggregate& each : turn.aggregates) (each.merge == Merge::none ? others : merging).push_back(each);
  const std::string plan = plan_id(turn.dataset, merging);
  std::optional<IncrementalState>& state = turn.entry.state;
  if (!state && texts_ != nullptr && !std::exchange(turn.entry.asked_texts, true)) {
    // What cannot be read is measured in full, and kept anew.
    if (const auto text = texts_->text(key(turn.dataset)); text && *text) state = state_from_text(**text);
  }
  const bool usable = state && state->plan == plan && state->base.size() == merging.size() &&
                      turn.now >= state->reconciled &&
                      turn.now - state->reconciled < turn.dataset.incremental->reconcile &&
                      frontier_at(turn.now, *turn.dataset.incremental) >= state->frontier;
  core::Error error;
  auto total = usable ? from_state(turn, merging, error) : std::nullopt;
  if (!total) {
    auto full = in_full(turn, merging, plan);
    if (!full) return std::unexpected(full.error());
    total = std::move(*full);
  }
  sql::Row row;
  for (std::size_t i = 0; i < merging.size(); ++i) row.push_back(value_of(merging[i], (*total)[i]));
  Observation observation = observation_of(merging, row);
  if (others.empty()) return observation;
  std::string list;
  for (const Aggregate& each : others) list += (list.empty() ? "" : ", ") + each.sql;
  const auto rest = turn.session.query(select(turn.dataset, list, turn.session.dialect()));
  if (!rest) return std::unexpected(rest.error());
  if (rest->rows.size() != 1 || rest->rows[0].size() != others.size()) {
    return core::fail(core::ErrorKind::invalid, fmt::format("the scan of {} gave no single row", turn.dataset.label()));
  }
  observation.add(observation_of(others, rest->rows[0]));
  return observation;
}

/// What the state and the newest rows come to; nothing when the state does not hold any more.
std::optional<std::vector<Partial>> ScanKeeper::from_state(Turn& turn, std::span<const Aggregate> merging,
                                                           core::Error& error) {
  IncrementalState& state = *turn.entry.state;
  const std::int64_t frontier = frontier_at(turn.now, *turn.dataset.incremental);
  const sql::Dialect& dialect = turn.session.dialect();
  const auto answer = turn.session.query(incremental_query(turn.dataset, merging, state.frontier, frontier, dialect));
  if (!answer) error = answer.error();
  const auto halves = answer ? read_halves(*answer, merging) : std::nullopt;
  if (!halves) return std::nullopt;
  auto base = merged(merging, state.base, halves->before);
  auto total = base ? merged(merging, *base, halves->after) : std::nullopt;
  if (!total) return std::nullopt;
  const double rows = rows_of(merging, *total);
  if (inserted(turn.counters)) {
    if (!broken_by(state, turn.counters, rows).empty()) return std::nullopt;
  } else {
    const auto counted = turn.session.query(select(turn.dataset, "count(*)", dialect));
    const auto all = counted && !counted->rows.empty() ? to_number(counted->rows[0].at(0)) : std::nullopt;
    if (!all || *all != rows) return std::nullopt;
  }
  const bool moved = state.frontier != frontier;
  state.frontier = frontier;
  state.base = std::move(*base);
  if (moved) save(turn);
  return total;
}

core::Result<std::vector<Partial>> ScanKeeper::in_full(Turn& turn, std::span<const Aggregate> merging,
                                                       const std::string& plan) {
  turn.entry.state.reset();
  const std::int64_t frontier = frontier_at(turn.now, *turn.dataset.incremental);
  const auto answer =
      turn.session.query(incremental_query(turn.dataset, merging, std::nullopt, frontier, turn.session.dialect()));
  if (!answer) return std::unexpected(answer.error());
  auto halves = read_halves(*answer, merging);
  auto total = halves ? merged(merging, halves->before, halves->after) : std::nullopt;
  if (!total) return std::unexpected(not_mergeable(turn.dataset));
  IncrementalState state;
  state.plan = plan;
  state.frontier = frontier;
  state.base = std::move(halves->before);
  state.reconciled = turn.now;
  if (const auto count = inserted(turn.counters)) {
    state.counters = turn.counters.rows[0];
    state.surplus = rows_of(merging, *total) - *count;
  }
  turn.entry.state = std::move(state);
  save(turn);
  return std::move(*total);
}

/// A state that could not be written is measured in full after a restart.
void ScanKeeper::save(const Turn& turn) const {
  if (texts_ != nullptr) (void)texts_->put_text(key(turn.dataset), state_to_text(*turn.entry.state));
}

std::string ScanKeeper::key(const Dataset& dataset) const {
  return fmt::format("incremental/{}/{}", source_, dataset.label());
}

}  // namespace weir::quality
