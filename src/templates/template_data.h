#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/error.h"
#include "core/time.h"

#include "templates/template_tree.h"

namespace weir::templates {

/// A function over samples, lists, times or what surrounds the text.
struct DataFunction {
  std::string_view name;
  std::size_t least;
  std::size_t most;
  core::Result<TemplateValue> (*call)(std::span<const TemplateValue> arguments, const TemplateData& data);
};

std::span<const DataFunction> data_functions();
/// nullptr when there is none of that name.
const DataFunction* find_data_function(std::string_view name);

/// Prometheus's convertToFloat: numbers, durations in seconds, and text that holds a number.
core::Result<double> template_number(const TemplateValue& value);

/// About the bytes that its text takes; bounds what a loop can heap up.
std::size_t template_weight(const TemplateValue& value);

/// Errors: invalid, for a time that nanoseconds since 1970 cannot hold.
core::Result<core::Time> template_time(double seconds);

}  // namespace weir::templates
