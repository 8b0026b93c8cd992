#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "core/silence.h"

namespace weir::notify {

/// More are refused; those that ended are forgotten after 5 days.
inline constexpr std::size_t kMaxSilences = 5000;
inline constexpr std::size_t kMaxSilenceMatchers = 50;

/// What comes of a posted silence: those to be written, and the id under which it is then known.
struct SilenceChange {
  std::vector<core::Silence> changed;
  std::string id;
};

/// Alertmanager's rules. Without an id the silence is new. With one it replaces the silence of that id: in place while
/// that has the same matchers and, once it has begun, the same beginning; else that one ends and a new one begins with
/// `new_id`. A beginning in the past is now. Errors: invalid (no matchers, or only = and =~ which an absent label
/// matches too; an end in the past or before the beginning; a bad regex or label name), not_found (no silence of that
/// id), limit (too many).
core::Result<SilenceChange> set_silence(const std::vector<core::Silence>& known, core::Silence posted, core::Time now,
                                        const std::string& new_id);

/// Ends it now; one that has not begun never does, one that has ended stays as it is. Errors: not_found.
core::Result<core::Silence> expire_silence(const std::vector<core::Silence>& known, const std::string& id,
                                           core::Time now);

}  // namespace weir::notify
