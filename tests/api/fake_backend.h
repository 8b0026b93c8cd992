#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/backend.h"

namespace weir::api {

/// A handful of series in memory; matches labels by equality alone, which is all that the page asks for.
class FakeSeries final : public core::SeriesSource {
 public:
  void add(core::Labels labels, std::vector<core::Point> points) {
    series_.push_back({std::move(labels), std::move(points)});
  }
  void add(core::Labels labels, core::Time time, double value) { add(std::move(labels), {{time, value}}); }
  void break_down() { broken_ = true; }
  /// Out of order, as an index may give them.
  std::vector<std::string> label_names() const {
    std::set<std::string, std::greater<>> names;
    for (const core::SeriesView& series : series_) {
      for (const auto& [name, value] : series.labels) names.emplace(name);
    }
    return {names.begin(), names.end()};
  }
  std::vector<std::string> label_values(std::string_view name) const {
    std::set<std::string, std::greater<>> values;
    for (const core::SeriesView& series : series_) {
      if (series.labels.has(name)) values.emplace(series.labels.get(name));
    }
    return {values.begin(), values.end()};
  }

  core::Result<std::vector<core::SeriesView>> select(const core::Selection& selection) const override {
    if (broken_) return core::fail(core::ErrorKind::limit, "more than 1000 series");
    std::vector<core::SeriesView> found;
    for (const core::SeriesView& series : series_) {
      const bool wanted = std::ranges::all_of(selection.matchers, [&](const core::Matcher& matcher) {
        return (matcher.op == core::MatchOp::equal) == (series.labels.get(matcher.name) == matcher.value);
      });
      core::SeriesView view{series.labels, {}};
      for (const core::Point& point : series.points) {
        if (point.time >= selection.from && point.time <= selection.to) view.points.push_back(point);
      }
      if (!wanted || view.points.empty()) continue;
      if (selection.newest_only) view.points.erase(view.points.begin(), view.points.end() - 1);
      found.push_back(std::move(view));
    }
    return found;
  }

 private:
  std::vector<core::SeriesView> series_;
  bool broken_ = false;
};

/// What the routes need, with everything settable. The time is 1000 s.
struct FakeBackend {
  FakeSeries series;
  MetricsPage metrics;
  std::vector<WebAsset> assets;
  std::vector<CollectorView> collectors;
  std::vector<core::Alert> alerts;
  std::vector<core::Incident> incidents;
  core::Result<std::vector<core::Incident>> history = std::vector<core::Incident>();
  std::string history_away;
  std::optional<StorageTrouble> storage_trouble;
  RuleGroupViews rule_groups;
  core::Result<std::string> reloaded;
  int reloads = 0;
  ReloadStatus reload_status{.last_successful = true, .last_success = now()};
  LineageAccess lineage;
  std::size_t asked_limit = 0;
  core::IncidentSearch asked_search;
  std::vector<core::Deed> deeds;
  std::string silenced;
  core::Result<core::Incident> handled = core::Incident();
  std::string asked_id;

  static core::Time now() { return core::Time(std::chrono::seconds(1000)); }

  IncidentAccess access() {
    return {
        .find = [this](const core::IncidentSearch& search, std::size_t limit) -> core::Result<FoundIncidents> {
          asked_search = search;
          asked_limit = limit;
          if (!history) return std::unexpected(history.error());
          return FoundIncidents{*history, history_away};
        },
        .handle =
            [this](const core::Deed& deed) {
              deeds.push_back(deed);
              return handled;
            },
        .silence =
            [this](const std::string& id, const std::string& by, const std::string& comment, core::Duration duration) {
              silenced = id + " " + by + " " + comment + " " + core::format_duration(duration);
              return handled;
            },
        .postmortem = [this](const std::string& id) -> core::Result<std::string> {
          if (id != "aa") return core::fail(core::ErrorKind::not_found, "there is no incident \"" + id + "\"");
          return "# Post-mortem";
        }};
  }

  Backend backend() {
    return {.series = series,
            .metrics = metrics,
            .assets = assets,
            .version = "0.1.0",
            .started_at = now() - std::chrono::milliseconds(12'500),
            .now = [] { return now(); },
            .collectors = [this] { return collectors; },
            .alerts = [this] { return alerts; },
            .incidents = [this] { return incidents; },
            .history =
                [this](std::size_t limit, const std::string& id) {
                  asked_limit = limit;
                  asked_id = id;
                  return history;
                },
            .label_names = [this] { return series.label_names(); },
            .label_values = [this](std::string_view name) { return series.label_values(name); },
            .rule_groups = [this] { return rule_groups; },
            .reload =
                [this] {
                  ++reloads;
                  return reloaded;
                },
            .reload_status = [this] { return reload_status; },
            .storage_trouble = [this] { return storage_trouble; },
            .retention = std::chrono::hours(6),
            .lineage = lineage,
            .incident_access = access()};
  }
};

inline core::Alert alert(const std::string& name, core::AlertState state, core::Labels labels) {
  core::Alert made;
  made.fingerprint = 0x9f86d081884c7d65ULL;
  made.rule = name;
  made.labels = labels.with("alertname", name);
  made.annotations = core::Labels{{"summary", "about " + name}};
  made.state = state;
  made.active_at = core::Time(std::chrono::seconds(900));
  made.value = 12000;
  return made;
}

}  // namespace weir::api
