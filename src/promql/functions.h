#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "promql/frame.h"
#include "promql/value.h"

namespace weir::promql {

/// The samples that a range selector has for one series at one step.
struct Window {
  std::span<const core::Point> points;  // at least one, ascending, within (start, end]
  core::Time start;
  core::Time end;
  core::Time at;  // of the step; differs from `end` by the selector's offset
};

/// A call with its arguments evaluated, over all steps.
struct Invocation {
  const Steps& steps;
  std::vector<Frame>& arguments;            // of scalars, vectors and, already reduced, range vectors, in order
  std::span<const std::string> texts;       // the string arguments, in order
  std::span<const core::Matcher> matchers;  // of a selector argument, for absent()
};

/// The scalar arguments of the call at one step, in order.
using Scalars = std::span<const double>;

/// A function is one of: a reduction of each window of its range vector; a map of each value of its vector; or
/// something over the whole frame, after the reduction if there is one.
struct Function {
  std::string_view name;
  std::vector<ValueType> arguments;
  std::size_t optional = 0;  // how many of the last arguments may be left out
  bool variadic = false;     // the last argument may repeat
  ValueType result = ValueType::vector;
  /// Nothing where the window does not suffice.
  std::optional<double> (*over_window)(const Window& window, Scalars scalars) = nullptr;
  /// absent() drops the element.
  double (*map)(double value, Scalars scalars) = nullptr;
  core::Result<Frame> (*over_frame)(Invocation& call) = nullptr;
  /// Refuses scalar arguments, at any step.
  core::Result<void> (*check)(Scalars scalars) = nullptr;
  bool keeps_name = false;
  bool reads_times = false;  // of a bare selector: given the samples' times, in seconds, for their values
};

/// The function of that name, or nullptr.
const Function* find_function(std::string_view name);
std::vector<std::string> function_names();
/// Why a function that Prometheus knows is not here; empty for names that it does not know either.
std::string_view why_missing(std::string_view name);

}  // namespace weir::promql
