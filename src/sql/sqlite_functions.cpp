#include "sql/sqlite_functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <re2/re2.h>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/dialect.h"

namespace weir::sql {
namespace {

constexpr std::size_t kMostValues = 20'000'000;

/// What an aggregate of numbers sees of its argument.
enum class Kind { number, nothing, text };

Kind kind_of(sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL: return Kind::nothing;
    case SQLITE_INTEGER:
    case SQLITE_FLOAT: return Kind::number;
    default: return Kind::text;
  }
}

/// The state of an aggregate, made on its first row; SQLite's own memory holds just the pointer.
template <class State>
State* state_of(sqlite3_context* context) {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, sizeof(State*)));
  if (slot == nullptr) return nullptr;
  if (*slot == nullptr) *slot = std::make_unique<State>().release();
  return *slot;
}

/// Its last owner; null when there was no row.
template <class State>
std::unique_ptr<State> take_state(sqlite3_context* context) {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, 0));
  return std::unique_ptr<State>(slot == nullptr ? nullptr : std::exchange(*slot, nullptr));
}

template <class State>
void step(sqlite3_context* context, int, sqlite3_value** values) {
  try {
    State* state = state_of<State>(context);
    const Kind kind = kind_of(values[0]);
    if (state == nullptr) return sqlite3_result_error_nomem(context);
    if (kind == Kind::text) state->text = true;
    if (kind == Kind::number && !state->text && !state->add(values)) sqlite3_result_error_toobig(context);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

template <class State>
void finish(sqlite3_context* context) {
  const auto state = take_state<State>(context);
  if (!state) return sqlite3_result_null(context);
  if (state->text) return sqlite3_result_text(context, "text", -1, SQLITE_STATIC);
  state->result(context);
}

struct Sum {
  bool text = false;
  bool any = false;
  bool whole = true;  // so far
  __extension__ __int128 integers = 0;
  double reals = 0;
  double lost = 0;  // what rounding took from `reals`

  bool add(sqlite3_value** values) {
    any = true;
    if (sqlite3_value_type(values[0]) == SQLITE_INTEGER) {
      integers += sqlite3_value_int64(values[0]);
      return true;
    }
    whole = false;
    const double value = sqlite3_value_double(values[0]);
    const double next = reals + value;
    lost += std::abs(reals) >= std::abs(value) ? (reals - next) + value : (value - next) + reals;
    reals = next;
    return true;
  }

  void result(sqlite3_context* context) const {
    using Limits = std::numeric_limits<std::int64_t>;
    if (!any) return sqlite3_result_null(context);
    if (whole && integers >= Limits::min() && integers <= Limits::max()) {
      return sqlite3_result_int64(context, static_cast<std::int64_t>(integers));
    }
    const double total = static_cast<double>(integers) + reals;
    // An infinity among the values makes the compensation NaN.
    sqlite3_result_double(context, std::isfinite(lost) ? total + lost : total);
  }
};

struct Moments {
  bool text = false;
  std::int64_t n = 0;
  double mean = 0;
  double squares = 0;  // of the differences from the mean

  bool add(sqlite3_value** values) {
    const double value = sqlite3_value_double(values[0]);
    const double difference = value - mean;
    mean += difference / static_cast<double>(++n);
    squares += difference * (value - mean);
    return true;
  }

  void result(sqlite3_context* context) const {
    const auto kind = *static_cast<const Deviation*>(sqlite3_user_data(context));
    const bool sample = kind == Deviation::stddev_samp || kind == Deviation::var_samp;
    const bool root = kind == Deviation::stddev_pop || kind == Deviation::stddev_samp;
    const std::int64_t freedom = sample ? n - 1 : n;
    if (freedom < 1) return sqlite3_result_null(context);
    const double variance = squares / static_cast<double>(freedom);
    sqlite3_result_double(context, root ? std::sqrt(variance) : variance);
  }
};

struct Values {
  bool text = false;
  double p = 0;
  std::vector<double> values;

  bool add(sqlite3_value** arguments) {
    p = sqlite3_value_double(arguments[1]);
    if (values.size() >= kMostValues) return false;
    values.push_back(sqlite3_value_double(arguments[0]));
    return true;
  }

  double at(std::size_t place) {
    const auto nth = values.begin() + static_cast<std::ptrdiff_t>(std::min(place, values.size() - 1));
    std::ranges::nth_element(values, nth);
    return *nth;
  }

  void result(sqlite3_context* context) {
    if (values.empty() || !(p >= 0 && p <= 1)) return sqlite3_result_null(context);
    const auto n = static_cast<double>(values.size());
    const auto method = *static_cast<const Percentile*>(sqlite3_user_data(context));
    if (method == Percentile::discrete) {
      return sqlite3_result_double(context, at(static_cast<std::size_t>(std::max(std::ceil(p * n) - 1, 0.0))));
    }
    const double place = p * (n - 1);
    const double below = at(static_cast<std::size_t>(std::floor(place)));
    const double above = at(static_cast<std::size_t>(std::ceil(place)));
    sqlite3_result_double(context, below == above ? below : below + (place - std::floor(place)) * (above - below));
  }
};

/// The pattern is a literal in what Weir writes, so it is compiled once a statement.
void matches(sqlite3_context* context, int, sqlite3_value** values) {
  const auto text_of = [](sqlite3_value* value) {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return bytes == nullptr ? std::string_view()
                            : std::string_view(bytes, static_cast<std::size_t>(sqlite3_value_bytes(value)));
  };
  if (kind_of(values[0]) == Kind::nothing || kind_of(values[1]) == Kind::nothing) return sqlite3_result_null(context);
  try {
    const auto* pattern = static_cast<const RE2*>(sqlite3_get_auxdata(context, 1));
    std::unique_ptr<RE2> compiled;
    if (pattern == nullptr) {
      RE2::Options options;
      options.set_log_errors(false);
      options.set_dot_nl(true);
      options.set_max_mem(8 << 20);
      compiled = std::make_unique<RE2>(text_of(values[1]), options);
      if (!compiled->ok()) {
        const std::string message = fmt::format("the regular expression cannot be read: {}", compiled->error());
        return sqlite3_result_error(context, message.c_str(), -1);
      }
      pattern = compiled.get();
    }
    sqlite3_result_int(context, RE2::PartialMatch(text_of(values[0]), *pattern) ? 1 : 0);
    if (compiled) {
      sqlite3_set_auxdata(context, 1, compiled.release(), [](void* kept) { delete static_cast<RE2*>(kept); });
    }
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

void session(sqlite3_context* context, int, sqlite3_value**) {
  const auto* id = static_cast<const std::string*>(sqlite3_user_data(context));
  sqlite3_result_text(context, id->c_str(), -1, SQLITE_TRANSIENT);
}

template <class State, class Option>
int add_aggregate(sqlite3* database, const char* name, int arguments, const Option& option) {
  return sqlite3_create_function_v2(database, name, arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                    const_cast<Option*>(&option), nullptr, &step<State>, &finish<State>, nullptr);
}

constexpr std::array kDeviations = {Deviation::stddev_pop, Deviation::stddev_samp, Deviation::var_pop,
                                    Deviation::var_samp};
constexpr std::array kDeviationNames = {"weir_stddev_pop", "weir_stddev_samp", "weir_var_pop", "weir_var_samp"};
constexpr std::array kPercentiles = {Percentile::continuous, Percentile::discrete};

}  // namespace

int add_functions(sqlite3* database) {
  constexpr int kPure = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  auto id = std::make_unique<std::string>(fmt::format("{:08x}{:08x}", std::random_device()(), std::random_device()()));
  // SQLite destroys the id even when it fails.
  int code =
      sqlite3_create_function_v2(database, "weir_session", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, id.release(), &session,
                                 nullptr, nullptr, [](void* kept) { delete static_cast<std::string*>(kept); });
  code |= sqlite3_create_function_v2(database, "weir_matches", 2, kPure, nullptr, &matches, nullptr, nullptr, nullptr);
  code |= add_aggregate<Sum>(database, "weir_sum", 1, kDeviations[0]);
  for (std::size_t i = 0; i < kDeviations.size(); ++i) {
    code |= add_aggregate<Moments>(database, kDeviationNames[i], 1, kDeviations[i]);
  }
  code |= add_aggregate<Values>(database, "weir_percentile_cont", 2, kPercentiles[0]);
  code |= add_aggregate<Values>(database, "weir_percentile_disc", 2, kPercentiles[1]);
  return code == SQLITE_OK ? SQLITE_OK : SQLITE_ERROR;
}

}  // namespace weir::sql
