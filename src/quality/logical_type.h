#pragma once

#include <span>
#include <string_view>

namespace weir::quality {

/// The logical types of the Open Data Contract Standard 3: string, integer, number, boolean, date, timestamp, time,
/// object, array.
std::span<const std::string_view> logical_types();

/// Whether a type of any engine's catalog is of the kind that the logical type means: every whole number is a number
/// too, uuid, bytes and addresses are strings, json is object, array and string, numeric(10,0) is an integer. A type of
/// one's own (an enum, a domain, a composite) is taken for a string or an object; a column that SQLite knows no type
/// of, for anything.
bool is_of_logical_type(std::string_view logical, std::string_view actual);

}  // namespace weir::quality
