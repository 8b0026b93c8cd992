#include <algorithm>
#include <fmt/format.h>

#include "incidents/causes.h"

namespace weir::incidents {
namespace {

using namespace std::chrono_literals;

std::string table_text(const Evidence& evidence) {
  return fmt::format("{} in {}", evidence.label("dataset"), evidence.label("source"));
}

bool check_mentions(const Evidence& evidence, std::string_view word) {
  return evidence.label("check").find(word) != std::string_view::npos;
}

std::string level_text(const Evidence& evidence, const core::Labels& labels) {
  const auto found = evidence.points("schema_registry_subject_compatibility_level", labels, 5min);
  for (const core::SeriesView& series : found) {
    if (series.points.back().value == 1) return fmt::format(" under {}", series.labels.get("level"));
  }
  return "";
}

}  // namespace

std::optional<Cause> schema_incompatible(const Evidence& evidence) {
  const std::string_view subject = evidence.label("subject");
  if (subject.empty()) return std::nullopt;
  const core::Labels labels = evidence.labels({"registry", "subject"});
  const auto version = evidence.newest("schema_registry_subject_latest_version", labels);
  const std::string newest = version ? fmt::format("version {}", number_text(*version)) : "the newest version";
  const std::string level = level_text(evidence, labels);
  if (evidence.newest("schema_registry_candidate_compatible", labels) == 0.0) {
    return Cause{
        fmt::format("The candidate schema of {} is incompatible with {}{}: registering it would break its readers "
                    "or be refused.",
                    subject, newest, level),
        0.9};
  }
  if (evidence.newest("schema_registry_subject_compatible", labels) != 0.0) return std::nullopt;
  const core::Event* event = evidence.newest_event("schema_incompatible", labels);
  const std::string details = event == nullptr ? "" : " " + event->message;
  return Cause{fmt::format("An incompatible producer: {} of {} is incompatible with the version before it{}.{}", newest,
                           subject, level, details),
               0.9};
}

std::optional<Cause> load_late(const Evidence& evidence) {
  if (evidence.label("dataset").empty() || !check_mentions(evidence, "freshness")) return std::nullopt;
  const auto tables = evidence.points("weir_dataset_freshness_seconds", evidence.labels({"source", "dataset"}), 5min);
  double age = -1;
  for (const core::SeriesView& series : tables) age = std::max(age, series.points.back().value);
  if (age < 0) age = evidence.alert().value;
  return Cause{fmt::format("Nothing new has arrived in {} for {}: its load is late or has stopped.",
                           table_text(evidence), span_text(age)),
               0.8};
}

std::optional<Cause> load_size(const Evidence& evidence) {
  if (evidence.label("dataset").empty() || !check_mentions(evidence, "row_count")) return std::nullopt;
  const core::Labels labels = evidence.labels({"source", "dataset"});
  const auto rows = evidence.newest("weir_dataset_row_count", labels);
  if (!rows) return std::nullopt;
  double most = 0;
  for (const core::SeriesView& series : evidence.points("weir_dataset_row_count", labels, 6h)) {
    for (const core::Point& point : series.points) most = std::max(most, point.value);
  }
  if (*rows == 0)
    return Cause{fmt::format("{} is empty: its load failed or deleted without loading.", table_text(evidence)), 0.85};
  if (most > 0 && *rows < 0.95 * most) {
    return Cause{fmt::format("{} holds {} rows, {:.0f} % of the {} it had: its last load was partial.",
                             table_text(evidence), number_text(*rows), 100 * *rows / most, number_text(most)),
                 0.82};
  }
  return Cause{
      fmt::format("{} holds {} rows, not what the check \"{}\" allows: a load was partial, missing or doubled.",
                  table_text(evidence), number_text(*rows), evidence.label("check")),
      0.5};
}

std::optional<Cause> own_link_down(const Evidence& evidence) {
  const std::string_view named = evidence.label("collector");
  for (const core::SeriesView& series : evidence.points("weir_collector_success", {}, 5min)) {
    const std::string_view collector = series.labels.get("collector");
    const std::string_view target = collector.substr(collector.find('/') + 1);
    const bool concerns = named.empty() ? target == evidence.label("cluster") || target == evidence.label("registry") ||
                                              target == evidence.label("source")
                                        : collector == named;
    if (!concerns || series.points.back().value != 0) continue;
    const auto last =
        evidence.newest("weir_collector_last_success_timestamp_seconds", core::Labels{{"collector", collector}});
    const std::string since = last && *last > 0
                                  ? fmt::format("for {}", span_text(core::to_seconds(evidence.now()) - *last))
                                  : "since it started";
    return Cause{
        fmt::format("Weir itself has not seen {} completely {} (collector {}): its link is down or access is refused, "
                    "and what is shown of it may be out of date.",
                    target, since, collector),
        named.empty() ? 0.4 : 0.9};
  }
  return std::nullopt;
}

}  // namespace weir::incidents
