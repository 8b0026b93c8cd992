// What every Store must do, run over each implementation. A new one is one line in INSTANTIATE below.
#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <thread>

#include "storage/search.h"
#include "storage/store.h"
#include "storage/trouble.h"

#include "postgres_schema.h"
#include "samples.h"

namespace weir::storage {
namespace {

using namespace testing;
using core::AlertState;

/// What one test has: a place for a file, and one on a server, which is only asked for where it is used.
struct Places {
  TempFolder folder;
  std::unique_ptr<PostgresSchema> schema;
};

struct Implementation {
  std::string name;
  std::function<core::Result<std::unique_ptr<Store>>(Places&)> open;
  bool survives_reopen;
};

void PrintTo(const Implementation& implementation, std::ostream* out) { *out << implementation.name; }

class StoreContract : public ::testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override { open(); }

  void open() {
    store_.reset();
    auto opened = GetParam().open(places_);
    ASSERT_TRUE(opened) << opened.error().describe();
    store_ = std::move(*opened);
  }
  /// Closes and opens again where the implementation keeps anything.
  void reopen() {
    if (GetParam().survives_reopen) open();
  }
  void commit(const Commit& changes) {
    const auto done = store_->commit(changes);
    ASSERT_TRUE(done) << done.error().describe();
  }
  std::vector<std::string> due_keys(core::Time now, std::size_t limit = 100) {
    const auto due = store_->due(now, limit);
    EXPECT_TRUE(due) << due.error().describe();
    std::vector<std::string> keys;
    for (const auto& message : *due) keys.push_back(message.idempotency_key);
    return keys;
  }
  std::int64_t sequence_of(const std::string& key, core::Time now) {
    const auto due = store_->due(now, 100);
    if (!due) return -1;
    for (const auto& message : *due) {
      if (message.idempotency_key == key) return message.sequence;
    }
    return -1;
  }

  Places places_;
  std::unique_ptr<Store> store_;
};

using Keys = std::vector<std::string>;

void expect_same(const core::Alert& left, const core::Alert& right) {
  EXPECT_EQ(left.fingerprint, right.fingerprint);
  EXPECT_EQ(left.group, right.group);
  EXPECT_EQ(left.rule, right.rule);
  EXPECT_EQ(left.labels, right.labels);
  EXPECT_EQ(left.annotations, right.annotations);
  EXPECT_EQ(left.state, right.state);
  EXPECT_EQ(left.active_at, right.active_at);
  EXPECT_EQ(left.fired_at, right.fired_at);
  EXPECT_EQ(left.resolved_at, right.resolved_at);
  EXPECT_EQ(left.keep_firing_since, right.keep_firing_since);
  EXPECT_EQ(left.value, right.value);
}

TEST_P(StoreContract, StartsEmpty) {
  EXPECT_TRUE(store_->active_alerts()->empty());
  EXPECT_TRUE(store_->incidents({})->empty());
  EXPECT_TRUE(store_->transitions({})->empty());
  EXPECT_TRUE(due_keys(at(1000)).empty());
  EXPECT_EQ(*store_->pending_messages(), 0U);
}

TEST_P(StoreContract, AnAlertComesBackWithEveryField) {
  core::Alert kept = alert("billing");
  kept.resolved_at = at(90);
  kept.keep_firing_since = at(80);
  kept.fingerprint = std::numeric_limits<std::uint64_t>::max();
  commit({.alerts = {kept}});
  reopen();
  const auto alerts = store_->active_alerts();
  ASSERT_TRUE(alerts);
  ASSERT_EQ(alerts->size(), 1U);
  expect_same(alerts->front(), kept);
}

TEST_P(StoreContract, LabelsThatAreNotUtf8KeepTheirFingerprint) {
  core::Alert odd = alert("billing");
  odd.labels = core::Labels{{"alertname", "A"}, {"topic", "caf\xe9\xff"}, {"quote", "a\"b\\c\nd"}};
  odd.fingerprint = odd.labels.hash();
  odd.rule = "rule'; DROP TABLE alerts; --";
  commit({.alerts = {odd}});
  reopen();
  const auto alerts = store_->active_alerts();
  ASSERT_TRUE(alerts);
  ASSERT_EQ(alerts->size(), 1U);
  EXPECT_EQ(alerts->front().labels.hash(), odd.fingerprint);
  EXPECT_EQ(alerts->front().rule, odd.rule);
}

TEST_P(StoreContract, ValuesThatJsonCannotHoldSurvive) {
  core::Alert none = alert("a");
  none.value = std::nan("");
  core::Alert infinite = alert("b");
  infinite.value = -std::numeric_limits<double>::infinity();
  commit({.alerts = {none, infinite}});
  const auto alerts = store_->active_alerts();
  ASSERT_TRUE(alerts);
  ASSERT_EQ(alerts->size(), 2U);
  const bool first_is_none = alerts->at(0).labels.get("consumergroup") == "a";
  EXPECT_TRUE(std::isnan(alerts->at(first_is_none ? 0 : 1).value));
  EXPECT_EQ(alerts->at(first_is_none ? 1 : 0).value, infinite.value);
}

TEST_P(StoreContract, AnAlertIsReplacedByFingerprintGroupAndRule) {
  core::Alert first = alert("billing", AlertState::pending);
  core::Alert other_rule = first;
  other_rule.rule = "Other";
  core::Alert other_group = first;
  other_group.group = "other";
  commit({.alerts = {first, other_rule, other_group}});
  first.state = AlertState::firing;
  commit({.alerts = {first}});
  const auto alerts = store_->active_alerts();
  ASSERT_TRUE(alerts);
  ASSERT_EQ(alerts->size(), 3U);
  EXPECT_EQ(std::ranges::count(*alerts, AlertState::firing, &core::Alert::state), 1);

  commit({.removed = {first}});
  EXPECT_EQ(store_->active_alerts()->size(), 2U);
  commit({.removed = {first}});  // of what is gone already: nothing to do
  EXPECT_EQ(store_->active_alerts()->size(), 2U);
}

TEST_P(StoreContract, TransitionsAreAHistoryNewestFirst) {
  const core::Alert firing = alert("billing");
  core::Transition gone{
      .alert = firing, .from = AlertState::firing, .to = AlertState::inactive, .at = at(20), .reason = "deleted"};
  commit({.transitions = {fired(firing, at(10)), gone}});
  commit({.transitions = {fired(firing, at(20))}});
  reopen();
  const auto history = store_->transitions({});
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 3U);
  EXPECT_EQ(history->at(0).to, AlertState::firing);  // written later at the same time
  EXPECT_EQ(history->at(1).reason, "deleted");
  EXPECT_EQ(history->at(1).from, AlertState::firing);
  EXPECT_EQ(history->at(1).to, AlertState::inactive);
  EXPECT_EQ(history->at(2).at, at(10));
  expect_same(history->at(2).alert, firing);
  EXPECT_EQ(store_->transitions({.from = at(11)})->size(), 2U);
  EXPECT_EQ(store_->transitions({.limit = 1})->size(), 1U);
}

TEST_P(StoreContract, AnIncidentComesBackWhole) {
  core::Incident kept = incident("00000000000000aa", at(5), {alert("billing"), alert("audit")});
  kept.timeline.push_back({at(6), "grew", "audit joined"});
  kept.began_at = at(3);
  kept.handling = {.owner = "data", .acknowledged_by = "ann", .acknowledged_at = at(7), .merged_into = "bb"};
  kept.reasons = {.hypothesis = "consumer_down",
                  .score = 0.9,
                  .evidence = {"no member for 5m"},
                  .origin = core::Node{"topic", "prod", "orders"},
                  .affected = {{"table", "warehouse", "orders"}}};
  commit({.incidents = {kept}});
  reopen();
  const auto found = store_->incidents({});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  const core::Incident& incident = found->front();
  EXPECT_EQ(incident.id, kept.id);
  EXPECT_EQ(incident.key, kept.key);
  EXPECT_EQ(incident.title, kept.title);
  EXPECT_EQ(incident.severity, kept.severity);
  EXPECT_EQ(incident.cause, kept.cause);
  EXPECT_EQ(incident.labels, kept.labels);
  EXPECT_EQ(incident.opened_at, kept.opened_at);
  EXPECT_TRUE(incident.open());
  EXPECT_EQ(incident.began_at, kept.began_at);
  EXPECT_EQ(incident.handling, kept.handling);
  EXPECT_EQ(incident.reasons, kept.reasons);
  ASSERT_EQ(incident.alerts.size(), 2U);
  expect_same(incident.alerts[1], kept.alerts[1]);
  ASSERT_EQ(incident.timeline.size(), 2U);
  EXPECT_EQ(incident.timeline[1].at, at(6));
  EXPECT_EQ(incident.timeline[1].kind, "grew");
  EXPECT_EQ(incident.timeline[1].text, "audit joined");
}

TEST_P(StoreContract, AnIncidentIsReplacedWholeAlsoByAShorterOne) {
  core::Incident kept = incident("aa", at(5), {alert("billing"), alert("audit")});
  kept.timeline.push_back({at(6), "grew", "audit joined"});
  commit({.incidents = {kept}});
  kept.alerts = {alert("third", AlertState::inactive)};
  kept.timeline = {{at(9), "resolved", "all is well"}};
  kept.resolved_at = at(9);
  kept.severity = "warning";
  commit({.incidents = {kept}});
  const auto found = store_->incidents({});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().resolved_at, at(9));
  EXPECT_EQ(found->front().severity, "warning");
  ASSERT_EQ(found->front().alerts.size(), 1U);
  expect_same(found->front().alerts[0], kept.alerts[0]);
  ASSERT_EQ(found->front().timeline.size(), 1U);
  EXPECT_EQ(found->front().timeline[0].kind, "resolved");
}

TEST_P(StoreContract, IncidentsAreFoundNewestFirstById_OpenOnlyAndLimited) {
  core::Incident resolved = incident("a", at(1), {});
  resolved.resolved_at = at(2);
  commit({.incidents = {incident("b", at(2), {}), resolved, incident("c", at(3), {})}});
  const auto ids = [&](const IncidentQuery& query) {
    std::string joined;
    const auto found = store_->incidents(query);
    for (const auto& incident : *found) joined += incident.id;
    return joined;
  };
  EXPECT_EQ(ids({}), "cba");
  EXPECT_EQ(ids({.open_only = true}), "cb");
  EXPECT_EQ(ids({.limit = 2}), "cb");
  EXPECT_EQ(ids({.limit = 0}), "");
  EXPECT_EQ(ids({.id = "a"}), "a");
  EXPECT_EQ(ids({.open_only = true, .id = "a"}), "");
  EXPECT_EQ(ids({.id = "' OR 1=1 --"}), "");
}

TEST_P(StoreContract, GroupsComeBackAsTheyWereAndThoseThatAreGoneDoNot) {
  core::GroupRecord group{.key = "team\n{}:{a=\"1\"}", .next_flush = at(30), .flushed = true};
  group.told = {{.integration = "webhook/0", .firing = {1, ~0ULL}, .resolved = {7}, .at = at(20), .merged = true}};
  group.resolved = {{alert("billing"), "aa"}};
  group.incidents = {{.id = "aa", .title = "t", .cause = "c", .labels = core::Labels{{"cluster", "prod"}}}};
  commit({.groups = {group, {.key = "other", .next_flush = at(1)}}});
  commit({.groups = {{.key = "other", .gone = true}, {.key = "never there", .gone = true}}});
  reopen();
  const auto found = store_->notification_groups();
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  const core::GroupRecord& back = found->front();
  EXPECT_EQ(back.key, group.key);
  EXPECT_EQ(back.next_flush, at(30));
  EXPECT_TRUE(back.flushed);
  ASSERT_EQ(back.told.size(), 1U);
  EXPECT_EQ(back.told[0].integration, "webhook/0");
  EXPECT_EQ(back.told[0].firing, group.told[0].firing);
  EXPECT_EQ(back.told[0].resolved, group.told[0].resolved);
  EXPECT_EQ(back.told[0].at, at(20));
  EXPECT_TRUE(back.told[0].merged);
  ASSERT_EQ(back.resolved.size(), 1U);
  expect_same(back.resolved[0].first, group.resolved[0].first);
  EXPECT_EQ(back.resolved[0].second, "aa");
  EXPECT_EQ(back.incidents, group.incidents);
}

TEST_P(StoreContract, SilencesAreReplacedByIdAndForgottenDaysAfterTheyEnded) {
  core::Silence silence{.id = "s1",
                        .matchers = {{"a", core::MatchOp::not_regex, "x|\"y\""}},
                        .starts_at = at(0),
                        .ends_at = at(100),
                        .updated_at = at(1),
                        .created_by = "me",
                        .comment = "why"};
  ASSERT_TRUE(store_->put_silences({silence}));
  silence.ends_at = at(50);
  core::Silence other = silence;
  other.id = "s2";
  other.ends_at = at(200) + kSilencesKept;
  ASSERT_TRUE(store_->put_silences({silence, other}));
  reopen();
  auto found = store_->silences();
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(0).id, "s1");
  EXPECT_EQ(found->at(0).ends_at, at(50));
  EXPECT_EQ(found->at(0).matchers[0].value, "x|\"y\"");
  EXPECT_EQ(found->at(0).matchers[0].op, core::MatchOp::not_regex);
  EXPECT_EQ(found->at(0).comment, "why");
  ASSERT_TRUE(store_->prune(at(100) + kSilencesKept, std::chrono::days(400)));
  found = store_->silences();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->at(0).id, "s2");
}

TEST_P(StoreContract, WhatAnIntegrationNotesOfAMessageComesWithTheNextOfItsGroup) {
  commit({.outbox = {message("k1", "aa", at(5)), message("k2", "aa", at(5))}});
  EXPECT_EQ(store_->due(at(5), 1)->at(0).reference, "");
  ASSERT_TRUE(store_->delivered(sequence_of("k1", at(5)), at(6), "thread-1"));
  reopen();
  EXPECT_EQ(store_->due(at(6), 1)->at(0).reference, "thread-1");
  ASSERT_TRUE(store_->delivered(sequence_of("k2", at(6)), at(7)));
  commit({.outbox = {message("k3", "aa", at(8)), message("k4", "aa", at(8))}});
  EXPECT_EQ(store_->due(at(8), 1)->at(0).reference, "thread-1") << "one that says nothing leaves it";
  ASSERT_TRUE(store_->delivered(sequence_of("k3", at(8)), at(8), ""));
  EXPECT_EQ(store_->due(at(8), 1)->at(0).reference, "");
  EXPECT_FALSE(store_->delivered(4711, at(8), "x"));
}

TEST_P(StoreContract, ALaneHasTheMessagesOfOneIntegration) {
  core::OutboxMessage other = message("k2", "bb", at(5));
  other.notification.receiver = "night";
  commit({.outbox = {message("k1", "aa", at(5)), other}});
  EXPECT_EQ(store_->due(at(5), 10)->size(), 2U);
  const auto due = store_->due(at(5), 10, {.receiver = "night", .integration = other.notification.integration});
  ASSERT_TRUE(due);
  ASSERT_EQ(due->size(), 1U);
  EXPECT_EQ(due->front().idempotency_key, "k2");
  EXPECT_TRUE(store_->due(at(5), 10, {.receiver = "night", .integration = "slack/9"})->empty());
}

TEST_P(StoreContract, MessagesOfOneIncidentKeepTheirOrderWhicheverGroupTheyAreOf) {
  const std::string incident = "9f86d081884c7d65";
  commit({.outbox = {message(incident + "-firing-1", "aa", at(5)), message(incident + "-resolved-2", "bb", at(5)),
                     message("group-firing-1", "cc", at(5)), message("group-firing-2", "dd", at(5))}});
  const auto due = [&] {
    std::vector<std::string> keys;
    const auto found = store_->due(at(5), 10, {.receiver = "team", .integration = "webhook/0"});
    for (const auto& each : *found) keys.push_back(each.idempotency_key);
    return keys;
  };
  EXPECT_EQ(due(), (std::vector<std::string>{incident + "-firing-1", "group-firing-1", "group-firing-2"}));
  EXPECT_EQ(store_->due(at(5), 10)->size(), 3U) << "of all receivers too";
  ASSERT_TRUE(store_->delivered(sequence_of(incident + "-firing-1", at(5)), at(6)));
  EXPECT_EQ(due(), (std::vector<std::string>{incident + "-resolved-2", "group-firing-1", "group-firing-2"}));
}

TEST_P(StoreContract, AMessageComesBackWithEveryField) {
  core::OutboxMessage kept = message("k1", "aa", at(5));
  kept.notification.truncated_alerts = 7;
  commit({.outbox = {kept}});
  reopen();
  const auto due = store_->due(at(5), 10);
  ASSERT_TRUE(due);
  ASSERT_EQ(due->size(), 1U);
  const core::OutboxMessage& message = due->front();
  EXPECT_GT(message.sequence, 0);
  EXPECT_EQ(message.idempotency_key, "k1");
  EXPECT_EQ(message.created_at, at(5));
  EXPECT_EQ(message.next_attempt_at, at(5));
  EXPECT_EQ(message.attempts, 0);
  EXPECT_EQ(message.last_error, "");
  const core::Notification& notification = message.notification;
  EXPECT_EQ(notification.receiver, "team");
  EXPECT_EQ(notification.integration, "webhook/0");
  EXPECT_EQ(notification.status, "firing");
  EXPECT_EQ(notification.group_key, kept.notification.group_key);
  EXPECT_EQ(notification.group_labels, kept.notification.group_labels);
  EXPECT_EQ(notification.incident_id, "aa");
  EXPECT_EQ(notification.incident_title, "title");
  EXPECT_EQ(notification.cause, "cause");
  EXPECT_EQ(notification.truncated_alerts, 7U);
  ASSERT_EQ(notification.alerts.size(), 1U);
  expect_same(notification.alerts[0], kept.notification.alerts[0]);
}

TEST_P(StoreContract, OnlyTheOldestWaitingMessageOfAnIncidentIsDue) {
  commit({.outbox = {message("fire", "aa", at(1)), message("other", "bb", at(1)), message("resolve", "aa", at(2))}});
  EXPECT_EQ(due_keys(at(10)), (Keys{"fire", "other"}));
  ASSERT_TRUE(store_->retry_later(sequence_of("fire", at(10)), at(50), "refused"));
  EXPECT_EQ(due_keys(at(10)), (Keys{"other"})) << "a later message must not overtake the one that waits";
  EXPECT_EQ(due_keys(at(49)), (Keys{"other"}));
  EXPECT_EQ(due_keys(at(50)), (Keys{"other", "fire"})) << "within a receiver, what has waited longest";
  ASSERT_TRUE(store_->delivered(sequence_of("fire", at(50)), at(50)));
  reopen();
  EXPECT_EQ(due_keys(at(50)), (Keys{"other", "resolve"}));
}

TEST_P(StoreContract, ReceiversIntegrationsAndGroupsDoNotWaitForEachOther) {
  core::OutboxMessage slack = message("slack", "aa", at(1));
  slack.notification.integration = "slack/0";
  core::OutboxMessage group_one = message("g1", "", at(1));
  group_one.notification.group_key = "{}:{a=\"1\"}";
  core::OutboxMessage group_two = message("g2", "", at(1));
  group_two.notification.group_key = "{}:{a=\"2\"}";
  core::OutboxMessage group_one_again = message("g1b", "", at(1));
  group_one_again.notification.group_key = group_one.notification.group_key;
  commit({.outbox = {message("a", "aa", at(1)), message("b", "aa", at(1), "other"), slack, group_one, group_two,
                     group_one_again}});
  Keys keys = due_keys(at(1));
  std::ranges::sort(keys);
  EXPECT_EQ(keys, (Keys{"a", "b", "g1", "g2", "slack"}));
}

TEST_P(StoreContract, ReceiversTakeTurnsWithinTheLimit) {
  Commit changes;
  for (int i = 0; i < 50; ++i) {
    changes.outbox.push_back(message("busy" + std::to_string(i), "b" + std::to_string(i), at(1), "busy"));
  }
  changes.outbox.push_back(message("quiet", "q", at(2), "quiet"));
  commit(changes);
  const Keys keys = due_keys(at(10), 5);
  EXPECT_EQ(keys.size(), 5U);
  EXPECT_NE(std::ranges::find(keys, "quiet"), keys.end());
}

TEST_P(StoreContract, AnAttemptIsCountedWithItsError) {
  commit({.outbox = {message("k", "aa", at(1))}});
  const std::int64_t sequence = sequence_of("k", at(1));
  ASSERT_TRUE(store_->retry_later(sequence, at(3), "503"));
  ASSERT_TRUE(store_->retry_later(sequence, at(9), "504"));
  reopen();
  const auto due = store_->due(at(9), 1);
  ASSERT_TRUE(due);
  ASSERT_EQ(due->size(), 1U);
  EXPECT_EQ(due->front().attempts, 2);
  EXPECT_EQ(due->front().last_error, "504");
  EXPECT_EQ(due->front().next_attempt_at, at(9));
}

TEST_P(StoreContract, AMessageGivenUpLetsTheNextOnePass) {
  commit({.outbox = {message("fire", "aa", at(1)), message("resolve", "aa", at(2))}});
  EXPECT_EQ(*store_->pending_messages(), 2U);
  ASSERT_TRUE(store_->give_up(sequence_of("fire", at(5)), at(5), "404"));
  EXPECT_EQ(due_keys(at(5)), (Keys{"resolve"}));
  EXPECT_EQ(*store_->pending_messages(), 1U);
}

TEST_P(StoreContract, AnOutcomeForNoWaitingMessageIsAnError) {
  commit({.outbox = {message("k", "aa", at(1))}});
  const std::int64_t sequence = sequence_of("k", at(1));
  ASSERT_TRUE(store_->delivered(sequence, at(2)));
  for (const auto& outcome : {store_->delivered(sequence, at(3)), store_->retry_later(sequence, at(3), "x"),
                              store_->give_up(sequence, at(3), "x"), store_->delivered(999, at(3))}) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, core::ErrorKind::not_found);
  }
  EXPECT_TRUE(due_keys(at(100)).empty());
}

TEST_P(StoreContract, AKnownIdempotencyKeyIsNotAddedAgainEvenAfterDelivery) {
  commit({.outbox = {message("k", "aa", at(1)), message("k", "aa", at(1))}});
  EXPECT_EQ(*store_->pending_messages(), 1U);
  ASSERT_TRUE(store_->delivered(sequence_of("k", at(1)), at(2)));
  commit({.outbox = {message("k", "aa", at(1))}});
  EXPECT_EQ(*store_->pending_messages(), 0U);
}

TEST_P(StoreContract, MeasurementsComeBackNewestButOldestFirst) {
  ASSERT_TRUE(store_->append({{"rows", at(1), 1.5}, {"other", at(1), 7}, {"rows", at(3), 3}, {"rows", at(2), 2}}));
  reopen();
  const auto found = store_->newest("rows", 2);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(0).check, "rows");
  EXPECT_EQ(found->at(0).time, at(2));
  EXPECT_EQ(found->at(0).value, 2);
  EXPECT_EQ(found->at(1).value, 3);
  EXPECT_EQ(store_->newest("rows", 100)->front().value, 1.5);
  EXPECT_TRUE(store_->newest("unknown", 10)->empty());
}

TEST_P(StoreContract, AMeasurementTakenTwiceAtOneTimeCountsOnceAndNaNIsNotOne) {
  const double infinity = std::numeric_limits<double>::infinity();
  ASSERT_TRUE(store_->append({{"rows", at(1), 1}, {"rows", at(2), std::nan("")}, {"rows", at(3), infinity}}));
  ASSERT_TRUE(store_->append({{"rows", at(1), 2}}));
  const auto found = store_->newest("rows", 10);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(0).value, 2);
  EXPECT_EQ(found->at(1).value, infinity);
}

TEST_P(StoreContract, ATextIsReplacedUnderItsKey) {
  EXPECT_EQ(*store_->text("schema/t"), std::nullopt);
  ASSERT_TRUE(store_->put_text("schema/t", std::string("id\0integer", 10)));
  ASSERT_TRUE(store_->put_text("schema/u", ""));
  EXPECT_EQ(*store_->text("schema/t"), std::string("id\0integer", 10));
  ASSERT_TRUE(store_->put_text("schema/t", "gone"));
  EXPECT_EQ(*store_->text("schema/t"), "gone");
  EXPECT_EQ(*store_->text("schema/u"), "");
}

TEST_P(StoreContract, MarksAndFeedbackAreKeptAndFeedbackOutlivesAnotherMeasurement) {
  using core::Feedback;
  using core::Mark;
  ASSERT_TRUE(store_->append({{"rows", at(1), 1, Mark::anomalous}, {"rows", at(2), 2, Mark::level_shift}}));
  ASSERT_TRUE(store_->give_feedback("rows", at(1), Feedback::fine));
  ASSERT_TRUE(store_->append({{"rows", at(1), 7, Mark::none}, {"rows", at(3), 3, Mark::level_back}}));
  reopen();
  const auto found = store_->newest("rows", 10);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ(found->at(0).value, 7);
  EXPECT_EQ(found->at(0).mark, Mark::none);
  EXPECT_EQ(found->at(0).feedback, Feedback::fine);
  EXPECT_EQ(found->at(1).mark, Mark::level_shift);
  EXPECT_EQ(found->at(1).feedback, Feedback::none);
  EXPECT_EQ(found->at(2).mark, Mark::level_back);
  const auto missing = store_->give_feedback("rows", at(9), Feedback::wrong);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, core::ErrorKind::not_found);
}

TEST_P(StoreContract, PruningDropsOnlyWhatIsOldAndOver) {
  core::Incident old = incident("old", at(0), {alert("a")});
  old.resolved_at = at(10);
  core::Incident recent = incident("recent", at(0), {});
  recent.resolved_at = at(100);
  Commit changes;
  changes.alerts = {alert("a")};
  changes.incidents = {old, recent, incident("open", at(0), {})};
  changes.transitions = {fired(alert("a"), at(10)), fired(alert("a"), at(100))};
  changes.outbox = {message("done", "x", at(0)), message("dead", "y", at(0)), message("waiting", "z", at(0))};
  commit(changes);
  ASSERT_TRUE(store_->append({{"rows", at(10), 1}, {"rows", at(100), 2}}));
  ASSERT_TRUE(store_->delivered(sequence_of("done", at(0)), at(10)));
  ASSERT_TRUE(store_->give_up(sequence_of("dead", at(0)), at(10), "gone"));

  ASSERT_TRUE(store_->prune(at(150), std::chrono::seconds(100)));
  EXPECT_EQ(store_->active_alerts()->size(), 1U);
  EXPECT_EQ(store_->transitions({})->size(), 1U);
  EXPECT_EQ(store_->newest("rows", 10)->size(), 1U);
  EXPECT_EQ(due_keys(at(150)), (Keys{"waiting"}));
  const auto left = store_->incidents({});
  ASSERT_EQ(left->size(), 2U);
  EXPECT_TRUE(store_->incidents({.id = "old"})->empty());
  commit({.outbox = {message("done", "x", at(150))}});
  EXPECT_EQ(*store_->pending_messages(), 2U) << "a pruned message's key is free again";
}

TEST_P(StoreContract, DropsTextsThatNobodyReadsAnyMore) {
  ASSERT_TRUE(store_->put_text("read", "a"));
  ASSERT_TRUE(store_->put_text("forgotten", "b"));
  ASSERT_TRUE(store_->prune(at(1000), std::chrono::seconds(100)));
  EXPECT_EQ(*store_->text("read"), "a") << "as new as the pruning, not as 1970";
  ASSERT_TRUE(store_->prune(at(1090), std::chrono::seconds(100)));
  ASSERT_TRUE(store_->prune(at(1150), std::chrono::seconds(100)));
  EXPECT_EQ(*store_->text("forgotten"), std::nullopt);
  EXPECT_EQ(*store_->text("read"), "a");
}

TEST_P(StoreContract, JudgeAndDeliveryMayUseItAtTheSameTime) {
  constexpr int kCommits = 60;
  std::jthread judge([&] {
    for (int i = 0; i < kCommits; ++i) {
      const std::string id = std::to_string(i);
      ASSERT_TRUE(store_->commit({.alerts = {alert(id)},
                                  .incidents = {incident(id, at(i), {alert(id)})},
                                  .outbox = {message(id, id, at(i))}}));
    }
  });
  int delivered = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (delivered < kCommits && std::chrono::steady_clock::now() < end) {
    const auto due = store_->due(at(1000), 10);
    ASSERT_TRUE(due);
    for (const auto& waiting : *due) {
      ASSERT_TRUE(store_->delivered(waiting.sequence, at(1000)));
      ++delivered;
    }
  }
  judge.join();
  EXPECT_EQ(delivered, kCommits);
  EXPECT_EQ(store_->incidents({.limit = 1000})->size(), static_cast<std::size_t>(kCommits));
}

TEST_P(StoreContract, ACommitThatWasTheLastOfItsIdIsNotWrittenAgain) {
  Commit first{.id = "run/1", .transitions = {fired(alert("a"), at(1))}, .outbox = {message("k1", "aa", at(1))}};
  commit(first);
  reopen();
  commit(first);
  EXPECT_EQ(store_->transitions({})->size(), 1U);
  EXPECT_EQ(*store_->pending_messages(), 1U);
  commit({.transitions = {fired(alert("b"), at(2))}});  // one without an id says nothing of the others
  commit(first);
  EXPECT_EQ(store_->transitions({})->size(), 2U);
  first.id = "run/2";
  commit(first);
  EXPECT_EQ(store_->transitions({})->size(), 3U);
}

TEST_P(StoreContract, ACommitThatFollowsAnotherThanTheLastIsNotWritten) {
  commit({.id = "run/1", .alerts = {alert("a")}, .groups = {{.key = "one"}}});
  commit({.id = "run/2", .follows = "run/1", .alerts = {alert("b")}});
  const Commit next{.id = "run/9", .follows = "run/8", .alerts = {alert("c")}};
  const auto refused = store_->commit(next);
  ASSERT_FALSE(refused);
  EXPECT_EQ(trouble_of(refused.error()), Trouble::lost);
  EXPECT_EQ(store_->active_alerts()->size(), 2U);
  commit({.id = "run/9", .anew = true, .alerts = {alert("c")}, .groups = {{.key = "two"}}});
  ASSERT_EQ(store_->active_alerts()->size(), 1U);
  EXPECT_EQ(store_->active_alerts()->at(0).labels, alert("c").labels);
  ASSERT_EQ(store_->notification_groups()->size(), 1U);
  EXPECT_EQ(store_->notification_groups()->at(0).key, "two");
}

TEST_P(StoreContract, WhichCommitWasTheLastIsKnownForAsLongAsThereAreCommits) {
  commit({.id = "run/1", .alerts = {alert("a")}});
  for (int day = 1; day < 5; ++day) ASSERT_TRUE(store_->prune(at(day * 86'400), std::chrono::days(1)));
  commit({.id = "run/2", .follows = "run/1", .alerts = {alert("b")}});
  for (int day = 5; day < 9; ++day) ASSERT_TRUE(store_->prune(at(day * 86'400), std::chrono::days(1)));
  EXPECT_TRUE(store_->commit({.id = "run/3", .follows = "run/2", .alerts = {alert("c")}}));
}

TEST_P(StoreContract, AHistoryThatNeedsManyMessagesToTheServerIsWrittenWhole) {
  Commit large;
  for (int i = 0; i < 3000; ++i) {
    const std::string id = std::to_string(i);
    large.alerts.push_back(alert(id));
    large.transitions.push_back(fired(alert(id), at(i)));
    large.outbox.push_back(message(id, id, at(i)));
  }
  large.incidents = {incident("storm", at(1), large.alerts)};
  commit(large);
  reopen();
  EXPECT_EQ(store_->active_alerts()->size(), 3000U);
  EXPECT_EQ(store_->transitions({.limit = 10'000})->size(), 3000U);
  EXPECT_EQ(*store_->pending_messages(), 3000U);
  EXPECT_EQ(store_->incidents({})->at(0).alerts.size(), 3000U);
}

TEST_P(StoreContract, IncidentsAreFoundByWhatTheySayAndByWhoWorksOnThem) {
  core::Incident billing = incident("aa", at(10), {alert("billing")});
  billing.title = "Consumer group Billing: 100% late_";
  billing.handling.owner = "ann";
  billing.timeline.push_back({at(11), "commented", "bob: The WORKER is stuck"});
  billing.timeline.push_back({at(12), "event", "a rebalance began"});
  core::Incident search = incident("bb", at(20), {alert("search")});
  search.severity = "warning";
  search.resolved_at = at(50);
  commit({.incidents = {billing, search, incident("cc", at(20), {})}});
  reopen();
  const auto ids = [&](core::IncidentSearch wanted, std::size_t limit = 10) {
    const auto found = store_->incidents({.limit = limit, .search = wanted});
    EXPECT_TRUE(found) << found.error().describe();
    const auto joined = [](const std::vector<core::Incident>& incidents) {
      std::string all;
      for (const auto& each : incidents) all += each.id + " ";
      return all;
    };
    EXPECT_EQ(joined(storage::search(*store_->incidents({}), wanted, limit)), joined(*found)) << "as in memory";
    return joined(*found);
  };
  using State = core::IncidentSearch::State;
  EXPECT_EQ(ids({}), "bb cc aa ");
  EXPECT_EQ(ids({.state = State::open}), "cc aa ");
  EXPECT_EQ(ids({.state = State::resolved}), "bb ");
  EXPECT_EQ(ids({.words = {"worker", "STUCK"}}), "aa ") << "what people wrote, in any case";
  EXPECT_EQ(ids({.words = {"rebalance"}}), "") << "events are not searched";
  EXPECT_EQ(ids({.words = {"KafkaConsumerLagHigh"}}), "bb aa ") << "names of alerts";
  EXPECT_EQ(ids({.words = {"consumergroup=bb"}}), "bb ");
  EXPECT_EQ(ids({.words = {"100%"}}), "aa ");
  EXPECT_EQ(ids({.words = {"%"}}), "aa ") << "a mark of LIKE is a character";
  EXPECT_EQ(ids({.words = {"late_"}}), "aa ");
  EXPECT_EQ(ids({.words = {"l_te"}}), "");
  EXPECT_EQ(ids({.words = {"' OR 1=1 --"}}), "");
  EXPECT_EQ(ids({.words = {"\xff"}}), "") << "bytes that are no text find nothing";
  EXPECT_EQ(ids({.owner = "ann"}), "aa ");
  EXPECT_EQ(ids({.owner = "an"}), "");
  EXPECT_EQ(ids({.severity = "warning"}), "bb ");
  EXPECT_EQ(ids({.label_name = "consumergroup", .label_value = "aa"}), "aa ");
  EXPECT_EQ(ids({.label_name = "consumergroup", .label_value = "a"}), "");
  EXPECT_EQ(ids({.label_name = "x\":\"", .label_value = ""}), "");
  EXPECT_EQ(ids({.from = at(51)}), "cc aa ") << "those that were over before are not wanted";
  EXPECT_EQ(ids({.to = at(19)}), "aa ");
  EXPECT_EQ(ids({}, 1), "bb ");
  EXPECT_EQ(ids({.before = at(20), .before_id = "bb"}, 1), "cc ");
  EXPECT_EQ(ids({.before = at(20), .before_id = "cc"}, 1), "aa ");
  EXPECT_FALSE(store_->incidents({.search = core::IncidentSearch{.words = std::vector<std::string>(7, "a")}}));
}

TEST_P(StoreContract, IncidentsThatMayYetChangeAreKnownAfterARestart) {
  const auto over = [](const char* id, int seconds, std::vector<core::Alert> alerts) {
    core::Incident ended = incident(id, at(1), std::move(alerts));
    ended.resolved_at = at(seconds);
    return ended;
  };
  core::Incident merged = over("dd", 10, {alert("merged")});
  merged.handling.merged_into = "ee";
  core::Incident lost = over("ff", 10, {alert("lost")});
  lost.handling.merged_into = "aa";
  commit({.incidents = {over("aa", 10, {alert("a", AlertState::inactive)}), over("bb", 100, {}),
                        over("cc", 10, {alert("fires")}), merged, incident("ee", at(2), {}), lost}});
  reopen();
  std::string ids;
  const auto found = store_->incidents({.lingering_since = at(50)});
  for (const auto& each : *found) ids += each.id + " ";
  EXPECT_EQ(ids, "bb cc dd ") << "the latest end first";
}

TEST_P(StoreContract, WhatBecameOfTheMessagesOfAnIncidentIsKnown) {
  commit({.incidents = {incident("aa", at(0), {alert("mine")})},
          .outbox = {message("aa-firing-1-x", "aa", at(1)), message("aa-resolved-2-x", "aa", at(2)),
                     message("aab-firing-1-x", "aab", at(1))}});
  const std::int64_t sequence = sequence_of("aa-firing-1-x", at(5));
  ASSERT_TRUE(store_->retry_later(sequence, at(5), "refused"));
  ASSERT_TRUE(store_->delivered(sequence, at(6)));
  const auto told = store_->messages_of("aa", 10);
  ASSERT_TRUE(told) << told.error().describe();
  ASSERT_EQ(told->size(), 2U);
  EXPECT_EQ(told->at(0).receiver, "team");
  EXPECT_EQ(told->at(0).attempts, 2);
  EXPECT_EQ(told->at(0).delivered_at, at(6));
  EXPECT_FALSE(told->at(1).delivered_at);
  EXPECT_EQ(store_->messages_of("aa", 1)->size(), 1U);
  EXPECT_TRUE(store_->messages_of("%", 10)->empty());
}

TEST_P(StoreContract, MessagesThatTellOfSeveralIncidentsAreOfEachOfThem) {
  const auto fired = [](const char* name, int second) {
    core::Alert found = alert(name);
    found.fired_at = at(second);
    return found;
  };
  const auto several = [](const char* key, int second, std::vector<core::Alert> alerts) {
    core::OutboxMessage told = message(key, "", at(second));
    told.notification.alerts = std::move(alerts);
    return told;
  };
  core::Incident before = incident("before", at(0), {fired("mine", 0)});
  before.resolved_at = at(5);
  core::Incident merged = incident("cc", at(10), {fired("merged", 10)});
  merged.resolved_at = at(20);
  merged.handling.merged_into = "aa";
  commit({.incidents = {before, incident("aa", at(10), {fired("mine", 10), fired("merged", 10)}),
                        incident("bb", at(10), {fired("other", 10)}), merged},
          .outbox = {several("group-firing-0-x", 1, {fired("mine", 0)}),
                     several("group-firing-1-x", 11, {fired("mine", 10), fired("other", 10)}),
                     several("group-firing-2-x", 12, {fired("other", 10)}), message("cc-firing-3-x", "cc", at(13)),
                     several("group-resolved-4-x", 100, {fired("mine", 10)})}});
  reopen();
  const auto times = [&](const char* id) {
    std::vector<core::Time> all;
    const auto told = store_->messages_of(id, 10);
    for (const core::ToldMessage& each : *told) all.push_back(each.created_at);
    return all;
  };
  EXPECT_EQ(times("aa"), (std::vector{at(11), at(13), at(100)})) << "and what was merged into it";
  EXPECT_EQ(times("bb"), (std::vector{at(11), at(12)}));
  EXPECT_EQ(times("before"), (std::vector{at(1)}));
  EXPECT_EQ(times("cc"), (std::vector{at(13)}));
  EXPECT_TRUE(store_->messages_of("aa", 10)->at(0).with_others);
  EXPECT_FALSE(store_->messages_of("cc", 10)->at(0).with_others);
}

core::Result<std::unique_ptr<Store>> open_on_server(Places& places) {
  if (!places.schema) places.schema = std::make_unique<PostgresSchema>();
  return open_postgres(places.schema->options());
}

INSTANTIATE_TEST_SUITE_P(
    Stores, StoreContract,
    ::testing::Values(Implementation{"SqliteFile", [](Places& places) { return open_sqlite(places.folder.file()); },
                                     true},
                      Implementation{"Memory", [](Places&) { return open_sqlite(":memory:"); }, false},
                      Implementation{"PostgreSQL", open_on_server, true}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace weir::storage
