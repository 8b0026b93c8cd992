#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "core/incident.h"

namespace weir::api {

/// Core values in the shapes of src/README.md.
nlohmann::json to_json(const core::Labels& labels);
nlohmann::json to_json(const core::Alert& alert);
nlohmann::json to_json(const core::Incident& incident);
nlohmann::json to_json(const core::Node& node);
nlohmann::json to_json(const core::Reasons& reasons);
nlohmann::json to_json(const std::optional<core::Time>& time);
/// A number, or null where JSON has none for it.
nlohmann::json number_or_null(double value);
/// As text; what is not UTF-8 is replaced.
std::string dump(const nlohmann::json& value);

}  // namespace weir::api
