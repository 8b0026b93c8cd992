#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "collectors/schema_registry_cycle.h"
#include "core/clock_skew.h"

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricType;
using namespace registry_metrics;

constexpr std::array<core::MetricInfo, 14> kMetrics{{
    {kSubjects, MetricType::gauge, "Subjects in the registry that are watched."},
    {kDeletedSubjects, MetricType::gauge, "Subjects that were deleted softly: they can be restored."},
    {kVersions, MetricType::gauge, "Versions of the subject."},
    {kLatest, MetricType::gauge, "Number of the subject's newest version."},
    {kLevel, MetricType::gauge, "1 for the compatibility level in force."},
    {kCompatible, MetricType::gauge,
     "1 when the newest version is compatible with the one before it (with all before it where the level is "
     "transitive), else 0."},
    {kIncompatibleVersions, MetricType::gauge, "Versions that are incompatible with those before them."},
    {kDeletedVersions, MetricType::gauge, "Versions of the subject that were deleted softly."},
    {kInfo, MetricType::gauge, "1, with the format, the root type's name and the topic, where it is known."},
    {kLastChange, MetricType::gauge, "When a version or the level last changed, as far as that is known."},
    {kFinding, MetricType::gauge, "1 for what is amiss: level_none, level_loosened, reference_broken."},
    {kFindings, MetricType::gauge, "Subjects of which that is amiss."},
    {kCandidate, MetricType::gauge, "1 when the candidate file is compatible with the newest version, else 0."},
    {kChecks, MetricType::counter, "Compatibility checks that the registry has answered, by result."},
}};

constexpr std::array<std::string_view, 3> kKinds{"level_none", "level_loosened", "reference_broken"};

}  // namespace

std::span<const core::MetricInfo> SchemaRegistryCollector::metrics() const { return kMetrics; }

void SchemaRegistryCollector::label(const std::string& name, Subject& subject) const {
  const auto labels = [&](std::string_view metric) {
    return Labels::metric(metric, {{"registry", settings_.name}, {"subject", name}});
  };
  subject.versions_labels = labels(kVersions);
  subject.latest_labels = labels(kLatest);
  subject.compatible_labels = labels(kCompatible);
  subject.candidate_labels = labels(kCandidate);
  subject.deleted_labels = labels(kDeletedVersions);
  subject.incompatible_versions = labels(kIncompatibleVersions);
  subject.change_labels = labels(kLastChange);
  subject.compatible_total = labels(kChecks).with("result", "compatible");
  subject.incompatible_total = labels(kChecks).with("result", "incompatible");
}

void SchemaRegistryCollector::count(Subject& subject, bool compatible) {
  ++(compatible ? subject.compatible : subject.incompatible);
}

void SchemaRegistryCollector::emit(Cycle& cycle, const std::string& name, const Subject& subject) const {
  emit_edges(cycle, name, subject);
  if (subject.seen) emit_findings(cycle, name, subject);
  if (cycle.faulty.contains(name)) return;  // what is known of it comes with the next whole look
  const bool candidate = subject.candidate && !cycle.faulty_candidates.contains(name);
  const auto add = [&](const Labels& labels, double value) {
    cycle.batch.samples.push_back({labels, cycle.context.now, value});
  };
  if (subject.seen) {
    add(subject.versions_labels, static_cast<double>(subject.versions.size()));
    add(subject.latest_labels, subject.versions.back());
    if (subject.level_known) add(subject.level_labels, 1);
    if (subject.level_known && subject.newest) add(subject.compatible_labels, subject.newest->compatible ? 1 : 0);
    if (subject.described != 0) add(subject.info_labels, 1);
    if (subject.deleted_versions) add(subject.deleted_labels, static_cast<double>(subject.deleted_versions->size()));
    if (subject.dated_ahead) cycle.dated_ahead = std::max(cycle.dated_ahead, {*subject.dated_ahead, name});
    if (subject.last_change) add(subject.change_labels, core::to_seconds(*subject.last_change));
    // All but the first and the newest are in the history once they were looked at.
    const bool whole =
        subject.versions.size() < 2 || (subject.newest && subject.history.size() + 2 >= subject.versions.size() &&
                                        std::ranges::all_of(subject.history, [&](const auto& entry) {
                                          return entry.second.known && entry.second.question.level == subject.level;
                                        }));
    if (whole && subject.level_known) {
      auto broken = std::ranges::count_if(subject.history, [](const auto& entry) { return !entry.second.compatible; });
      if (subject.newest && !subject.newest->compatible) ++broken;
      add(subject.incompatible_versions, static_cast<double>(broken));
    }
  }
  if (candidate) add(subject.candidate_labels, subject.candidate->compatible ? 1 : 0);
  if (!subject.seen && !candidate) return;
  add(subject.compatible_total, static_cast<double>(subject.compatible));
  add(subject.incompatible_total, static_cast<double>(subject.incompatible));
}

void SchemaRegistryCollector::emit_findings(Cycle& cycle, const std::string& name, const Subject& subject) const {
  const auto find = [&](std::string_view kind, bool found) {
    if (!found) return;
    ++cycle.findings[std::string(kind)];
    if (cycle.faulty.contains(name)) return;
    cycle.batch.samples.push_back(
        {Labels::metric(kFinding, {{"registry", settings_.name}, {"subject", name}, {"finding", kind}}),
         cycle.context.now, 1});
  };
  find(kKinds[0], subject.level == "NONE");
  find(kKinds[1], loosened(subject, cycle.context.now));
  find(kKinds[2], !subject.reference_trouble.empty());
}

void SchemaRegistryCollector::emit_totals(Cycle& cycle, std::size_t subjects) const {
  const auto add = [&](std::string_view metric, std::string_view finding, double value) {
    Labels labels = Labels::metric(metric, {{"registry", settings_.name}, {"finding", finding}});
    cycle.batch.samples.push_back({std::move(labels), cycle.context.now, value});
  };
  add(kSubjects, "", static_cast<double>(subjects));
  if (cycle.all) {
    const auto deleted =
        std::ranges::count_if(*cycle.all, [&](const std::string& name) { return !cycle.listed.contains(name); });
    add(kDeletedSubjects, "", static_cast<double>(deleted));
  }
  emit_clock(cycle);
  for (const std::string_view kind : kKinds)
    add(kFindings, kind, static_cast<double>(cycle.findings[std::string(kind)]));
}

/// What the registry dates ahead of now tells no time of a change, and would look newest for long.
void SchemaRegistryCollector::emit_clock(Cycle& cycle) const {
  const auto& [time, name] = cycle.dated_ahead;
  if (!core::is_ahead(time, cycle.context.now)) return;
  cycle.batch.faults.push_back(
      {core::fail(core::ErrorKind::protocol,
                  fmt::format("the registry says that the newest version of {} was registered {}; set the clock that "
                              "is wrong",
                              name, core::off_by(time, cycle.context.now)),
                  name_)
           .error(),
       Labels::metric(kLastChange, {{"registry", settings_.name}})});
}

void SchemaRegistryCollector::emit_edges(Cycle& cycle, const std::string& name, const Subject& subject) const {
  if (!subject.seen) return;
  const core::Node self{"subject", settings_.name, name};
  if (!subject.topic.empty())
    cycle.batch.edges.push_back({self, {"topic", settings_.cluster, subject.topic}, "schema_registry"});
  for (const SchemaReference& reference : subject.references)
    cycle.batch.edges.push_back({{"subject", settings_.name, reference.subject}, self, "schema_registry"});
}

}  // namespace weir::collectors
