#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::quality {

/// A named format of SodaCL ("email", "date iso 8601"): a regular expression for the whole text. The expressions are
/// those of Soda 3.5.6 (soda-core, FormatHelper.build_default_formats), so that the same values are valid.
struct NamedFormat {
  std::string name;
  std::string regex;
  bool numeric = false;  // a number as text: "valid min" and aggregates read it as one
  bool money = false;    // with letters of a currency
};

std::span<const NamedFormat> named_formats();
/// Null for a name that is none.
const NamedFormat* find_format(std::string_view name);
/// The names, for suggestions.
std::vector<std::string> format_names();

}  // namespace weir::quality
