#include "store_contract_fixture.h"

namespace weir::storage {
namespace {

using namespace testing;

class StoreMessages : public StoreContract {};

TEST_P(StoreMessages, WhatAnIntegrationNotesOfAMessageComesWithTheNextOfItsGroup) {
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

TEST_P(StoreMessages, ALaneHasTheMessagesOfOneIntegration) {
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

TEST_P(StoreMessages, MessagesOfOneIncidentKeepTheirOrderWhicheverGroupTheyAreOf) {
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

TEST_P(StoreMessages, AMessageComesBackWithEveryField) {
  core::OutboxMessage kept = message("k1", "aa", at(5));
  kept.notification.truncated_alerts = 7;
  kept.notification.incident_state = "open";
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
  EXPECT_EQ(notification.incident_state, "open");
  EXPECT_EQ(notification.truncated_alerts, 7U);
  ASSERT_EQ(notification.alerts.size(), 1U);
  expect_same(notification.alerts[0], kept.notification.alerts[0]);
}

TEST_P(StoreMessages, OnlyTheOldestWaitingMessageOfAnIncidentIsDue) {
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

TEST_P(StoreMessages, ReceiversIntegrationsAndGroupsDoNotWaitForEachOther) {
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

TEST_P(StoreMessages, ReceiversTakeTurnsWithinTheLimit) {
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

TEST_P(StoreMessages, AnAttemptIsCountedWithItsError) {
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

TEST_P(StoreMessages, AMessageGivenUpLetsTheNextOnePass) {
  commit({.outbox = {message("fire", "aa", at(1)), message("resolve", "aa", at(2))}});
  EXPECT_EQ(*store_->pending_messages(), 2U);
  ASSERT_TRUE(store_->give_up(sequence_of("fire", at(5)), at(5), "404"));
  EXPECT_EQ(due_keys(at(5)), (Keys{"resolve"}));
  EXPECT_EQ(*store_->pending_messages(), 1U);
}

TEST_P(StoreMessages, AnOutcomeForNoWaitingMessageIsAnError) {
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

TEST_P(StoreMessages, AKnownIdempotencyKeyIsNotAddedAgainEvenAfterDelivery) {
  commit({.outbox = {message("k", "aa", at(1)), message("k", "aa", at(1))}});
  EXPECT_EQ(*store_->pending_messages(), 1U);
  ASSERT_TRUE(store_->delivered(sequence_of("k", at(1)), at(2)));
  commit({.outbox = {message("k", "aa", at(1))}});
  EXPECT_EQ(*store_->pending_messages(), 0U);
}

TEST_P(StoreMessages, WhatBecameOfTheMessagesOfAnIncidentIsKnown) {
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

TEST_P(StoreMessages, MessagesThatTellOfSeveralIncidentsAreOfEachOfThem) {
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

INSTANTIATE_TEST_SUITE_P(Stores, StoreMessages, implementations(), name_of);

}  // namespace
}  // namespace weir::storage
