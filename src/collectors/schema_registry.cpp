#include "collectors/schema_registry.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <utility>

namespace weir::collectors {
namespace {

using core::ErrorKind;
using core::Labels;
using core::MetricType;

constexpr std::string_view kSubjects = "schema_registry_subjects";
constexpr std::string_view kVersions = "schema_registry_subject_versions";
constexpr std::string_view kLatest = "schema_registry_subject_latest_version";
constexpr std::string_view kLevel = "schema_registry_subject_compatibility_level";
constexpr std::string_view kCompatible = "schema_registry_subject_compatible";
constexpr std::string_view kCandidate = "schema_registry_candidate_compatible";
constexpr std::string_view kChecks = "schema_registry_compatibility_checks_total";

constexpr std::array<core::MetricInfo, 7> kMetrics{{
    {kSubjects, MetricType::gauge, "Subjects in the registry that are watched."},
    {kVersions, MetricType::gauge, "Versions of the subject."},
    {kLatest, MetricType::gauge, "Number of the subject's newest version."},
    {kLevel, MetricType::gauge, "1 for the compatibility level in force."},
    {kCompatible, MetricType::gauge, "1 when the newest version is compatible with the one before it, else 0."},
    {kCandidate, MetricType::gauge, "1 when the candidate file is compatible with the newest version, else 0."},
    {kChecks, MetricType::counter, "Compatibility checks that the registry has answered, by result."},
}};

constexpr std::size_t kLargestCandidate = 1U << 20U;
constexpr std::size_t kRequestsPerSubject = 4;
constexpr int kMostFailuresInARow = 3;  // then the registry is left alone until the next cycle

core::Result<std::string> read_candidate(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text(kLargestCandidate + 1, '\0');
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.eof() && stream.fail()) return core::fail(ErrorKind::not_found, "the candidate cannot be read", file);
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kLargestCandidate) return core::fail(ErrorKind::limit, "the candidate is larger than 1 MiB", file);
  if (text.empty()) return core::fail(ErrorKind::invalid, "the candidate is empty", file);
  return text;
}

bool is_outage(const core::Error& error) {
  return error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout || error.kind == ErrorKind::denied;
}

}  // namespace

struct SchemaRegistryCollector::Cycle {
  const core::CollectContext& context;
  core::Batch batch = {};
  std::optional<std::string> global_level = {};
  std::set<std::string, std::less<>> faulty = {};  // subjects of which something could not be seen
  std::set<std::string, std::less<>> faulty_candidates = {};
  std::set<std::string, std::less<>> listed = {};
  int failures = 0;  // in a row
  bool gave_up = false;
};

SchemaRegistryCollector::SchemaRegistryCollector(SchemaRegistrySettings settings, net::HttpClient& http)
    : settings_(std::move(settings)),
      name_("schema_registry/" + settings_.name),
      client_(settings_.endpoint, http),
      subjects_labels_(Labels::metric(kSubjects, {{"registry", settings_.name}})) {}

std::span<const core::MetricInfo> SchemaRegistryCollector::metrics() const { return kMetrics; }

Labels SchemaRegistryCollector::about(std::string_view subject) const {
  return Labels{{"registry", settings_.name}, {"subject", subject}};
}

SchemaRegistryCollector::Subject& SchemaRegistryCollector::subject_named(const std::string& name) {
  const auto [entry, added] = subjects_.try_emplace(name);
  Subject& subject = entry->second;
  if (!added) return subject;
  const auto labels = [&](std::string_view metric) {
    return Labels::metric(metric, {{"registry", settings_.name}, {"subject", name}});
  };
  subject.versions_labels = labels(kVersions);
  subject.latest_labels = labels(kLatest);
  subject.compatible_labels = labels(kCompatible);
  subject.candidate_labels = labels(kCandidate);
  subject.compatible_total = labels(kChecks).with("result", "compatible");
  subject.incompatible_total = labels(kChecks).with("result", "incompatible");
  return subject;
}

core::Result<core::Batch> SchemaRegistryCollector::collect(const core::CollectContext& context) {
  client_.begin_cycle(context.deadline, context.stop);
  Cycle cycle{.context = context};
  const auto names = list_subjects(cycle);
  if (!names) return std::unexpected(names.error());
  if (auto global = client_.global_level()) {
    cycle.global_level = std::move(*global);
  } else {
    fault(cycle, global.error(), "");
  }
  visit_all(cycle, *names);
  check_candidates(cycle);
  cycle.batch.samples.push_back({subjects_labels_, context.now, static_cast<double>(names->size())});
  for (const auto& [name, subject] : subjects_) emit(cycle, name, subject);
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
  forget_deleted(names);
  note_appeared(names);
  return names;
}

void SchemaRegistryCollector::note_appeared(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!previous_names_ || std::ranges::binary_search(*previous_names_, name)) continue;
    subject_named(name).appeared = true;
  }
  previous_names_ = names;
}

void SchemaRegistryCollector::forget_deleted(const std::vector<std::string>& names) {
  for (auto entry = subjects_.begin(); entry != subjects_.end();) {
    if (std::ranges::binary_search(names, entry->first)) {
      ++entry;
    } else if (std::ranges::find(settings_.candidates, entry->first, &SchemaCandidate::subject) ==
               settings_.candidates.end()) {
      entry = subjects_.erase(entry);
    } else {  // a candidate's subject may be one that does not exist yet, or that the filter leaves out
      entry->second.seen.reset();
      entry->second.versions.clear();
      entry->second.newest.reset();
      ++entry;
    }
  }
}

bool SchemaRegistryCollector::may_go_on(Cycle& cycle) const {
  if (cycle.failures >= kMostFailuresInARow && !cycle.gave_up) {
    cycle.gave_up = true;
    const std::string message =
        fmt::format("{} requests failed in a row; the rest waits for the next cycle", cycle.failures);
    fault(cycle, core::fail(ErrorKind::unavailable, message, name_).error(), "");
  }
  return !cycle.gave_up && !cycle.context.stop.stop_requested() &&
         std::chrono::steady_clock::now() < cycle.context.deadline &&
         client_.requests() + kRequestsPerSubject <= kMostRequests;
}

void SchemaRegistryCollector::visit_all(Cycle& cycle, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const auto start = std::ranges::lower_bound(names, next_);
  const auto offset = static_cast<std::size_t>(start - names.begin()) % names.size();
  std::size_t visited = 0;
  for (; visited < names.size() && may_go_on(cycle); ++visited) {
    const std::string& name = names[(offset + visited) % names.size()];
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
  next_ = visited == names.size() ? std::string() : names[(offset + visited) % names.size()];
  if (visited == names.size()) return;
  const core::Duration patience = std::max<core::Duration>(10 * settings_.interval, std::chrono::minutes(10));
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
  if (!versions) return std::unexpected(versions.error());
  if (versions->empty()) return core::fail(ErrorKind::not_found, "the subject has no version", name_);
  auto level = client_.level(name);
  if (!level) return std::unexpected(level.error());
  const bool grown = subject.seen && subject.versions.back() < versions->back();
  const bool is_new = std::exchange(subject.appeared, false) || grown;
  subject.versions = std::move(*versions);
  if (is_new) {
    cycle.batch.events.push_back({cycle.context.now, "schema_version_registered", about(name),
                                  fmt::format("Version {} of {} was registered.", subject.versions.back(), name)});
  }
  if (!*level && !cycle.global_level) return {};  // the global level's fault says why nothing is known
  std::string in_force = *level ? **level : *cycle.global_level;
  if (in_force != subject.level) {
    subject.level = std::move(in_force);
    subject.level_labels =
        Labels::metric(kLevel, {{"registry", settings_.name}, {"subject", name}, {"level", subject.level}});
  }
  auto checked = check_newest(cycle, name, subject);
  if (!checked && checked.error().kind == ErrorKind::not_found) checked.error().kind = ErrorKind::protocol;
  return checked;  // not_found is for a subject that is gone, not for one of its versions
}

core::Result<void> SchemaRegistryCollector::check_newest(Cycle& cycle, const std::string& name, Subject& subject) {
  if (subject.versions.size() < 2) {
    subject.newest.reset();
    return {};
  }
  const int predecessor = subject.versions[subject.versions.size() - 2];
  Question question{.version = subject.versions.back(), .predecessor = predecessor, .level = subject.level, .text = {}};
  if (subject.newest && subject.newest->question == question) return {};
  const auto schema = client_.schema(name, question.version);
  if (!schema) return std::unexpected(schema.error());
  const auto answer = client_.check(name, predecessor, *schema);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->compatible) {
    cycle.batch.events.push_back({cycle.context.now, "schema_incompatible", about(name),
                                  fmt::format("Version {} of {} is incompatible with version {} under {}: {}",
                                              question.version, name, predecessor, question.level, answer->message)});
  }
  subject.newest = record(subject, std::move(question), answer->compatible);
  return {};
}

void SchemaRegistryCollector::check_candidates(Cycle& cycle) {
  for (const SchemaCandidate& candidate : settings_.candidates) {
    const bool in_time = may_go_on(cycle);
    if (cycle.gave_up) return;  // which is a fault of the whole registry
    Subject& subject = subject_named(candidate.subject);
    auto done = in_time ? check_candidate(cycle, candidate, subject)
                        : core::fail(ErrorKind::limit, "no time left to check the candidate", name_);
    if (done) continue;
    cycle.faulty_candidates.insert(candidate.subject);
    Labels scope = Labels::metric(kCandidate, {{"registry", settings_.name}, {"subject", candidate.subject}});
    cycle.batch.faults.push_back({std::move(done.error()), std::move(scope)});
  }
}

core::Result<std::optional<int>> SchemaRegistryCollector::newest_version(const Cycle& cycle, const std::string& name,
                                                                         Subject& subject) {
  if (!cycle.listed.contains(name)) return 0;
  if (settings_.subjects.admits(name)) {
    if (!subject.seen) return std::nullopt;  // its turn has not come yet
    return subject.versions.back();
  }
  const auto versions = client_.versions(name);
  if (!versions) return std::unexpected(versions.error());
  const auto level = client_.level(name);
  if (!level) return std::unexpected(level.error());
  subject.level = *level ? **level : cycle.global_level.value_or("");
  return versions->empty() ? 0 : versions->back();
}

core::Result<void> SchemaRegistryCollector::check_candidate(Cycle& cycle, const SchemaCandidate& candidate,
                                                            Subject& subject) {
  const auto text = read_candidate(candidate.file);
  if (!text) return std::unexpected(text.error());
  if (cycle.faulty.contains(candidate.subject)) return {};  // its fault covers the candidate too
  const auto newest = newest_version(cycle, candidate.subject, subject);
  if (!newest) return std::unexpected(newest.error());
  if (!*newest) return {};
  const int version = **newest;
  if (version == 0) {
    subject.candidate.reset();
    if (!std::exchange(subject.candidate_unchecked, true)) {
      cycle.batch.events.push_back(
          {cycle.context.now, "schema_candidate_unchecked", about(candidate.subject),
           fmt::format("The registry has no subject {} to check {} against.", candidate.subject, candidate.file)});
    }
    return {};
  }
  subject.candidate_unchecked = false;
  Question question{.version = version, .predecessor = 0, .level = subject.level, .text = *text};
  if (subject.candidate && subject.candidate->question == question) return {};
  auto schema = client_.schema(candidate.subject, version);
  if (!schema) return std::unexpected(schema.error());
  // Of the type that the subject has, and with what its newest version refers to.
  schema->text = *text;
  auto answer = client_.check(candidate.subject, version, *schema);
  if (!answer && answer.error().kind == ErrorKind::invalid) {
    answer = CompatibilityAnswer{.compatible = false, .message = answer.error().message};
  }
  if (!answer) return std::unexpected(answer.error());
  if (!answer->compatible) {
    cycle.batch.events.push_back(
        {cycle.context.now, "schema_incompatible", about(candidate.subject),
         fmt::format("The candidate {} is incompatible with version {} of {} under {}: {}", candidate.file, version,
                     candidate.subject, subject.level, answer->message)});
  }
  subject.candidate = record(subject, std::move(question), answer->compatible);
  return {};
}

SchemaRegistryCollector::Verdict SchemaRegistryCollector::record(Subject& subject, Question question, bool compatible) {
  ++(compatible ? subject.compatible : subject.incompatible);
  return {.question = std::move(question), .compatible = compatible};
}

void SchemaRegistryCollector::emit(Cycle& cycle, const std::string& name, const Subject& subject) const {
  if (cycle.faulty.contains(name)) return;  // what is known of it comes with the next whole look
  const bool candidate = subject.candidate && !cycle.faulty_candidates.contains(name);
  const auto add = [&](const Labels& labels, double value) {
    cycle.batch.samples.push_back({labels, cycle.context.now, value});
  };
  if (subject.seen) {
    add(subject.versions_labels, static_cast<double>(subject.versions.size()));
    add(subject.latest_labels, subject.versions.back());
    if (!subject.level.empty()) add(subject.level_labels, 1);
    if (subject.newest) add(subject.compatible_labels, subject.newest->compatible ? 1 : 0);
  }
  if (candidate) add(subject.candidate_labels, subject.candidate->compatible ? 1 : 0);
  if (!subject.seen && !candidate) return;
  add(subject.compatible_total, static_cast<double>(subject.compatible));
  add(subject.incompatible_total, static_cast<double>(subject.incompatible));
}

void SchemaRegistryCollector::fault(Cycle& cycle, core::Error error, const std::string& subject) const {
  Labels scope = subject.empty() ? Labels{{"registry", settings_.name}} : about(subject);
  if (!subject.empty()) cycle.faulty.insert(subject);
  cycle.batch.faults.push_back({std::move(error), std::move(scope)});
}

}  // namespace weir::collectors
