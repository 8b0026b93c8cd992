#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

#include "templates/template_tree.h"

namespace weir::templates {

/// Functions a template may call: Prometheus's and Go's own but `call`; in messages Alertmanager's too.
bool is_template_function(std::string_view name, TemplateUse use);
std::vector<std::string> template_function_names(TemplateUse use);

/// Calls one. Errors: invalid, worded after Go's (wrong number or type of arguments); those of the query.
core::Result<TemplateValue> call_template_function(std::string_view name, std::span<const TemplateValue> arguments,
                                                   const TemplateData& data);

/// Calls a method of a time or a duration (those of Go's time.Time and time.Duration that a text has a use for; months
/// and weekdays are their names), or of Alertmanager's KV, Pairs and Alerts. Errors: invalid, worded after Go's.
core::Result<TemplateValue> call_template_method(const TemplateValue& receiver, std::string_view name,
                                                 std::span<const TemplateValue> arguments);

/// What a range goes over, with keys: samples, labels, fields in the order of names, or the numbers below one. Errors:
/// invalid for what cannot be iterated over; limit for more than `most` items.
core::Result<std::vector<std::pair<TemplateValue, TemplateValue>>> template_items(const TemplateValue& value,
                                                                                  std::size_t most);

/// Go's truth: not the zero value of its type.
bool template_truth(const TemplateValue& value);

/// What Go prints for `{{ value }}`, its %v.
std::string template_text(const TemplateValue& value);

/// As Go's html/template escapes a text; without `plus` as its function html does, which leaves + as it is.
std::string html_escaped(std::string_view text, bool plus = true);

/// Go's type name: "float64", "string", "map[string]string" …
std::string_view template_type(const TemplateValue& value);

/// Go's fmt.Sprintf for the verbs v d s q f F e E g G x X t c %% with flags, width and precision; what does not fit
/// comes out as Go writes it: `%!d(string=x)`, `%!s(MISSING)`, `%!(EXTRA int=1)`.
std::string go_sprintf(std::string_view format, std::span<const TemplateValue> arguments);

/// Go's strconv.FormatFloat(value, 'g', -1, 64): the shortest that reads back the same.
std::string go_float(double value);

}  // namespace weir::templates
