#include "quality/incremental.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "quality/judge.h"

namespace weir::quality {
namespace {

using sql::Value;

bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }

std::optional<Value> sum(const Value& a, const Value& b) {
  if (is_null(a)) return b;
  if (is_null(b)) return a;
  const auto* x = std::get_if<std::int64_t>(&a);
  const auto* y = std::get_if<std::int64_t>(&b);
  std::int64_t whole = 0;
  if (x != nullptr && y != nullptr && !__builtin_add_overflow(*x, *y, &whole)) return whole;
  const auto left = to_number(a);
  const auto right = to_number(b);
  if (!left || !right) return std::nullopt;
  return *left + *right;
}

/// NaN is above every number, as PostgreSQL orders them.
bool above(double a, double b) { return std::isnan(a) ? !std::isnan(b) : a > b; }

std::optional<Value> extreme(const Value& a, const Value& b, bool greatest) {
  if (is_null(a)) return b;
  if (is_null(b)) return a;
  const auto* t = std::get_if<core::Time>(&a);
  const auto* u = std::get_if<core::Time>(&b);
  if (t != nullptr && u != nullptr) return (*t > *u) == greatest ? a : b;
  if (a == b) return a;
  const auto x = to_number(a);
  const auto y = to_number(b);
  if (!x || !y) return std::nullopt;
  return above(*x, *y) == greatest ? a : b;
}

std::size_t parts_of(const Aggregate& aggregate) {
  if (aggregate.merge == Merge::sketch) return 0;
  if (aggregate.merge == Merge::mean) return 2;
  const bool deviation = aggregate.merge == Merge::stddev_pop || aggregate.merge == Merge::stddev_samp ||
                         aggregate.merge == Merge::var_pop || aggregate.merge == Merge::var_samp;
  return deviation ? 3 : 1;
}

std::string parts(const Aggregate& aggregate, const sql::Dialect& dialect) {
  if (parts_of(aggregate) == 1) return aggregate.sql;
  std::string list = fmt::format("count({}), {}", aggregate.of, dialect.average(aggregate.of));
  if (parts_of(aggregate) == 3) list += ", " + dialect.deviation(sql::Deviation::var_pop, aggregate.of);
  return list;
}

/// Nothing when the parts are no numbers.
std::optional<Partial> read_partial(std::span<const Value> values) {
  Partial partial;
  if (values.empty()) return partial;
  if (values.size() == 1) {
    partial.value = values[0];
    return partial;
  }
  const auto n = to_number(values[0]);
  if (!n || *n < 0) return std::nullopt;
  partial.moments.n = *n;
  if (*n == 0) return partial;
  const auto mean = to_number(values[1]);
  const auto variance = values.size() == 3 ? to_number(values[2]) : std::optional(0.0);
  if (!mean || !variance) return std::nullopt;
  partial.moments.mean = *mean;
  partial.moments.m2 = *variance * *n;
  return partial;
}

class Writer {
 public:
  void word(std::string_view text) { text_ += fmt::format("{}:{}\n", text.size(), text); }
  void number(double number) { text_ += fmt::format("{}\n", number); }
  void whole(std::int64_t number) { text_ += fmt::format("{}\n", number); }
  void value(const Value& value) {
    whole(static_cast<std::int64_t>(value.index()));
    if (const auto* i = std::get_if<std::int64_t>(&value)) whole(*i);
    if (const auto* d = std::get_if<double>(&value)) number(*d);
    if (const auto* s = std::get_if<std::string>(&value)) word(*s);
    if (const auto* t = std::get_if<core::Time>(&value)) whole(t->time_since_epoch().count());
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Reads what Writer wrote; `ok` turns false at the first thing that is not as it should be.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool ok = true;
  bool done() const { return text_.empty(); }

  std::string word() {
    const std::size_t size = static_cast<std::size_t>(read<std::int64_t>(':'));
    if (!ok || size >= text_.size() || text_[size] != '\n') return fail<std::string>();
    std::string word(text_.substr(0, size));
    text_.remove_prefix(size + 1);
    return word;
  }
  double number() { return read<double>('\n'); }
  std::int64_t whole() { return read<std::int64_t>('\n'); }
  std::size_t count() {
    const std::int64_t count = whole();
    return count < 0 || static_cast<std::size_t>(count) > text_.size() ? fail<std::size_t>()
                                                                       : static_cast<std::size_t>(count);
  }
  Value value() {
    switch (whole()) {
      case 0: return std::monostate{};
      case 1: return whole();
      case 2: return number();
      case 3: return word();
      case 4: return core::Time(core::Duration(whole()));
      default: return fail<std::monostate>();
    }
  }

 private:
  template <class T>
  T fail() {
    ok = false;
    text_ = {};
    return T{};
  }
  template <class T>
  T read(char end) {
    T number{};
    const std::size_t stop = text_.find(end);
    if (stop == std::string_view::npos) return fail<T>();
    const auto [rest, failed] = std::from_chars(text_.data(), text_.data() + stop, number);
    if (failed != std::errc() || rest != text_.data() + stop) return fail<T>();
    text_.remove_prefix(stop + 1);
    return number;
  }

  std::string_view text_;
};

constexpr std::string_view kForm = "incremental 2";

bool grows(std::string_view counter) { return counter == "inserted" || counter == "bytes"; }

}  // namespace

Moments merged(const Moments& a, const Moments& b) {
  if (a.n == 0) return b;
  if (b.n == 0) return a;
  const double n = a.n + b.n;
  const double delta = b.mean - a.mean;
  return {n, a.mean + delta * b.n / n, a.m2 + b.m2 + delta * delta * a.n * b.n / n};
}

std::optional<Partial> merged(const Aggregate& aggregate, const Partial& a, const Partial& b) {
  if (aggregate.merge == Merge::sketch) {
    Partial both{{}, {}, a.sketch};
    both.sketch.merge(b.sketch);
    return both;
  }
  if (parts_of(aggregate) > 1) return Partial{{}, merged(a.moments, b.moments)};
  const auto value = aggregate.merge == Merge::sum || aggregate.merge == Merge::count
                         ? sum(a.value, b.value)
                         : extreme(a.value, b.value, aggregate.merge == Merge::greatest);
  if (!value) return std::nullopt;
  return Partial{*value, {}};
}

Value value_of(const Aggregate& aggregate, const Partial& partial) {
  const Moments& moments = partial.moments;
  const bool sample = aggregate.merge == Merge::stddev_samp || aggregate.merge == Merge::var_samp;
  const bool root = aggregate.merge == Merge::stddev_samp || aggregate.merge == Merge::stddev_pop;
  if (aggregate.merge == Merge::count && is_null(partial.value)) return std::int64_t{0};
  if (aggregate.merge == Merge::sketch) {
    const auto quantile = partial.sketch.quantile(aggregate.fraction);
    return quantile ? Value(*quantile) : Value();
  }
  if (parts_of(aggregate) == 1) return partial.value;
  if (moments.n == 0) return std::monostate{};
  if (aggregate.merge == Merge::mean) return moments.mean;
  if (sample && moments.n < 2) return std::monostate{};
  const double variance = moments.m2 / (moments.n - (sample ? 1 : 0));
  return root ? std::sqrt(variance) : variance;
}

IncrementalSettings read_incremental(const config::Node& node, const std::string& what,
                                     config::Diagnostics& diagnostics) {
  using namespace std::chrono_literals;
  IncrementalSettings settings;
  config::MapReader reader(node, diagnostics, what + ": \"incremental\"");
  settings.column = reader.required_text("column");
  settings.lateness = reader.duration("lateness", settings.lateness);
  settings.reconcile = reader.duration("reconcile", settings.reconcile);
  const std::string percentiles = reader.text("percentiles", "approximate");
  settings.exact_percentiles = percentiles == "exact";
  if (percentiles != "exact" && percentiles != "approximate") {
    reader.error("percentiles", "must be approximate or exact");
  }
  if (settings.lateness < 1min || settings.lateness > 24h * 400) reader.error("lateness", "must be from 1m to 400d");
  if (settings.reconcile < 1min || settings.reconcile > 24h * 31) reader.error("reconcile", "must be from 1m to 31d");
  reader.finish();
  return settings;
}

std::int64_t frontier_at(core::Time now, const IncrementalSettings& settings) {
  const auto edge = std::chrono::floor<std::chrono::seconds>(now - settings.lateness).time_since_epoch().count();
  const auto step =
      std::max<std::int64_t>(60, std::chrono::duration_cast<std::chrono::seconds>(settings.lateness).count() / 4);
  return edge - ((edge % step) + step) % step;
}

std::string half_of(const Dataset& dataset, std::int64_t to, const sql::Dialect& dialect) {
  const std::string column = dialect.identifier(dataset.incremental->column);
  return fmt::format("CASE WHEN {} THEN 0 ELSE 1 END", dialect.before(column, core::Time(std::chrono::seconds(to))));
}

std::string from_on(const Dataset& dataset, std::int64_t from, const sql::Dialect& dialect) {
  const std::string column = dialect.identifier(dataset.incremental->column);
  return fmt::format("({} OR {} IS NULL)", dialect.at_or_after(column, core::Time(std::chrono::seconds(from))), column);
}

std::string incremental_query(const Dataset& dataset, std::span<const Aggregate> aggregates,
                              std::optional<std::int64_t> from, std::int64_t to, const sql::Dialect& dialect) {
  const std::string half = half_of(dataset, to, dialect);
  std::string list = half;
  for (const Aggregate& aggregate : aggregates) {
    if (parts_of(aggregate) > 0) list += ", " + parts(aggregate, dialect);
  }
  std::string sql = fmt::format("SELECT {} FROM {}", list, dialect.table(dataset.table));
  if (from) sql += " WHERE " + from_on(dataset, *from, dialect);
  return sql + " GROUP BY " + half;
}

std::optional<Halves> read_halves(const sql::Table& answer, std::span<const Aggregate> aggregates) {
  Halves halves{std::vector<Partial>(aggregates.size()), std::vector<Partial>(aggregates.size())};
  for (const sql::Row& row : answer.rows) {
    const auto which = row.empty() ? std::nullopt : to_number(row[0]);
    if (!which || (*which != 0 && *which != 1)) return std::nullopt;
    std::size_t at = 1;
    for (std::size_t i = 0; i < aggregates.size(); ++i) {
      const std::size_t count = parts_of(aggregates[i]);
      if (at + count > row.size()) return std::nullopt;
      const auto partial = read_partial(std::span(row).subspan(at, count));
      if (!partial) return std::nullopt;
      (*which == 0 ? halves.before : halves.after)[i] = *partial;
      at += count;
    }
    if (at != row.size()) return std::nullopt;
  }
  return halves;
}

std::optional<double> inserted(const sql::Table& counters) {
  if (counters.rows.size() != 1) return std::nullopt;
  for (std::size_t i = 0; i < counters.columns.size() && i < counters.rows[0].size(); ++i) {
    if (counters.columns[i] != "inserted") continue;
    const Value& value = counters.rows[0][i];
    if (const auto number = to_number(value)) return number;
    const auto* text = std::get_if<std::string>(&value);
    double number = 0;
    if (text == nullptr) return std::nullopt;
    const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (failed == std::errc() && end == text->data() + text->size()) return number;
  }
  return std::nullopt;
}

std::string broken_by(const IncrementalState& state, const sql::Table& now, double rows) {
  const auto count = inserted(now);
  if (!count) return "the table has no counters of what is inserted";
  const sql::Row& counters = now.rows[0];
  if (counters.size() != state.counters.size() || counters.size() != now.columns.size()) {
    return "the table's counters are others";
  }
  for (std::size_t i = 0; i < counters.size(); ++i) {
    if (counters[i] == state.counters[i] || grows(now.columns[i])) continue;
    return fmt::format("\"{}\" of the table's counters changed", now.columns[i]);
  }
  // The counters may lag behind the rows, never run ahead of them: then rows are missing here.
  return rows - *count < state.surplus ? "rows were inserted with an old time" : "";
}

std::string state_to_text(const IncrementalState& state) {
  Writer out;
  out.word(kForm);
  out.word(state.plan);
  out.whole(state.frontier);
  out.number(state.surplus);
  out.whole(state.reconciled.time_since_epoch().count());
  out.whole(static_cast<std::int64_t>(state.counters.size()));
  for (const Value& value : state.counters) out.value(value);
  out.whole(static_cast<std::int64_t>(state.base.size()));
  for (const Partial& partial : state.base) {
    out.value(partial.value);
    for (const double number : {partial.moments.n, partial.moments.mean, partial.moments.m2}) out.number(number);
    out.whole(partial.sketch.collapsed() ? 1 : 0);
    out.whole(static_cast<std::int64_t>(partial.sketch.bins().size()));
    for (const auto& [place, count] : partial.sketch.bins()) {
      out.whole(place);
      out.whole(count);
    }
  }
  return out.take();
}

std::optional<IncrementalState> state_from_text(std::string_view text) {
  Reader in(text);
  if (in.word() != kForm) return std::nullopt;
  IncrementalState state;
  state.plan = in.word();
  state.frontier = in.whole();
  state.surplus = in.number();
  state.reconciled = core::Time(core::Duration(in.whole()));
  for (std::size_t left = in.count(); left > 0 && in.ok; --left) state.counters.push_back(in.value());
  for (std::size_t left = in.count(); left > 0 && in.ok; --left) {
    Partial partial{in.value(), {}};
    for (double* number : {&partial.moments.n, &partial.moments.mean, &partial.moments.m2}) *number = in.number();
    const bool collapsed = in.whole() != 0;
    std::vector<std::pair<std::int32_t, std::int64_t>> bins;
    for (std::size_t bin = in.count(); bin > 0 && in.ok; --bin) {
      const std::int64_t place = in.whole();
      bins.emplace_back(static_cast<std::int32_t>(std::clamp<std::int64_t>(place, INT32_MIN, INT32_MAX)), in.whole());
    }
    auto sketch = Sketch::of(std::move(bins), collapsed);
    if (!sketch) return std::nullopt;
    partial.sketch = std::move(*sketch);
    state.base.push_back(std::move(partial));
  }
  return in.ok && in.done() ? std::optional(state) : std::nullopt;
}

}  // namespace weir::quality
