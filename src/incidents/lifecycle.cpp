#include "incidents/lifecycle.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "core/utf8.h"
#include "incidents/subject.h"

namespace weir::incidents {
namespace {

constexpr std::size_t kMostAlerts = 1000;  // of one incident, as the planner has it
constexpr core::Duration kShortestSilence = std::chrono::minutes(1);
constexpr core::Duration kLongestSilence = std::chrono::days(365);

bool fires(const core::Alert& alert) { return alert.state == core::AlertState::firing; }

std::unexpected<core::Error> refuse(std::string message) {
  return core::fail(core::ErrorKind::invalid, std::move(message));
}

/// A text that a person gave: `what` names the field.
core::Result<std::string> checked(std::string_view what, std::string_view text, std::size_t most, bool may_be_empty) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  if (text.empty() && !may_be_empty) return refuse(fmt::format("{}: must not be empty", what));
  if (text.size() > most) return refuse(fmt::format("{}: has {} bytes, at most {} are kept", what, text.size(), most));
  if (!core::is_utf8(text)) return refuse(fmt::format("{}: is not UTF-8", what));
  const bool control = std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7f;
  });
  if (control) return refuse(fmt::format("{}: has control characters", what));
  return std::string(text);
}

core::Result<std::string> checked_name(std::string_view what, std::string_view name, bool may_be_empty = false) {
  auto text = checked(what, name, kMostName, may_be_empty);
  if (text && text->find_first_of("\n\r\t") != std::string::npos)
    return refuse(fmt::format("{}: must be one line", what));
  return text;
}

core::Result<core::Incident> noted(core::Incident incident, core::Time now, std::string_view kind, std::string text) {
  if (incident.timeline.size() >= kMostEntries)
    return core::fail(core::ErrorKind::limit,
                      fmt::format("the timeline is full: it has {} entries; write elsewhere and link to {}",
                                  incident.timeline.size(), incident.id));
  incident.timeline.push_back({now, std::string(kind), std::move(text)});
  return incident;
}

std::unexpected<core::Error> refuse_merged(const core::Incident& incident) {
  return refuse(fmt::format("incident {} was merged into {}: work there", incident.id, incident.handling.merged_into));
}

std::string with_reason(std::string text, const std::string& reason) {
  return reason.empty() ? text : text + ": " + reason;
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

/// RE2 takes every escaped character that is no letter or digit literally.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || byte >= 0x80;
    if (!plain) out += '\\';
    out += c;
  }
  return out;
}

void move_alerts(const core::Incident& from, core::Incident& into) {
  for (const core::Alert& alert : from.alerts) {
    const auto known = std::ranges::find(into.alerts, alert.labels, &core::Alert::labels);
    if (known != into.alerts.end()) {
      if (fires(alert)) *known = alert;
      continue;
    }
    if (into.alerts.size() >= kMostAlerts) {
      const auto ended = std::ranges::find_if_not(into.alerts, fires);
      if (ended != into.alerts.end()) into.alerts.erase(ended);
    }
    into.alerts.push_back(alert);
  }
}

/// The labels that all of them have, with the values that they have there.
std::vector<core::Matcher> matchers_of(std::span<const core::Alert* const> alerts) {
  std::vector<core::Matcher> matchers;
  for (const auto& [name, first] : alerts.front()->labels) {
    if (name == "severity" ||
        !std::ranges::all_of(alerts, [&](const core::Alert* alert) { return alert->labels.has(name); }))
      continue;
    std::set<std::string> values;
    for (const core::Alert* alert : alerts) values.emplace(alert->labels.get(name));
    if (values.size() == 1) {
      matchers.push_back({.name = std::string(name), .op = core::MatchOp::equal, .value = std::string(first)});
      continue;
    }
    std::string any;
    for (const std::string& value : values) any += (any.empty() ? "" : "|") + escaped(value);
    matchers.push_back({.name = std::string(name), .op = core::MatchOp::regex, .value = std::move(any)});
  }
  return matchers;
}

/// One for each kind of alert, of those that fire where some do: what is common to all would match much besides them.
std::vector<std::vector<core::Matcher>> matchers_of_kinds(const std::vector<core::Alert>& alerts) {
  constexpr std::size_t kMostTogether = 20;  // values of a label
  const bool any_fires = std::ranges::any_of(alerts, fires);
  std::map<std::string_view, std::vector<const core::Alert*>> kinds;
  for (const core::Alert& alert : alerts) {
    if (!any_fires || fires(alert)) kinds[alert.labels.get("alertname")].push_back(&alert);
  }
  std::vector<std::vector<core::Matcher>> found;
  for (const auto& [name, members] : kinds) {
    const std::span<const core::Alert* const> all(members);
    for (std::size_t at = 0; at < all.size(); at += kMostTogether)
      found.push_back(matchers_of(all.subspan(at, std::min(kMostTogether, all.size() - at))));
  }
  return found;
}

/// What happened in `from` enters while there is room, the earliest first.
void move_timeline(const core::Incident& from, core::Incident& into) {
  for (const core::TimelineEntry& entry : from.timeline) {
    if (into.timeline.size() + 1 >= kMostEntries) break;
    if (entry.kind != "resolved") into.timeline.push_back(entry);
  }
  std::ranges::stable_sort(into.timeline, {}, &core::TimelineEntry::at);
}

struct WhoAndWhy {
  std::string who;
  std::string why;
};

core::Result<WhoAndWhy> who_and_why(const core::Incident& incident, std::string_view by, std::string_view reason) {
  auto who = checked_name("by", by);
  if (!who) return std::unexpected(who.error());
  auto why = checked("reason", reason, kMostReason, true);
  if (!why) return std::unexpected(why.error());
  if (!incident.handling.merged_into.empty()) return refuse_merged(incident);
  return WhoAndWhy{std::move(*who), std::move(*why)};
}

}  // namespace

core::Result<core::Incident> acknowledge(core::Incident incident, std::string_view by, core::Time now) {
  const auto who = checked_name("by", by);
  if (!who) return std::unexpected(who.error());
  core::Handling& handling = incident.handling;
  if (!handling.merged_into.empty()) return refuse_merged(incident);
  if (!incident.open()) return refuse(fmt::format("incident {} is resolved: reopen it first", incident.id));
  const std::string before = std::exchange(handling.acknowledged_by, *who);
  if (before == *who && handling.acknowledged_at) return incident;  // said twice
  if (!handling.acknowledged_at) handling.acknowledged_at = now;
  return noted(std::move(incident), now, "acknowledged",
               before.empty() ? "acknowledged by " + *who : fmt::format("acknowledged by {}, after {}", *who, before));
}

core::Result<core::Incident> assign(core::Incident incident, std::string_view by, std::string_view owner,
                                    core::Time now) {
  const auto who = checked_name("by", by);
  if (!who) return std::unexpected(who.error());
  auto name = checked_name("owner", owner, true);
  if (!name) return std::unexpected(name.error());
  if (!incident.handling.merged_into.empty()) return refuse_merged(incident);
  if (incident.handling.owner == *name) return incident;
  const std::string text = name->empty() ? "assigned to nobody" : "assigned to " + *name;
  incident.handling.owner = std::move(*name);
  return noted(std::move(incident), now, "assigned", text + " by " + *who);
}

core::Result<core::Incident> comment(core::Incident incident, std::string_view by, std::string_view text,
                                     core::Time now) {
  const auto who = checked_name("by", by);
  if (!who) return std::unexpected(who.error());
  const auto words = checked("text", text, kMostComment, false);
  if (!words) return std::unexpected(words.error());
  return noted(std::move(incident), now, "commented", fmt::format("{}: {}", *who, *words));
}

core::Result<core::Incident> resolve(core::Incident incident, std::string_view by, std::string_view reason,
                                     core::Time now) {
  const auto said = who_and_why(incident, by, reason);
  if (!said) return std::unexpected(said.error());
  if (!incident.open()) return refuse(fmt::format("incident {} is resolved already", incident.id));
  incident.resolved_at = std::max(now, incident.opened_at);
  std::string text = with_reason("resolved by " + said->who, said->why);
  const auto firing = static_cast<std::size_t>(std::ranges::count_if(incident.alerts, fires));
  if (firing > 0) text += fmt::format(" ({} still)", counted(firing, "alert fires", "alerts fire"));
  return noted(std::move(incident), now, "resolved", std::move(text));
}

void reopen_by_alert(core::Incident& incident) {
  incident.resolved_at.reset();
  incident.earlier.reset();
  incident.handling.acknowledged_by.clear();
  incident.handling.acknowledged_at.reset();
}

core::Result<core::Incident> reopen(core::Incident incident, std::string_view by, std::string_view reason,
                                    core::Time now) {
  const auto said = who_and_why(incident, by, reason);
  if (!said) return std::unexpected(said.error());
  if (incident.open()) return refuse(fmt::format("incident {} is open", incident.id));
  reopen_by_alert(incident);
  return noted(std::move(incident), now, "reopened", with_reason("reopened by " + said->who, said->why));
}

core::Result<Merged> merge(core::Incident from, core::Incident into, std::string_view by, core::Time now) {
  const auto who = checked_name("by", by);
  if (!who) return std::unexpected(who.error());
  if (from.id == into.id) return refuse("into: an incident cannot be merged into itself");
  for (const core::Incident* each : {&from, &into}) {
    if (!each->handling.merged_into.empty()) return refuse_merged(*each);
  }
  if (!into.open()) return refuse(fmt::format("into: incident {} is resolved: reopen it first", into.id));
  const std::size_t alerts = from.alerts.size();
  move_alerts(from, into);
  move_timeline(from, into);
  if (from.began_at && (!into.began_at || *from.began_at < *into.began_at)) into.began_at = from.began_at;
  into.severity = severity_name(std::max(severity_rank(into.severity), severity_rank(from.severity)));
  if (into.handling.owner.empty()) into.handling.owner = from.handling.owner;
  from.handling.merged_into = into.id;
  from.handling.acknowledged_by = into.handling.acknowledged_by;  // its messages are as quiet as the other's
  from.handling.acknowledged_at = into.handling.acknowledged_at;
  if (from.open()) from.resolved_at = std::max(now, from.opened_at);
  const std::string taken =
      fmt::format("took in {} ({}, {}), merged by {}", from.id, from.title, counted(alerts, "alert", "alerts"), *who);
  const std::string given = fmt::format("merged into {} ({}) by {}", into.id, into.title, *who);
  auto target = noted(std::move(into), now, "merged", taken);
  if (!target) return std::unexpected(target.error());
  auto source = noted(std::move(from), now, "merged", given);
  if (!source) return std::unexpected(source.error());
  return Merged{.from = std::move(*source), .into = std::move(*target)};
}

core::Result<std::vector<core::Silence>> silences_for(const core::Incident& incident, std::string_view by,
                                                      std::string_view comment, core::Duration duration,
                                                      core::Time now) {
  const auto who = checked_name("by", by);
  if (!who) return std::unexpected(who.error());
  const auto why = checked("comment", comment, kMostReason, true);
  if (!why) return std::unexpected(why.error());
  if (duration < kShortestSilence || duration > kLongestSilence)
    return refuse("duration: must be from 1m to 365d, such as \"2h\"");
  std::vector<core::Silence> silences;
  for (std::vector<core::Matcher>& matchers : matchers_of_kinds(incident.alerts)) {
    core::Silence silence;
    silence.starts_at = now;
    silence.ends_at = now + duration;
    silence.created_by = *who;
    silence.comment = why->empty() ? "incident " + incident.id + ": " + incident.title : *why;
    silence.matchers = std::move(matchers);
    silences.push_back(std::move(silence));
  }
  if (silences.empty()) return refuse(fmt::format("incident {} has no alerts to silence", incident.id));
  return silences;
}

core::Result<std::vector<core::Incident>> carry_out(const core::Deed& deed, Scene scene, core::Time now) {
  const auto one = [](core::Result<core::Incident> done) -> core::Result<std::vector<core::Incident>> {
    if (!done) return std::unexpected(done.error());
    return std::vector<core::Incident>{std::move(*done)};
  };
  core::Incident& incident = scene.incident;
  switch (deed.kind) {
    case core::DeedKind::acknowledge: return one(acknowledge(std::move(incident), deed.by, now));
    case core::DeedKind::assign: return one(assign(std::move(incident), deed.by, deed.text, now));
    case core::DeedKind::comment: return one(comment(std::move(incident), deed.by, deed.text, now));
    case core::DeedKind::resolve: return one(resolve(std::move(incident), deed.by, deed.text, now));
    case core::DeedKind::reopen:
      if (scene.other)
        return refuse(fmt::format("incident {} of the same thing is open: merge {} into it, or go on there",
                                  scene.other->id, incident.id));
      return one(reopen(std::move(incident), deed.by, deed.text, now));
    case core::DeedKind::merge: {
      if (!scene.other) return refuse("into: names no incident");
      auto merged = merge(std::move(incident), std::move(*scene.other), deed.by, now);
      if (!merged) return std::unexpected(merged.error());
      return std::vector<core::Incident>{std::move(merged->from), std::move(merged->into)};
    }
    case core::DeedKind::silence: {
      const auto who = checked_name("by", deed.by);
      if (!who) return std::unexpected(who.error());
      const std::string until = deed.until ? " until " + core::format_rfc3339(*deed.until) : "";
      return one(
          noted(std::move(incident), now, "silenced", fmt::format("silenced{} by {} ({})", until, *who, deed.text)));
    }
  }
  return refuse("no such deed");
}

}  // namespace weir::incidents
