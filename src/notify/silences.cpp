#include "notify/silences.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

#include "notify/label_names.h"
#include "notify/matcher.h"

namespace weir::notify {
namespace {

constexpr std::size_t kMaxText = 10'000;  // bytes of a comment, name or value

std::unexpected<core::Error> invalid(const std::string& message) {
  return core::fail(core::ErrorKind::invalid, "silence invalid: " + message);
}

core::Result<void> check_matchers(const std::vector<core::Matcher>& matchers) {
  if (matchers.empty()) return invalid("at least one matcher required");
  if (matchers.size() > kMaxSilenceMatchers) return invalid(fmt::format("more than {} matchers", kMaxSilenceMatchers));
  bool all_empty = true;
  for (const core::Matcher& spec : matchers) {
    if (!is_label_name(spec.name)) return invalid(fmt::format("invalid label name \"{}\"", spec.name));
    if (spec.value.size() > kMaxText) return invalid("a matcher's value is too long");
    const auto matcher = LabelMatcher::make(spec);
    if (!matcher) return invalid(matcher.error().message);
    // As Alertmanager has it: to silence all but one team is no mistake.
    const bool negative = spec.op == core::MatchOp::not_equal || spec.op == core::MatchOp::not_regex;
    all_empty = all_empty && !negative && matcher->matches(core::Labels());
  }
  if (all_empty) return invalid("at least one matcher must not match the empty string");
  return {};
}

core::Result<void> check(const core::Silence& silence, core::Time now) {
  if (auto done = check_matchers(silence.matchers); !done) return done;
  if (silence.ends_at <= now) return invalid("end time can't be in the past");
  if (silence.ends_at < silence.starts_at) return invalid("start time must be before end time");
  if (silence.starts_at == silence.ends_at) return invalid("start time and end time must not be equal");
  if (silence.created_by.size() > kMaxText || silence.comment.size() > kMaxText)
    return invalid("the comment or its author's name is too long");
  return {};
}

bool same(const std::vector<core::Matcher>& a, const std::vector<core::Matcher>& b) {
  return std::ranges::equal(a, b, [](const core::Matcher& x, const core::Matcher& y) {
    return x.name == y.name && x.op == y.op && x.value == y.value;
  });
}

/// Whether what is posted can take the place of the one that is there.
bool in_place(const core::Silence& before, const core::Silence& posted, core::Time now) {
  if (before.expired(now) || !same(before.matchers, posted.matchers)) return false;
  if (before.pending(now)) return posted.starts_at >= now;
  // Clients may give it back in whole seconds.
  return std::chrono::floor<std::chrono::seconds>(posted.starts_at) ==
         std::chrono::floor<std::chrono::seconds>(before.starts_at);
}

core::Silence ended(core::Silence silence, core::Time now) {
  if (silence.pending(now)) silence.starts_at = now;
  silence.ends_at = now;
  silence.updated_at = now;
  return silence;
}

}  // namespace

core::Result<SilenceChange> set_silence(const std::vector<core::Silence>& known, core::Silence posted, core::Time now,
                                        const std::string& new_id) {
  const auto before = std::ranges::find(known, posted.id, &core::Silence::id);
  if (!posted.id.empty() && before == known.end())
    return core::fail(core::ErrorKind::not_found, fmt::format("silence {} not found", posted.id));
  const bool replaces = !posted.id.empty() && in_place(*before, posted, now);
  if (!replaces) posted.starts_at = std::max(posted.starts_at, now);
  if (replaces && before->active(now)) posted.starts_at = before->starts_at;
  if (auto valid = check(posted, now); !valid) return std::unexpected(valid.error());
  posted.updated_at = now;
  SilenceChange change;
  if (!posted.id.empty() && !replaces && !before->expired(now)) change.changed.push_back(ended(*before, now));
  if (!replaces) {
    if (known.size() >= kMaxSilences)
      return core::fail(
          core::ErrorKind::limit,
          fmt::format("there are {} silences already; expire some that are no longer needed", known.size()));
    posted.id = new_id;
  }
  change.id = posted.id;
  change.changed.push_back(std::move(posted));
  return change;
}

core::Result<core::Silence> expire_silence(const std::vector<core::Silence>& known, const std::string& id,
                                           core::Time now) {
  const auto found = std::ranges::find(known, id, &core::Silence::id);
  if (found == known.end()) return core::fail(core::ErrorKind::not_found, fmt::format("silence {} not found", id));
  return found->expired(now) ? *found : ended(*found, now);
}

}  // namespace weir::notify
