#include "collectors/schema_registry.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "config/reader.h"

namespace weir::collectors {
namespace {

using core::MetricType;
constexpr std::size_t kMostSubjects = 10'000;
constexpr std::size_t kLargestCandidate = 1U << 20U;

constexpr std::array<core::MetricInfo, 7> kMetrics{{
    {"schema_registry_subjects", MetricType::gauge, "Subjects in the registry that the configuration admits."},
    {"schema_registry_subject_versions", MetricType::gauge, "Versions of the subject."},
    {"schema_registry_subject_latest_version", MetricType::gauge, "Number of the subject's newest version."},
    {"schema_registry_subject_compatibility_level", MetricType::gauge, "1 for the effective compatibility level."},
    {"schema_registry_subject_compatible", MetricType::gauge,
     "1 when the newest version is compatible with its predecessor."},
    {"schema_registry_candidate_compatible", MetricType::gauge,
     "1 when the candidate file is compatible with the newest version."},
    {"schema_registry_compatibility_checks_total", MetricType::counter,
     "Compatibility checks asked of the registry, by result."},
}};

kafka::Patterns read_patterns(config::MapReader& reader, std::string_view key) {
  kafka::Patterns patterns;
  for (const config::Node* item : reader.list(key)) {
    if (auto added = patterns.add(item->text()); !added) reader.error(*item, added.error().message);
  }
  return patterns;
}

Candidate read_candidate(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, "candidate");
  Candidate candidate{.subject = reader.required_text("subject"),
                      .file = reader.required_text("file"),
                      .type = reader.choice("type", "AVRO", {"AVRO", "PROTOBUF", "JSON"})};
  if (!candidate.file.empty() && candidate.file.front() != '/') {
    const std::size_t slash = node.position().file.rfind('/');
    if (slash != std::string::npos) candidate.file = node.position().file.substr(0, slash + 1) + candidate.file;
  }
  reader.finish();
  return candidate;
}

core::Result<std::string> read_candidate_file(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return core::fail(core::ErrorKind::not_found, "the candidate's file cannot be read", file);
  std::string text(kLargestCandidate + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kLargestCandidate)
    return core::fail(core::ErrorKind::limit, "the candidate is larger than 1 MiB", file);
  return text;
}

}  // namespace

SchemaRegistrySettings parse_schema_registry(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, "schema registry");
  SchemaRegistrySettings settings;
  settings.name = reader.required_text("name");
  settings.interval = reader.duration("interval", settings.interval);
  if (settings.interval < std::chrono::seconds(1)) reader.error("interval", "must be at least 1s");
  settings.address.url = reader.required_text("url");
  while (settings.address.url.ends_with('/')) settings.address.url.pop_back();
  if (!settings.address.url.empty() && !settings.address.url.starts_with("http://") &&
      !settings.address.url.starts_with("https://")) {
    reader.error("url", "must begin with http:// or https://");
  }
  settings.address.timeout = reader.duration("timeout", settings.address.timeout);
  settings.address.ca_file = reader.text("ca_file");
  settings.address.bearer = reader.secret("bearer_token");
  if (const config::Node* auth = reader.child("basic_auth")) {
    config::MapReader auth_reader(*auth, diagnostics, "basic_auth");
    settings.address.username = auth_reader.required_text("username");
    settings.address.password = auth_reader.secret("password");
    auth_reader.finish();
  }
  if (const config::Node* subjects = reader.child("subjects")) {
    config::MapReader filter(*subjects, diagnostics, "subjects");
    settings.subjects.allow = read_patterns(filter, "allow");
    settings.subjects.deny = read_patterns(filter, "deny");
    filter.finish();
  }
  for (const config::Node* item : reader.list("candidates"))
    settings.candidates.push_back(read_candidate(*item, diagnostics));
  reader.finish();
  return settings;
}

SchemaRegistryCollector::SchemaRegistryCollector(SchemaRegistrySettings settings, net::HttpClient& client)
    : settings_(std::move(settings)), name_("schema_registry/" + settings_.name), client_(settings_.address, client) {}

std::span<const core::MetricInfo> SchemaRegistryCollector::metric_table() { return kMetrics; }

core::Labels SchemaRegistryCollector::labels(std::string_view metric, const std::string& subject) const {
  return core::Labels::metric(metric, {{"registry", settings_.name}, {"subject", subject}});
}

core::Result<core::Batch> SchemaRegistryCollector::collect(const core::CollectContext& context) {
  auto listed = client_.subjects(context);
  if (!listed) return std::unexpected(listed.error());
  std::erase_if(*listed, [&](const std::string& name) { return !settings_.subjects.admits(name); });
  std::ranges::sort(*listed);
  Cycle cycle{context, {}};
  if (listed->size() > kMostSubjects) {
    cycle.batch.faults.push_back({{core::ErrorKind::limit,
                                   fmt::format("{} subjects; only the first {} are watched, narrow subjects.allow",
                                               listed->size(), kMostSubjects),
                                   false, name_},
                                  {}});
    listed->resize(kMostSubjects);
  }
  std::erase_if(subjects_, [&](const auto& entry) { return !std::ranges::binary_search(*listed, entry.first); });
  cycle.batch.samples.push_back({core::Labels::metric("schema_registry_subjects", {{"registry", settings_.name}}),
                                 context.now, static_cast<double>(listed->size())});

  // Begin where the last cycle had to stop, so that every subject gets its turn.
  std::ranges::rotate(*listed, std::ranges::lower_bound(*listed, next_));
  next_.clear();
  for (const std::string& name : *listed) {
    const bool late = context.stop.stop_requested() || std::chrono::steady_clock::now() >= context.deadline;
    if (late && next_.empty()) next_ = name;
    Subject& subject = subjects_[name];
    const auto seen =
        late ? core::fail(core::ErrorKind::timeout, "the cycle's time was over before this subject's turn", name_)
             : observe(name, subject, cycle);
    if (!seen)
      cycle.batch.faults.push_back({seen.error(), core::Labels{{"registry", settings_.name}, {"subject", name}}});
    if (!subject.versions.empty()) emit(name, subject, cycle);
  }
  first_cycle_ = false;
  return std::move(cycle.batch);
}

core::Result<void> SchemaRegistryCollector::observe(const std::string& name, Subject& subject, Cycle& cycle) {
  auto versions = client_.versions(name, cycle.context);
  if (!versions) return std::unexpected(versions.error());
  auto level = client_.level(name, cycle.context);
  if (!level) return std::unexpected(level.error());
  const bool grown = !subject.versions.empty() && !versions->empty() && versions->back() > subject.versions.back();
  if (grown || (subject.versions.empty() && !versions->empty() && !first_cycle_)) {
    cycle.batch.events.push_back({cycle.context.now, "schema_version_registered",
                                  core::Labels{{"registry", settings_.name}, {"subject", name}},
                                  fmt::format("version {} of {} was registered", versions->back(), name)});
  }
  subject.versions = std::move(*versions);
  subject.level = std::move(*level);
  if (auto checked = check_versions(name, subject, cycle); !checked) return checked;
  return check_candidate(name, subject, cycle);
}

core::Result<void> SchemaRegistryCollector::check_versions(const std::string& name, Subject& subject, Cycle& cycle) {
  if (subject.versions.empty()) return {};
  const int newest = subject.versions.back();
  if (subject.checked_version == newest && subject.checked_level == subject.level) return {};
  if (subject.versions.size() == 1) {
    subject.compatible.reset();
    subject.checked_version = newest;
    subject.checked_level = subject.level;
    return {};
  }
  // A start or a new level judges the newest version; later each new one is judged, in order.
  auto from = subject.versions.end() - 1;
  if (subject.checked_version > 0 && subject.checked_level == subject.level) {
    from = std::max(subject.versions.begin() + 1, std::ranges::upper_bound(subject.versions, subject.checked_version));
  }
  for (auto version = from; version != subject.versions.end(); ++version) {
    auto schema = client_.version(name, *version, cycle.context);
    if (!schema) return std::unexpected(schema.error());
    auto result = client_.check(name, *(version - 1), *schema, cycle.context);
    if (!result) return std::unexpected(result.error());
    subject.compatible = result->compatible;
    count(name, subject,
          fmt::format("version {} of {} is not {} compatible with version {}", *version, name, subject.level,
                      *(version - 1)),
          *result, cycle);
    subject.checked_version = *version;
    subject.checked_level = subject.level;
  }
  return {};
}

core::Result<void> SchemaRegistryCollector::check_candidate(const std::string& name, Subject& subject, Cycle& cycle) {
  const auto candidate = std::ranges::find(settings_.candidates, name, &Candidate::subject);
  if (candidate == settings_.candidates.end() || subject.versions.empty()) return {};
  auto text = read_candidate_file(candidate->file);
  if (!text) return std::unexpected(text.error());
  const int newest = subject.versions.back();
  // The level is part of the question too.
  const std::string asked = subject.level + "\n" + *text;
  if (asked == subject.candidate_text && newest == subject.candidate_version) return {};
  auto result = client_.check(
      name, newest, {.version = 0, .schema = *text, .type = candidate->type, .references = "[]"}, cycle.context);
  if (!result) return std::unexpected(result.error());
  subject.candidate_compatible = result->compatible;
  subject.candidate_text = asked;
  subject.candidate_version = newest;
  count(name, subject,
        fmt::format("the candidate for {} is not {} compatible with version {}", name, subject.level, newest), *result,
        cycle);
  return {};
}

void SchemaRegistryCollector::count(const std::string& name, Subject& subject, const std::string& what,
                                    const Compatibility& result, Cycle& cycle) {
  ++(result.compatible ? subject.compatible_checks : subject.incompatible_checks);
  if (result.compatible) return;
  cycle.batch.events.push_back({cycle.context.now, "schema_incompatible",
                                core::Labels{{"registry", settings_.name}, {"subject", name}},
                                result.reason.empty() ? what : what + ": " + result.reason});
}

void SchemaRegistryCollector::emit(const std::string& name, const Subject& subject, Cycle& cycle) const {
  const auto put = [&](const core::Labels& series, double value) {
    cycle.batch.samples.push_back({series, cycle.context.now, value});
  };
  put(labels("schema_registry_subject_versions", name), static_cast<double>(subject.versions.size()));
  put(labels("schema_registry_subject_latest_version", name), subject.versions.back());
  put(labels("schema_registry_subject_compatibility_level", name).with("level", subject.level), 1);
  if (subject.compatible) put(labels("schema_registry_subject_compatible", name), *subject.compatible ? 1 : 0);
  if (subject.candidate_compatible)
    put(labels("schema_registry_candidate_compatible", name), *subject.candidate_compatible ? 1 : 0);
  const core::Labels checks = labels("schema_registry_compatibility_checks_total", name);
  put(checks.with("result", "compatible"), static_cast<double>(subject.compatible_checks));
  put(checks.with("result", "incompatible"), static_cast<double>(subject.incompatible_checks));
}

}  // namespace weir::collectors
