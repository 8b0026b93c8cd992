#include "app/told.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

core::Time at(int seconds) { return core::Time(std::chrono::seconds(1'700'000'000 + seconds)); }

std::vector<std::string> texts(const std::vector<core::TimelineEntry>& timeline) {
  std::vector<std::string> found;
  for (const core::TimelineEntry& entry : timeline) found.push_back(entry.kind + ": " + entry.text);
  return found;
}

TEST(Told, EachReceiverAndStatusIsOneEntryThatCounts) {
  std::vector<core::TimelineEntry> timeline{{at(0), "opened", "told team/webhook/0 (firing)"}};
  EXPECT_TRUE(note_in_timeline(timeline, {.receiver = "team/webhook/0", .status = "firing"}, 10, at(1)));
  EXPECT_TRUE(note_in_timeline(timeline, {.receiver = "team/webhook/0", .status = "firing"}, 10, at(2)));
  EXPECT_TRUE(note_in_timeline(timeline, {.receiver = "team/webhook/0", .status = "firing", .attempts = 3}, 10, at(3)));
  EXPECT_TRUE(note_in_timeline(timeline, {.receiver = "team/slack/0", .status = "firing"}, 10, at(3)));
  EXPECT_TRUE(note_in_timeline(timeline, {.receiver = "team/webhook/0", .status = "resolved"}, 10, at(4)));
  EXPECT_EQ(texts(timeline),
            (std::vector<std::string>{
                "opened: told team/webhook/0 (firing)",
                "notified: told team/webhook/0 (firing) 3 times, last 2023-11-14T22:13:23.000Z, at attempt 3",
                "notified: told team/slack/0 (firing)", "notified: told team/webhook/0 (resolved)"}));
  EXPECT_EQ(timeline[1].at, at(1)) << "where the first was";
}

TEST(Told, WhatWasGivenUpIsSaidWithItsError) {
  std::vector<core::TimelineEntry> timeline;
  const Told failed{.receiver = "team/webhook/1", .status = "firing", .attempts = 9, .error = "answered 400"};
  EXPECT_TRUE(note_in_timeline(timeline, failed, 10, at(1)));
  EXPECT_TRUE(note_in_timeline(timeline, {.receiver = "team/webhook/1", .status = "firing"}, 10, at(2)));
  EXPECT_EQ(texts(timeline),
            (std::vector<std::string>{"notified: gave up telling team/webhook/1 (firing), at attempt 9: answered 400",
                                      "notified: told team/webhook/1 (firing)"}));
}

TEST(Told, TheNumberOfEntriesIsBounded) {
  std::vector<core::TimelineEntry> timeline;
  for (int i = 0; i < 20; ++i)
    (void)note_in_timeline(timeline, {.receiver = "r/webhook/" + std::to_string(i), .status = "firing"}, 5, at(i));
  EXPECT_EQ(timeline.size(), 5U);
  EXPECT_FALSE(note_in_timeline(timeline, {.receiver = "other", .status = "firing"}, 5, at(21)));
  EXPECT_TRUE(note_in_timeline(timeline, {.receiver = "r/webhook/0", .status = "firing"}, 5, at(21)));
}

}  // namespace
}  // namespace weir::app
