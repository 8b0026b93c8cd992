// A commit that fails at any of its places leaves nothing, and can be made again.
#include "core/fail_points.h"

#include <gtest/gtest.h>

#include "storage/store.h"

#include "samples.h"

namespace weir::storage {
namespace {

using namespace testing;

Commit everything() {
  const core::Alert firing = alert("billing");
  return {.alerts = {firing},
          .removed = {alert("other")},
          .transitions = {fired(firing, at(1))},
          .incidents = {incident("00aa", at(1), {firing})},
          .outbox = {message("key", "00aa", at(1))},
          .groups = {core::GroupRecord{.key = "group"}}};
}

TEST(FailPoints, ACommitThatFailsAnywhereLeavesNothingAndCanBeMadeAgain) {
  for (const char* place : {"commit.before", "commit.alerts", "commit.removed", "commit.transitions",
                            "commit.incidents", "commit.groups", "commit.outbox"}) {
    const auto points = core::FailPoints::parse(std::string(place) + "=error");
    ASSERT_TRUE(points) << points.error().describe();
    auto opened = open_sqlite(":memory:", {.fail_points = points->get()});
    ASSERT_TRUE(opened) << opened.error().describe();
    Store& store = **opened;
    const auto failed = store.commit(everything());
    ASSERT_FALSE(failed) << place;
    EXPECT_TRUE(failed.error().retryable) << place;
    EXPECT_TRUE(store.active_alerts()->empty()) << place;
    EXPECT_TRUE(store.transitions({})->empty()) << place;
    EXPECT_TRUE(store.incidents({})->empty()) << place;
    EXPECT_TRUE(store.notification_groups()->empty()) << place;
    EXPECT_EQ(*store.pending_messages(), 0U) << place;
    ASSERT_TRUE(store.commit(everything())) << place;
    EXPECT_EQ(store.transitions({})->size(), 1U) << place;
    EXPECT_EQ(*store.pending_messages(), 1U) << place;
  }
}

}  // namespace
}  // namespace weir::storage
