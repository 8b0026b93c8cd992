#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/time.h"
#include "quality/import_results.h"

// What the readers of imported results share; included by import_*.cpp only.
namespace weir::quality::import {

using Json = nlohmann::json;

/// Errors: invalid, limit. Never throws.
core::Result<Json> parse(const std::string& text, const ImportLimits& limits, std::string_view what);

/// The value under a key, or a shared null; of anything but an object null.
const Json& at(const Json& node, std::string_view key);
/// "" for anything but text.
std::string text(const Json& node, std::string_view key);
std::optional<double> number(const Json& node, std::string_view key);

core::Result<RunReport> read_dbt(const Json& root, const ImportSettings& settings);
core::Result<RunReport> read_dbt_sources(const Json& root, const ImportSettings& settings);
core::Result<RunReport> read_gx(const Json& root, const ImportSettings& settings);

/// The number of an artifact's schema, "https://schemas.getdbt.com/dbt/manifest/v12.json": 12; nothing without.
std::optional<int> schema_version(const Json& root);

/// How Weir names the table of a node of dbt's manifest. With a warehouse as that is known there, else schema.alias;
/// without one the alias, or "source.table".
std::string dbt_table(const Json& node, const ImportSettings& settings);

/// Two results of one dataset with one name: the second becomes "name (2)".
void make_names_unique(RunReport& report);

}  // namespace weir::quality::import
