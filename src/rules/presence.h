#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/alert.h"
#include "core/error.h"
#include "core/series_source.h"
#include "rules/group.h"
#include "rules/series_tally.h"

namespace weir::rules {

/// Why an active alert is no longer in its expression's result.
enum class Presence {
  present,  // its data still come: the condition is false
  deleted,  // its series were marked as gone: the topic, group or table no longer exists
  absent,   // its data stopped coming: nothing can be said
  unseen,   // all that could bring its data was looked at since the start, and has none: it no longer exists
};

/// How the series of one selector that an alert may have come from are doing.
struct SelectorEvidence {
  std::size_t fresh = 0;    // new enough for the expression to have used them
  std::size_t lapsed = 0;   // their last point is too old, and no marker says they are gone
  std::size_t deleted = 0;  // they end with a staleness marker
  bool collected = false;   // other series of the same metric and the same labels are fresh
  SelectorRole role = SelectorRole::required;
  bool ruled_out = false;  // nothing is known of any such series, and everything was looked at
};

/// Missing data never pass for a false condition: one lapsed series (a partition of a sum that could not be read), or
/// a required selector of which nothing is known (after a restart), makes the alert `absent`. Else one fresh series
/// makes it `present`. Else markers make it `deleted`. Selectors that are irrelevant are left out. A required selector
/// whose series are gone decides alone: members of a group say nothing about the lag on a topic that was deleted.
Presence classify(std::span<const SelectorEvidence> evidence);

/// Whether everything that may bring series with these labels (the metric's name among them where it is known) has been
/// looked at since the start, none of it in vain.
using Observed = std::function<bool(const core::Labels& labels)>;
/// Recording rules by the metric they record.
using Recorders = std::multimap<std::string, const Rule*, std::less<>>;

struct PresenceOptions {
  core::Duration look_back = std::chrono::minutes(5);
  core::Duration memory = std::chrono::hours(6);  // how far back a lapsed series is still missed
};

/// Answers for all alerts of one rule at one time; asks the source once a selector, when first needed.
class PresenceProbe {
 public:
  PresenceProbe(const Rule& rule, const core::SeriesSource& source, core::Time at, PresenceOptions options = {});
  /// Lets operator() answer `unseen`. A recorded series is ruled out when what its recorders read is; `recorders`
  /// outlives the probe.
  void rule_out(Observed observed, const Recorders& recorders);
  /// A source that fails is no evidence: absent.
  Presence operator()(const core::Labels& alert_labels);

 private:
  using Names = std::vector<std::string>;
  struct Answer {
    bool failed = false;
    std::vector<FoundSeries> series = {};
    std::map<Names, SeriesTally> tallies = {};  // by the names of an alert's labels: one, as a rule
  };

  Answer ask(const SelectorUse& use) const;
  Answer ask_siblings(const SelectorUse& use) const;
  bool ruled_out(std::size_t selector, const core::Labels& labels);
  bool unfed(const SelectorUse& use, const core::Labels& labels) const;
  static SeriesTally::Counts count(Answer& answer, const core::Labels& labels, const SelectorUse* pinning);
  /// The alert's labels without those the rule itself sets: what its series were named by.
  core::Labels identifying(const core::Labels& alert_labels) const;
  /// A range can be computed while its points are still coming: as many as the function needs, and the newest no older
  /// than three times their usual distance. Else a stopped collector would look like a rate that falls to zero.
  static bool feeds_range(const SelectorUse& use, const std::vector<core::Point>& points, core::Time at);

  const Rule& rule_;
  const core::SeriesSource& source_;
  core::Time at_;
  PresenceOptions options_;
  std::vector<Answer> answers_;
  std::vector<std::optional<Answer>> siblings_;  // of the same metric, without the matchers that pin a value
  std::vector<std::optional<Answer>> ever_;      // at any time, whatever the selector's offset
  Observed observed_;                            // none: nothing is ruled out
  const Recorders* recorders_ = nullptr;
  int depth_ = 0;  // of recorders that read what others record
};

}  // namespace weir::rules
