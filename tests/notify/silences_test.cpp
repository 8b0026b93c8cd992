#include "notify/silences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "notify/suppression.h"

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;
using ::testing::HasSubstr;

core::Silence posted(core::Time from, core::Time until,
                     std::vector<core::Matcher> matchers = {{"alertname", core::MatchOp::equal, "A"}}) {
  return {.id = "",
          .matchers = std::move(matchers),
          .starts_at = from,
          .ends_at = until,
          .updated_at = {},
          .created_by = "me",
          .comment = "c"};
}

TEST(SetSilence, ANewOneBeginsNowWhenItsBeginningIsPast) {
  const auto change = set_silence({}, posted(at(0), at(100)), at(50), "new");
  ASSERT_TRUE(change);
  EXPECT_EQ(change->id, "new");
  ASSERT_EQ(change->changed.size(), 1U);
  EXPECT_EQ(change->changed[0].starts_at, at(50));
  EXPECT_EQ(change->changed[0].updated_at, at(50));
  EXPECT_EQ(set_silence({}, posted(at(80), at(100)), at(50), "new")->changed[0].starts_at, at(80));
}

TEST(SetSilence, AnotherEndChangesItInPlace) {
  core::Silence known = posted(at(0), at(100));
  known.id = "s";
  core::Silence again = known;
  again.ends_at = at(500);
  const auto change = set_silence({known}, again, at(50), "new");
  ASSERT_TRUE(change);
  EXPECT_EQ(change->id, "s");
  ASSERT_EQ(change->changed.size(), 1U);
  EXPECT_EQ(change->changed[0].ends_at, at(500));
  EXPECT_EQ(change->changed[0].starts_at, at(0));
}

TEST(SetSilence, ABeginningInWholeSecondsIsTheSame) {
  core::Silence known = posted(at(0) + std::chrono::milliseconds(250), at(100));
  known.id = "s";
  core::Silence again = known;
  again.starts_at = at(0);
  again.ends_at = at(500);
  const auto change = set_silence({known}, again, at(50), "new");
  ASSERT_TRUE(change);
  ASSERT_EQ(change->changed.size(), 1U);
  EXPECT_EQ(change->changed[0].id, "s");
  EXPECT_EQ(change->changed[0].starts_at, known.starts_at);
}

TEST(SetSilence, OtherMatchersEndItAndBeginAnother) {
  core::Silence known = posted(at(0), at(100));
  known.id = "s";
  core::Silence again = known;
  again.matchers[0].value = "B";
  const auto change = set_silence({known}, again, at(50), "new");
  ASSERT_TRUE(change);
  EXPECT_EQ(change->id, "new");
  ASSERT_EQ(change->changed.size(), 2U);
  EXPECT_EQ(change->changed[0].id, "s");
  EXPECT_EQ(change->changed[0].ends_at, at(50));
  EXPECT_EQ(change->changed[1].id, "new");
}

TEST(SetSilence, AllButOneTeamMayBeSilenced) {
  for (const auto op : {core::MatchOp::not_equal, core::MatchOp::not_regex})
    EXPECT_TRUE(set_silence({}, posted(at(60), at(90), {{"team", op, "data"}}), at(50), "new"));
}

TEST(SetSilence, WhatIsNoneIsRefusedWithTheReason) {
  const auto why = [](const core::Silence& silence) {
    const auto change = set_silence({}, silence, at(50), "new");
    return change ? std::string("taken") : change.error().message;
  };
  EXPECT_THAT(why(posted(at(60), at(55))), HasSubstr("start time must be before end time"));
  EXPECT_THAT(why(posted(at(0), at(40))), HasSubstr("end time can't be in the past"));
  EXPECT_THAT(why(posted(at(60), at(90), {})), HasSubstr("at least one matcher"));
  EXPECT_THAT(why(posted(at(60), at(90), {{"a", core::MatchOp::regex, ".*"}})), HasSubstr("empty string"));
  EXPECT_THAT(why(posted(at(60), at(90), {{"a", core::MatchOp::regex, "("}})), HasSubstr("regex"));
  EXPECT_THAT(why(posted(at(60), at(90), {{"a-b", core::MatchOp::equal, "x"}})), HasSubstr("label name"));
  EXPECT_THAT(why(posted(at(60), at(90), std::vector<core::Matcher>(51, {"a", core::MatchOp::equal, "x"}))),
              HasSubstr("more than 50"));
  core::Silence unknown = posted(at(60), at(90));
  unknown.id = "nope";
  EXPECT_THAT(why(unknown), HasSubstr("not found"));
  EXPECT_THAT(
      set_silence(std::vector<core::Silence>(kMaxSilences), posted(at(60), at(90)), at(50), "new").error().message,
      HasSubstr("already"));
}

TEST(ExpireSilence, EndsItNowOnce) {
  core::Silence active = posted(at(0), at(100));
  active.id = "a";
  core::Silence pending = posted(at(80), at(100));
  pending.id = "p";
  EXPECT_EQ(expire_silence({active, pending}, "a", at(50))->ends_at, at(50));
  const auto never = expire_silence({active, pending}, "p", at(50));
  EXPECT_EQ(never->starts_at, at(50));
  EXPECT_TRUE(never->expired(at(50)));
  const auto again = expire_silence({active}, "a", at(200));
  ASSERT_TRUE(again) << "as Alertmanager does";
  EXPECT_EQ(again->ends_at, at(100));
  EXPECT_EQ(expire_silence({active}, "x", at(50)).error().kind, core::ErrorKind::not_found);
}

TEST(Suppressor, AnAlertThatBothSidesMatchInhibitsOnlyOthers) {
  config::Diagnostics diagnostics;
  const config::Node root = config::parse_yaml(
      "[{source_matchers: ['severity=~critical|warning'], target_match_re: {severity: 'warning|critical'}, equal: "
      "[cluster]}]",
      "x.yml", diagnostics);
  const auto rules = parse_inhibit_rules(&root, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  const core::Alert a = alert("a", "critical");
  const core::Alert b = alert("b", "warning");
  const std::vector<const core::Alert*> firing{&a, &b};
  const Suppressor suppressor(rules, firing, {}, at(0));
  EXPECT_FALSE(suppressor.of(a.labels).any()) << "they would inhibit each other";
  EXPECT_FALSE(suppressor.of(b.labels).any());
}

TEST(Suppressor, LabelsThatNeitherHasAreEqual) {
  config::Diagnostics diagnostics;
  const config::Node root = config::parse_yaml(
      "[{source_match: {severity: critical}, target_match: {severity: warning}, equal: [zone]}]", "x.yml", diagnostics);
  const auto rules = parse_inhibit_rules(&root, diagnostics);
  const core::Alert a = alert("a", "critical");
  const core::Alert b = alert("b", "warning");
  const std::vector<const core::Alert*> firing{&a, &b};
  const Suppressor suppressor(rules, firing, {}, at(0));
  EXPECT_EQ(suppressor.of(b.labels).inhibited_by, std::vector<std::uint64_t>{a.fingerprint});
  EXPECT_FALSE(suppressor.of(b.labels.with("zone", "z")).any());
}

}  // namespace
}  // namespace weir::notify
