#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace weir::storage {

/// What an error of storage asks for, beyond another try.
enum class Trouble {
  none,     // another try is all that can be done, or not even that
  damaged,  // the file is: to be set aside and saved, see open_or_salvage
  gone,     // the tables are not there any more: to be opened anew, which makes them
  held,     // another Weir has it: to be waited for
  lost,     // it is there, and has not what was last written to it: all is to be written again
};

/// By the marks below, which such errors carry in their text.
Trouble trouble_of(const core::Error& error);

/// The text of such an error: `who` has it (", process 7"; "" where that is not known), and what to do instead.
std::string held_text(std::string_view who, std::string_view advice);
/// Who has it, of an error that another Weir does: "is in use by another Weir, process 7", without the advice, which is
/// for whoever wanted this one to have it.
std::string holder_of(const core::Error& error);

inline constexpr std::string_view kDamagedMark = "the database is damaged";
inline constexpr std::string_view kNoDatabaseMark = "is not a SQLite database";
inline constexpr std::string_view kGoneMark = "Weir's tables are gone";
inline constexpr std::string_view kHeldMark = "is in use by another Weir";
inline constexpr std::string_view kTakenOverMark = "has written to the schema";
inline constexpr std::string_view kLostMark = "has not what was last written to it";

}  // namespace weir::storage
