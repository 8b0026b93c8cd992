#include "notify/alertmanager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace weir::notify {
namespace {

using namespace std::chrono_literals;
using core::AlertState;
using core::GeneratedAlert;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr core::Time kStart{1'700'000'000s};

GeneratedAlert firing(const std::string& name, core::Time since = kStart, core::Duration interval = 15s) {
  core::Alert alert;
  alert.group = "group";
  alert.rule = name;
  alert.labels = {{"alertname", name}};
  alert.state = AlertState::firing;
  alert.active_at = since - 1min;
  alert.fired_at = since;
  return {alert, interval};
}

GeneratedAlert resolved(GeneratedAlert generated, core::Time at) {
  generated.alert.state = AlertState::inactive;
  generated.alert.resolved_at = at;
  return generated;
}

class AlertScheduleTest : public testing::Test {
 protected:
  /// What is due is taken.
  std::vector<PostedAlert> tell(std::vector<GeneratedAlert> alerts, core::Time now) {
    auto due = schedule_.due(alerts, now);
    schedule_.sent(due, now);
    return due;
  }
  AlertSchedule schedule_;
};

TEST_F(AlertScheduleTest, AFiringAlertIsToldAtOnceAndAgainAfterTheResendDelay) {
  const std::vector alerts{firing("A")};
  const auto first = tell(alerts, kStart);
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].starts_at, kStart);
  EXPECT_EQ(first[0].ends_at, kStart + 4min);
  EXPECT_THAT(tell(alerts, kStart + 59s), IsEmpty());
  const auto again = tell(alerts, kStart + 1min);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].starts_at, kStart);
  EXPECT_EQ(again[0].ends_at, kStart + 5min);
}

TEST_F(AlertScheduleTest, AnIntervalLongerThanTheResendDelayCountsInTheEnd) {
  EXPECT_EQ(tell({firing("A", kStart, 5min)}, kStart)[0].ends_at, kStart + 20min);
}

TEST_F(AlertScheduleTest, PendingAlertsAreNotTold) {
  GeneratedAlert pending = firing("A");
  pending.alert.state = AlertState::pending;
  pending.alert.fired_at.reset();
  EXPECT_THAT(tell({pending}, kStart), IsEmpty());
}

TEST_F(AlertScheduleTest, AResolvedAlertIsToldAtOnceAndAgainForAsLongAsItIsKept) {
  tell({firing("A")}, kStart);
  const std::vector over{resolved(firing("A"), kStart + 10s)};
  const auto first = tell(over, kStart + 10s);
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].ends_at, kStart + 10s);
  EXPECT_THAT(tell(over, kStart + 60s), IsEmpty());
  ASSERT_THAT(tell(over, kStart + 70s), SizeIs(1));
  EXPECT_THAT(tell({}, kStart + 16min), IsEmpty());
}

TEST_F(AlertScheduleTest, AnAlertThatFiresAgainIsToldAtOnceWithItsNewStart) {
  tell({firing("A")}, kStart);
  tell({resolved(firing("A"), kStart + 10s)}, kStart + 10s);
  const auto again = tell({firing("A", kStart + 20s)}, kStart + 20s);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].starts_at, kStart + 20s);
}

TEST_F(AlertScheduleTest, WhatWasNotTakenIsDueAgain) {
  const std::vector alerts{firing("A"), firing("B")};
  const auto due = schedule_.due(alerts, kStart);
  schedule_.sent(std::span(due).first(1), kStart);
  const auto rest = schedule_.due(alerts, kStart + 1s);
  ASSERT_THAT(rest, SizeIs(1));
  EXPECT_EQ(rest[0].alert.rule, "B");
}

TEST_F(AlertScheduleTest, TheAlertOfARemovedRuleIsToldToHaveEndedOnce) {
  tell({firing("A")}, kStart);
  const auto ended = schedule_.due({}, kStart + 5s);
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ended[0].ends_at, kStart + 5s);
  ASSERT_THAT(tell({}, kStart + 6s), SizeIs(1));  // the first was not taken
  EXPECT_THAT(tell({}, kStart + 10min), IsEmpty());
}

TEST(AlertmanagerPayloadTest, HasWhatItsApiAsksFor) {
  GeneratedAlert generated = firing("Lag");
  generated.alert.annotations = {{"summary", "so \"much\""}};
  AlertSchedule schedule;
  const auto json =
      nlohmann::json::parse(alertmanager_payload(schedule.due(std::vector{generated}, kStart), "http://weir.example"));
  EXPECT_EQ(json, nlohmann::json::parse(R"([{"labels": {"alertname": "Lag"}, "annotations": {"summary": "so \"much\""},
      "startsAt": "2023-11-14T22:13:20.000Z", "endsAt": "2023-11-14T22:17:20.000Z",
      "generatorURL": "http://weir.example/"}])"))
      << json;
}

class AlertmanagersSectionTest : public testing::Test {
 protected:
  std::vector<AlertmanagerSettings> parse(const std::string& yaml) {
    return parse_alertmanagers(config::parse_yaml(yaml, "weir.yml", diagnostics_), diagnostics_);
  }
  config::Diagnostics diagnostics_;
};

TEST_F(AlertmanagersSectionTest, ReadsEach) {
  const auto all = parse("- url: http://user:secret@one:9093/prefix/\n  timeout: 3s\n- url: https://two\n");
  EXPECT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].name, "http://one:9093/prefix");
  EXPECT_EQ(all[0].target.url.reveal(), "http://user:secret@one:9093/prefix/api/v2/alerts");
  EXPECT_EQ(all[0].timeout, 3s);
  EXPECT_EQ(all[1].timeout, 10s);
}

TEST_F(AlertmanagersSectionTest, NamesEveryMistake) {
  parse(
      "- urls: http://one\n- url: ftp://two\n- {url: http://three, timeout: 0s}\n- url: http://four\n- url: "
      "http://four/\n");
  const std::string text = diagnostics_.to_string();
  EXPECT_THAT(text, HasSubstr("weir.yml:1:3: alertmanagers[0]: unknown key \"urls\" (did you mean \"url\"?)"));
  EXPECT_THAT(text, HasSubstr("weir.yml:2:8: alertmanagers[1]: \"url\": is not a URL"));
  EXPECT_THAT(text, HasSubstr("at least 100ms"));
  EXPECT_THAT(text, HasSubstr("weir.yml:5:3: alertmanagers: \"http://four\" is given twice"));
}

TEST_F(AlertmanagersSectionTest, MustBeAList) {
  parse("url: http://one\n");
  EXPECT_THAT(diagnostics_.to_string(), HasSubstr("expected a list"));
}

}  // namespace
}  // namespace weir::notify
