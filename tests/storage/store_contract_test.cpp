#include <cmath>
#include <limits>
#include <thread>

#include "storage/search.h"

#include "store_contract_fixture.h"

namespace weir::storage {
namespace {

using namespace testing;
using core::AlertState;

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
  kept.earlier = core::EarlierCause{.reasons = kept.reasons, .cause = "a broker left", .until = at(8)};
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
  EXPECT_EQ(incident.earlier, kept.earlier);
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
  group.told = {{.integration = "webhook/0",
                 .firing = {1, ~0ULL},
                 .resolved = {7},
                 .at = at(20),
                 .merged = true,
                 .silenced = {3, 9}}};
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
  EXPECT_EQ(back.told[0].silenced, (std::vector<std::uint64_t>{3, 9}));
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
  EXPECT_EQ(ids({.label_name = "consumergroup", .label_value = "search"}), "bb ") << "of its alert alone";
  EXPECT_EQ(ids({.label_name = "consumergroup", .label_value = "search"}, 1), "bb ");
  EXPECT_EQ(ids({.label_name = "rule", .label_value = "KafkaConsumerLagHigh"}), "") << "no label, though of alerts";
  EXPECT_EQ(ids({.label_name = "state", .label_value = "firing"}, 1), "");
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

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, implementations(), name_of);

}  // namespace
}  // namespace weir::storage
