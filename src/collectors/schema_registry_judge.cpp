#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utility>

#include "collectors/schema_registry_cycle.h"
#include "core/clock_skew.h"

#include "schemas/diff.h"
#include "schemas/level.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;

/// For how long a level that promises less than before is a finding.
constexpr core::Duration kLoosenedFor = std::chrono::hours(24);

/// How often versions that are deleted softly are asked for again.
constexpr core::Duration kDeletedAgain = std::chrono::minutes(10);

/// "removed field a (long); …", "" where it cannot be told.
std::vector<schemas::Change> changes_of(const WholeSchema* older, const WholeSchema* newer) {
  if (older == nullptr || newer == nullptr) return {};
  return changes_between(*older, *newer).value_or(std::vector<schemas::Change>());
}

std::string recreated_text(const std::string& name, std::int64_t id, const WholeSchema* older,
                           const WholeSchema& newest) {
  std::string text =
      fmt::format("Subject {} was deleted for good and created anew: its newest version is another schema", name);
  if (const auto changes = changes_of(older, &newest); !changes.empty()) {
    text += fmt::format(", which {}", schemas::describe(changes));
  }
  if (newest.schema.id != id) {
    text += fmt::format(", with id {} instead of {}. Messages that carry the old id may be read no more",
                        newest.schema.id, id);
  }
  return text + ".";
}

}  // namespace

core::Result<void> SchemaRegistryCollector::note_level(Cycle& cycle, const std::string& name, Subject& subject) {
  auto level = client_.level(name);
  if (!level) return std::unexpected(level.error());
  std::optional<std::string> in_force = std::move(*level);
  if (const std::string context = schemas::read_subject(name, settings_.naming, "").context;
      !in_force && !context.empty()) {
    auto known = cycle.context_levels.find(context);
    if (known == cycle.context_levels.end()) {
      auto of_context = client_.level(":" + context + ":");
      if (!of_context) return std::unexpected(of_context.error());
      known = cycle.context_levels.emplace(context, std::move(*of_context)).first;
    }
    in_force = known->second;
  }
  if (!in_force) in_force = cycle.global_level;
  subject.level_known = in_force.has_value();
  if (!in_force) return {};
  const std::string before = std::exchange(subject.level, *in_force);
  if (before == subject.level) return {};
  subject.looked_back = false;
  subject.level_labels = core::Labels::metric(
      registry_metrics::kLevel, {{"registry", settings_.name}, {"subject", name}, {"level", subject.level}});
  if (before.empty()) {
    if (subject.level == "NONE" && !told_none_) cycle.none.push_back(name);
    if (subject.level == "NONE" && told_none_) {
      tell(cycle, "schema_level_none", name,
           fmt::format("The compatibility level of {} is NONE: anything may be registered.", name));
    }
    return {};
  }
  subject.last_change = cycle.context.now;
  if (schemas::loosened(before, subject.level)) {
    subject.loosened = cycle.context.now;
    if (subject.promised.empty()) subject.promised = before;
    tell(cycle, "schema_level_loosened", name,
         fmt::format("The compatibility level of {} was loosened from {} ({}) to {} ({}).", name, before,
                     schemas::meaning(before), subject.level, schemas::meaning(subject.level)));
  } else {
    tell(cycle, "schema_level_changed", name,
         fmt::format("The compatibility level of {} is now {}, it was {}.", name, subject.level, before));
  }
  if (!subject.promised.empty() && !schemas::loosened(subject.promised, subject.level)) {
    subject.promised.clear();
    subject.loosened.reset();
  }
  return {};
}

bool SchemaRegistryCollector::loosened(const Subject& subject, core::Time now) const {
  return subject.loosened && now - *subject.loosened < kLoosenedFor;
}

void SchemaRegistryCollector::note_versions(Cycle& cycle, const std::string& name, Subject& subject,
                                            std::vector<int> versions) {
  if (subject.deleted_versions && !subject.deleted_versions->empty() &&
      cycle.context.now - subject.deleted_seen >= kDeletedAgain) {
    subject.looked_back = false;  // those may be gone for good by now, which no list shows
    subject.deleted_versions.reset();
  }
  if (versions == subject.versions) return;
  subject.looked_back = false;
  if (!client_.planning()) client_.forget(name);
  std::vector<int> gone;
  std::ranges::set_difference(subject.versions, versions, std::back_inserter(gone));
  subject.deleted_versions.reset();
  subject.versions = std::move(versions);
  std::erase_if(subject.history,
                [&](const auto& entry) { return !std::ranges::binary_search(subject.versions, entry.first); });
  if (gone.empty() || !subject.seen) return;
  subject.last_change = cycle.context.now;
  tell(cycle, "schema_version_deleted", name,
       fmt::format("Version{} {} of {} {} deleted.", gone.size() == 1 ? "" : "s", fmt::join(gone, ", "), name,
                   gone.size() == 1 ? "was" : "were"));
}

core::Duration SchemaRegistryCollector::until_next_look(const std::string& name) const {
  constexpr std::size_t kParts = 16;
  const core::Duration most = std::min<core::Duration>(10 * settings_.interval, std::chrono::hours(1));
  const auto part = static_cast<int>(std::hash<std::string>()(name) % kParts);
  return most - most / 2 * part / static_cast<int>(kParts);  // not all in one cycle
}

core::Result<void> SchemaRegistryCollector::note_replaced(Cycle& cycle, const std::string& name, Subject& subject) {
  const int version = subject.versions.back();
  if (subject.described != version || cycle.context.now < subject.look_again) return {};
  const auto found = client_.schema_anew(name, version);
  if (!found) return std::unexpected(found.error());
  if (found->fingerprint() == subject.fingerprint) {
    subject.look_again = cycle.context.now + until_next_look(name);
    return {};
  }
  if (client_.planning()) return core::fail(ErrorKind::unavailable, "is another one");  // the rest is asked for then
  std::optional<WholeSchema> older;
  if (client_.keeps(name, version)) {
    if (auto read = read_whole(client_, name, version)) older = std::move(*read);
  }
  client_.forget(name);
  const auto newest = read_whole(client_, name, version);
  if (!newest) return std::unexpected(newest.error());
  const std::int64_t id = subject.id;
  describe(cycle, name, subject, *newest);
  subject.last_change = cycle.context.now;
  subject.newest.reset();
  subject.history.clear();
  subject.deleted_versions.reset();
  subject.candidate.reset();
  subject.looked_back = false;
  tell(cycle, "schema_subject_recreated", name, recreated_text(name, id, older ? &*older : nullptr, *newest));
  return {};
}

std::string SchemaRegistryCollector::registered_text(const std::string& name, const Subject& subject,
                                                     const WholeSchema* newest, const WholeSchema* older) const {
  const int version = subject.versions.back();
  const auto changes = changes_of(older, newest);
  if (changes.empty()) return fmt::format("Version {} of {} was registered.", version, name);
  const schemas::Level promise = schemas::level_named(subject.level);
  const auto risks = schemas::breaking(changes, true, false);
  std::string text = fmt::format("Version {} of {} was registered: it {}.", version, name, schemas::describe(changes));
  if (!promise.backward && !promise.forward && !risks.empty()) {
    text += fmt::format(" Nothing forbids it under {}, yet its readers may fail on older messages: it {}.",
                        subject.level, schemas::describe(risks));
  }
  return text;
}

core::Result<SchemaRegistryCollector::Verdict> SchemaRegistryCollector::check_version(const std::string& name,
                                                                                      const Question& question,
                                                                                      const WholeSchema& schema,
                                                                                      std::optional<Broken>& broken) {
  Verdict verdict{.question = question, .compatible = true};
  std::optional<core::Error> missing;
  for (const int predecessor : question.predecessors) {
    auto answer = check_whole(client_, name, predecessor, schema, question.level);
    if (!answer && client_.planning()) {  // all of them in one round
      missing = std::move(answer.error());
      continue;
    }
    if (!answer) return std::unexpected(answer.error());
    if (answer->compatible) continue;
    if (!broken) broken = Broken{predecessor, std::move(answer->message)};
    verdict.compatible = false;
  }
  if (missing) return std::unexpected(std::move(*missing));
  return verdict;
}

void SchemaRegistryCollector::tell_incompatible(Cycle& cycle, const std::string& name, const Subject& subject,
                                                const Broken& broken, const WholeSchema& newest,
                                                const WholeSchema& older) const {
  const schemas::Level promise = schemas::level_named(subject.level);
  const auto changes = changes_of(&older, &newest);
  const auto breaking = schemas::breaking(changes, promise.backward, promise.forward);
  std::string why = schemas::describe(breaking.empty() ? changes : breaking);
  if (!why.empty()) why = "it " + why;
  if (!broken.message.empty()) why += (why.empty() ? "" : ". The registry says: ") + broken.message;
  tell(cycle, "schema_incompatible", name,
       fmt::format("Version {} of {} is incompatible with version {} under {}: {}", subject.versions.back(), name,
                   broken.version, subject.level, why.empty() ? "the registry gives no reason" : why));
}

core::Result<void> SchemaRegistryCollector::check_newest(Cycle& cycle, const std::string& name, Subject& subject,
                                                         bool is_new) {
  const int version = subject.versions.back();
  const std::span<const int> before(subject.versions.data(), subject.versions.size() - 1);
  Question question{
      .version = version, .predecessors = predecessors_of(before, subject.level), .level = subject.level, .text = {}};
  if (before.empty()) subject.newest.reset();
  const bool known = before.empty() || (subject.newest && subject.newest->question == question);
  if (known && !is_new) return {};
  subject.appeared = is_new;  // still news where what follows fails
  const auto newest = read_whole(client_, name, version);
  if (!newest) return std::unexpected(newest.error());
  describe(cycle, name, subject, *newest);
  std::optional<WholeSchema> older;
  if (is_new) {
    if (!before.empty()) {
      auto read = read_whole(client_, name, before.back());
      if (!read) return std::unexpected(read.error());
      older = std::move(*read);
    }
    tell(cycle, "schema_version_registered", name, registered_text(name, subject, &*newest, older ? &*older : nullptr));
    subject.appeared = false;
  }
  if (known) return {};
  std::optional<Broken> broken;
  auto verdict = check_version(name, question, *newest, broken);
  if (!verdict) return std::unexpected(verdict.error());
  if (broken && (!older || broken->version != before.back())) {
    auto read = read_whole(client_, name, broken->version);
    if (!read) return std::unexpected(read.error());
    older = std::move(*read);
  }
  if (broken) tell_incompatible(cycle, name, subject, *broken, *newest, *older);
  count(subject, verdict->compatible);
  subject.newest = std::move(*verdict);
  return {};
}

void SchemaRegistryCollector::describe(Cycle& cycle, const std::string& name, Subject& subject,
                                       const WholeSchema& whole) {
  subject.described = subject.versions.back();
  subject.id = whole.schema.id;
  subject.fingerprint = whole.schema.fingerprint();
  subject.look_again = cycle.context.now + until_next_look(name);
  subject.format = whole.schema.type.empty() ? "AVRO" : whole.schema.type;
  const auto model = model_of(whole);
  subject.record = model ? model->record : "";
  subject.topic = schemas::read_subject(name, settings_.naming, subject.record).topic;
  subject.references = whole.schema.references;
  subject.dated_ahead = whole.schema.registered;
  if (subject.dated_ahead && !core::is_ahead(*subject.dated_ahead, cycle.context.now)) {
    subject.last_change = std::exchange(subject.dated_ahead, std::nullopt);
  }
  subject.info_labels =
      core::Labels::metric(registry_metrics::kInfo, {{"registry", settings_.name},
                                                     {"subject", name},
                                                     {"topic", subject.topic},
                                                     {"cluster", subject.topic.empty() ? "" : settings_.cluster},
                                                     {"format", subject.format},
                                                     {"record", subject.record}});
  if (!whole.trouble.empty() && whole.trouble != subject.reference_trouble) {
    tell(cycle, "schema_reference_broken", name,
         fmt::format("Version {} of {} cannot be read with its references: {}.", subject.described, name,
                     whole.trouble));
  }
  subject.reference_trouble = whole.trouble;
}

core::Result<bool> SchemaRegistryCollector::step_back(Cycle& cycle, const std::string& name, Subject& subject) {
  if (subject.versions.empty() || !subject.level_known || subject.looked_back) return false;
  if (subject.described != subject.versions.back()) {
    const auto newest = read_whole(client_, name, subject.versions.back());
    if (!newest) return std::unexpected(newest.error());
    describe(cycle, name, subject, *newest);
    return true;
  }
  if (!subject.deleted_versions) {
    auto all = client_.versions(name, true);
    if (!all && all.error().kind != ErrorKind::not_found) return std::unexpected(all.error());
    subject.deleted_versions.emplace();
    subject.deleted_seen = cycle.context.now;
    if (all) std::ranges::set_difference(*all, subject.versions, std::back_inserter(*subject.deleted_versions));
    return true;
  }
  std::optional<core::Error> missing;  // while what to ask is planned, of all versions at once
  for (std::size_t i = subject.versions.size() - 1; i-- > 1;) {
    const int version = subject.versions[i];
    const std::span<const int> before(subject.versions.data(), i);
    Question question{
        .version = version, .predecessors = predecessors_of(before, subject.level), .level = subject.level, .text = {}};
    const auto found = subject.history.find(version);
    if (found != subject.history.end() && found->second.question == question) continue;
    const auto schema = read_whole(client_, name, version);
    if (!schema && client_.planning()) missing = schema.error();
    if (!schema && client_.planning()) continue;
    if (!schema) return std::unexpected(schema.error());
    std::optional<Broken> broken;
    auto verdict = check_version(name, question, *schema, broken);
    if (!verdict && client_.planning()) missing = verdict.error();
    if (!verdict && client_.planning()) continue;
    if (!verdict && verdict.error().kind == ErrorKind::invalid) {
      verdict = Verdict{.question = std::move(question), .compatible = false, .known = false};
    } else if (verdict) {
      count(subject, verdict->compatible);
    }
    if (!verdict) return std::unexpected(verdict.error());
    subject.history[version] = std::move(*verdict);
    return true;
  }
  if (missing) return std::unexpected(std::move(*missing));
  subject.looked_back = true;
  return false;
}

}  // namespace weir::collectors
