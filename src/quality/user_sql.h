#pragma once

#include <string>
#include <string_view>

namespace weir::quality {

/// What is wrong with a query of a check file as text, "" when nothing is: it must be one SELECT (or WITH … SELECT,
/// VALUES, TABLE), its parentheses, quotes and comments closed. A guard against slips and pasted scripts; what keeps
/// the database safe is the session, which is read-only and takes one statement.
std::string query_mistake(std::string_view sql);

/// The query without surrounding space and last semicolon, as it can stand in parentheses.
std::string bare_query(std::string_view sql);

/// A table of the query's rows, for FROM. The line break ends a comment in its last line.
std::string derived_table(std::string_view query, std::string_view alias);

}  // namespace weir::quality
