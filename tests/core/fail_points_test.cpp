#include "core/fail_points.h"

#include <csignal>
#include <gtest/gtest.h>
#include <set>
#include <string>

namespace weir::core {
namespace {

TEST(FailPoints, NoneIsArmedWithoutThem) { EXPECT_TRUE(reach(nullptr, FailPoint::commit_outbox)); }

TEST(FailPoints, AnErrorComesAtTheGivenPassingOnly) {
  const auto points = FailPoints::parse("commit.outbox=error@2");
  ASSERT_TRUE(points) << points.error().describe();
  EXPECT_TRUE((*points)->reach(FailPoint::commit_outbox));
  EXPECT_TRUE((*points)->reach(FailPoint::commit_alerts));
  const auto failed = (*points)->reach(FailPoint::commit_outbox);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::storage);
  EXPECT_TRUE(failed.error().retryable);
  EXPECT_NE(failed.error().message.find("commit.outbox"), std::string::npos);
  EXPECT_TRUE((*points)->reach(FailPoint::commit_outbox));
}

TEST(FailPointsDeathTest, AKillIsASigkill) {
  const auto points = FailPoints::parse("restore.before=error,restore.after=kill");
  EXPECT_FALSE(points) << "a start cannot fail there";
  const auto killing = FailPoints::parse("request.sent=kill,outbox.before=error");
  ASSERT_TRUE(killing);
  EXPECT_EXIT((void)(*killing)->reach(FailPoint::request_sent), testing::KilledBySignal(SIGKILL), "");
}

TEST(FailPoints, WhatIsWrongIsNamedWithWhatThereIs) {
  for (const auto& [text, says] : {std::pair{"commit.outbx=kill", "there are restore.before, restore.after"},
                                   {"commit.outbox", "place=kill"},
                                   {"commit.outbox=explode", "kill or error"},
                                   {"commit.outbox=kill@0", "number of the passing"},
                                   {"commit.outbox=kill@1x", "number of the passing"},
                                   {"commit.after=error", "only kill"},
                                   {",", "place=kill"}}) {
    const auto points = FailPoints::parse(text);
    ASSERT_FALSE(points) << text;
    EXPECT_EQ(points.error().kind, ErrorKind::invalid);
    EXPECT_NE(points.error().describe().find(says), std::string::npos) << points.error().describe();
  }
}

TEST(FailPoints, TheTableIsInTheOrderOfThePlaces) {
  std::set<std::string_view> names;
  std::size_t index = 0;
  for (const FailPointInfo& info : fail_points()) {
    EXPECT_EQ(static_cast<std::size_t>(info.point), index++);
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.where.empty());
  }
}

}  // namespace
}  // namespace weir::core
