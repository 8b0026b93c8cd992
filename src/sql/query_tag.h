#pragma once

#include <string>
#include <string_view>

namespace weir::sql {

/// The statement with what it is for in a comment before it, for the engine's logs and lists of queries:
/// `/* weir dataset=orders check=row_count > 0 */ SELECT …`. Letters outside ASCII and whatever could end the
/// comment, begin another or be taken for a placeholder become `_`; at most 200 bytes. No tag, no comment.
std::string with_tag(std::string_view tag, std::string_view statement);

/// The tag as it stands in the comment: letters, digits, blanks and _ . , = ( ) < > - only.
std::string plain_tag(std::string_view tag);

}  // namespace weir::sql
