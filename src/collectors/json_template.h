#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace weir::collectors {

/// `{name}` replaced by what `look_up` gives for it, through `escape`; what it does not know stays as it is written.
/// Besides, `{now}` and `{now-1d}` are RFC 3339, `{unix-1d}` seconds and `{unix_ms-1d}` milliseconds since 1970.
std::string fill_template(std::string_view text, core::Time now,
                          const std::function<std::optional<std::string>(std::string_view)>& look_up,
                          const std::function<std::string(std::string_view)>& escape);

}  // namespace weir::collectors
