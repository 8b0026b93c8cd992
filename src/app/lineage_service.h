#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/backend.h"
#include "app/catalog_teller.h"
#include "app/event_sender.h"
#include "app/judge.h"
#include "app/lineage_settings.h"
#include "app/lineage_upstream.h"
#include "collectors/openlineage.h"
#include "collectors/openlineage_emitted.h"
#include "core/batch.h"
#include "core/series_source.h"
#include "runtime/clock.h"

#include "lineage/graph.h"

namespace weir::app {

/// What an alert with these labels is about.
core::Node node_of_labels(const core::Labels& labels);

/// Keeps the lineage graph, and speaks OpenLineage both ways. Owned by App; the judge's worker gives it what it sees,
/// view() may be called from any thread.
class LineageService {
 public:
  LineageService(LineageSettings settings, const runtime::Clock& clock);
  ~LineageService();

  /// The collector of what is received; null where nothing is. `texts` outlives it.
  std::unique_ptr<core::Collector> make_collector(core::KeyedTexts* texts);
  /// Names the collectors: while the last cycle of those that would tell of a thing saw everything, what none of them
  /// sees does not exist.
  void expect(const std::vector<std::string>& collectors);

  // On the judge's worker:
  void take(std::string_view source, const core::Batch& batch, core::Time now);
  void miss(std::string_view source);
  /// Brings the graph up to date with what exists, and appends the samples and events that tell of it.
  void refresh(const core::SeriesSource& series, const std::vector<core::Alert>& alerts, core::Time now,
               core::Batch& batch);
  /// What is added to the annotations of an alert: downstream, pipeline, pipeline_owner, pipeline_criticality, catalog.
  core::Labels annotations(const core::Labels& alert_labels);
  /// Sends incidents that a step opened or closed as OpenLineage events.
  void tell(const JudgeStep& step, const JudgeView& view, core::Time now);

  /// Tells catalogs of incidents that opened or ended; every few seconds.
  void tell_catalogs(const JudgeView& view, core::Time now);

  /// The graph for the judge, on its worker; the same object while nothing has changed.
  std::shared_ptr<const incidents::Upstream> upstream();
  /// And what the receivers of events said last, where that was no.
  std::vector<core::Fault> with_errors(std::vector<core::Fault> faults) const;

  std::shared_ptr<const lineage::View> view() const;
  api::LineageAccess access();
  /// Sends what waits; on a timer.
  void wake();
  void stop();
  static std::span<const core::MetricInfo> metrics();

 private:
  void note_cycle(std::string_view source, bool complete);
  void look(const core::SeriesSource& series, core::Time now);
  void append_graph(core::Time now, core::Batch& batch);
  void append_pipelines(const core::SeriesSource& series, const std::vector<core::Alert>& alerts, core::Time now,
                        core::Batch& batch) const;
  void append_senders(core::Time now, core::Batch& batch) const;
  core::Node canonical(const core::Labels& labels) const;

  const LineageSettings settings_;
  lineage::Graph graph_;
  lineage::Watch complete_;
  std::set<core::Node> known_;  // that has series
  std::set<std::string> told_;  // findings
  std::optional<core::Time> refreshed_;
  std::shared_ptr<const lineage::View> annotated_;  // that `annotations_` are by
  std::shared_ptr<const LineageUpstream> upstream_;
  std::map<core::Node, core::Labels> annotations_;  // a storm of alerts asks for the same again and again
  std::shared_ptr<collectors::OpenLineageInbox> inbox_;
  std::optional<collectors::OpenLineageOutcomes> outcomes_;
  std::unique_ptr<EventSender> sender_;
  std::vector<std::unique_ptr<CatalogTeller>> tellers_;
  mutable std::mutex mutex_;
  std::shared_ptr<const lineage::View> view_;
};

}  // namespace weir::app
