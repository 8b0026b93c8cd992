#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "incidents/causes.h"
#include "incidents/subject.h"

namespace weir::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kNamedTopics = 3;

/// An alert that states how many things were found, and the events that name them.
struct Finding {
  std::string_view alert;
  std::string_view event;
};

constexpr std::array kFindings{
    Finding{"PersonalDataInTable", "pii_found"},
    Finding{"PersonalDataInTopic", "pii_found"},
    Finding{"PipelineNodeUnknown", "lineage_unknown_node"},
    Finding{"LineageCycle", "lineage_cycle"},
};

/// "topics a, b, c and 4 others"
std::string topics_text(const Evidence& evidence, const core::Labels& connector) {
  std::vector<std::string> topics;
  for (const core::SeriesView& series : evidence.points("kafka_connect_connector_topic", connector, 5min)) {
    topics.emplace_back(series.labels.get("topic"));
  }
  std::ranges::sort(topics);
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  if (topics.empty()) return {};
  std::string text = topics.size() == 1 ? "topic " : "topics ";
  for (std::size_t i = 0; i < std::min(topics.size(), kNamedTopics); ++i) text += (i == 0 ? "" : ", ") + topics[i];
  if (topics.size() > kNamedTopics) text += fmt::format(" and {} others", topics.size() - kNamedTopics);
  return text;
}

/// What stands still with the connector.
std::string consequence(const Evidence& evidence, const core::Labels& connector, std::string_view until) {
  const auto states = evidence.points("kafka_connect_connector_state", connector, 5min);
  const std::string_view type = states.empty() ? std::string_view() : states.front().labels.get("type");
  const std::string topics = topics_text(evidence, connector);
  if (type == "source") {
    return fmt::format(" Nothing new is written to {} until it is {}.", topics.empty() ? "its topics" : topics, until);
  }
  if (type == "sink") {
    return fmt::format(" What is in {} does not reach its sink until it is {}.", topics.empty() ? "its topics" : topics,
                       until);
  }
  return topics.empty() ? "" : fmt::format(" It concerns {}.", topics);
}

std::string debezium_text(const Evidence& evidence, const core::Labels& connector) {
  for (const core::SeriesView& series : evidence.points("kafka_connect_connector_info", connector, 5min)) {
    const std::string_view database = series.labels.get("debezium");
    if (!database.empty()) return fmt::format("Debezium ({}): ", database);
  }
  return {};
}

/// PAUSED or STOPPED, of the connector or a task of it; FAILED too where that counts; "" else.
std::string stopped_state(const Evidence& evidence, const core::Labels& connector, bool failed_counts) {
  std::string state;
  for (const std::string_view metric : {"kafka_connect_connector_state", "kafka_connect_task_state"}) {
    for (const core::SeriesView& series : evidence.points(metric, connector, 5min)) {
      const std::string_view now = series.labels.get("state");
      const bool counts = now == "PAUSED" || now == "STOPPED" || (now == "FAILED" && failed_counts);
      if (series.points.back().value == 1 && counts) state = now;
    }
  }
  return state;
}

/// The source connector that writes the alert's topic, where it does not run: "" else.
std::string stopped_writer(const Evidence& evidence) {
  if (evidence.label("topic").empty() || !is_about_traffic(evidence)) return {};
  const core::Labels writer = core::LabelsBuilder(evidence.labels({"cluster", "topic"})).set("type", "source").build();
  for (const core::SeriesView& series : evidence.points("kafka_connect_connector_topic", writer, 5min)) {
    const std::string name(series.labels.get("connector"));
    if (!stopped_state(evidence, {{"cluster", evidence.label("cluster")}, {"connector", name}}, true).empty())
      return name;
  }
  return {};
}

/// What is wrong with the thing that these labels name, as far as anything fits.
std::optional<Cause> cause_of(const Evidence& evidence, const core::Labels& labels) {
  return evidence.of(labels, [](const Evidence& other) {
    std::optional<Cause> best;
    for (const Hypothesis& each : hypotheses()) {
      auto cause = each.examine(other);
      if (cause && (!best || cause->score > best->score)) best = std::move(cause);
    }
    return best;
  });
}

/// The thing of a pipeline that breaks a promise, with what ails it or what that comes from.
Cause blamed(const Evidence& evidence, const core::SeriesView& series, std::string text, double score) {
  const core::Labels labels = series.labels.without(core::kMetricName).without("pipeline");
  const auto why = cause_of(evidence, labels);
  if (why) text += " " + why->sentence;
  return {std::move(text), score, why && why->origin ? *why->origin : node_of(labels)};
}

std::string ended(std::string text) {
  if (!text.ends_with('.') && !text.ends_with("…")) text += '.';
  return text;
}

}  // namespace

std::optional<Cause> connector_failed(const Evidence& evidence) {
  if (evidence.label("connector").empty()) return std::nullopt;
  const core::Labels connector = evidence.labels({"cluster", "connector"});
  const core::Labels task = evidence.labels({"cluster", "connector", "task"});
  const bool of_task = !evidence.label("task").empty();
  const core::Event* event =
      evidence.newest_event(of_task ? "connector_task_failed" : "connector_failed", of_task ? task : connector);
  // A task that an operator restarted meanwhile explains nothing.
  core::Labels failed = of_task ? task : connector;
  bool is_failed = false;
  const std::string_view metric = of_task ? "kafka_connect_task_state" : "kafka_connect_connector_state";
  for (const core::SeriesView& series : evidence.points(metric, failed, 5min)) {
    is_failed = is_failed || (series.labels.get("state") == "FAILED" && series.points.back().value == 1);
  }
  if (!is_failed) return std::nullopt;
  const std::string what =
      event != nullptr ? event->message
      : of_task ? fmt::format("Task {} of connector {} failed", evidence.label("task"), evidence.label("connector"))
                : fmt::format("Connector {} failed", evidence.label("connector"));
  return Cause{fmt::format("{}{}{}", debezium_text(evidence, connector), ended(what),
                           consequence(evidence, connector, "restarted")),
               event != nullptr ? 0.9 : 0.7};
}

std::optional<Cause> connector_stopped(const Evidence& evidence) {
  const std::string_view cluster = evidence.label("cluster");
  std::string name(evidence.label("connector"));
  // The consumer group of a sink is called after it.
  constexpr std::string_view kPrefix = "connect-";
  const std::string_view group = evidence.label("consumergroup");
  if (name.empty() && group.starts_with(kPrefix)) name = group.substr(kPrefix.size());
  if (name.empty() && group.empty()) name = stopped_writer(evidence);
  if (name.empty()) return std::nullopt;
  const core::Labels connector{{"cluster", cluster}, {"connector", name}};
  const std::string state = stopped_state(evidence, connector, !group.empty());
  if (state.empty()) return std::nullopt;
  const auto states = evidence.points("kafka_connect_connector_state", connector, 5min);
  const bool source = !states.empty() && states.front().labels.get("type") == "source";
  const std::string debezium = debezium_text(evidence, connector);
  return Cause{fmt::format("{}{}onnector {} in {} is {}: {}{}", debezium,
                           !debezium.empty() && source ? "the source is stopped, c"
                           : source                    ? "The source is stopped, c"
                           : debezium.empty()          ? "C"
                                                       : "c",
                           name, cluster,
                           state == "PAUSED"    ? "paused"
                           : state == "STOPPED" ? "stopped"
                                                : "failed",
                           state == "FAILED" ? "its task ended with an error."
                                             : "somebody did that, and it goes on when it is resumed.",
                           consequence(evidence, connector, state == "FAILED" ? "restarted" : "resumed")),
               0.965, core::Node{"connector", std::string(cluster), name}};
}

std::optional<Cause> pipeline_late(const Evidence& evidence) {
  const std::string_view pipeline = evidence.label("pipeline");
  if (pipeline.empty() || !evidence.label("system").empty()) return std::nullopt;
  const core::Labels of_pipeline{{"pipeline", pipeline}};
  const auto promised = [&](std::string_view sla) {
    return evidence.newest("weir_pipeline_sla_seconds", of_pipeline.with("sla", sla));
  };
  // Which one it is may have changed: the newest counts.
  const auto which = [&](std::string_view metric) -> std::optional<core::SeriesView> {
    auto found = evidence.points(metric, of_pipeline, 2min);
    const auto newest = std::ranges::max_element(found, {}, [](const auto& each) { return each.points.back().time; });
    return newest == found.end() ? std::nullopt : std::optional(std::move(*newest));
  };
  // The group comes before the table that it loads.
  const auto latency = evidence.newest("weir_pipeline_latency_seconds", of_pipeline);
  const auto allowed = promised("latency");
  if (latency && allowed && *latency > *allowed) {
    if (const auto group = which("weir_pipeline_slowest_group_seconds")) {
      const std::string text = fmt::format(
          "Data takes {} through pipeline {}, where {} were promised: furthest behind, by {}, is consumer group {} in "
          "{}.",
          span_text(*latency), pipeline, span_text(*allowed), span_text(group->points.back().value),
          group->labels.get("consumergroup"), group->labels.get("cluster"));
      return blamed(evidence, *group, text, 0.66);
    }
  }
  const auto table = which("weir_pipeline_stalest_table_seconds");
  const auto oldest = promised("freshness");
  if (!table || !oldest || table->points.back().value <= *oldest) return std::nullopt;
  const std::string text = fmt::format(
      "Pipeline {} is older than the {} that were promised: nothing new has arrived in its stalest table, {} in {}, "
      "for {}.",
      pipeline, span_text(*oldest), table->labels.get("dataset"), table->labels.get("source"),
      span_text(table->points.back().value));
  return blamed(evidence, *table, text, 0.64);
}

std::optional<Cause> pipeline_run_failed(const Evidence& evidence) {
  if (evidence.label("pipeline").empty()) return std::nullopt;
  const core::Event* event =
      evidence.newest_event("pipeline_run_failed", evidence.labels({"system", "workspace", "pipeline"}));
  if (event == nullptr) return std::nullopt;
  return Cause{event->message, 0.8};
}

std::optional<Cause> finding_told(const Evidence& evidence) {
  const auto finding = std::ranges::find(kFindings, evidence.label("alertname"), &Finding::alert);
  if (finding == kFindings.end()) return std::nullopt;
  const core::Labels about = evidence.labels({"source", "dataset", "cluster", "topic", "kind"});
  const core::Event* event = evidence.newest_event(finding->event, about);
  if (event == nullptr) return std::nullopt;
  return Cause{ended(event->message), 0.6};
}

}  // namespace weir::incidents
