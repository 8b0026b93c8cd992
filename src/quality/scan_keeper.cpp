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

bool is_reusable(const Dataset& dataset, std::span<const Aggregate> aggregates, std::string_view engine) {
  return is_stable(dataset.where, engine) && std::ranges::all_of(aggregates, [engine](const Aggregate& each) {
           return is_stable(each.merge == Merge::sketch ? each.of : each.sql, engine);
         });
}

std::string approximate() { return fmt::format("approximate, within {}%", Sketch::kRelativeError * 100); }

/// "" when there is no such column. Some engines do not mind its case.
std::string type_of(const sql::Table& columns, std::string_view name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  for (const sql::Row& row : columns.rows) {
    const auto* column = row.size() < 2 ? nullptr : std::get_if<std::string>(&row[0]);
    const auto* type = row.size() < 2 ? nullptr : std::get_if<std::string>(&row[1]);
    if (column != nullptr && type != nullptr && std::ranges::equal(*column, name, same)) return *type;
  }
  return "";
}

/// Takes out the percentiles that turned out not to be sketched.
void drop_exact(const std::map<std::string, std::string>& exact, std::span<const Aggregate> aggregates,
                Halves& halves) {
  Halves kept;
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    if (aggregates[i].merge == Merge::sketch && exact.contains(aggregates[i].of)) continue;
    kept.before.push_back(std::move(halves.before[i]));
    kept.after.push_back(std::move(halves.after[i]));
  }
  halves = std::move(kept);
}

/// The sketches by what they are of, in the places of their aggregates.
void set_sketches(std::span<const Aggregate> aggregates, const std::map<std::string, SketchHalves>& sketches,
                  Halves& halves) {
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    if (aggregates[i].merge != Merge::sketch) continue;
    const SketchHalves& own = sketches.at(aggregates[i].of);
    halves.before[i].sketch = own.before;
    halves.after[i].sketch = own.after;
  }
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
  if (same && now >= entry.measured && now - entry.measured < kMostReuse &&
      is_reusable(dataset, aggregates, session.dialect().name())) {
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

ScanKeeper::Split ScanKeeper::split(const Turn& turn) {
  Split split;
  for (const Aggregate& each : turn.aggregates) {
    const bool merges = each.merge != Merge::none && !each.moves &&
                        !(each.merge == Merge::sketch && turn.entry.exact.contains(each.of));
    (merges ? split.merging : split.whole).push_back(each);
  }
  return split;
}

core::Result<Observation> ScanKeeper::measure_incrementally(Turn& turn) {
  std::optional<IncrementalState>& state = turn.entry.state;
  if (!state && texts_ != nullptr && !std::exchange(turn.entry.asked_texts, true)) {
    // What cannot be read is measured in full, and kept anew.
    if (const auto text = texts_->text(key(turn.dataset)); text && *text) state = state_from_text(**text);
  }
  Split parts = split(turn);
  const bool usable = state && state->plan == plan_id(turn.dataset, parts.merging) &&
                      state->base.size() == parts.merging.size() && turn.now >= state->reconciled &&
                      turn.now - state->reconciled < turn.dataset.incremental->reconcile &&
                      frontier_at(turn.now, *turn.dataset.incremental) >= state->frontier;
  auto total = usable ? from_state(turn, parts.merging) : std::nullopt;
  if (!total) {
    turn.entry.exact.clear();
    parts = split(turn);
    auto full = in_full(turn, parts);
    if (!full) return std::unexpected(full.error());
    total = std::move(*full);
  }
  sql::Row row;
  std::vector<Aggregate> told;
  for (std::size_t i = 0; i < parts.merging.size(); ++i) {
    const Aggregate& aggregate = parts.merging[i];
    const Sketch& sketch = (*total)[i].sketch;
    if (aggregate.merge == Merge::sketch && !sketch.empty() && !sketch.quantile(aggregate.fraction)) {
      parts.whole.push_back(aggregate);  // it lies among what was collapsed
      continue;
    }
    told.push_back(aggregate);
    row.push_back(value_of(aggregate, (*total)[i]));
  }
  Observation observation = observation_of(told, row);
  for (const Aggregate& each : told) {
    if (each.merge == Merge::sketch) observation.set_way(each.sql, {Sketch::kRelativeError, approximate()});
  }
  if (auto measured = measure_whole(turn, parts.whole, observation); !measured) {
    return std::unexpected(measured.error());
  }
  return observation;
}

/// Those of one pass together, others by their own queries.
core::Result<void> ScanKeeper::measure_whole(Turn& turn, std::span<const Aggregate> whole,
                                             Observation& observation) const {
  std::string list;
  std::vector<Aggregate> together;
  std::vector<ScanPlan> plans;
  for (const Aggregate& each : whole) {
    if (each.alone) {
      plans.push_back({each.sql, {each}});
    } else {
      list += (list.empty() ? "" : ", ") + each.sql;
      together.push_back(each);
    }
    if (each.merge != Merge::sketch) continue;
    const auto known = turn.entry.exact.find(each.of);
    const std::string why = known != turn.entry.exact.end() ? known->second
                            : each.moves                    ? "its filter may move with time"
                                                            : "its values spread too far for a sketch";
    observation.set_way(each.sql, {0, "read in full, since " + why});
  }
  if (!together.empty()) plans.push_back({select(turn.dataset, list, turn.session.dialect()), std::move(together)});
  for (const ScanPlan& plan : plans) {
    const auto answer = turn.session.query(plan.sql);
    if (!answer) return std::unexpected(answer.error());
    if (answer->rows.size() != 1 || answer->rows[0].size() != plan.aggregates.size()) {
      return core::fail(core::ErrorKind::invalid,
                        fmt::format("the scan of {} gave no single row", turn.dataset.label()));
    }
    observation.add(Observation(plan, answer->rows[0]));
  }
  return {};
}

/// Nothing for values that are in no bin.
core::Result<std::optional<SketchHalves>> ScanKeeper::sketch(Turn& turn, const Aggregate& aggregate,
                                                             std::optional<std::int64_t> from, std::int64_t to) const {
  Statement statement;
  statement.sql = sketch_query(turn.dataset, aggregate, from, to, turn.session.dialect());
  statement.rows = Sketch::kMostAnswer;
  const auto answer = turn.session.query(statement);
  if (!answer) return std::unexpected(answer.error());
  return read_sketches(*answer);
}

/// The sketches of the whole table; what cannot be sketched is noted, to be read in full until the next time.
core::Result<ScanKeeper::Sketches> ScanKeeper::sketch_all(Turn& turn, std::int64_t to) const {
  Sketches sketches;
  std::optional<core::Result<sql::Table>> columns;
  std::map<std::string, std::string>& exact = turn.entry.exact;
  for (const Aggregate& each : turn.aggregates) {
    if (each.merge != Merge::sketch || sketches.contains(each.of) || exact.contains(each.of)) continue;
    if (!each.number && !columns) {
      columns = turn.session.query(turn.session.dialect().columns_of(turn.dataset.table));
    }
    if (!each.number && !*columns) return std::unexpected(columns->error());
    if (const std::string type = each.number ? "" : type_of(**columns, each.column);
        !each.number && !is_number_type(type)) {
      exact[each.of] = fmt::format("{} is of type {}, none of numbers", each.column, type.empty() ? "unknown" : type);
      continue;
    }
    auto halves = sketch(turn, each, std::nullopt, to);
    if (halves && *halves) {
      sketches.emplace(each.of, std::move(**halves));
    } else if (halves) {
      exact[each.of] = each.column + " holds infinity, or what is no number";
    } else if (is_definite(halves.error()) || halves.error().kind == core::ErrorKind::limit) {
      exact[each.of] = "it cannot be sketched: " + halves.error().message;
    } else {
      return std::unexpected(halves.error());
    }
  }
  return sketches;
}

/// What the state and the newest rows come to; nothing when the state does not hold any more.
std::optional<std::vector<Partial>> ScanKeeper::from_state(Turn& turn, std::span<const Aggregate> merging) {
  IncrementalState& state = *turn.entry.state;
  const std::int64_t frontier = frontier_at(turn.now, *turn.dataset.incremental);
  const sql::Dialect& dialect = turn.session.dialect();
  const auto answer = turn.session.query(incremental_query(turn.dataset, merging, state.frontier, frontier, dialect));
  auto halves = answer ? read_halves(*answer, merging) : std::nullopt;
  if (!halves) return std::nullopt;
  Sketches sketches;
  for (const Aggregate& each : merging) {
    if (each.merge != Merge::sketch || sketches.contains(each.of)) continue;
    auto newest = sketch(turn, each, state.frontier, frontier);
    if (!newest || !*newest) return std::nullopt;
    sketches.emplace(each.of, std::move(**newest));
  }
  set_sketches(merging, sketches, *halves);
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

core::Result<std::vector<Partial>> ScanKeeper::in_full(Turn& turn, Split& parts) {
  turn.entry.state.reset();
  const std::int64_t frontier = frontier_at(turn.now, *turn.dataset.incremental);
  const auto answer = turn.session.query(
      incremental_query(turn.dataset, parts.merging, std::nullopt, frontier, turn.session.dialect()));
  if (!answer) return std::unexpected(answer.error());
  auto halves = read_halves(*answer, parts.merging);
  // After the rows were counted: an old row that comes meanwhile is missed by the count, which the guard notices.
  const auto sketches = sketch_all(turn, frontier);
  if (!sketches) return std::unexpected(sketches.error());
  if (halves) drop_exact(turn.entry.exact, parts.merging, *halves);
  parts = split(turn);
  const std::vector<Aggregate>& merging = parts.merging;
  if (halves) set_sketches(merging, *sketches, *halves);
  auto total = halves ? merged(merging, halves->before, halves->after) : std::nullopt;
  if (!total) return std::unexpected(not_mergeable(turn.dataset));
  IncrementalState state;
  state.plan = plan_id(turn.dataset, merging);
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
