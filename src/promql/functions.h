#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "promql/value.h"

namespace weir::promql {

/// What a function is given: its evaluated arguments, and when and over what it is evaluated.
struct CallContext {
  core::Time at;           // evaluation time
  core::Time range_start;  // of its range vector argument, exclusive
  core::Time range_end;    // inclusive
  std::vector<Value>& arguments;
  std::span<const core::Matcher> matchers = {};  // of a selector argument, for absent()
};

struct Function {
  std::string_view name;
  std::vector<ValueType> arguments;
  std::size_t optional = 0;  // how many of the last arguments may be left out
  bool variadic = false;     // the last argument may repeat
  ValueType result = ValueType::vector;
  core::Result<Value> (*evaluate)(CallContext& context) = nullptr;
};

/// The function of that name, or nullptr.
const Function* find_function(std::string_view name);
std::vector<std::string> function_names();

}  // namespace weir::promql
