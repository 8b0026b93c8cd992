#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "rules/template_tree.h"

namespace weir::rules {

/// Functions a template may call: Prometheus's and Go's own that neither query nor iterate.
bool is_template_function(std::string_view name);
std::vector<std::string> template_function_names();

/// Calls one. Errors: invalid, worded after Go's (wrong number or type of arguments).
core::Result<TemplateValue> call_template_function(std::string_view name, std::span<const TemplateValue> arguments);

/// Go's truth: not the zero value of its type.
bool template_truth(const TemplateValue& value);

/// What Go prints for `{{ value }}`, its %v.
std::string template_text(const TemplateValue& value);

/// Go's type name: "float64", "string", "map[string]string" …
std::string_view template_type(const TemplateValue& value);

/// Go's fmt.Sprintf for the verbs v d s q f F e E g G x X t c %% with flags, width and precision; what does not fit
/// comes out as Go writes it: `%!d(string=x)`, `%!s(MISSING)`, `%!(EXTRA int=1)`.
std::string go_sprintf(std::string_view format, std::span<const TemplateValue> arguments);

/// Go's strconv.FormatFloat(value, 'g', -1, 64): the shortest that reads back the same.
std::string go_float(double value);

}  // namespace weir::rules
