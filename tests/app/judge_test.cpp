#include "app/judge_fixture.h"

namespace weir::app {
namespace {

TEST_F(JudgeTest, ABreachBecomesAnIncidentAndAMessageInTheSameStepAsItFires) {
  cycle(5);
  EXPECT_EQ(cycle(20).transitions, 1U);
  cycle(20);
  EXPECT_TRUE(stored().empty());
  const JudgeStep fired = cycle(20);
  EXPECT_EQ(fired.incidents, 1U);
  EXPECT_EQ(fired.messages, 1U);
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_TRUE(stored()[0].open());
  EXPECT_EQ(judge_->view()->alerts.at(0).annotations.get("summary"), "group billing lags by 20");
  EXPECT_EQ(storage_.due(now_, 10)->at(0).notification.status, "firing");
}

TEST_F(JudgeTest, WhatAnAlertReachesIsAmongItsAnnotationsInIncidentAndMessage) {
  annotations_ = [](const core::Labels& labels) {
    return core::Labels{{"downstream", "table of " + std::string(labels.get("consumergroup"))},
                        {"summary", "not this"}};
  };
  start();
  for (const double lag : {5, 20, 20, 20}) cycle(lag);
  ASSERT_EQ(stored().size(), 1U);
  const core::Labels of_incident = stored()[0].alerts.at(0).annotations;
  EXPECT_EQ(of_incident.get("downstream"), "table of billing");
  EXPECT_EQ(of_incident.get("summary"), "group billing lags by 20") << "what the rule says counts";
  EXPECT_EQ(storage_.due(now_, 10)->at(0).notification.alerts.at(0).annotations.get("downstream"), "table of billing");
  EXPECT_EQ(judge_->generated().at(0).alert.annotations.get("downstream"), "table of billing") << "to Alertmanagers";
}

TEST_F(JudgeTest, WhatAnAlertReachesIsToldAfterARestartToo) {
  annotations_ = [](const core::Labels&) { return core::Labels{{"downstream", "table facts"}}; };
  routing_.root->repeat_interval = 1h;
  start();
  fire();
  for (const bool graph_known : {true, false}) {
    take_messages();
    annotations_ = [graph_known](const core::Labels&) {
      return graph_known ? core::Labels{{"downstream", "table facts"}} : core::Labels();
    };
    start();
    now_ += 2h;
    EXPECT_EQ(cycle(25).messages, 1U) << "told again";
    const core::Labels told = take_messages().at(0).notification.alerts.at(0).annotations;
    EXPECT_EQ(told.get("downstream"), "table facts") << graph_known;
    EXPECT_EQ(told.get("summary"), "group billing lags by 25") << "as it is now";
  }
}

TEST_F(JudgeTest, WhatAnAlertReachesIsToldOnceTheGraphIsKnown) {
  bool known = false;
  annotations_ = [&known](const core::Labels&) {
    return known ? core::Labels{{"downstream", "table facts"}, {"summary", "not this"}} : core::Labels();
  };
  routing_.root->repeat_interval = 1h;
  start();
  fire();
  EXPECT_FALSE(take_messages().at(0).notification.alerts.at(0).annotations.has("downstream"));
  known = true;
  now_ += 2h;
  EXPECT_EQ(cycle(25).messages, 1U);
  const core::Labels told = take_messages().at(0).notification.alerts.at(0).annotations;
  EXPECT_EQ(told.get("downstream"), "table facts");
  EXPECT_EQ(told.get("summary"), "group billing lags by 25");
}

TEST_F(JudgeTest, RecoveryClosesTheIncidentWithBothEnds) {
  for (const double lag : {20, 20, 20, 20, 5}) cycle(lag);
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_FALSE(stored()[0].open());
  EXPECT_LT(stored()[0].opened_at, *stored()[0].resolved_at);
  EXPECT_EQ(storage_.pending_messages().value(), 2U);
  EXPECT_TRUE(judge_->view()->alerts.empty());
}

TEST_F(JudgeTest, APendingAlertGoesOnAfterARestart) {
  cycle(20);
  cycle(20);
  start();
  const JudgeStep fired = cycle(20);
  EXPECT_EQ(fired.incidents, 1U) << "`for` began anew";
}

TEST_F(JudgeTest, AFiringAlertAndItsIncidentGoOnAfterARestart) {
  for (const double lag : {20, 20, 20}) cycle(lag);
  start();
  EXPECT_EQ(judge_->view()->alerts.size(), 1U);
  EXPECT_EQ(cycle(20).messages, 0U) << "told twice";
  cycle(5);
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_FALSE(stored()[0].open());
}

TEST_F(JudgeTest, RuleGroupsAreShownWithTheirStateAndAlerts) {
  const auto rule = [&] { return judge_->view()->rule_groups.at(0)->rules.at(0); };
  EXPECT_EQ(rule().name, "LagHigh");
  EXPECT_EQ(rule().query, "lag > 10");
  EXPECT_EQ(rule().hold, 30s);
  EXPECT_EQ(rule().labels, (core::Labels{{"severity", "critical"}}));
  EXPECT_EQ(rule().annotations.get("summary"), "group {{ $labels.consumergroup }} lags by {{ $value }}");
  EXPECT_FALSE(rule().last.at) << "not evaluated yet";
  cycle(20);
  EXPECT_EQ(rule().last.at, now_);
  ASSERT_EQ(rule().alerts.size(), 1U);
  EXPECT_EQ(rule().alerts[0].state, core::AlertState::pending);
  start();
  EXPECT_EQ(rule().alerts.size(), 1U) << "restored alerts are shown before the first evaluation";
  const auto before = judge_->view()->rule_groups.at(0);
  cycle(5);
  EXPECT_TRUE(rule().alerts.empty());
  EXPECT_EQ(before->rules.at(0).alerts.size(), 1U) << "what was published does not change";
}

TEST_F(JudgeTest, ARuleThatCannotBeEvaluatedShowsWhy) {
  reload("groups: [{name: g, rules: [{alert: A, expr: 'lag > 10'}, {alert: B, expr: 'lag * on () other'}]}]");
  core::Batch batch;
  for (const char* group : {"a", "b"})
    batch.samples.push_back({core::Labels::metric("other", {{"consumergroup", group}}), now_, 1});
  judge_->take("other", batch, now_);
  cycle(1);
  const auto rules = judge_->view()->rule_groups.at(0)->rules;
  EXPECT_EQ(rules.at(0).last.error, "");
  EXPECT_NE(rules.at(1).last.error, "");
  EXPECT_FALSE(rules.at(1).last.error.starts_with("rule ")) << rules.at(1).last.error;
}

TEST_F(JudgeTest, AReloadKeepsTheAlertsOfRulesThatStay) {
  for (const double lag : {20, 20, 20}) cycle(lag);
  const std::string more = std::string(kRules) + "      - {alert: Other, expr: lag > 15}\n";
  EXPECT_EQ(reload(more).transitions, 0U);
  ASSERT_EQ(judge_->view()->alerts.size(), 1U);
  EXPECT_EQ(judge_->view()->alerts[0].state, core::AlertState::firing);
  EXPECT_EQ(judge_->view()->rule_groups.at(0)->rules.size(), 2U);
  cycle(20);
  EXPECT_EQ(judge_->view()->alerts.size(), 2U) << "the new rule is in force";
  EXPECT_EQ(stored().size(), 1U);
}

TEST_F(JudgeTest, AReloadEndsTheAlertsOfRulesThatAreGone) {
  for (const double lag : {20, 20, 20}) cycle(lag);
  const JudgeStep step = reload("groups: [{name: h, rules: [{alert: Other, expr: lag > 100}]}]");
  EXPECT_EQ(step.transitions, 1U);
  EXPECT_TRUE(judge_->view()->alerts.empty());
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_FALSE(stored()[0].open());
  EXPECT_TRUE(storage_.active_alerts()->empty());
  EXPECT_EQ(judge_->tick(now_).groups.size(), 1U) << "a new group does not wait for its interval";
}

TEST_F(JudgeTest, AGroupThatStaysKeepsItsPlaceInTheInterval) {
  cycle(5);
  reload(kRules);
  EXPECT_TRUE(judge_->tick(now_).groups.empty());
  EXPECT_EQ(judge_->view()->rule_groups.at(0)->last.at, now_);
  now_ += 15s;
  EXPECT_EQ(judge_->tick(now_).groups.size(), 1U);
}

TEST_F(JudgeTest, GroupsThatShareNoInputAreJudgedInOneStepAsIfOneByOne) {
  std::string rules = "groups:\n";
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    rules += "  - {name: g" + n + ", rules: [{record: r" + n + ", expr: lag * " + n + "}, {alert: A" + n + ", expr: r" +
             n + " >= 0}]}\n";
  }
  rules += "  - {name: sum, rules: [{record: total, expr: 'sum(r1 + r2 + r39)'}, {alert: Sum, expr: total == 42}]}\n";
  reload(rules);
  const JudgeStep step = cycle(1);
  EXPECT_EQ(step.groups.size(), 41U);
  EXPECT_EQ(step.transitions, 41U) << "the sum saw what the others recorded in the same step";
  EXPECT_EQ(judge_->view()->alerts.size(), 41U);
}

TEST_F(JudgeTest, AKeptAlertWithoutDataIsToldOfInItsIncident) {
  fire();
  for (int i = 0; i < 60; ++i) turn();
  ASSERT_EQ(judge_->view()->alerts.size(), 2U);
  EXPECT_EQ(judge_->view()->alerts[1].labels.get("alertname"), "DataAbsent");
  EXPECT_EQ(stored().size(), 1U) << "one incident for both";
  start();
  EXPECT_EQ(judge_->view()->alerts.size(), 2U);
  turn();
  EXPECT_EQ(judge_->view()->alerts.size(), 2U);
  cycle(5);
  EXPECT_TRUE(judge_->view()->alerts.empty());
  EXPECT_FALSE(stored().at(0).open());
}

TEST_F(JudgeTest, KeepFiringForGoesOnAfterARestart) {
  const std::string rules = "groups: [{name: g, rules: [{alert: A, expr: lag > 10, keep_firing_for: 45s}]}]";
  restart(rules);
  cycle(20);
  cycle(5);  // false since now
  cycle(5);
  series_ = std::make_unique<series::Store>(series::Limits{});
  restart(rules);
  cycle(5);
  EXPECT_EQ(judge_->view()->alerts.size(), 1U);
  cycle(5);
  EXPECT_TRUE(judge_->view()->alerts.empty()) << "keep_firing_for began anew";
}

TEST_F(JudgeTest, AStepTellsWhatIsWorthALine) {
  cycle(20);
  EXPECT_TRUE(cycle(20).notable.empty()) << "pending is no news";
  const JudgeStep fired = cycle(20);
  ASSERT_EQ(fired.notable.size(), 1U);
  ASSERT_EQ(fired.incident_notes.size(), 1U);
  EXPECT_FALSE(fired.incident_notes[0].lasted);
  EXPECT_FALSE(fired.incident_notes[0].reopened);
  EXPECT_EQ(fired.incident_notes[0].title, "Consumer group billing in c: LagHigh");
  EXPECT_TRUE(cycle(20).notable.empty());
  const JudgeStep over = cycle(5);
  ASSERT_EQ(over.notable.size(), 1U);
  ASSERT_EQ(over.incident_notes.size(), 1U);
  EXPECT_EQ(over.incident_notes[0].lasted, 30s);
}

TEST_F(JudgeTest, ACheckThatCannotBeEvaluatedIsExplainedByItsFault) {
  restart(R"(
groups:
  - name: g
    rules:
      - alert: TableCheckError
        expr: weir_check_status == 3
        annotations: {summary: 'cannot be evaluated'}
)");
  const core::Labels check{{"source", "w"}, {"dataset", "daily"}, {"check", "freshness(at) < 1h"}};
  core::Batch batch;
  batch.samples.push_back({check.with(core::kMetricName, "weir_check_status"), now_, 3});
  batch.faults.push_back({{core::ErrorKind::denied, "permission denied for table daily", false, "w"},
                          core::Labels{{"source", "w"}, {"dataset", "daily"}}});
  judge_->take("checks/w", batch, now_);
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_EQ(stored()[0].cause,
            "Check \"freshness(at) < 1h\" of daily in w cannot be evaluated: permission denied for table daily");
  EXPECT_EQ(storage_.due(now_, 10)->at(0).notification.cause, stored()[0].cause);
}

/// Data goes from group billing to every table.
class ToTables final : public incidents::Upstream {
 public:
  core::Node canonical(const core::Node& node) const override { return node; }
  std::vector<core::Node> upstream(const core::Node& node) const override {
    if (node.kind != "table") return {};
    return {{"consumer group", "c", "billing"}};
  }
  std::vector<core::Node> downstream(const core::Node&) const override { return {}; }
};

TEST_F(JudgeTest, WhatIsDownstreamJoinsTheIncidentAndIsNotToldWhileItsRootFires) {
  upstream_ = [] { return std::make_shared<const ToTables>(); };
  restart(R"(
groups:
  - name: g
    rules:
      - {alert: GroupDown, expr: members == 0, labels: {severity: critical}}
      - {alert: TableOld, expr: age > 10, labels: {severity: critical}}
)");
  const core::Labels group = core::Labels::metric("members", {{"cluster", "c"}, {"consumergroup", "billing"}});
  const core::Labels table = core::Labels::metric("age", {{"source", "w"}, {"dataset", "daily"}});
  deliver("kafka/c", group, {}, 0);
  now_ += 15s;
  deliver("checks/w", table, {}, 20);
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_EQ(stored()[0].title, "Consumer group billing in c: GroupDown, TableOld");
  EXPECT_EQ(stored()[0].reasons.origin, (core::Node{"consumer group", "c", "billing"}));
  now_ += 15s;
  judge_->tick(now_);
  std::vector<std::string> told;
  const auto first = storage_.due(now_, 10).value();
  for (const core::OutboxMessage& message : first) {
    for (const core::Alert& alert : message.notification.alerts) told.push_back(alert.rule);
    ASSERT_TRUE(storage_.delivered(message.sequence, now_, std::nullopt));
  }
  EXPECT_EQ(told, std::vector<std::string>{"GroupDown"});
  const auto view = judge_->view();
  for (const core::RoutedAlert& alert : view->notifications->alerts)
    EXPECT_EQ(alert.suppression.any(), alert.alert.rule == "TableOld");

  now_ += 15s;
  deliver("kafka/c", group, {}, 1);
  now_ += 15s;
  judge_->tick(now_);
  told.clear();
  const auto later = storage_.due(now_, 10).value();
  for (const core::OutboxMessage& message : later) {
    for (const core::Alert& alert : message.notification.alerts)
      told.push_back(alert.rule + (alert.state == core::AlertState::firing ? "" : " over"));
  }
  EXPECT_EQ(std::ranges::count(told, "TableOld"), 1) << "it outlives its root";
  EXPECT_EQ(std::ranges::count(told, "GroupDown over"), 1);
}

TEST_F(JudgeTest, AFailedCycleResolvesNothing) {
  for (const double lag : {20, 20, 20}) cycle(lag);
  for (int i = 0; i < 60; ++i) {
    now_ += 15s;
    judge_->tick(now_);
  }
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_TRUE(stored()[0].open());
}

TEST_F(JudgeTest, ACycleThatBeganBeforeTheLastEvaluationIsJudgedAfterIt) {
  restart(R"(
groups:
  - name: g
    interval: 1s
    rules:
      - alert: Failed
        expr: status == 2 or (status == 3 and on (check) ALERTS{alertname="Failed", alertstate="firing"})
)");
  const auto cycle = [&](core::Time at, double status) {
    core::Batch batch;
    batch.samples.push_back({core::Labels::metric("status", {{"check", "c"}}), at, status});
    judge_->take("checks/w", batch, at);
  };
  const core::Time began = now_ + 1s;
  cycle(began, 2);
  ASSERT_EQ(judge_->view()->alerts.size(), 1U);
  judge_->tick(began + 1030ms);  // while a cycle is at work
  cycle(began + 1000ms, 3);
  EXPECT_EQ(judge_->view()->alerts.size(), 1U);
  EXPECT_EQ(judge_->view()->rule_groups[0]->last.at, began + 1030ms);
}

TEST_F(JudgeTest, WhatSomebodyElseToldEntersTheTimeline) {
  fire();
  const core::Labels labels = judge_->view()->alerts.at(0).labels;
  EXPECT_EQ(judge_->note_told({labels}, "Alertmanager told team (firing)", now_).incidents, 1U);
  EXPECT_EQ(stored()[0].timeline.back().kind, "notified");
  EXPECT_EQ(judge_->note_told({core::Labels{{"a", "b"}}}, "x", now_).incidents, 0U);
  for (int i = 0; i < 1000; ++i) judge_->note_told({labels}, "again", now_);
  EXPECT_LE(stored()[0].timeline.size(), 210U);
}

TEST_F(JudgeTest, WhomWeirItselfToldIsOneEntryOfTheTimelineForEachReceiverAndStatus) {
  fire();
  const std::vector<std::uint64_t> alerts{judge_->view()->alerts.at(0).fingerprint, 7};
  const Told firing{.receiver = "team/webhook/0", .status = "firing"};
  EXPECT_EQ(judge_->note_delivery(alerts, firing, now_).incidents, 1U);
  EXPECT_EQ(judge_->note_delivery(alerts, firing, now_).incidents, 1U);
  EXPECT_EQ(judge_->note_delivery(std::vector<std::uint64_t>{7}, firing, now_).incidents, 0U);
  EXPECT_THAT(stored()[0].timeline.back().text, testing::StartsWith("told team/webhook/0 (firing) 2 times, last "));
  const std::size_t entries = stored()[0].timeline.size();
  cycle(5);
  ASSERT_FALSE(stored()[0].open());
  const Told over{.receiver = "team/webhook/0", .status = "resolved", .attempts = 2};
  EXPECT_EQ(judge_->note_delivery(alerts, over, now_).incidents, 1U) << "its incident is over already";
  EXPECT_EQ(stored()[0].timeline.back().text, "told team/webhook/0 (resolved), at attempt 2");
  EXPECT_GT(stored()[0].timeline.size(), entries + 1);
  EXPECT_EQ(judge_->view()->incidents.at(0).timeline.back().text, stored()[0].timeline.back().text);
}

TEST_F(JudgeTest, ADeedIsKeptAndShownAtOnce) {
  fire();
  const std::string id = stored()[0].id;
  const auto done = judge_->handle({.kind = core::DeedKind::acknowledge, .incident = id, .by = "ann"}, now_);
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(done->incident.handling.acknowledged_by, "ann");
  ASSERT_EQ(done->step.measures.size(), 1U);
  EXPECT_EQ(done->step.measures[0].what, IncidentMeasure::What::to_acknowledge);
  EXPECT_EQ(stored()[0].handling.acknowledged_by, "ann");
  EXPECT_EQ(judge_->view()->incidents.at(0).handling.acknowledged_by, "ann");
  restart();
  EXPECT_EQ(judge_->view()->incidents.at(0).handling.acknowledged_by, "ann");
  EXPECT_EQ(judge_->handle({.kind = core::DeedKind::acknowledge, .incident = "0", .by = "ann"}, now_).error().kind,
            core::ErrorKind::not_found);
}

TEST_F(JudgeTest, ADeedThatCannotBeStoredHasNotHappened) {
  fire();
  const std::string id = stored()[0].id;
  storage_.broken = true;
  const auto refused = judge_->handle({.kind = core::DeedKind::resolve, .incident = id, .by = "ann"}, now_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, core::ErrorKind::storage);
  EXPECT_NE(refused.error().message.find("not kept"), std::string::npos);
  EXPECT_TRUE(judge_->view()->incidents.at(0).open());
  cycle(5);  // ends the alert; that waits to be written
  storage_.broken = false;
  ASSERT_TRUE(judge_->handle({.kind = core::DeedKind::comment, .incident = id, .by = "ann", .text = "late"}, now_));
  EXPECT_FALSE(stored()[0].open()) << "what waited was written with it, not over it";
  EXPECT_EQ(stored()[0].timeline.back().kind, "commented");
  cycle(5);
  EXPECT_EQ(stored()[0].timeline.back().kind, "commented");
}

TEST_F(JudgeTest, ResolvedByHandAnIncidentIsReopenedByWhatFiresAnewAlsoAfterARestart) {
  fire();
  const std::string id = stored()[0].id;
  const auto done = judge_->handle({.kind = core::DeedKind::resolve, .incident = id, .by = "ann"}, now_);
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->step.incident_notes.at(0).lasted.has_value());
  for (const double lag : {20, 30}) cycle(lag);
  EXPECT_FALSE(stored()[0].open()) << "the same alert fires on";
  restart();
  cycle(20);
  EXPECT_FALSE(stored()[0].open());
  cycle(5);
  EXPECT_EQ(stored()[0].timeline.back().kind, "recovered");
  for (const double lag : {20, 20}) cycle(lag);
  const JudgeStep again = cycle(20);
  ASSERT_EQ(again.incident_notes.size(), 1U);
  EXPECT_TRUE(again.incident_notes[0].reopened);
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_TRUE(stored()[0].open());
  EXPECT_EQ(stored()[0].timeline.back().kind, "reopened");
  EXPECT_EQ(judge_->view()->incidents.size(), 1U);
}

TEST_F(JudgeTest, AnIncidentTellsHowLongThingsTook) {
  for (const double lag : {20, 20}) cycle(lag);
  const JudgeStep opened = cycle(20);
  ASSERT_EQ(opened.measures.size(), 1U);
  EXPECT_EQ(opened.measures[0].what, IncidentMeasure::What::to_detect);
  EXPECT_EQ(opened.measures[0].took, 30s) << "for: 30s";
  EXPECT_EQ(opened.measures[0].severity, "critical");
  const JudgeStep closed = cycle(5);
  ASSERT_EQ(closed.measures.size(), 1U);
  EXPECT_EQ(closed.measures[0].what, IncidentMeasure::What::to_resolve);
  EXPECT_EQ(closed.measures[0].took, 15s);
}

}  // namespace
}  // namespace weir::app
