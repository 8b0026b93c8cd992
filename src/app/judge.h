#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "app/census.h"
#include "app/rule_views.h"
#include "app/told.h"
#include "app/write_backlog.h"
#include "core/batch.h"
#include "core/deed.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "core/fail_points.h"
#include "core/incident.h"
#include "incidents/root.h"
#include "notify/dispatch.h"
#include "notify/routing.h"
#include "rules/evaluator.h"
#include "series/store.h"
#include "storage/store.h"

namespace weir::app {

/// What the page and the API show of the judge's state; immutable once published.
struct JudgeView {
  std::vector<core::Alert> alerts;        // pending and firing
  std::vector<core::Incident> incidents;  // open ones, then the latest resolved
  api::RuleGroupViews rule_groups;
  std::shared_ptr<const core::NotificationView> notifications;  // who is told of what
};

/// How the evaluation of one rule group went.
struct GroupReport {
  std::string group;
  double seconds = 0;
  std::vector<core::Error> errors;  // rules that kept their state because they could not be evaluated
};

/// An incident that was opened or closed.
struct IncidentNote {
  std::string id;
  std::string title;
  std::string severity;
  std::string cause;
  std::optional<core::Duration> lasted;  // unset: it was opened
  bool reopened = false;                 // it was over before
};

/// A stretch of an incident's life that is over.
struct IncidentMeasure {
  enum class What { to_detect, to_acknowledge, to_resolve };
  What what;
  std::string severity;
  core::Duration took;
};

/// What one step changed.
struct JudgeStep {
  std::size_t transitions = 0;
  std::size_t incidents = 0;
  std::vector<core::Transition> notable;     // alerts that began or ceased to fire
  std::vector<IncidentNote> incident_notes;  // those opened or closed, in the order of `notable`
  std::vector<IncidentMeasure> measures;
  std::size_t messages = 0;  // put into the outbox
  std::vector<GroupReport> groups;
  std::optional<core::Error> storage;  // not all could be written; it is kept and written with the next step
  struct Unwritten {
    std::size_t rows = 0;       // that wait for storage
    std::uint64_t dropped = 0;  // ever
  };
  Unwritten unwritten = {};
  /// What says that storage fails, while it does: not for the outbox, which is in storage.
  std::vector<core::OutboxMessage> urgent = {};
  bool standby = false;    // nothing was judged
  bool rewritten = false;  // storage had not what was last written to it, and got all of it again
};

/// Turns batches into series, alerts, incidents and notifications, and commits each step in one
/// transaction. Owned by App, used by one worker at a time; view() may be called from any thread.
class Judge {
 public:
  using Silences = std::function<std::shared_ptr<const std::vector<notify::CompiledSilence>>()>;
  struct Parts {
    series::Store& series;
    rules::Evaluator& rules;
    storage::Store& storage;
    const notify::RoutingSettings& routing;
    /// What is added to the annotations of an alert with these labels, for its incident and notifications.
    std::function<core::Labels(const core::Labels& alert_labels)> annotations = {};
    Silences silences = {};                                                     // without it there are none
    std::function<std::shared_ptr<const incidents::Upstream>()> upstream = {};  // the lineage graph as it is now
    /// How long after its end an incident is reopened by an alert of the same thing; 30m without it.
    std::function<core::Duration()> reopen_within = {};
    std::function<std::vector<core::Fault>()> own_errors = {};  // what went wrong in Weir itself, as evidence
    core::FailPoints* fail_points = nullptr;
  };
  explicit Judge(Parts parts);

  /// Takes up alerts and open incidents where the last run left them. Rules that are no longer configured end theirs.
  /// After await() what has happened since is joined to it, as of when it happened; when storage cannot be read,
  /// nothing changes.
  core::Result<JudgeStep> restore(core::Time now);
  /// Storage is not there, so what the last run left is not known: until restore() all is judged as if nothing had been
  /// before, kept in memory, and only what says that storage fails is told.
  void await(core::Error why, core::Time now);
  /// Another Weir judges: until restore() series are kept up to date, and nothing else is done. What waits to be
  /// written is forgotten, since the other one has seen the same.
  void stand_by();
  /// Storage was opened anew and may lack what was in it: it gets all that goes on.
  JudgeStep write_again();
  bool loaded() const { return mode_ == Mode::loaded; }
  bool stands_by() const { return mode_ == Mode::standby; }
  /// Names the sources that are configured. Once each has ended a cycle, series that the last run had from others end,
  /// and once each has been seen, restored alerts do of which there is nothing.
  void expect(std::vector<std::string> sources);
  /// Ingests one cycle of `source` and evaluates the rule groups that read what it brought.
  JudgeStep take(std::string_view source, const core::Batch& batch, core::Time now);
  /// Why the last cycle of a collector did not see everything, "" where it did: the cause of alerts about it.
  void note_error(std::string_view collector, std::string error);
  /// A cycle of `source` saw nothing.
  void miss(std::string_view source, core::Time now);
  /// Evaluates every rule group whose interval has passed without a cycle having done so.
  JudgeStep tick(core::Time now);

  /// Replaces the rules: those that stay the same keep their alerts, the alerts of the others end. New groups are
  /// evaluated with the next tick. The routing may have been replaced right before.
  JudgeStep reload(std::vector<rules::Group> groups, core::Time now);

  /// Takes back what was urgent and was not told before storage worked again: the outbox tells it.
  JudgeStep give_back(std::vector<core::OutboxMessage> messages);

  /// Somebody else told people of alerts with these labels: their open incidents' timelines say so.
  JudgeStep note_told(const std::vector<core::Labels>& alerts, const std::string& text, core::Time now);

  /// One of Weir's own receivers was told of alerts with these fingerprints, or given up: the timelines of their newest
  /// incidents say so.
  JudgeStep note_delivery(std::span<const std::uint64_t> alerts, const Told& told, core::Time now);

  struct Handled {
    core::Incident incident;  // as it is now
    JudgeStep step;
  };
  /// What a person does about an incident, in storage before it counts: what could not be written has not happened.
  /// Errors: not_found, those of incidents::carry_out, storage.
  core::Result<Handled> handle(const core::Deed& deed, core::Time now);

  std::shared_ptr<const JudgeView> view() const;
  /// The alerts that Alertmanagers are told of, annotated as Weir's own receivers are told.
  std::vector<core::GeneratedAlert> generated() const;

 private:
  using AlertKey = std::tuple<std::uint64_t, std::string, std::string>;
  enum class Mode { loaded, memory, standby };
  static constexpr std::size_t kMostIncidents = 10'000;  // that are read at the start, and that may be reopened
  static constexpr std::size_t kResolvedShown = 50;
  struct Stored;

  core::Result<Stored> read_stored(core::Time now);
  void replay(std::vector<core::Transition> transitions, JudgeStep& step);
  void keep_in_memory(storage::Commit changes, JudgeStep& step);
  storage::Commit all_states() const;
  JudgeStep judge(std::vector<std::size_t> groups, std::vector<core::Transition> transitions, bool new_events,
                  core::Time now);
  struct Evaluated {
    rules::Evaluation evaluation;
    double seconds = 0;
  };
  std::vector<Evaluated> evaluate(std::span<const std::size_t> groups, core::Time now);
  std::vector<std::string> keep(std::size_t group, Evaluated evaluated, core::Time now,
                                std::vector<core::Transition>& transitions, JudgeStep& step);
  static void annotate(core::Alert& alert, const core::Labels& more);
  std::vector<core::Transition> annotated(std::vector<core::Transition> transitions) const;
  std::vector<core::Alert> as_told(std::vector<core::Alert> alerts) const;
  void plan(const std::vector<core::Transition>& transitions, core::Time now, JudgeStep& step,
            storage::Commit& changes);
  bool causes_due(core::Time now);
  void note_inhibitions();
  void dispatch(std::span<const core::Transition> transitions, core::Time now, JudgeStep& step,
                storage::Commit& changes);
  void note_change(const core::Incident& incident, bool was_open, bool was_over, JudgeStep& step);
  core::Result<core::Incident> find_incident(const std::string& id) const;
  void follow_merged(std::vector<core::Incident>& changed);
  core::Result<void> keep_now(const std::vector<core::Incident>& changed);
  void place(const core::Incident& incident);
  void forget_ended(core::Time now);
  core::Duration reopen_within() const;
  core::Time not_before_last(core::Time now);
  bool holding(core::Time now);
  void rebuild_dispatch(std::span<const core::GroupRecord> records, std::span<const core::Alert> firing,
                        core::Time now);
  void note_notifications(core::Time now);
  void note_alerts(storage::Commit& changes);
  core::Result<void> write_backlog(bool* rewritten = nullptr);
  void write(storage::Commit changes, JudgeStep& step);
  void remember(const std::vector<core::Event>& events, core::Time now);
  void end_gone_sources(core::Time now);
  void publish();
  void pass_changes(std::span<const core::Transition> transitions) const;
  void pass(core::FailPoint point) const { (void)core::reach(parts_.fail_points, point); }

  Parts parts_;
  std::vector<core::Time> evaluated_at_;  // by rule group
  RuleViews rule_views_;
  Census census_;
  std::vector<std::string> sources_;  // that are configured
  bool gone_ended_ = false;
  std::map<std::string, std::vector<core::Fault>, std::less<>> faults_;  // of each source's newest batch
  std::map<std::string, std::string, std::less<>> errors_;               // of collectors' last cycles
  std::map<std::string, std::vector<std::string>> names_;                // of the metrics of each source's batches
  std::vector<core::Event> events_;                                      // the last minutes', evidence for causes
  std::vector<core::Incident> open_;
  std::vector<core::Incident> ended_;         // that alerts may still change, see incidents::Ended
  std::deque<core::Incident> resolved_;       // the latest, newest first
  std::map<AlertKey, core::Alert> written_;   // active alerts as storage has them, or will have
  WriteBacklog backlog_;                      // what could not be written yet
  std::optional<core::Error> storage_error_;  // of the last step
  std::optional<std::pair<core::Error, core::Time>> last_storage_error_;
  Mode mode_ = Mode::loaded;
  std::optional<core::Error> awaited_;  // why storage is not there
  std::set<std::string> urgent_told_;   // groups of which was told while it was not
  /// Of what says that storage fails, what was told without it: by integration, group and alert. Until it works again.
  std::map<std::string, core::AlertState> urgent_states_;
  notify::DispatchState dispatch_;
  core::Time judged_at_;
  core::Time began_;  // to judge, of its own or after another Weir
  core::Time planned_at_;
  std::shared_ptr<const incidents::Upstream> upstream_;
  std::optional<core::Time> started_;  // while nobody is told yet
  std::optional<core::Time> all_tried_at_;
  std::shared_ptr<const std::vector<notify::CompiledSilence>> silences_;
  std::shared_ptr<const std::vector<notify::CompiledSilence>> silences_shown_;  // in notifications_
  std::ptrdiff_t silences_active_ = 0;                                          // among them
  std::shared_ptr<const core::NotificationView> notifications_ = std::make_shared<core::NotificationView>();
  mutable std::mutex view_mutex_;
  std::shared_ptr<const JudgeView> view_ = std::make_shared<JudgeView>();
};

}  // namespace weir::app
