#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/alert.h"
#include "core/batch.h"
#include "core/series_source.h"

namespace weir::incidents {

/// What a hypothesis may look at: the alert, the series and events around it. Only reads; a source that fails is no
/// evidence for anything.
class Evidence {
 public:
  Evidence(const core::Alert& alert, const core::SeriesSource& series, const std::vector<core::Event>& events,
           core::Time now, std::span<const core::Fault> faults = {});

  const core::Alert& alert() const { return alert_; }
  core::Time now() const { return now_; }
  std::string_view label(std::string_view name) const { return alert_.labels.get(name); }
  /// The alert's labels of these names, where it has them.
  core::Labels labels(std::initializer_list<std::string_view> names) const;

  /// Points of every series of the metric that has these labels and has not ended, oldest first; no NaN among them.
  std::vector<core::SeriesView> points(std::string_view metric, const core::Labels& labels, core::Duration span) const;
  /// Sum over those series of their newest value of the last 5 minutes; nothing when there is none.
  std::optional<double> newest(std::string_view metric, const core::Labels& labels) const;

  /// How much the series grew together over the span, and how long that was.
  struct Growth {
    double from = 0;
    double to = 0;
    double seconds = 0;
    bool moved = false;  // any of them had two different values
    double by() const { return to - from; }
  };
  /// Nothing without a series of at least two points.
  std::optional<Growth> growth(std::string_view metric, const core::Labels& labels, core::Duration span) const;

  /// Median before and after `split`; nothing with fewer than three points on either side.
  struct Levels {
    double before = 0;
    double after = 0;
  };
  std::optional<Levels> levels(std::string_view metric, const core::Labels& labels, core::Duration span,
                               core::Time split) const;

  /// The newest event of a kind that includes these labels.
  const core::Event* newest_event(std::string_view kind, const core::Labels& labels) const;
  /// What cannot be seen or has no value at present of what the alert names; the closest.
  const core::Fault* fault() const;
  /// The first error of this collector's last cycle; only of those that say where they come from.
  const core::Fault* fault_of(std::string_view collector) const;
  const std::vector<core::Event>& events() const { return events_; }

  /// Short sentences on what `look` reads and finds: series with their values, events; at most 8, each once.
  std::vector<std::string> notes_of(const std::function<void()>& look) const;

  /// The cause that `look` finds for another thing than the alert is about, named by these labels, at the same time.
  template <class Look>
  auto of(const core::Labels& labels, const Look& look) const {
    core::Alert other = alert_;
    other.rule.clear();
    other.labels = labels;
    Evidence evidence(other, series_, events_, now_, faults_);
    evidence.notes_ = notes_;
    return look(evidence);
  }

  /// From shortly before the alert's condition held until now: at least a minute, at most ten.
  core::Duration window() const;

 private:
  std::vector<core::SeriesView> read(std::string_view metric, const core::Labels& labels, core::Duration span) const;
  void note(std::string text) const;

  const core::Alert& alert_;
  const core::SeriesSource& series_;
  const std::vector<core::Event>& events_;
  core::Time now_;
  std::span<const core::Fault> faults_;
  mutable std::vector<std::string>* notes_ = nullptr;  // while notes_of() listens
};

/// Whether what is written to a topic, or no longer is, may be the cause: not of its replicas, settings, owners …
bool is_about_traffic(const Evidence& evidence);

/// "12,000"; with one decimal below 100 unless whole.
std::string number_text(double value);
/// "12m", "45s"
std::string span_text(double seconds);

}  // namespace weir::incidents
