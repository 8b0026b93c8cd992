#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <set>

#include "incidents/causes.h"

namespace weir::incidents {
namespace {

using namespace std::chrono_literals;

std::string table_text(const Evidence& evidence) {
  return fmt::format("{} in {}", evidence.label("dataset"), evidence.label("source"));
}

/// What is known of the alert's check in words: its label may be any name a user gave it, the event of its failure says
/// what was measured.
std::string check_words(const Evidence& evidence) {
  const core::Event* event = evidence.newest_event("check_failed", evidence.labels({"source", "dataset", "check"}));
  return fmt::format("{} {}", evidence.label("check"), event == nullptr ? "" : event->message);
}

bool concerns_check(const Evidence& evidence) {
  return !evidence.label("dataset").empty() && !evidence.label("check").empty();
}

/// A check that cannot be evaluated says nothing about its table: neither late nor short nor wrong.
bool evaluated(const Evidence& evidence) {
  constexpr double kError = 3;
  return evidence.newest("weir_check_status", evidence.labels({"source", "dataset", "check"})) != kError;
}

/// True when the check measured what this metric of its table says.
bool measured(const Evidence& evidence, std::string_view metric, double tolerance) {
  const auto value = evidence.newest("weir_check_value", evidence.labels({"source", "dataset", "check"}));
  if (!value) return false;
  const auto found = evidence.points(metric, evidence.labels({"source", "dataset"}), 5min);
  return std::ranges::any_of(found, [&](const core::SeriesView& series) {
    return std::abs(series.points.back().value - *value) <= tolerance;
  });
}

/// None of the checks of the alert's source can be evaluated: then it is not the table.
bool nothing_evaluated(const Evidence& evidence) {
  if (!concerns_check(evidence) || evaluated(evidence)) return false;
  const auto checks = evidence.points("weir_check_status", evidence.labels({"source"}), 5min);
  std::set<std::string_view> tables;
  for (const core::SeriesView& series : checks) {
    if (series.points.back().value != 3) return false;
    tables.insert(series.labels.get("dataset"));
  }
  return tables.size() > 1;
}

/// The collector that reads the page which the alert says cannot be read; "" of other alerts.
std::string scrape_of(const Evidence& evidence) {
  if (evidence.label("alertname") != "ScrapeFailing") return {};
  return fmt::format("scrape/{}/{}", evidence.label("job"), evidence.label("instance"));
}

/// True when what the alert is about is seen through this collector. Its kind tells which label names its target: a
/// cluster and a registry may have the same name.
bool feeds(std::string_view collector, const Evidence& evidence) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTargets{
      {{"kafka/", "cluster"}, {"schema_registry/", "registry"}, {"schema_drift/", "registry"}, {"checks/", "source"}}};
  for (const auto& [kind, label] : kTargets) {
    const std::string_view target = evidence.label(label);
    if (target.empty() || !collector.starts_with(kind)) continue;
    std::string_view rest = collector.substr(kind.size());
    if (!rest.starts_with(target)) continue;
    rest.remove_prefix(target.size());
    // A second list of checks for the same source is called <source>-2.
    const bool numbered = rest.size() > 1 && rest[0] == '-' && rest.find_first_not_of("0123456789", 1) == rest.npos;
    if (rest.empty() || numbered) return true;
  }
  return false;
}

bool about_duplicates(std::string_view words) { return words.find("duplicate") != std::string_view::npos; }

/// True of what databases say of a column or table that does not exist.
bool names_missing(std::string_view error) {
  constexpr std::array<std::string_view, 9> kWords{"does not exist", "doesn't exist",     "Unknown column",
                                                   "no such column", "no such table",     "invalid identifier",
                                                   "Invalid column", "Unrecognized name", "has no column"};
  return std::ranges::any_of(kWords, [&](std::string_view word) { return error.find(word) != std::string_view::npos; });
}

std::string level_text(const Evidence& evidence, const core::Labels& labels) {
  const auto found = evidence.points("schema_registry_subject_compatibility_level", labels, 5min);
  for (const core::SeriesView& series : found) {
    if (series.points.back().value == 1) return fmt::format(" under {}", series.labels.get("level"));
  }
  return "";
}

std::string newest_version(const Evidence& evidence, const core::Labels& subject) {
  const auto version = evidence.newest("schema_registry_subject_latest_version", subject);
  return version ? fmt::format("version {}", number_text(*version)) : "the newest version";
}

std::string incompatibility(const Evidence& evidence, std::string_view kind, const core::Labels& subject) {
  const core::Event* event = evidence.newest_event(kind, subject);
  return event == nullptr ? "" : " " + event->message;
}

}  // namespace

std::optional<Cause> candidate_incompatible(const Evidence& evidence) {
  const core::Labels labels = evidence.labels({"registry", "subject"});
  if (evidence.label("subject").empty() || evidence.newest("schema_registry_candidate_compatible", labels) != 0.0)
    return std::nullopt;
  return Cause{
      fmt::format("The candidate schema of {} is incompatible with {}{}: registering it would break its readers "
                  "or be refused.{}",
                  evidence.label("subject"), newest_version(evidence, labels), level_text(evidence, labels),
                  incompatibility(evidence, "schema_candidate_incompatible", labels)),
      0.9};
}

std::optional<Cause> schema_incompatible(const Evidence& evidence) {
  const core::Labels labels = evidence.labels({"registry", "subject"});
  if (evidence.label("subject").empty() || evidence.newest("schema_registry_subject_compatible", labels) != 0.0)
    return std::nullopt;
  return Cause{fmt::format("An incompatible producer: {} of {} is incompatible with the version before it{}.{}",
                           newest_version(evidence, labels), evidence.label("subject"), level_text(evidence, labels),
                           incompatibility(evidence, "schema_incompatible", labels)),
               0.91};
}

std::optional<Cause> schema_finding(const Evidence& evidence) {
  const std::string_view finding = evidence.label("finding");
  const bool of_subject = !evidence.label("subject").empty();
  std::string_view kind;
  if (of_subject && finding == "level_loosened") kind = "schema_level_loosened";
  if (of_subject && finding == "reference_broken") kind = "schema_reference_broken";
  if (of_subject && !evidence.label("dataset").empty()) kind = "schema_table_drift";
  if (!of_subject && !evidence.label("registry").empty() && !evidence.label("topic").empty()) kind = "schema_drift";
  if (kind.empty()) return std::nullopt;
  const core::Event* event =
      evidence.newest_event(kind, evidence.labels({"registry", "cluster", "subject", "topic", "dataset", "result"}));
  return event == nullptr ? std::nullopt : std::optional(Cause{event->message, 0.85});
}

std::optional<Cause> schema_of_topic(const Evidence& evidence) {
  const std::string_view topic = evidence.label("topic");
  if (topic.empty() || evidence.label("cluster").empty() || evidence.label("consumergroup").empty())
    return std::nullopt;
  const core::Event* event = evidence.newest_event("schema_incompatible", evidence.labels({"cluster", "topic"}));
  if (event == nullptr || event->time > evidence.alert().active_at + 1min) return std::nullopt;
  return Cause{
      fmt::format("The readers of {} may fail on a new schema: {}", topic, event->message), 0.78,
      core::Node{"subject", std::string(event->labels.get("registry")), std::string(event->labels.get("subject"))}};
}

std::optional<Cause> load_late(const Evidence& evidence) {
  if (!concerns_check(evidence) || !evaluated(evidence)) return std::nullopt;
  const bool about_freshness = check_words(evidence).find("fresh") != std::string::npos;
  if (!about_freshness && !measured(evidence, "weir_dataset_freshness_seconds", 1)) return std::nullopt;
  double age = -1;
  const auto columns = evidence.points("weir_dataset_freshness_seconds", evidence.labels({"source", "dataset"}), 5min);
  for (const core::SeriesView& series : columns) age = std::max(age, series.points.back().value);
  const std::string since = age < 0 ? "" : fmt::format(" for {}", span_text(age));
  return Cause{
      fmt::format("Nothing new has arrived in {}{}: its load is late or has stopped.", table_text(evidence), since),
      0.8};
}

std::optional<Cause> load_size(const Evidence& evidence) {
  if (!concerns_check(evidence) || !evaluated(evidence)) return std::nullopt;
  const core::Labels labels = evidence.labels({"source", "dataset"});
  const auto rows = evidence.newest("weir_dataset_row_count", labels);
  const bool about_rows = check_words(evidence).find("row_count") != std::string::npos;
  if (!rows || (!about_rows && !measured(evidence, "weir_dataset_row_count", 0))) return std::nullopt;
  if (*rows == 0) {
    return Cause{fmt::format("{} is empty: its load failed, or deleted without loading.", table_text(evidence)), 0.85};
  }
  double most = 0;
  for (const core::SeriesView& series : evidence.points("weir_dataset_row_count", labels, 6h)) {
    for (const core::Point& point : series.points) most = std::max(most, point.value);
  }
  if (about_duplicates(check_words(evidence))) return std::nullopt;
  if (*rows < 0.95 * most) {
    return Cause{fmt::format("{} holds {} rows, {:.0f} % of the {} it had: its last load was partial.",
                             table_text(evidence), number_text(*rows), 100 * *rows / most, number_text(most)),
                 0.82};
  }
  return Cause{
      fmt::format("{} holds {} rows, not what its check \"{}\" allows: a load was partial, missing or doubled.",
                  table_text(evidence), number_text(*rows), evidence.label("check")),
      0.5};
}

std::optional<Cause> load_duplicated(const Evidence& evidence) {
  if (!concerns_check(evidence) || !evaluated(evidence)) return std::nullopt;
  const std::string words = check_words(evidence);
  const core::Labels labels = evidence.labels({"source", "dataset"});
  const auto rows = evidence.newest("weir_dataset_row_count", labels);
  const auto value = evidence.newest("weir_check_value", evidence.labels({"source", "dataset", "check"}));
  if (about_duplicates(words) && value && *value > 0) {
    return Cause{
        fmt::format("{} has rows twice: {} by its check \"{}\"{}. A load most likely ran twice, or its merge key is "
                    "wrong.",
                    table_text(evidence), number_text(*value), evidence.label("check"),
                    rows ? fmt::format(", of {} rows", number_text(*rows)) : std::string()),
        0.83};
  }
  const bool about_rows = words.find("row_count") != std::string::npos;
  if (!rows || (!about_rows && !measured(evidence, "weir_dataset_row_count", 0))) return std::nullopt;
  const auto level = evidence.levels("weir_dataset_row_count", labels, 6h, evidence.alert().active_at);
  const double before = level ? level->before : 0;
  if (before <= 0 || *rows < 1.5 * before) return std::nullopt;
  return Cause{fmt::format("{} holds {} rows, {} times the {} it had: a load most likely ran twice.",
                           table_text(evidence), number_text(*rows), number_text(*rows / before), number_text(before)),
               0.81};
}

std::optional<Cause> distribution_shift(const Evidence& evidence) {
  if (!concerns_check(evidence) || !evaluated(evidence)) return std::nullopt;
  const std::string words = check_words(evidence);
  const auto says = [&](std::string_view word) { return words.find(word) != std::string::npos; };
  const bool missing = says("missing_") || says("nulls");
  const bool values = says("avg") || says("sum(") || says("stddev") || says("variance") || says("percentile") ||
                      says("min(") || says("max(") || says("median") || says("invalid_") || says("valid_") ||
                      says("distinct") || says("distribution") || says("psi") || says("anomaly detection");
  if ((!missing && !values) || says("fresh") || says("row_count") || about_duplicates(words)) return std::nullopt;
  const core::Labels check = evidence.labels({"source", "dataset", "check"});
  const auto value = evidence.newest("weir_check_value", check);
  if (!value) return std::nullopt;
  const auto level = evidence.levels("weir_check_value", check, 6h, evidence.alert().active_at);
  const auto rows = evidence.newest("weir_dataset_row_count", evidence.labels({"source", "dataset"}));
  if (rows && *rows == 0) return std::nullopt;
  const std::string from = level && level->before != *value
                               ? fmt::format("went from {} to {}", number_text(level->before), number_text(*value))
                               : fmt::format("is {}", number_text(*value));
  const std::string_view what =
      missing ? "what loads it leaves values out" : "what it is loaded from has changed, or how it is computed";
  return Cause{fmt::format("The values of {} shifted: \"{}\" {}; most likely {}.", table_text(evidence),
                           evidence.label("check"), from, what),
               level && level->before != *value ? 0.7 : 0.55};
}

std::optional<Cause> schema_changed(const Evidence& evidence) {
  if (!concerns_check(evidence)) return std::nullopt;
  const core::Labels check = evidence.labels({"source", "dataset", "check"});
  const core::Event* event = evidence.newest_event("check_failed", check);
  const core::Fault* fault = evaluated(evidence) ? nullptr : evidence.fault();
  std::string error = fault != nullptr ? fault->error.message : std::string();
  if (error.empty() && event != nullptr && event->labels.get("outcome") == "error") error = event->message;
  const bool about_schema = evidence.label("check").starts_with("schema") ||
                            (event != nullptr && event->message.find("required column") != std::string::npos);
  if (evaluated(evidence) && about_schema && event != nullptr)
    return Cause{fmt::format("The columns of {} changed: {}", table_text(evidence), event->message), 0.8};
  if (evaluated(evidence) || !names_missing(error)) return std::nullopt;
  return Cause{fmt::format("The schema of {} changed: what its check \"{}\" needs is not there any more. {}",
                           table_text(evidence), evidence.label("check"), error),
               0.8};
}

std::optional<Cause> check_outcome(const Evidence& evidence) {
  if (!concerns_check(evidence) || !evaluated(evidence)) return std::nullopt;
  const core::Event* event = evidence.newest_event("check_failed", evidence.labels({"source", "dataset", "check"}));
  if (event == nullptr) return std::nullopt;
  return Cause{fmt::format("Data of {}: {}", table_text(evidence), event->message), 0.45};
}

/// What failed beside it explains more, so its score is below theirs.
std::optional<Cause> check_error(const Evidence& evidence) {
  if (!concerns_check(evidence) || evaluated(evidence)) return std::nullopt;
  constexpr double kScore = 0.44;
  if (const core::Fault* fault = evidence.fault(); fault != nullptr && !fault->error.message.empty()) {
    return Cause{fmt::format("Check \"{}\" of {} cannot be evaluated: {}", evidence.label("check"),
                             table_text(evidence), fault->error.message),
                 kScore};
  }
  const core::Event* event = evidence.newest_event("check_failed", evidence.labels({"source", "dataset", "check"}));
  if (event == nullptr || event->labels.get("outcome") != "error") return std::nullopt;
  return Cause{fmt::format("Nothing is known about {}: {}", table_text(evidence), event->message), kScore};
}

std::optional<Cause> checks_unseen(const Evidence& evidence) {
  constexpr std::string_view kChecks = "checks/";
  const std::string_view collector = evidence.label("collector");
  if (!collector.starts_with(kChecks)) return std::nullopt;
  const std::string_view source = collector.substr(kChecks.size());
  std::set<std::string> seen;
  std::set<std::string> unseen;
  for (const core::SeriesView& series : evidence.points("weir_check_status", core::Labels{{"source", source}}, 5min)) {
    (series.points.back().value == 3 ? unseen : seen).emplace(series.labels.get("dataset"));
  }
  if (unseen.empty() || seen.empty()) return std::nullopt;
  const std::string& first = *unseen.begin();
  Cause cause{fmt::format("Weir sees {}, but cannot evaluate checks of {}{}: see why there.", source, first,
                          unseen.size() > 1 ? fmt::format(" and {} more tables", unseen.size() - 1) : std::string()),
              0.91};
  if (unseen.size() == 1) cause.origin = core::Node{"table", std::string(source), first.substr(0, first.find(" ["))};
  return cause;
}

std::optional<Cause> own_link_down(const Evidence& evidence) {
  const std::string scrape = scrape_of(evidence);
  const std::string_view named = scrape.empty() ? evidence.label("collector") : std::string_view(scrape);
  for (const core::SeriesView& series : evidence.points("weir_collector_success", {}, 5min)) {
    const std::string_view collector = series.labels.get("collector");
    const std::string_view target = collector.substr(collector.find('/') + 1);
    const bool concerns = named.empty() ? feeds(collector, evidence) : collector == named;
    if (!concerns || series.points.back().value != 0) continue;
    const auto last =
        evidence.newest("weir_collector_last_success_timestamp_seconds", core::Labels{{"collector", collector}});
    const std::string since = last && *last > 0
                                  ? fmt::format("for {}", span_text(core::to_seconds(evidence.now()) - *last))
                                  : "since it started";
    const core::Fault* fault = evidence.fault_of(collector);
    const std::string why = fault == nullptr ? "its link is down or access is refused, and what is shown of it may be "
                                               "out of date."
                                             : fault->error.message;
    const double score = !named.empty() ? 0.9 : nothing_evaluated(evidence) ? 0.85 : 0.4;
    Cause cause{
        fmt::format("Weir itself has not seen {} completely {} (collector {}): {}", target, since, collector, why),
        score};
    if (score > 0.5) cause.origin = core::Node{"collector", "", std::string(collector)};
    return cause;
  }
  return std::nullopt;
}

}  // namespace weir::incidents
