#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace weir::collectors {

/// A JSON Pointer (RFC 6901) whose segments may be *, any member or element.
class JsonPointer {
 public:
  /// Errors (invalid): neither empty nor beginning with "/".
  static core::Result<JsonPointer> parse(std::string_view text);

  /// What it leads to, a * taking the first; nullptr where nothing is.
  const nlohmann::json* find(const nlohmann::json& root) const;
  /// Everything that it leads to, with the names (indexes of arrays) that the * stood for; `visit` says whether to go
  /// on.
  using Visit = std::function<bool(const nlohmann::json& value, const std::vector<std::string>& names)>;
  void each(const nlohmann::json& root, const Visit& visit) const;
  std::size_t stars() const;

 private:
  bool walk(const nlohmann::json& node, std::size_t depth, std::vector<std::string>& names, const Visit& visit) const;

  std::vector<std::string> segments_;  // "*" for any, "\\*" for a star itself
};

/// Parses at most `deepest` levels; never throws. Errors (protocol): no JSON, with what it is instead; (limit): deeper.
core::Result<nlohmann::json> parse_json(const std::string& body, std::size_t deepest);

/// A text as it is, a number and true and false as they are written; nothing for null, lists and mappings.
std::optional<std::string> json_text(const nlohmann::json& value);
/// A number, a text that is one, true and false as 1 and 0.
std::optional<double> json_number(const nlohmann::json& value);
/// An ISO 8601 text; or a number of seconds, milliseconds or microseconds since 1970, told apart by size.
std::optional<core::Time> json_time(const nlohmann::json& value);

}  // namespace weir::collectors
