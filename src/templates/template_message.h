#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

#include "templates/template_data.h"
#include "templates/template_value.h"

namespace weir::templates {

/// Alertmanager's functions that Prometheus lacks: join, stringSlice, trimSpace, since, date
/// (https://prometheus.io/docs/alerting/latest/notifications/#functions). In messages only.
std::span<const DataFunction> message_functions();
/// nullptr when there is none of that name.
const DataFunction* find_message_function(std::string_view name);

/// Calls a method of Alertmanager's KV, Pairs or Alerts. Errors: invalid; not_found, when the value has no such method.
core::Result<TemplateValue> call_message_method(const TemplateValue& receiver, std::string_view name,
                                                std::span<const TemplateValue> arguments);

/// Go's []string.
TemplateValue template_texts(std::vector<std::string> texts);

/// A Go slice of any type.
TemplateValue template_list(std::string type, std::vector<TemplateValue> items);

/// A Go struct.
TemplateValue template_object(std::string type, std::map<std::string, TemplateValue, std::less<>> fields);

}  // namespace weir::templates
