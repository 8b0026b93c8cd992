#include "storage/trouble.h"

#include "store_contract_fixture.h"

namespace weir::storage {
namespace {

using namespace testing;

class StoreCommits : public StoreContract {};

TEST_P(StoreCommits, PruningDropsOnlyWhatIsOldAndOver) {
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

TEST_P(StoreCommits, DropsTextsThatNobodyReadsAnyMore) {
  ASSERT_TRUE(store_->put_text("read", "a"));
  ASSERT_TRUE(store_->put_text("forgotten", "b"));
  ASSERT_TRUE(store_->prune(at(1000), std::chrono::seconds(100)));
  EXPECT_EQ(*store_->text("read"), "a") << "as new as the pruning, not as 1970";
  ASSERT_TRUE(store_->prune(at(1090), std::chrono::seconds(100)));
  ASSERT_TRUE(store_->prune(at(1150), std::chrono::seconds(100)));
  EXPECT_EQ(*store_->text("forgotten"), std::nullopt);
  EXPECT_EQ(*store_->text("read"), "a");
}

TEST_P(StoreCommits, ACommitThatWasTheLastOfItsIdIsNotWrittenAgain) {
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

TEST_P(StoreCommits, ACommitThatFollowsAnotherThanTheLastIsNotWritten) {
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

TEST_P(StoreCommits, WhichCommitWasTheLastIsKnownForAsLongAsThereAreCommits) {
  commit({.id = "run/1", .alerts = {alert("a")}});
  for (int day = 1; day < 5; ++day) ASSERT_TRUE(store_->prune(at(day * 86'400), std::chrono::days(1)));
  commit({.id = "run/2", .follows = "run/1", .alerts = {alert("b")}});
  for (int day = 5; day < 9; ++day) ASSERT_TRUE(store_->prune(at(day * 86'400), std::chrono::days(1)));
  EXPECT_TRUE(store_->commit({.id = "run/3", .follows = "run/2", .alerts = {alert("c")}}));
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreCommits, implementations(), name_of);

}  // namespace
}  // namespace weir::storage
