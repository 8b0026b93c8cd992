#include "app/lineage_service.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "incidents/causes.h"
#include "incidents/subject.h"

#include "lineage/queries.h"

namespace weir::app {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;

constexpr core::Duration kLookEvery = std::chrono::seconds(15);  // at what exists
constexpr core::Duration kNewest = std::chrono::minutes(5);      // a series without a sample for so long has ended
constexpr std::size_t kMostKnown = 200'000;
constexpr std::size_t kMostAnnotations = 10'000;  // that are remembered

constexpr std::array kMetrics{
    MetricInfo{"weir_lineage_nodes", MetricType::gauge, "Nodes of the lineage graph."},
    MetricInfo{"weir_lineage_edges", MetricType::gauge, "Its edges."},
    MetricInfo{"weir_lineage_refused", MetricType::gauge, "Nodes and edges that are left out, past the limits."},
    MetricInfo{"weir_lineage_findings", MetricType::gauge, "Cycles, duplicates and unknown nodes of the graph."},
    MetricInfo{"weir_pipeline_info", MetricType::gauge, "1, with owner and criticality of a pipeline."},
    MetricInfo{"weir_pipeline_alerts_firing", MetricType::gauge, "Alerts that fire on nodes of a pipeline."},
    MetricInfo{"weir_pipeline_freshness_seconds", MetricType::gauge, "Age of the newest row of its stalest table."},
    MetricInfo{"weir_pipeline_latency_seconds", MetricType::gauge,
               "Time lag of its consumer groups, summed along the slowest way."},
    MetricInfo{"weir_pipeline_stalest_table_seconds", MetricType::gauge, "Age of the newest row of that table."},
    MetricInfo{"weir_pipeline_slowest_group_seconds", MetricType::gauge,
               "Time lag of the consumer group of a pipeline that is furthest behind."},
    MetricInfo{"weir_pipeline_sla_seconds", MetricType::gauge, "What was promised of the two."},
    MetricInfo{"weir_openlineage_emitted_total", MetricType::counter, "Events of OpenLineage that were to be sent."},
    MetricInfo{"weir_openlineage_emit_waiting", MetricType::gauge, "Of them those that wait."},
    MetricInfo{"weir_catalog_emitted_total", MetricType::counter, "Events of checks and incidents for a catalog."},
    MetricInfo{"weir_catalog_emit_waiting", MetricType::gauge, "Of them those that wait."},
};

// One series of each of these is a thing that exists.
constexpr std::array<std::string_view, 7> kTelling{
    "kafka_topic_partitions",      "kafka_consumergroup_state",      "weir_check_status",
    "weir_dataset_row_count",      "weir_dataset_freshness_seconds", "schema_registry_subject_versions",
    "kafka_connect_connector_info"};

std::vector<core::SeriesView> newest(const core::SeriesSource& series, std::string_view metric, core::Time now) {
  auto found = series.select({.matchers = {{std::string(core::kMetricName), core::MatchOp::equal, std::string(metric)}},
                              .from = now - kNewest,
                              .to = now,
                              .newest_only = true});
  std::vector<core::SeriesView> views = found ? std::move(*found) : std::vector<core::SeriesView>();
  std::erase_if(views, [](const core::SeriesView& view) {
    return view.points.empty() || core::is_stale_marker(view.points.back().value);
  });
  return views;
}

/// Of each thing the least value of a metric.
std::map<core::Node, double> least(const core::SeriesSource& series, std::string_view metric, core::Time now) {
  std::map<core::Node, double> values;
  for (const core::SeriesView& view : newest(series, metric, now)) {
    const double value = view.points.back().value;
    const auto [known, fresh] = values.emplace(node_of_labels(view.labels), value);
    if (!fresh) known->second = std::min(known->second, value);
  }
  return values;
}

/// Of the things in a pipeline the one with the largest value.
std::optional<std::pair<core::Node, double>> largest_within(const lineage::View& graph, std::size_t pipeline,
                                                            const std::map<core::Node, double>& values) {
  std::optional<std::pair<core::Node, double>> largest;
  for (const auto& each : values) {
    const auto found = graph.find(each.first);
    if (!found || (largest && largest->second >= each.second)) continue;
    const auto& in = graph.nodes[*found].pipelines;
    if (std::ranges::find(in, pipeline) != in.end()) largest = each;
  }
  return largest;
}

bool tells_outcomes(std::string_view source) {
  return source.starts_with("checks/") || source.starts_with("check_results/");
}

}  // namespace

core::Node node_of_labels(const Labels& labels) { return incidents::node_of(labels); }

LineageService::LineageService(LineageSettings settings, const runtime::Clock& clock)
    : settings_(std::move(settings)), graph_(settings_.pipelines, settings_.limits), view_(graph_.view(clock.now())) {
  for (const CatalogEmit& emit : settings_.catalog_emits)
    tellers_.push_back(std::make_unique<CatalogTeller>(settings_.catalogs.at(emit.catalog), emit.settings, clock));
  if (!settings_.openlineage) return;
  if (settings_.openlineage->receive)
    inbox_ = std::make_shared<collectors::OpenLineageInbox>(settings_.openlineage->queue);
  if (!settings_.openlineage->emit) return;
  outcomes_.emplace(*settings_.openlineage);
  sender_ = std::make_unique<EventSender>(*settings_.openlineage->emit,
                                          SenderTarget{.what = "OpenLineage", .path = {}, .headers = {}}, clock);
}

LineageService::~LineageService() { stop(); }

std::unique_ptr<core::Collector> LineageService::make_collector(core::KeyedTexts* texts) {
  if (!inbox_) return nullptr;
  return std::make_unique<collectors::OpenLineageCollector>(*settings_.openlineage, inbox_, texts);
}

void LineageService::expect(const std::vector<std::string>& collectors) {
  complete_.clear();
  for (const std::string& name : collectors) complete_.emplace(name, false);
}

void LineageService::note_cycle(std::string_view source, bool complete) {
  if (const auto found = complete_.find(source); found != complete_.end()) found->second = complete;
}

void LineageService::take(std::string_view source, const core::Batch& batch, core::Time now) {
  note_cycle(source, std::ranges::all_of(batch.faults, &core::Fault::no_value));
  graph_.take(source, batch, now);
  if (!tells_outcomes(source)) return;
  if (outcomes_) sender_->offer(outcomes_->take(source, batch, now));
  for (const auto& teller : tellers_)
    teller->take(
        source, batch, [this](const Labels& labels) { return canonical(labels); }, now);
}

void LineageService::miss(std::string_view source) { note_cycle(source, false); }

/// What could not be seen for a while is known all the same.
void LineageService::look(const core::SeriesSource& series, core::Time now) {
  std::set<core::Node> known;
  for (const std::string_view metric : kTelling) {
    for (const core::SeriesView& each : newest(series, metric, now)) {
      if (known.size() < kMostKnown) known.insert(node_of_labels(each.labels));
    }
  }
  for (const core::Node& node : known_) {
    if (known.size() < kMostKnown && !lineage::looked_for(node, complete_)) known.insert(node);
  }
  known_ = std::move(known);
  graph_.know(known_);
  graph_.watch(complete_);
}

void LineageService::refresh(const core::SeriesSource& series, const std::vector<core::Alert>& alerts, core::Time now,
                             core::Batch& batch) {
  if (!refreshed_ || now - *refreshed_ >= kLookEvery) {
    refreshed_ = now;
    look(series, now);
  }
  auto fresh = graph_.view(now);
  {
    const std::lock_guard lock(mutex_);
    view_ = std::move(fresh);
  }
  append_graph(now, batch);
  append_pipelines(series, alerts, now, batch);
  append_senders(now, batch);
}

void LineageService::append_graph(core::Time now, core::Batch& batch) {
  const auto add = [&](std::string_view metric, Labels labels, std::size_t value) {
    batch.samples.push_back({labels.with(core::kMetricName, metric), now, static_cast<double>(value)});
  };
  const lineage::View& graph = *view();
  add("weir_lineage_nodes", {}, graph.nodes.size());
  add("weir_lineage_edges", {}, graph.edges.size());
  add("weir_lineage_refused", {{"what", "nodes"}}, graph.refused_nodes);
  add("weir_lineage_refused", {{"what", "edges"}}, graph.refused_edges);
  std::map<std::string, std::size_t> counts{{"cycle", 0}, {"duplicate", 0}, {"unknown_node", 0}};
  std::set<std::string> texts;
  for (const lineage::Finding& finding : graph.findings) {
    ++counts[finding.kind];
    texts.insert(finding.text);
    if (told_.contains(finding.text)) continue;
    batch.events.push_back({now, "lineage_" + finding.kind,
                            Labels{{"pipeline", finding.pipeline}, {"kind", finding.kind}},
                            (finding.kind == "cycle" ? "The lineage graph has a cycle: " : "") + finding.text + "."});
  }
  told_ = std::move(texts);
  for (const auto& [kind, count] : counts) add("weir_lineage_findings", {{"kind", kind}}, count);
}

void LineageService::append_pipelines(const core::SeriesSource& series, const std::vector<core::Alert>& alerts,
                                      core::Time now, core::Batch& batch) const {
  const auto graph = view();
  if (graph->pipelines.empty()) return;
  const auto add = [&](std::string_view metric, const Labels& labels, double value) {
    batch.samples.push_back({labels.with(core::kMetricName, metric), now, value});
  };
  std::map<core::Node, double> ages = least(series, "weir_dataset_freshness_seconds", now);
  std::map<core::Node, double> lags = least(series, "kafka_consumergroup_group_lag_seconds", now);
  std::vector<std::array<double, 3>> firing(graph->pipelines.size());
  for (const core::Alert& alert : alerts) {
    const auto node = graph->find(node_of_labels(alert.labels));
    if (alert.state != core::AlertState::firing || !node) continue;
    const int rank = incidents::severity_rank(alert.labels.get("severity"));
    for (const std::size_t pipeline : graph->nodes[*node].pipelines) ++firing[pipeline][static_cast<std::size_t>(rank)];
  }
  for (std::size_t i = 0; i < graph->pipelines.size(); ++i) {
    const lineage::Pipeline& pipeline = graph->pipelines[i];
    const Labels labels{{"pipeline", pipeline.name}};
    add("weir_pipeline_info", labels.with("owner", pipeline.owner).with("criticality", pipeline.criticality), 1);
    for (int rank = 0; rank < 3; ++rank) {
      add("weir_pipeline_alerts_firing", labels.with("severity", incidents::severity_name(rank)),
          firing[i][static_cast<std::size_t>(rank)]);
    }
    if (const auto stalest = largest_within(*graph, i, ages)) {
      const auto& [table, age] = *stalest;
      add("weir_pipeline_freshness_seconds", labels, age);
      add("weir_pipeline_stalest_table_seconds", labels.with("source", table.place).with("dataset", table.name), age);
    }
    if (const auto slowest = largest_within(*graph, i, lags)) {
      const auto& [group, seconds] = *slowest;
      add("weir_pipeline_slowest_group_seconds", labels.with("cluster", group.place).with("consumergroup", group.name),
          seconds);
    }
    const auto lag = lineage::slowest_way(*graph, i, [&](const core::Node& node) -> std::optional<double> {
      const auto found = lags.find(node);
      return found == lags.end() ? std::nullopt : std::optional(found->second);
    });
    if (lag) add("weir_pipeline_latency_seconds", labels, *lag);
    const auto promised = [&](std::string_view what, const std::optional<core::Duration>& span) {
      if (span) add("weir_pipeline_sla_seconds", labels.with("sla", what), core::to_seconds(*span));
    };
    promised("freshness", pipeline.sla.freshness);
    promised("latency", pipeline.sla.latency);
  }
}

void LineageService::append_senders(core::Time now, core::Batch& batch) const {
  const auto add = [&](const SenderReport& report, std::string_view total, std::string_view waiting, const Labels& of) {
    const auto sample = [&](std::string_view metric, const Labels& labels, std::uint64_t count) {
      batch.samples.push_back({labels.with(core::kMetricName, metric), now, static_cast<double>(count)});
    };
    sample(total, of.with("outcome", "delivered"), report.delivered);
    sample(total, of.with("outcome", "refused"), report.refused);
    sample(total, of.with("outcome", "dropped"), report.dropped);
    sample(waiting, of, report.waiting);
  };
  if (sender_) add(sender_->report(), "weir_openlineage_emitted_total", "weir_openlineage_emit_waiting", {});
  for (const auto& teller : tellers_) {
    add(teller->report(), "weir_catalog_emitted_total", "weir_catalog_emit_waiting",
        Labels{{"catalog", teller->catalog()}});
  }
}

core::Node LineageService::canonical(const Labels& labels) const {
  core::Node node = node_of_labels(labels);
  const auto graph = view();
  const auto known = graph->find(node);
  return known ? graph->nodes[*known].node : node;
}

Labels LineageService::annotations(const Labels& alert_labels) {
  const core::Node node = node_of_labels(alert_labels);
  const auto graph = view();
  if (std::exchange(annotated_, graph) != graph || annotations_.size() >= kMostAnnotations) annotations_.clear();
  if (const auto known = annotations_.find(node); known != annotations_.end()) return known->second;
  core::LabelsBuilder labels(lineage::impact_annotations(*graph, node));
  const auto known = graph->find(node);
  std::string links;
  for (const auto& link : lineage::catalog_links(settings_.catalogs, known ? graph->nodes[*known].node : node))
    links += (links.empty() ? "" : " ") + link.url;
  labels.set("catalog", links);
  return annotations_[node] = labels.build();
}

void LineageService::tell(const JudgeStep& step, const JudgeView& view, core::Time now) {
  if (!outcomes_) return;
  std::vector<std::string> events;
  for (const IncidentNote& note : step.incident_notes) {
    const auto incident = std::ranges::find(view.incidents, note.id, &core::Incident::id);
    if (incident == view.incidents.end() || incident->alerts.empty()) continue;
    const core::Node first = node_of_labels(incident->alerts.front().labels);
    std::string event = outcomes_->incident(incident->reasons.origin.value_or(first), note.id, note.title,
                                            note.lasted.has_value(), now);
    if (!event.empty()) events.push_back(std::move(event));
  }
  sender_->offer(std::move(events));
}

void LineageService::tell_catalogs(const JudgeView& view, core::Time now) {
  for (const auto& teller : tellers_)
    teller->tell(
        view.incidents, [this](const Labels& labels) { return canonical(labels); }, now);
}

std::shared_ptr<const incidents::Upstream> LineageService::upstream() {
  auto graph = view();
  if (!upstream_ || upstream_->view() != graph) upstream_ = std::make_shared<LineageUpstream>(std::move(graph));
  return upstream_;
}

std::vector<core::Fault> LineageService::with_errors(std::vector<core::Fault> faults) const {
  const auto add = [&](std::string part, const SenderReport& report) {
    if (report.error.empty()) return;
    faults.push_back(
        {.error = {.kind = core::ErrorKind::unavailable, .message = report.error, .where = std::move(part)},
         .scope = {}});
  };
  if (sender_) add(std::string(incidents::kOwnEvents), sender_->report());
  for (const auto& teller : tellers_) add(incidents::kOwnCatalog + teller->catalog(), teller->report());
  return faults;
}

std::shared_ptr<const lineage::View> LineageService::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

api::LineageAccess LineageService::access() {
  api::LineageAccess access{.view = [this] { return view(); },
                            .node_of = node_of_labels,
                            .severity_rank = incidents::severity_rank,
                            .catalogs = settings_.catalogs,
                            .receive = {},
                            .token = {}};
  if (inbox_) {
    access.receive = [inbox = inbox_](const std::string& body) { return inbox->offer(body); };
    access.token = settings_.openlineage->token;
  }
  return access;
}

void LineageService::wake() {
  if (sender_) sender_->wake();
  for (const auto& teller : tellers_) teller->wake();
}

void LineageService::stop() {
  if (sender_) sender_->stop();
  for (const auto& teller : tellers_) teller->stop();
}

std::span<const MetricInfo> LineageService::metrics() { return kMetrics; }

}  // namespace weir::app
