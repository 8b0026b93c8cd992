#include "app/write_backlog.h"

#include <gtest/gtest.h>
#include <set>

namespace weir::app {
namespace {

using core::AlertState;

core::Alert alert(std::uint64_t fingerprint, AlertState state = AlertState::firing) {
  core::Alert alert;
  alert.fingerprint = fingerprint;
  alert.group = "g";
  alert.rule = "r";
  alert.state = state;
  return alert;
}

core::Transition transition(std::uint64_t fingerprint, AlertState to, std::int64_t at) {
  return {.alert = alert(fingerprint, to),
          .from = AlertState::pending,
          .to = to,
          .at = core::Time(core::Duration(at)),
          .reason = ""};
}

core::OutboxMessage message(const std::string& key, const std::string& group) {
  core::OutboxMessage message;
  message.idempotency_key = key;
  message.notification.receiver = "team";
  message.notification.integration = "webhook/0";
  message.notification.group_key = group;
  return message;
}

core::Incident incident(const std::string& id, const std::string& title) {
  core::Incident incident;
  incident.id = id;
  incident.title = title;
  return incident;
}

TEST(WriteBacklog, GivesTheSameUnderTheSameIdUntilItIsWritten) {
  WriteBacklog backlog;
  EXPECT_TRUE(backlog.empty());
  backlog.add({.transitions = {transition(1, AlertState::firing, 1)}});
  const std::string id = backlog.next().id;
  backlog.add({.transitions = {transition(2, AlertState::firing, 2)}});
  EXPECT_EQ(backlog.next().id, id);
  ASSERT_EQ(backlog.next().transitions.size(), 1U) << "what came later must not ride on an id that may be known";
  EXPECT_EQ(backlog.size(), 2U);
  backlog.written();
  EXPECT_NE(backlog.next().id, id);
  EXPECT_EQ(backlog.next().transitions.at(0).alert.fingerprint, 2U);
  backlog.written();
  EXPECT_TRUE(backlog.empty());
  EXPECT_NE(WriteBacklog().next().id, WriteBacklog().next().id) << "each process has ids of its own";
}

TEST(WriteBacklog, SaysWhichCommitOneFollows) {
  WriteBacklog backlog;
  backlog.add({.transitions = {transition(1, AlertState::firing, 1)}});
  EXPECT_EQ(backlog.next().follows, "") << "what was last is not this process's";
  const std::string first = backlog.next().id;
  backlog.written();
  backlog.add({.transitions = {transition(2, AlertState::firing, 2)}});
  EXPECT_EQ(backlog.next().follows, first);
}

TEST(WriteBacklog, BeginsAnewWithAllStatesAfterWhatWaits) {
  WriteBacklog backlog(100, 1);
  backlog.add({.alerts = {alert(1)}});
  backlog.next();
  backlog.written();
  backlog.add({.removed = {alert(1)},
               .transitions = {transition(1, AlertState::inactive, 1), transition(2, AlertState::firing, 2)},
               .incidents = {incident("i", "older"), incident("only here", "")}});
  EXPECT_NE(backlog.next().follows, "");
  backlog.begin_anew({.alerts = {alert(2)}, .incidents = {incident("i", "newest")}});
  EXPECT_EQ(backlog.next().follows, "");
  EXPECT_FALSE(backlog.next().anew) << "states go last";
  backlog.written();
  const storage::Commit last = backlog.next();
  EXPECT_TRUE(last.anew);
  EXPECT_EQ(last.alerts.size(), 1U);
  EXPECT_TRUE(last.removed.empty());
  EXPECT_EQ(last.incidents.size(), 2U);
  EXPECT_EQ(last.incidents[0].title, "newest");
  backlog.written();
  EXPECT_TRUE(backlog.empty());
  backlog.begin_anew({});
  EXPECT_FALSE(backlog.empty()) << "that there is nothing is news too";
  EXPECT_TRUE(backlog.next().anew);
}

TEST(WriteBacklog, HandsOutTransitionsThatWait) {
  WriteBacklog backlog;
  backlog.add({.transitions = {transition(1, AlertState::firing, 1), transition(2, AlertState::firing, 2)}});
  EXPECT_EQ(backlog.take_transitions().size(), 2U);
  EXPECT_TRUE(backlog.empty());
}

TEST(WriteBacklog, KeepsTheNewestWordOnAlertsIncidentsAndGroups) {
  WriteBacklog backlog;
  backlog.add({.alerts = {alert(1), alert(2)}, .incidents = {incident("a", "old")}, .groups = {{.key = "g"}}});
  backlog.add({.alerts = {alert(3)},
               .removed = {alert(1)},
               .incidents = {incident("a", "new"), incident("b", "b")},
               .groups = {{.key = "g", .gone = true}}});
  backlog.add({.alerts = {alert(4)}, .removed = {alert(2)}});
  backlog.add({.alerts = {alert(2)}});
  const storage::Commit& commit = backlog.next();
  std::set<std::uint64_t> alerts;
  for (const core::Alert& each : commit.alerts) alerts.insert(each.fingerprint);
  EXPECT_EQ(alerts, (std::set<std::uint64_t>{2, 3, 4}));
  ASSERT_EQ(commit.removed.size(), 1U);
  EXPECT_EQ(commit.removed[0].fingerprint, 1U);
  ASSERT_EQ(commit.incidents.size(), 2U);
  EXPECT_EQ(commit.incidents[0].title, "new");
  ASSERT_EQ(commit.groups.size(), 1U);
  EXPECT_TRUE(commit.groups[0].gone);
}

TEST(WriteBacklog, WritesMuchInPartsInOrderAndTheStatesLast) {
  WriteBacklog backlog(100, 2);
  for (int i = 0; i < 5; ++i) {
    backlog.add({.alerts = {alert(1)},
                 .transitions = {transition(1, AlertState::firing, i)},
                 .incidents = {incident("a", "t")},
                 .outbox = {message(std::to_string(i), "g")}});
  }
  std::string messages;
  std::size_t parts = 0;
  while (!backlog.empty()) {
    const storage::Commit& commit = backlog.next();
    ++parts;
    for (const auto& each : commit.outbox) messages += each.idempotency_key;
    EXPECT_EQ(commit.alerts.size(), parts == 3 ? 1U : 0U);
    EXPECT_EQ(commit.incidents.size(), parts == 3 ? 1U : 0U);
    backlog.written();
  }
  EXPECT_EQ(parts, 3U);
  EXPECT_EQ(messages, "01234");
}

TEST(WriteBacklog, IsBoundedAndNeverDropsHowThingsEnded) {
  constexpr std::size_t kMost = 100;
  WriteBacklog backlog(kMost, 1'000'000);
  backlog.add({.transitions = {transition(7, AlertState::firing, 0)}, .outbox = {message("first", "quiet")}});
  for (int i = 1; i <= 10'000; ++i) {
    const auto which = static_cast<std::uint64_t>(i % 3);
    backlog.add({.transitions = {transition(which, i % 2 == 0 ? AlertState::firing : AlertState::inactive, i)},
                 .outbox = {message(std::to_string(i), "flapping" + std::to_string(which))}});
    ASSERT_LE(backlog.size(), 2 * (kMost + 8));
  }
  const storage::Commit& commit = backlog.next();
  EXPECT_EQ(backlog.dropped() + commit.transitions.size() + commit.outbox.size(), 20'002U);
  EXPECT_EQ(commit.transitions.front().alert.fingerprint, 7U) << "an old one that nothing followed";
  EXPECT_EQ(commit.outbox.front().idempotency_key, "first");
  std::map<std::uint64_t, std::int64_t> last;
  core::Time before;
  for (const core::Transition& each : commit.transitions) {
    EXPECT_GE(each.at, before) << "in order";
    before = each.at;
    last[each.alert.fingerprint] = each.at.time_since_epoch().count();
  }
  EXPECT_EQ(last, (std::map<std::uint64_t, std::int64_t>{{0, 9999}, {1, 10'000}, {2, 9998}, {7, 0}}));
}

}  // namespace
}  // namespace weir::app
