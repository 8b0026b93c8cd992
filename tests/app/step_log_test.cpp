#include "app/step_log.h"

#include <gmock/gmock.h>

namespace weir::app {
namespace {

using core::Labels;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

core::Transition change(core::AlertState from, core::AlertState to, const std::string& reason = "") {
  core::Transition transition;
  transition.alert.rule = "LagHigh";
  transition.alert.labels = Labels{{"alertname", "LagHigh"}, {"severity", "critical"}, {"topic", "a\nb"}};
  transition.alert.annotations = Labels{{"summary", "far behind"}};
  transition.from = from;
  transition.to = to;
  transition.reason = reason;
  return transition;
}

template <class Work>
std::string lines_of(Work work) {
  testing::internal::CaptureStderr();
  work();
  return testing::internal::GetCapturedStderr();
}

TEST(StepLog, OneLineForEachThatChanged) {
  JudgeStep step;
  step.notable = {change(core::AlertState::pending, core::AlertState::firing),
                  change(core::AlertState::firing, core::AlertState::inactive, "deleted")};
  step.incident_notes = {{"00aa", "Topic a: LagHigh", "critical", "the consumer is down", std::nullopt},
                         {"00aa", "Topic a: LagHigh", "critical", "", std::chrono::minutes(5)},
                         {"00aa", "Topic a: LagHigh", "critical", "", std::nullopt, true}};
  const std::string lines = lines_of([&] { log_step(step); });
  EXPECT_EQ(std::ranges::count(lines, '\n'), 5) << lines;
  EXPECT_THAT(lines, HasSubstr(R"(msg="alert fires" alert=LagHigh severity=critical labels="{topic=)"));
  EXPECT_THAT(lines, HasSubstr(R"(msg="alert resolved" alert=LagHigh severity=critical)"));
  EXPECT_THAT(lines, HasSubstr("reason=deleted"));
  EXPECT_THAT(lines, HasSubstr(R"(msg="incident opened" incident=00aa title="Topic a: LagHigh")"));
  EXPECT_THAT(lines, HasSubstr(R"(msg="incident closed" incident=00aa title="Topic a: LagHigh" lasted=5m)"));
  EXPECT_THAT(lines, HasSubstr(R"(msg="incident reopened" incident=00aa title="Topic a: LagHigh")"));
  EXPECT_THAT(lines_of([] { log_step({}); }), IsEmpty());
}

TEST(StepLog, AStormIsCutAndCounted) {
  JudgeStep step;
  step.notable.assign(1000, change(core::AlertState::pending, core::AlertState::firing));
  const std::string lines = lines_of([&] { log_step(step); });
  EXPECT_EQ(std::ranges::count(lines, '\n'), 51);
  EXPECT_THAT(lines, HasSubstr("more=950"));
}

TEST(StepLog, NotificationsAreTold) {
  DeliveryLog log;
  notify::Report report{.receiver = "team/webhook/0", .error = {}, .status = "firing", .incident = "00aa"};
  EXPECT_THAT(lines_of([&] { log.note(report); }),
              HasSubstr(R"(msg="notification sent" receiver=team/webhook/0 status=firing incident=00aa)"));
  report.outcome = notify::Outcome::retried;
  report.error = "refused";
  EXPECT_THAT(lines_of([&] { log.note(report); }), HasSubstr(R"(msg="notification not delivered")"));
  EXPECT_THAT(lines_of([&] { log.note(report); }), IsEmpty()) << "the next retry says nothing new";
  report.outcome = notify::Outcome::dead;
  EXPECT_THAT(lines_of([&] { log.note(report); }), HasSubstr(R"(msg="notification given up")"));
  report.outcome = notify::Outcome::delivered;
  report.error = "";
  EXPECT_THAT(lines_of([&] { log.note(report); }), HasSubstr(R"(msg="receiver works again")"));
}

TEST(StepLog, ATemplateThatFailsIsToldOnceWithItsReceiver) {
  DeliveryLog log;
  notify::Report report{.receiver = "team/slack/0", .template_problems = "the template of \"title\" failed: x"};
  EXPECT_THAT(lines_of([&] { log.note(report); }),
              HasSubstr(R"(msg="a template failed: Weir's own text was told instead" receiver=team/slack/0)"));
  EXPECT_THAT(lines_of([&] { log.note(report); }), Not(HasSubstr("a template failed")));
}

core::Fault fault(const std::string& message, const Labels& scope, bool no_value = false) {
  return {{core::ErrorKind::not_found, message, false, ""}, scope, no_value};
}

TEST(FaultLog, EachFaultIsToldOnceWhenItChanges) {
  FaultLog log;
  const Labels a{{"dataset", "t"}, {"check", "a"}};
  const Labels b{{"dataset", "t"}, {"check", "b"}};
  EXPECT_THAT(log.changes("checks/w", {fault("the table is empty", a, true), fault("the table is empty", b, true)}),
              SizeIs(2));
  EXPECT_THAT(log.changes("checks/w", {fault("the table is empty", b, true), fault("the table is empty", a, true)}),
              IsEmpty());
  const auto changed = log.changes("checks/w", {fault("permission denied", a), fault("the table is empty", b, true)});
  ASSERT_THAT(changed, SizeIs(1));
  EXPECT_EQ(changed[0].fault.error.message, "permission denied");
  const auto ended = log.changes("checks/w", {});
  EXPECT_THAT(ended, SizeIs(2));
  EXPECT_TRUE(ended[0].ended && ended[1].ended);
  EXPECT_THAT(log.changes("kafka/p", {fault("permission denied", a)}), SizeIs(1)) << "of another source";
}

TEST(FaultLog, ANumberThatMovesIsNoNews) {
  FaultLog log;
  const Labels a{{"check", "a"}};
  EXPECT_THAT(log.changes("x", {fault("the newest row is 3 h in the future", a, true)}), SizeIs(1));
  EXPECT_THAT(log.changes("x", {fault("the newest row is 2 h in the future", a, true)}), IsEmpty());
}

TEST(FaultLog, SeveralMetricsOfOneThingAreOneLine) {
  FaultLog log;
  const auto of = [](const char* metric, const char* cluster) {
    return fault("wait for the window", Labels::metric(metric, {{"cluster", cluster}}), true);
  };
  EXPECT_THAT(log.changes("x", {of("lag", "a"), of("lag_max", "a"), of("lag", "b")}), SizeIs(2));
  EXPECT_THAT(log.changes("x", {of("lag", "a"), of("lag_max", "a"), of("lag", "b")}), IsEmpty());
  EXPECT_THAT(log.changes("x", {}), SizeIs(2));
}

TEST(FaultLog, OfAColumnItsChecksTell) {
  FaultLog log;
  EXPECT_THAT(log.changes("x", {fault("gone", Labels{{"dataset", "t"}, {"column", "c"}})}), IsEmpty());
}

TEST(FaultLog, WhatCannotBeSeenIsAWarningAndAnEmptyTableIsNot) {
  FaultLog log;
  const std::string lines = lines_of([&] {
    log.note("checks/w", {fault("permission denied", Labels{{"dataset", "daily"}}),
                          fault("the table is empty", Labels{{"dataset", "t"}, {"check", "a"}}, true)});
  });
  EXPECT_THAT(lines, HasSubstr("warning msg=\"cannot be seen\" collector=checks/w"));
  EXPECT_THAT(lines, HasSubstr("info msg=\"has no value\""));
}

}  // namespace
}  // namespace weir::app
