#include "collectors/schema_registry.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "collectors/schema_registry_cycle.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;
using core::Labels;

constexpr std::size_t kRequestsPerSubject = 4;
constexpr int kMostFailuresInARow = 3;  // then the registry is left alone until the next cycle
constexpr std::size_t kMostNamed = 10;
constexpr std::size_t kAtOnce = 128;  // subjects whose answers are held at once
constexpr int kMostRounds = 8;        // of asking for them; what is missing then is asked for one by one

bool is_outage(const core::Error& error) {
  return error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout || error.kind == ErrorKind::denied;
}

}  // namespace

SchemaRegistryCollector::SchemaRegistryCollector(SchemaRegistrySettings settings, net::HttpClient& http)
    : settings_(std::move(settings)), name_("schema_registry/" + settings_.name), client_(settings_.endpoint, http) {}

Labels SchemaRegistryCollector::about(const std::string& name) const {
  const auto found = subjects_.find(name);
  const std::string topic = found == subjects_.end() || found->second.topic.empty()
                                ? schemas::read_subject(name, settings_.naming, "").topic
                                : found->second.topic;
  return Labels{{"registry", settings_.name},
                {"subject", name},
                {"topic", topic},
                {"cluster", topic.empty() ? "" : settings_.cluster}};
}

void SchemaRegistryCollector::tell(Cycle& cycle, std::string kind, const std::string& name, std::string message) const {
  cycle.batch.events.push_back({cycle.context.now, std::move(kind), about(name), std::move(message)});
}

SchemaRegistryCollector::Subject& SchemaRegistryCollector::subject_named(const std::string& name) {
  const auto [entry, added] = subjects_.try_emplace(name);
  if (added) label(name, entry->second);
  return entry->second;
}

core::Result<core::Batch> SchemaRegistryCollector::collect(const core::CollectContext& context) {
  if (auto begun = client_.begin_cycle(context.now, context.deadline, context.stop); !begun)
    return std::unexpected(begun.error());
  Cycle cycle{.context = context};
  const auto names = list_subjects(cycle);
  if (!names) return std::unexpected(names.error());
  list_deleted(cycle);
  forget_deleted(cycle, *names);
  note_appeared(*names);
  if (auto global = client_.global_level()) {
    cycle.global_level = std::move(*global);
  } else {
    fault(cycle, global.error(), "");
  }
  visit_all(cycle, *names);
  check_candidates(cycle);
  look_back(cycle, *names);
  for (const auto& [name, subject] : subjects_) emit(cycle, name, subject);
  emit_totals(cycle, names->size());
  return std::move(cycle.batch);
}

core::Result<std::vector<std::string>> SchemaRegistryCollector::list_subjects(Cycle& cycle) {
  auto found = client_.subjects();
  if (!found) return found;
  std::vector<std::string> names = std::move(*found);
  cycle.listed.insert(names.begin(), names.end());
  std::erase_if(names, [&](const std::string& name) { return name.empty() || !settings_.subjects.admits(name); });
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  if (names.size() > kMostSubjects) {
    const std::string message = fmt::format("{} subjects are more than the {} that are watched; narrow subjects.allow",
                                            names.size(), kMostSubjects);
    cycle.batch.faults.push_back({core::fail(ErrorKind::limit, message, name_).error(),
                                  Labels{{"registry", settings_.name}, {"subject", names[kMostSubjects]}}});
    names.resize(kMostSubjects);
  }
  return names;
}

void SchemaRegistryCollector::list_deleted(Cycle& cycle) {
  auto all = client_.all_subjects();
  if (!all) {
    cycle.batch.faults.push_back(
        {std::move(all.error()), Labels::metric(registry_metrics::kDeletedSubjects, {{"registry", settings_.name}})});
    return;
  }
  if (!*all) return;  // the registry keeps none
  cycle.all.emplace();
  for (std::string& name : **all) {
    if (settings_.subjects.admits(name)) cycle.all->insert(std::move(name));
  }
}

void SchemaRegistryCollector::note_appeared(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!previous_names_ || std::ranges::binary_search(*previous_names_, name)) continue;
    subject_named(name).appeared = true;
  }
  previous_names_ = names;
}

void SchemaRegistryCollector::forget_deleted(Cycle& cycle, const std::vector<std::string>& names) {
  for (auto entry = subjects_.begin(); entry != subjects_.end();) {
    auto& [name, subject] = *entry;
    if (std::ranges::binary_search(names, name)) {
      ++entry;
      continue;
    }
    if (subject.seen && !cycle.listed.contains(name)) {
      const bool softly = cycle.all && cycle.all->contains(name);
      tell(cycle, "schema_subject_deleted", name,
           fmt::format("Subject {} with {} version{} was deleted{}.", name, subject.versions.size(),
                       subject.versions.size() == 1 ? "" : "s",
                       softly      ? " softly: its schemas can still be read by id, and it can be restored"
                       : cycle.all ? " for good"
                                   : ""));
    }
    if (!subject.candidate && !subject.candidate_unchecked) {
      entry = subjects_.erase(entry);
      continue;
    }
    // A candidate's subject may be one that does not exist yet, or that the filter leaves out.
    Subject left;
    left.candidate = std::move(subject.candidate);
    left.candidate_unchecked = subject.candidate_unchecked;
    left.level = std::move(subject.level);
    left.compatible = subject.compatible;
    left.incompatible = subject.incompatible;
    label(name, left);
    subject = std::move(left);
    ++entry;
  }
}

bool SchemaRegistryCollector::may_go_on(Cycle& cycle, std::size_t most_requests) const {
  if (cycle.failures >= kMostFailuresInARow && !cycle.gave_up) {
    cycle.gave_up = true;
    const std::string message =
        fmt::format("{} requests failed in a row; the rest waits for the next cycle", cycle.failures);
    fault(cycle, core::fail(ErrorKind::unavailable, message, name_).error(), "");
  }
  return !cycle.gave_up && !cycle.context.stop.stop_requested() &&
         std::chrono::steady_clock::now() < cycle.context.deadline &&
         client_.requests() + kRequestsPerSubject <= most_requests;
}

void SchemaRegistryCollector::ask_ahead(const Cycle& cycle, const std::vector<std::string>& names,
                                        std::size_t most_requests, const Step& step) {
  std::vector<std::string> left = names;
  for (int round = 0; round < kMostRounds && !left.empty(); ++round) {
    std::vector<std::string> waiting;
    Cycle trial{.context = cycle.context, .global_level = cycle.global_level, .context_levels = cycle.context_levels};
    client_.plan(true);
    for (const std::string& name : left) {
      const auto known = subjects_.find(name);
      Subject subject = known == subjects_.end() ? Subject{} : known->second;
      if (!step(trial, name, subject)) waiting.push_back(name);
    }
    client_.plan(false);
    const std::size_t done = client_.requests() + 2 * kRequestsPerSubject;  // so that it may go on afterwards
    if (done >= most_requests || cycle.context.stop.stop_requested() ||
        std::chrono::steady_clock::now() >= cycle.context.deadline)
      return;
    if (!client_.fetch(settings_.parallel, most_requests - done)) return;
    left = std::move(waiting);
  }
}

void SchemaRegistryCollector::visit_one(Cycle& cycle, const std::string& name) {
  Subject& subject = subject_named(name);
  const auto done = visit(cycle, name, subject);
  if (done) {
    cycle.failures = 0;
    subject.seen = cycle.context.now;
  } else if (done.error().kind == ErrorKind::not_found) {
    subjects_.erase(name);  // deleted since the list was made
  } else {
    cycle.failures = is_outage(done.error()) ? cycle.failures + 1 : 0;
    fault(cycle, done.error(), name);
  }
}

void SchemaRegistryCollector::visit_all(Cycle& cycle, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const auto start = std::ranges::lower_bound(names, next_);
  const auto offset = static_cast<std::size_t>(start - names.begin()) % names.size();
  std::size_t visited = 0;
  while (visited < names.size() && may_go_on(cycle, in_turn())) {
    std::vector<std::string> some;
    while (some.size() < kAtOnce && visited + some.size() < names.size())
      some.push_back(names[(offset + visited + some.size()) % names.size()]);
    ask_ahead(cycle, some, in_turn(),
              [this](Cycle& of, const std::string& name, Subject& subject) { return visit(of, name, subject); });
    for (const std::string& name : some) {
      if (!may_go_on(cycle, in_turn())) break;
      visit_one(cycle, name);
      ++visited;
    }
    client_.drop_fetched();
  }
  next_ = visited == names.size() ? std::string() : names[(offset + visited) % names.size()];
  if (!cycle.none.empty() && !told_none_) {
    std::string some;
    for (std::size_t i = 0; i < std::min(kMostNamed, cycle.none.size()); ++i)
      some += (i == 0 ? "" : ", ") + cycle.none[i];
    if (cycle.none.size() > kMostNamed) some += fmt::format(" and {} more", cycle.none.size() - kMostNamed);
    cycle.batch.events.push_back(
        {cycle.context.now, "schema_level_none", Labels{{"registry", settings_.name}},
         "The compatibility level is NONE, so that any schema may be registered, of " + some + "."});
  }
  if (visited == names.size()) {
    told_none_ = true;
  } else {
    name_unseen(cycle, names);
  }
}

void SchemaRegistryCollector::name_unseen(Cycle& cycle, const std::vector<std::string>& names) const {
  const core::Duration patience = std::max<core::Duration>(20 * settings_.interval, std::chrono::minutes(10));
  for (const std::string& name : names) {
    const auto found = subjects_.find(name);
    if (found == subjects_.end() || !found->second.seen || *found->second.seen >= cycle.context.now - patience)
      continue;
    const std::string message = "not asked for since " + core::format_rfc3339(*found->second.seen) +
                                "; the registry is too slow for this many subjects";
    fault(cycle, core::fail(ErrorKind::limit, message, name_).error(), name);
  }
}

core::Result<void> SchemaRegistryCollector::visit(Cycle& cycle, const std::string& name, Subject& subject) {
  auto versions = client_.versions(name);
  if (!versions && client_.planning()) {  // all in one round
    (void)client_.level(name);
    if (!subject.versions.empty()) (void)note_replaced(cycle, name, subject);
  }
  if (!versions) return std::unexpected(versions.error());
  if (versions->empty()) return core::fail(ErrorKind::not_found, "the subject has no version", name_);
  const bool grown = subject.seen && (subject.versions.empty() || subject.versions.back() < versions->back());
  const bool is_new = std::exchange(subject.appeared, false) || grown;
  note_versions(cycle, name, subject, std::move(*versions));
  if (is_new) subject.last_change = cycle.context.now;
  if (auto level = note_level(cycle, name, subject); !level) return level;
  if (!subject.level_known) {  // the global level's fault says why
    subject.appeared = is_new;
    return {};
  }
  auto checked = note_replaced(cycle, name, subject);
  if (checked) checked = check_newest(cycle, name, subject, is_new);
  if (!checked && checked.error().kind == ErrorKind::not_found) checked.error().kind = ErrorKind::protocol;
  return checked;  // not_found is for a subject that is gone, not for one of its versions
}

void SchemaRegistryCollector::look_back(Cycle& cycle, const std::vector<std::string>& names) {
  if (names.empty() || !cycle.global_level) return;
  const auto start = std::ranges::lower_bound(names, next_back_);
  const auto offset = static_cast<std::size_t>(start - names.begin()) % names.size();
  std::size_t looked = 0;
  while (looked < names.size() && may_go_on(cycle, for_history())) {
    std::vector<std::string> some;  // that have something left to look at
    std::size_t through = looked;
    for (; through < names.size() && some.size() < kAtOnce; ++through) {
      const std::string& name = names[(offset + through) % names.size()];
      const auto found = subjects_.find(name);
      if (found != subjects_.end() && found->second.seen && !found->second.looked_back && !cycle.faulty.contains(name))
        some.push_back(name);
    }
    if (some.empty()) {
      looked = through;
      continue;
    }
    ask_ahead(cycle, some, for_history(), [this](Cycle& of, const std::string& name, Subject& subject) {
      return step_back_all(of, name, subject);
    });
    for (const std::string& name : some) {
      const auto done = step_back_all(cycle, name, subjects_.find(name)->second);
      if (done) continue;
      cycle.failures = is_outage(done.error()) ? cycle.failures + 1 : 0;
      fault(cycle, done.error(), name);
    }
    client_.drop_fetched();
    // Each subject to its end, so that some are whole soon.
    if (may_go_on(cycle, for_history())) looked = through;
  }
  next_back_ = names[(offset + looked) % names.size()];
}

core::Result<void> SchemaRegistryCollector::step_back_all(Cycle& cycle, const std::string& name, Subject& subject) {
  while (client_.planning() || may_go_on(cycle, for_history())) {
    const auto worked = step_back(cycle, name, subject);
    if (!worked) return std::unexpected(worked.error());
    if (!*worked) return {};
  }
  return {};
}

void SchemaRegistryCollector::fault(Cycle& cycle, core::Error error, const std::string& subject) const {
  Labels scope{{"registry", settings_.name}, {"subject", subject}};
  if (!subject.empty()) cycle.faulty.insert(subject);
  cycle.batch.faults.push_back({std::move(error), std::move(scope)});
}

}  // namespace weir::collectors
