#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "storage/database.h"

namespace weir::storage {

/// Any bytes as text that PostgreSQL keeps in UTF-8: a NUL, the escape itself (0x1A) and what is not UTF-8 become 0x1A
/// with two digits. Texts are equal before exactly where they are equal after, so that keys stay keys.
std::string to_postgres_text(std::string_view bytes);
/// Back again; an escape that is none stays as it is.
std::string from_postgres_text(std::string_view text);

/// The statement with its placeholders $1, $2 … replaced by literals, for several in one message. `quote` makes a
/// literal of a text. A placeholder without a value stays.
std::string with_literals(std::string_view sql, std::initializer_list<Value> values,
                          const std::function<std::string(const std::string&)>& quote);

/// What a number is as a parameter: every digit of it, and "Infinity", "-Infinity", "NaN".
std::string to_postgres_number(double value);

}  // namespace weir::storage
