#include "notify/dispatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "notify/dispatch_message.h"

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kTeam = "receivers: [{name: team, webhook_configs: [{url: http://a}]}]\n";

core::Alert named(const std::string& name, std::initializer_list<core::Labels::Pair> labels = {}) {
  core::LabelsBuilder builder;
  builder.set("alertname", name);
  for (const auto& [label, value] : labels) builder.set(label, value);
  core::Alert alert;
  alert.group = "g";
  alert.rule = name;
  alert.labels = builder.build();
  alert.fingerprint = alert.labels.hash();
  alert.state = core::AlertState::firing;
  return alert;
}

/// Time goes on in steps, as the judge's.
class DispatchTest : public ::testing::Test {
 protected:
  void configure(const std::string& yaml) {
    config::Diagnostics diagnostics;
    settings_ = parse(yaml, diagnostics);
    ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  }
  void fire(core::Alert alert) {
    alert.fired_at = now_;
    transitions_.push_back(
        {.alert = alert, .from = core::AlertState::pending, .to = core::AlertState::firing, .at = now_, .reason = ""});
  }
  void resolve(core::Alert alert) {
    alert.fired_at = now_;
    transitions_.push_back(
        {.alert = alert, .from = core::AlertState::firing, .to = core::AlertState::inactive, .at = now_, .reason = ""});
  }
  std::vector<core::OutboxMessage> step() {
    const std::vector<CompiledSilence> compiled = compile(silences_);
    DispatchOutput output = dispatch(
        settings_, state_,
        {.transitions = transitions_, .incidents = incidents_, .silences = compiled, .hold = hold_, .now = now_});
    transitions_.clear();
    incidents_.clear();
    for (core::GroupRecord& record : output.records) {
      if (record.gone) {
        stored_.erase(record.key);
      } else {
        stored_[record.key] = record;
      }
    }
    return output.messages;
  }
  /// "0 {}:{…} firing a b" of each message of the steps until then, seconds since the start first.
  std::vector<std::string> until(core::Duration end) {
    std::vector<std::string> told;
    for (; now_ <= start_ + end; now_ += 1s) {
      for (const core::OutboxMessage& message : step()) {
        std::string line = std::to_string((now_ - start_) / 1s) + " " + message.notification.status;
        for (const core::Alert& alert : message.notification.alerts) {
          line += " " + std::string(alert.labels.get("alertname")) + std::string(alert.labels.get("n"));
          if (alert.state != core::AlertState::firing) line += "(over)";
        }
        told.push_back(line);
        keys_.insert(message.idempotency_key);
      }
    }
    return told;
  }
  void restart() {
    std::vector<core::GroupRecord> records;
    for (const auto& [key, record] : stored_) records.push_back(record);
    std::vector<core::Alert> firing;
    for (const auto& [id, member] : state_.firing) firing.push_back(member.alert);
    state_ = rebuild(settings_, records, firing, {}, now_);
  }

  core::Time start_ = at(0);
  core::Time now_ = at(0);
  RoutingSettings settings_;
  DispatchState state_;
  std::vector<core::Transition> transitions_;
  std::vector<core::Incident> incidents_;
  std::vector<core::Silence> silences_;
  std::map<std::string, core::GroupRecord> stored_;
  std::set<std::string> keys_;
  bool hold_ = false;
};

TEST_F(DispatchTest, AGroupWaitsThenTellsOfChangesAtItsIntervalAndRepeats) {
  configure(std::string(kTeam) +
            "route: {receiver: team, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 1h}");
  fire(named("A", {{"n", "1"}}));
  EXPECT_THAT(until(29s), ElementsAre());
  fire(named("A", {{"n", "2"}}));
  EXPECT_THAT(until(30s), ElementsAre("30 firing A1 A2"));
  fire(named("A", {{"n", "3"}}));
  EXPECT_THAT(until(329s), ElementsAre());
  EXPECT_THAT(until(330s), ElementsAre("330 firing A1 A2 A3"));
  resolve(named("A", {{"n", "2"}}));
  EXPECT_THAT(until(630s), ElementsAre("630 firing A1 A3 A2(over)"));
  EXPECT_THAT(until(630s + 1h), ElementsAre()) << "repeats come when the interval is over, not at its end";
  EXPECT_THAT(until(930s + 1h), ElementsAre("4530 firing A1 A3"));
  EXPECT_EQ(keys_.size(), 4U) << "each has a key of its own";
}

TEST_F(DispatchTest, AllResolvedIsToldOnceAndTheGroupIsForgotten) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 10s}");
  fire(named("A"));
  EXPECT_THAT(until(0s), ElementsAre("0 firing A"));
  resolve(named("A"));
  EXPECT_THAT(until(9s), ElementsAre());
  EXPECT_THAT(until(60s), ElementsAre("10 resolved A(over)"));
  EXPECT_TRUE(state_.groups.empty());
  EXPECT_TRUE(stored_.empty());
  fire(named("A"));
  EXPECT_THAT(until(61s), ElementsAre("61 firing A"));
}

TEST_F(DispatchTest, WhatFiresAndResolvesWithinTheWaitIsToldToNobody) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [alertname], group_wait: 30s}");
  fire(named("A"));
  until(5s);
  resolve(named("A"));
  EXPECT_THAT(until(400s), ElementsAre());
  EXPECT_TRUE(state_.groups.empty());
}

TEST_F(DispatchTest, AnIntegrationWithoutSendResolvedHearsOfNoEndButOfTheNextFiring) {
  configure(
      "receivers: [{name: team, webhook_configs: [{url: http://a, send_resolved: false}]}]\n"
      "route: {receiver: team, group_by: [], group_wait: 0s, group_interval: 10s}");
  fire(named("A"));
  fire(named("B"));
  EXPECT_THAT(until(0s), ElementsAre("0 firing A B"));
  resolve(named("A"));
  EXPECT_THAT(until(20s), ElementsAre());
  resolve(named("B"));
  EXPECT_THAT(until(40s), ElementsAre());
  fire(named("A"));
  EXPECT_THAT(until(60s), ElementsAre("41 firing A"));
}

TEST_F(DispatchTest, GroupsAreByRouteAndLabelsAndKeysAreAlertmanagers) {
  configure(
      "receivers: [{name: team, webhook_configs: [{url: http://a}]}, {name: page, webhook_configs: [{url: "
      "http://b}]}]\n"
      "route: {receiver: team, group_by: [cluster, zone], group_wait: 0s, routes: [{matchers: [severity=critical],\n"
      "  receiver: page, continue: true}, {matchers: ['alertname=~A.*'], group_by: ['...']}]}");
  fire(named("A", {{"severity", "critical"}, {"cluster", "c"}, {"zone", "z"}}));
  fire(named("B", {{"cluster", "c"}}));
  const auto messages = step();
  std::vector<std::string> keys;
  for (const auto& message : messages)
    keys.push_back(message.notification.receiver + " " + message.notification.group_key);
  EXPECT_THAT(keys, ::testing::UnorderedElementsAre(
                        R"(page {}/{severity="critical"}:{cluster="c", zone="z"})",
                        R"(team {}/{alertname=~"A.*"}:{alertname="A", cluster="c", severity="critical", zone="z"})",
                        R"(team {}:{cluster="c"})"));
}

TEST_F(DispatchTest, WithoutGroupByAnIncidentIsAGroup) {
  configure(std::string(kTeam) + "route: {receiver: team, group_wait: 0s, group_interval: 10s}");
  const core::Alert a = alert("a");
  const core::Alert b = alert("b");
  incidents_ = {incident({a}, "aa"), incident({b}, "bb")};
  fire(a);
  fire(b);
  auto messages = step();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].notification.incident_id, "aa");
  EXPECT_EQ(messages[0].notification.group_key, "{}:{incident_id=\"aa\"}");
  EXPECT_EQ(messages[0].notification.cause, "the group has no members");
  EXPECT_EQ(messages[0].notification.group_labels, (core::Labels{{"cluster", "prod"}, {"consumergroup", "a"}}));
  EXPECT_EQ(messages[1].notification.incident_id, "bb");
  // It fires again in an incident of its own while the first is still to be told of as over.
  resolve(a);
  incidents_ = {incident({resolved("a")}, "aa")};
  incidents_[0].resolved_at = now_;
  now_ += 1s;
  step();
  fire(a);
  incidents_ = {incident({a}, "cc")};
  now_ += 1s;
  messages = step();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.incident_id, "cc");
  now_ += 20s;
  messages = step();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.incident_id, "aa");
  EXPECT_EQ(messages[0].notification.status, "resolved");
}

TEST_F(DispatchTest, AMessageSaysWhetherItsIncidentGoesOn) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [consumergroup], group_wait: 0s}");
  const core::Alert a = alert("a");
  const core::Alert b = alert("b");
  incidents_ = {incident({a, b}, "aa")};
  fire(a);
  fire(b);
  auto messages = step();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].notification.incident_state, "open");
  resolve(a);
  incidents_ = {incident({resolved("a"), b}, "aa")};
  now_ += 10min;
  messages = step();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.status, "resolved");
  EXPECT_EQ(messages[0].notification.incident_state, "open") << "b still fires";
  resolve(b);
  incidents_ = {incident({resolved("a"), resolved("b")}, "aa")};
  incidents_[0].resolved_at = now_;
  now_ += 10min;
  messages = step();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.incident_state, "resolved");
}

TEST_F(DispatchTest, TheLabelsOfAGroupByIncidentAreThoseOfTheAlertsInTheMessage) {
  configure(std::string(kTeam) + "route: {receiver: team, group_wait: 0s}");
  const core::Alert a = alert("a");
  const core::Alert elsewhere = named("Rows", {{"dataset", "orders"}});
  incidents_ = {incident({a}, "aa"), incident({elsewhere}, "bb")};
  fire(a);
  fire(elsewhere);
  const auto messages = step();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].notification.group_labels, (core::Labels{{"cluster", "prod"}, {"consumergroup", "a"}}))
      << "the incident is about billing";
  EXPECT_EQ(messages[1].notification.group_labels, elsewhere.labels) << "none of the incident's labels";
  for (const core::RoutedGroup& group : view_of(settings_, state_, {}, now_).groups)
    EXPECT_NE(group.labels.get("consumergroup"), "billing");
}

TEST_F(DispatchTest, TheLabelsOfAGroupByIncidentAreThoseOfWhatFires) {
  configure(std::string(kTeam) + "route: {receiver: team, group_wait: 0s, group_interval: 1m}");
  const core::Alert a = alert("a");
  const core::Alert b = alert("b");
  incidents_ = {incident({a, b}, "aa")};
  fire(a);
  fire(b);
  ASSERT_EQ(step().size(), 1U);
  resolve(b);
  incidents_ = {incident({a, resolved("b")}, "aa")};
  now_ += 10min;
  const auto messages = step();
  ASSERT_EQ(messages.size(), 1U);
  ASSERT_EQ(messages[0].notification.alerts.size(), 2U);
  EXPECT_EQ(messages[0].notification.group_labels.get("consumergroup"), "a");
}

TEST_F(DispatchTest, AMessageOfSeveralIncidentsNamesTheirCauses) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [cluster], group_wait: 0s}");
  const core::Alert a = alert("a");
  const core::Alert b = alert("b");
  incidents_ = {incident({a}, "aa"), incident({b}, "bb")};
  incidents_[1].cause = "the broker is down";
  fire(a);
  fire(b);
  const auto messages = step();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.incident_id, "");
  EXPECT_THAT(messages[0].notification.incident_title, HasSubstr("and 1 more"));
  EXPECT_THAT(messages[0].notification.cause, HasSubstr("no members"));
  EXPECT_THAT(messages[0].notification.cause, HasSubstr("broker is down"));
}

TEST_F(DispatchTest, AnInhibitedAlertIsToldWhenNothingInhibitsItAnyMore) {
  configure(
      std::string(kTeam) +
      "route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 10s}\n"
      "inhibit_rules: [{source_matchers: [alertname=Down], target_matchers: [alertname=Slow], equal: [cluster]}]");
  fire(named("Down", {{"cluster", "c"}}));
  fire(named("Slow", {{"cluster", "c"}, {"n", "1"}}));
  fire(named("Slow", {{"cluster", "d"}, {"n", "2"}}));
  EXPECT_THAT(until(5s), ::testing::UnorderedElementsAre("0 firing Down", "0 firing Slow2"));
  const auto view = view_of(settings_, state_, {}, now_);
  for (const core::RoutedAlert& alert : view.alerts) {
    const bool inhibited = alert.alert.labels.get("n") == "1";
    EXPECT_EQ(alert.suppression.any(), inhibited);
    EXPECT_EQ(alert.receivers, std::vector<std::string>{"team"});
  }
  resolve(named("Down", {{"cluster", "c"}}));
  EXPECT_THAT(until(30s), ::testing::UnorderedElementsAre("10 resolved Down(over)", "10 firing Slow1 Slow2"));
}

TEST_F(DispatchTest, WhatIsDownstreamOfWhatFiresIsShownButNotTold) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 10s}");
  fire(named("Root"));
  fire(named("Below"));
  state_.inhibited[alert_id(named("Below"))] = {7};
  EXPECT_THAT(until(5s), ElementsAre("0 firing Root"));
  const auto view = view_of(settings_, state_, {}, now_);
  ASSERT_EQ(view.alerts.size(), 2U);
  for (const core::RoutedAlert& alert : view.alerts)
    EXPECT_EQ(alert.suppression.inhibited_by.size(), alert.alert.rule == "Below" ? 1U : 0U);
  state_.inhibited.clear();
  EXPECT_THAT(until(30s), ElementsAre("10 firing Below")) << "it still fires when its root does no more";
}

TEST_F(DispatchTest, WhatGoesOnInAnotherIncidentIsToldToItsEndWhereItBeganUnderTheIdOfTheOther) {
  configure(std::string(kTeam) + "route: {receiver: team, group_wait: 0s, group_interval: 10s}");
  const core::Alert a = alert("a");
  const core::Alert b = alert("b");
  incidents_ = {incident({a}, "aa"), incident({b}, "bb")};
  fire(a);
  fire(b);
  EXPECT_EQ(step().size(), 2U);
  now_ += 1s;
  incidents_ = {incident({a, b}, "aa"), incident({b}, "bb")};
  incidents_[1].resolved_at = now_;
  incidents_[1].handling.merged_into = "aa";
  state_.inhibited[alert_id(b)] = {1};
  now_ += 20s;
  EXPECT_TRUE(step().empty());
  state_.inhibited.clear();
  resolve(a);
  resolve(b);
  std::map<std::string, std::string> told;
  for (int i = 0; i < 3; ++i) {
    now_ += 20s;
    for (const core::OutboxMessage& message : step())
      told[message.notification.group_key] = message.notification.status + " " + message.notification.incident_id;
  }
  EXPECT_EQ(told, (std::map<std::string, std::string>{{"{}:{incident_id=\"aa\"}", "resolved aa"},
                                                      {"{}:{incident_id=\"bb\"}", "resolved aa"}}));
  EXPECT_TRUE(state_.groups.empty());
}

TEST_F(DispatchTest, WhileWeirIsOfflineNothingElseIsTold) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [alertname], group_wait: 0s}");
  fire(named("WeirOffline"));
  fire(named("WeirCollectorFailing", {{"collector", "a"}}));
  EXPECT_THAT(until(1s), ElementsAre("0 firing WeirOffline"));
}

core::Silence silence_of(const std::string& names, core::Time from, core::Time to) {
  return {.id = "s",
          .matchers = {{"alertname", core::MatchOp::regex, names}},
          .starts_at = from,
          .ends_at = to,
          .updated_at = from,
          .created_by = "me",
          .comment = "c"};
}

TEST_F(DispatchTest, ASilenceHidesWhatItsMatchersMatchFromItsBeginningToItsEnd) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 5s}");
  silences_.push_back(silence_of("A|B", at(0), at(20)));
  fire(named("A"));
  fire(named("C"));
  EXPECT_THAT(until(19s), ElementsAre("0 firing C"));
  EXPECT_EQ(view_of(settings_, state_, compile(silences_), now_ - 1s).alerts.size(), 2U);
  EXPECT_THAT(until(30s), ElementsAre("20 firing A"));
}

TEST_F(DispatchTest, TheEndOfWhatWasToldIsToldAlsoWhileItIsSilenced) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [team], group_wait: 0s, group_interval: 5s}");
  for (const char* name : {"A", "B", "C"}) fire(named(name));
  EXPECT_THAT(until(1s), ElementsAre("0 firing A B C"));
  silences_ = {silence_of("A|B|New", at(2), at(500))};
  EXPECT_THAT(until(12s), ElementsAre()) << "a silence by itself is no news";
  fire(named("New"));
  fire(named("D"));
  EXPECT_THAT(until(22s), ElementsAre("15 firing C D")) << "what begins silenced is told to nobody";
  resolve(named("A"));
  EXPECT_THAT(until(32s), ElementsAre("25 firing C D A(over)")) << "it was not in the message before";
  restart();
  resolve(named("New"));
  EXPECT_THAT(until(42s), ElementsAre()) << "nobody heard of its beginning";
  resolve(named("C"));
  resolve(named("D"));
  EXPECT_THAT(until(52s), ElementsAre("43 resolved C(over) D(over)"));
  restart();
  resolve(named("B"));
  EXPECT_THAT(until(62s), ElementsAre("53 resolved B(over)"));
  EXPECT_TRUE(state_.groups.empty());
}

TEST_F(DispatchTest, WhatWasSilencedForAWhileIsToldToItsEndOnce) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [team], group_wait: 0s, group_interval: 5s}");
  fire(named("A"));
  EXPECT_THAT(until(1s), ElementsAre("0 firing A"));
  silences_ = {silence_of("A", at(2), at(20))};
  resolve(named("A"));
  EXPECT_THAT(until(7s), ElementsAre("5 resolved A(over)"));
  fire(named("A"));
  EXPECT_THAT(until(19s), ElementsAre()) << "it begins anew, silenced";
  EXPECT_THAT(until(30s), ElementsAre("23 firing A")) << "the silence is over";
  resolve(named("A"));
  EXPECT_THAT(until(60s), ElementsAre(HasSubstr("resolved A(over)")));
}

TEST_F(DispatchTest, TimeIntervalsMuteARoute) {
  configure(std::string(kTeam) +
            "time_intervals: [{name: night, time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]}]\n"
            "route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 10s, routes: [\n"
            "  {matchers: [n=1], mute_time_intervals: [night]}, {matchers: [n=2], active_time_intervals: [night]}]}");
  // 2023-11-14 22:13:20 UTC
  fire(named("A", {{"n", "1"}}));
  fire(named("A", {{"n", "2"}}));
  EXPECT_THAT(until(1s), ElementsAre("0 firing A2"));
  now_ = start_ = core::Time(std::chrono::seconds(1'700'006'400));  // 24:00
  EXPECT_THAT(until(1s), ElementsAre("0 firing A1"));
}

TEST_F(DispatchTest, NobodyIsToldWhileItHoldsAndAllOnceItIsOver) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [alertname], group_wait: 0s}");
  hold_ = true;
  fire(named("A"));
  EXPECT_THAT(until(10s), ElementsAre());
  hold_ = false;
  EXPECT_THAT(until(11s), ElementsAre("11 firing A"));
}

TEST_F(DispatchTest, ARestartNeitherLosesNorRepeats) {
  configure(
      std::string(kTeam) +
      "route: {receiver: team, group_by: [alertname], group_wait: 10s, group_interval: 20s, repeat_interval: 1h}");
  fire(named("A", {{"n", "1"}}));
  EXPECT_THAT(until(5s), ElementsAre());
  restart();
  EXPECT_THAT(until(15s), ElementsAre("10 firing A1"));
  restart();
  EXPECT_THAT(until(20s), ElementsAre());
  resolve(named("A", {{"n", "1"}}));
  EXPECT_THAT(until(21s), ElementsAre());
  restart();
  EXPECT_THAT(until(60s), ElementsAre("30 resolved A1(over)"));
  restart();
  EXPECT_THAT(until(120s), ElementsAre());
}

TEST_F(DispatchTest, AStormBecomesSomeMessagesAndADigestThatEndsWithIt) {
  configure(std::string(kTeam) +
            "route: {receiver: team, group_by: ['...'], group_wait: 0s, group_interval: 10s}\n"
            "notifications: {burst: 5, per_minute: 60}");
  for (int i = 0; i < 10'000; ++i) fire(named("A", {{"n", std::to_string(i)}}));
  auto messages = step();
  ASSERT_EQ(messages.size(), 5U);
  const core::Notification& digest = messages.back().notification;
  EXPECT_EQ(digest.incident_title, "9996 more alerts of 9996 groups");
  EXPECT_EQ(digest.alerts.size(), kMaxAlertsInMessage);
  EXPECT_EQ(digest.truncated_alerts, 9996 - kMaxAlertsInMessage);
  EXPECT_EQ(digest.group_key, "digest:team/webhook/0");
  std::size_t told = 0;
  for (now_ += 1s; now_ <= at(30); now_ += 1s) told += step().size();
  EXPECT_EQ(told, 0U) << "nothing changed";
  for (int i = 0; i < 10'000; ++i) resolve(named("A", {{"n", std::to_string(i)}}));
  messages.clear();
  for (; now_ <= at(60); now_ += 1s) std::ranges::move(step(), std::back_inserter(messages));
  ASSERT_EQ(messages.size(), 5U);
  EXPECT_EQ(messages.back().notification.group_key, "digest:team/webhook/0");
  for (const auto& message : messages) EXPECT_EQ(message.notification.status, "resolved");
  std::set<std::string> keys;
  for (const auto& message : messages) keys.insert(message.notification.group_key);
  EXPECT_EQ(keys.size(), 5U) << "what was told by itself ends by itself";
  EXPECT_TRUE(state_.groups.empty());
  EXPECT_TRUE(state_.digests.empty());
  EXPECT_TRUE(stored_.empty());
}

TEST_F(DispatchTest, ADigestWithoutSendResolvedIsForgottenWhenAllIsOver) {
  configure(
      "receivers: [{name: team, webhook_configs: [{url: http://a, send_resolved: false}]}]\n"
      "route: {receiver: team, group_by: ['...'], group_wait: 0s, group_interval: 5s}\n"
      "notifications: {burst: 2, per_minute: 60}");
  for (int i = 0; i < 4; ++i) fire(named("A", {{"n", std::to_string(i)}}));
  EXPECT_EQ(step().size(), 2U);
  for (int i = 0; i < 4; ++i) resolve(named("A", {{"n", std::to_string(i)}}));
  EXPECT_THAT(until(60s), ElementsAre());
  EXPECT_TRUE(state_.digests.empty());
  EXPECT_TRUE(stored_.empty());
}

TEST_F(DispatchTest, ADigestOutlivesARestart) {
  configure(std::string(kTeam) +
            "route: {receiver: team, group_by: ['...'], group_wait: 0s, group_interval: 10s}\n"
            "notifications: {burst: 2, per_minute: 60}");
  for (int i = 0; i < 4; ++i) fire(named("A", {{"n", std::to_string(i)}}));
  EXPECT_EQ(step().size(), 2U);
  for (int i = 0; i < 4; ++i) resolve(named("A", {{"n", std::to_string(i)}}));
  now_ += 1s;
  step();
  restart();
  std::vector<core::OutboxMessage> messages;
  for (; now_ <= at(60); now_ += 1s) std::ranges::move(step(), std::back_inserter(messages));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages.back().notification.group_key, "digest:team/webhook/0");
  EXPECT_EQ(messages.back().notification.status, "resolved");
}

TEST_F(DispatchTest, AnAlertThatFlapsIsToldOfAsSuchAndAgainWhenItIsCalm) {
  configure(std::string(kTeam) +
            "route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 1s}\n"
            "notifications: {flap_changes: 4, flap_calm: 1, flap_window: 10m}");
  std::vector<std::string> told;
  for (int i = 0; i < 20; ++i) {
    i % 2 == 0 ? fire(named("A")) : resolve(named("A"));
    std::ranges::move(until(now_ - start_ + 4s), std::back_inserter(told));
  }
  EXPECT_THAT(told, ElementsAre("0 firing A", "5 resolved A(over)", "10 firing A", "15 firing A"));
  ASSERT_EQ(state_.groups.size(), 1U);
  EXPECT_THAT(until(20min), ElementsAre(HasSubstr("resolved A(over)"))) << "it ended, and was told when it was calm";
  EXPECT_TRUE(state_.groups.empty());
  EXPECT_TRUE(state_.flaps.empty());
}

TEST_F(DispatchTest, OtherRoutesForgetWhatTheyNoLongerReachAndRepeatNothing) {
  configure(std::string(kTeam) + "route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 5s}");
  fire(named("A"));
  EXPECT_THAT(until(0s), ElementsAre("0 firing A"));
  restart();
  EXPECT_THAT(until(30s), ElementsAre()) << "the same routes";
  configure(
      "receivers: [{name: other, webhook_configs: [{url: http://a}]}]\n"
      "route: {receiver: other, group_by: [alertname], group_wait: 0s, group_interval: 5s}");
  restart();
  EXPECT_THAT(until(31s), ElementsAre("31 firing A"));
}

TEST(NeedsTelling, IsAlertmanagersRule) {
  Visible visible;
  visible.firing_ids = {1, 2};
  EXPECT_TRUE(needs_telling(nullptr, visible, true, 1h, at(0)));
  core::ToldState told{.integration = "i", .firing = {1, 2, 3}, .resolved = {}, .at = at(0)};
  EXPECT_FALSE(needs_telling(&told, visible, true, 1h, at(3600)));
  EXPECT_TRUE(needs_telling(&told, visible, true, 1h, at(3601)));
  visible.resolved_ids = {3};
  EXPECT_TRUE(needs_telling(&told, visible, true, 1h, at(1)));
  EXPECT_FALSE(needs_telling(&told, visible, false, 1h, at(1)));
  visible.firing_ids = {4};
  EXPECT_TRUE(needs_telling(&told, visible, false, 1h, at(1)));
  visible.firing_ids = {};
  EXPECT_TRUE(needs_telling(&told, visible, false, 1h, at(1)));
  told.firing = {};
  EXPECT_FALSE(needs_telling(&told, visible, true, 1h, at(7200)));
  EXPECT_FALSE(needs_telling(nullptr, visible, true, 1h, at(7200)));
}

core::Incident held(const std::string& id, std::vector<core::Alert> alerts) {
  core::Incident incident;
  incident.id = id;
  incident.title = "incident " + id;
  incident.alerts = std::move(alerts);
  return incident;
}

constexpr const char* kRepeated =
    "route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 10s, repeat_interval: 1m}";

TEST_F(DispatchTest, WhatSomebodyWorksOnIsNotRepeatedButWhatIsNewAndTheEndAreTold) {
  configure(std::string(kTeam) + kRepeated);
  core::Incident incident = held("aa", {named("A", {{"n", "1"}})});
  fire(incident.alerts[0]);
  incidents_ = {incident};
  EXPECT_THAT(until(70s), ElementsAre("0 firing A1", "70 firing A1"));
  incident.handling.acknowledged_at = now_;
  incidents_ = {incident};
  EXPECT_THAT(until(300s), ElementsAre());
  std::vector<core::GroupRecord> records;
  for (const auto& [key, record] : stored_) records.push_back(record);
  state_ = rebuild(settings_, records, incident.alerts, std::vector{incident}, now_);
  EXPECT_THAT(until(400s), ElementsAre()) << "also after a restart";
  incident.alerts.push_back(named("A", {{"n", "2"}}));
  fire(incident.alerts[1]);
  incidents_ = {incident};
  const auto told = until(600s);
  ASSERT_EQ(told.size(), 1U) << "what is new, once";
  EXPECT_THAT(told[0], HasSubstr("firing A1 A2"));
  for (core::Alert& alert : incident.alerts) resolve(alert);
  EXPECT_THAT(until(700s), ElementsAre(HasSubstr("resolved A1(over) A2(over)")));
}

TEST_F(DispatchTest, OneIncidentThatNobodyWorksOnIsEnoughForARepeat) {
  configure(std::string(kTeam) + kRepeated);
  core::Incident known = held("aa", {named("A", {{"n", "1"}})});
  known.handling.acknowledged_at = now_;
  const core::Incident other = held("bb", {named("A", {{"n", "2"}})});
  fire(known.alerts[0]);
  fire(other.alerts[0]);
  incidents_ = {known, other};
  EXPECT_THAT(until(70s), ElementsAre("0 firing A1 A2", "70 firing A1 A2"));
}

TEST_F(DispatchTest, AlertsOfAMergedIncidentEndWhereTheyBeganUnderTheIdOfTheOneThatGoesOn) {
  configure(std::string(kTeam) + "route: {receiver: team, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}");
  core::Incident from = held("aa", {named("A")});
  core::Incident into = held("bb", {named("B")});
  for (core::Incident* each : {&from, &into}) {
    each->alerts[0].fired_at = now_;
    fire(each->alerts[0]);
  }
  incidents_ = {from, into};
  EXPECT_EQ(until(0s).size(), 2U);
  from.handling.merged_into = "bb";
  into.alerts.push_back(from.alerts[0]);
  incidents_ = {from, into};
  EXPECT_THAT(until(10s), ElementsAre()) << "nothing new";
  std::vector<core::GroupRecord> records;
  for (const auto& [key, record] : stored_) records.push_back(record);
  const std::vector<core::Incident> known{from, into};
  state_ = rebuild(settings_, records, into.alerts, known, now_);
  EXPECT_THAT(until(20s), ElementsAre()) << "nor after a restart";
  resolve(from.alerts[0]);
  incidents_ = {into};
  std::vector<std::string> keys;
  for (; now_ <= start_ + 30s; now_ += 1s) {
    for (const core::OutboxMessage& message : step())
      keys.push_back(message.notification.status + " " + message.notification.group_key + " of " +
                     message.notification.incident_id + " (" + message.notification.incident_title + ")");
  }
  EXPECT_THAT(keys, ElementsAre("resolved {}:{incident_id=\"aa\"} of bb (" + into.title + ")"));
}

}  // namespace
}  // namespace weir::notify
