#include "app/incident_desk.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <future>
#include <set>

#include "incidents/lifecycle.h"
#include "incidents/postmortem.h"
#include "promql/parser.h"
#include "rules/selectors.h"
#include "storage/search.h"

#include "lineage/queries.h"

namespace weir::app {
namespace {

using core::MetricInfo;
using core::MetricType;

constexpr std::array<std::string_view, 3> kSeverities{"critical", "warning", "info"};
constexpr MetricInfo kOpen{"weir_incidents_open", MetricType::gauge, "Open incidents, by severity."};
constexpr MetricInfo kToDetect{"weir_incident_time_to_detect_seconds", MetricType::histogram,
                               "From when the condition held to when the incident was opened."};
constexpr MetricInfo kToAcknowledge{"weir_incident_time_to_acknowledge_seconds", MetricType::histogram,
                                    "From when an incident was opened to when somebody acknowledged it."};
constexpr MetricInfo kToResolve{"weir_incident_time_to_resolve_seconds", MetricType::histogram,
                                "From when an incident was opened to its end."};
constexpr std::array kMetrics{kOpen, kToDetect, kToAcknowledge, kToResolve};

constexpr core::Duration kPatience = std::chrono::seconds(30);  // with the judge, which may be in the middle of a step
constexpr core::Duration kBefore = std::chrono::minutes(30);    // of an incident, in its charts
constexpr core::Duration kAfter = std::chrono::minutes(10);
constexpr std::size_t kMostMessages = 200;
constexpr std::size_t kMostAlerts = 50;  // that charts are looked for

/// What the alert's rule reads of what its labels name; nothing where the rule is gone.
std::vector<core::Selection> selections_of(const core::Alert& alert, const api::RuleGroupViews& groups) {
  std::vector<core::Selection> found;
  for (const auto& group : groups) {
    if (group->name != alert.group) continue;
    for (const api::RuleView& rule : group->rules) {
      if (!rule.alerting || rule.name != alert.rule) continue;
      const auto expression = promql::parse(rule.query);
      if (!expression) continue;
      const rules::SelectorUses uses = rules::selector_uses(*expression);
      for (const rules::SelectorUse& use : uses.selectors) {
        core::Selection selection;
        selection.matchers = use.matchers;
        for (const auto& [name, value] : alert.labels) {
          const bool of_rule = name == "alertname" || rule.labels.has(name) ||
                               std::ranges::find(uses.rewritten_labels, name) != uses.rewritten_labels.end();
          if (!of_rule)
            selection.matchers.push_back(
                {.name = std::string(name), .op = core::MatchOp::equal, .value = std::string(value)});
        }
        found.push_back(std::move(selection));
      }
    }
  }
  return found;
}

}  // namespace

api::IncidentAccess IncidentDesk::access(const api::LineageAccess& lineage) const {
  return {.find = [this](const core::IncidentSearch& wanted, std::size_t limit) { return search(wanted, limit); },
          .handle = [this](const core::Deed& deed) { return handle(deed); },
          .silence = [this](const std::string& id, const std::string& by, const std::string& comment,
                            core::Duration duration) { return silence(id, by, comment, duration); },
          .postmortem = [this, lineage](const std::string& id) { return postmortem(id, lineage); }};
}

core::Result<api::FoundIncidents> IncidentDesk::search(const core::IncidentSearch& wanted, std::size_t limit) const {
  auto found = parts_.storage.incidents({.limit = limit, .search = wanted});
  if (found) return api::FoundIncidents{std::move(*found), {}};
  if (found.error().kind != core::ErrorKind::storage) return std::unexpected(found.error());
  return api::FoundIncidents{storage::search(parts_.judge.view()->incidents, wanted, limit), found.error().describe()};
}

core::Result<core::Incident> IncidentDesk::handle(const core::Deed& deed) const {
  auto promise = std::make_shared<std::promise<core::Result<core::Incident>>>();
  std::future<core::Result<core::Incident>> done = promise->get_future();
  const bool taken = parts_.submit([this, deed, promise] {
    auto handled = parts_.judge.handle(deed, parts_.clock.now());
    if (handled) parts_.show(handled->step);
    promise->set_value(handled ? core::Result<core::Incident>(std::move(handled->incident))
                               : std::unexpected(handled.error()));
  });
  if (!taken) return core::fail(core::ErrorKind::unavailable, "the judge is behind: nothing was done, try again");
  promise.reset();  // so that its loss is noticed
  if (done.wait_for(kPatience) != std::future_status::ready)
    return core::fail(core::ErrorKind::timeout, "the judge is behind: look whether it was done before trying again");
  try {
    return done.get();
  } catch (const std::future_error&) {
    return core::fail(core::ErrorKind::cancelled, "Weir is stopping");
  }
}

core::Result<core::Incident> IncidentDesk::find(const std::string& id) const {
  auto found = parts_.storage.incidents({.limit = 1, .id = id});
  if (!found) return std::unexpected(found.error());
  if (id.empty() || found->empty())
    return core::fail(core::ErrorKind::not_found, "there is no incident \"" + id + "\"");
  return std::move(found->front());
}

core::Result<core::Incident> IncidentDesk::silence(const std::string& id, const std::string& by,
                                                   const std::string& comment, core::Duration duration) const {
  const auto incident = find(id);
  if (!incident) return std::unexpected(incident.error());
  auto wanted = incidents::silences_for(*incident, by, comment, duration, parts_.clock.now());
  if (!wanted) return std::unexpected(wanted.error());
  const core::Time until = wanted->front().ends_at;
  std::vector<std::string> set;
  const auto undo = [&] {
    for (const std::string& silence : set) (void)parts_.silences.expire(silence);
  };
  for (core::Silence& silence : *wanted) {
    auto done = parts_.silences.set(std::move(silence));
    if (!done) {
      undo();
      return std::unexpected(done.error());
    }
    set.push_back(std::move(*done));
  }
  const std::string names = fmt::format("silence{} {}", set.size() == 1 ? "" : "s", fmt::join(set, ", "));
  auto noted = handle({.kind = core::DeedKind::silence, .incident = id, .by = by, .text = names, .until = until});
  // A silence that no timeline tells of would be a riddle; after a timeout it may be told of yet.
  if (!noted && noted.error().kind != core::ErrorKind::timeout) undo();
  return noted;
}

std::vector<core::SeriesView> IncidentDesk::charts(const core::Incident& incident) const {
  const core::Time from = incident.began_at.value_or(incident.opened_at) - kBefore;
  const core::Time to = std::min(parts_.clock.now(), incident.resolved_at.value_or(parts_.clock.now()) + kAfter);
  const std::shared_ptr<const JudgeView> view = parts_.judge.view();
  std::vector<core::SeriesView> charts;
  std::set<core::Labels> seen;
  std::size_t looked = 0;
  for (const core::Alert& alert : incident.alerts) {
    if (++looked > kMostAlerts) break;
    for (core::Selection& selection : selections_of(alert, view->rule_groups)) {
      selection.from = from;
      selection.to = to;
      auto found = parts_.series.select(selection);
      if (!found) continue;
      std::ranges::sort(*found, {}, &core::SeriesView::labels);
      for (core::SeriesView& series : *found) {
        if (charts.size() == incidents::kMostCharts) return charts;
        if (seen.insert(series.labels).second) charts.push_back(std::move(series));
      }
    }
  }
  return charts;
}

core::Result<std::string> IncidentDesk::postmortem(const std::string& id, const api::LineageAccess& lineage) const {
  const auto incident = find(id);
  if (!incident) return std::unexpected(incident.error());
  auto told = parts_.storage.messages_of(id, kMostMessages);
  if (!told) return std::unexpected(told.error());
  incidents::PostmortemInput input{.incident = *incident,
                                   .affected = {},
                                   .told = std::move(*told),
                                   .charts = charts(*incident),
                                   .page_url = parts_.page_url + "/#incident/" + id,
                                   .now = parts_.clock.now()};
  if (const auto graph = lineage.view ? lineage.view() : nullptr; graph && !incident->alerts.empty()) {
    const core::Node first = lineage.node_of(incident->alerts.front().labels);
    if (const auto node = graph->find(incident->reasons.origin.value_or(first)))
      input.affected = lineage::impact(*graph, *node).downstream;
  }
  return incidents::postmortem(input);
}

std::vector<MetricInfo> IncidentMetrics::with(std::span<const MetricInfo> others) {
  std::vector<MetricInfo> all(others.begin(), others.end());
  all.insert(all.end(), kMetrics.begin(), kMetrics.end());
  return all;
}

void IncidentMetrics::begin() {
  for (const std::string_view severity : kSeverities) {
    metrics_.set(kOpen.name, {{"severity", severity}}, 0);
    for (const MetricInfo& each : {kToDetect, kToAcknowledge, kToResolve})
      metrics_.observe(each.name, {{"severity", severity}}, std::nullopt);
  }
}

void IncidentMetrics::note(std::span<const IncidentMeasure> measures) {
  for (const IncidentMeasure& measure : measures) {
    const MetricInfo& metric = measure.what == IncidentMeasure::What::to_detect        ? kToDetect
                               : measure.what == IncidentMeasure::What::to_acknowledge ? kToAcknowledge
                                                                                       : kToResolve;
    metrics_.observe(metric.name, {{"severity", measure.severity}}, core::to_seconds(measure.took));
  }
}

void IncidentMetrics::show(const JudgeView& view) {
  for (const std::string_view severity : kSeverities) {
    const auto open = std::ranges::count_if(view.incidents, [&](const core::Incident& incident) {
      return incident.open() && incident.severity == severity;
    });
    metrics_.set(kOpen.name, {{"severity", severity}}, static_cast<double>(open));
  }
}

}  // namespace weir::app
