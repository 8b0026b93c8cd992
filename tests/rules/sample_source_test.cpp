#include "rules/sample_source.h"

#include <gmock/gmock.h>

namespace weir::rules {
namespace {

using core::MatchOp;
using testing::HasSubstr;

const core::Labels kA = core::Labels::metric("m", {{"n", "a"}});
const core::Labels kB = core::Labels::metric("m", {{"n", "b"}});

core::Time at(int seconds) { return core::Time(std::chrono::seconds(seconds)); }

class SampleSourceTest : public testing::Test {
 protected:
  SampleSourceTest() {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(source_.append(kA, at(i * 10), i));
    EXPECT_TRUE(source_.append(kB, at(5), 7));
    EXPECT_TRUE(source_.append(core::Labels::metric("other", {}), at(5), 8));
  }

  std::vector<core::SeriesView> select(std::vector<core::Matcher> matchers, int from, int to, bool newest = false) {
    auto found = source_.select({std::move(matchers), at(from), at(to), newest});
    EXPECT_TRUE(found);
    return found.value_or(std::vector<core::SeriesView>());
  }

  SampleSource source_;
};

const core::Matcher kName{"__name__", MatchOp::equal, "m"};

TEST_F(SampleSourceTest, BothEndsOfTheSpanAreInIt) {
  const auto found = select({kName, {"n", MatchOp::equal, "a"}}, 10, 20);
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found[0].points.size(), 2U);
  EXPECT_EQ(found[0].points.front().value, 1);
  EXPECT_EQ(found[0].points.back().value, 2);
}

TEST_F(SampleSourceTest, TheNewestAloneIsTheNewestOfTheSpan) {
  const auto found = select({kName, {"n", MatchOp::equal, "a"}}, 0, 25, true);
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found[0].points.size(), 1U);
  EXPECT_EQ(found[0].points[0].time, at(20));
}

TEST_F(SampleSourceTest, SeriesWithoutAPointInTheSpanAreLeftOut) {
  EXPECT_EQ(select({kName}, 6, 9).size(), 0U);
  EXPECT_EQ(select({kName}, 4, 6).size(), 1U);
  EXPECT_EQ(select({kName}, 40, 90).size(), 0U);
}

TEST_F(SampleSourceTest, MatchersAreAnchoredAndAbsentLabelsEmpty) {
  EXPECT_EQ(select({kName, {"n", MatchOp::regex, "a|b"}}, 0, 99).size(), 2U);
  EXPECT_EQ(select({kName, {"n", MatchOp::regex, ""}}, 0, 99).size(), 0U);
  EXPECT_EQ(select({kName, {"n", MatchOp::not_equal, "a"}}, 0, 99).size(), 1U);
  EXPECT_EQ(select({kName, {"n", MatchOp::not_regex, "[ab]"}}, 0, 99).size(), 0U);
  EXPECT_EQ(select({{"n", MatchOp::equal, ""}}, 0, 99).size(), 1U);
  EXPECT_EQ(select({{"__name__", MatchOp::regex, "m|other"}}, 0, 99).size(), 3U);
  EXPECT_EQ(select({{"__name__", MatchOp::equal, "none"}}, 0, 99).size(), 0U);
}

TEST_F(SampleSourceTest, APatternThatIsNoneIsAnError) {
  const auto found = source_.select({{{"n", MatchOp::regex, "("}}, at(0), at(9), false});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, core::ErrorKind::invalid);
}

TEST_F(SampleSourceTest, OlderSamplesAndOtherValuesForTheSameTimeAreRefused) {
  EXPECT_TRUE(source_.append(kA, at(30), 3)) << "the same again";
  const auto other = source_.append(kA, at(30), 4);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("duplicate sample for timestamp of m{n=\"a\"}"));
  EXPECT_THAT(source_.append(kA, at(29), 3).error().message, HasSubstr("out of order"));
  EXPECT_EQ(select({kName, {"n", MatchOp::equal, "a"}}, 0, 99)[0].points.size(), 4U);
}

TEST_F(SampleSourceTest, AStalenessMarkerIsAnotherValueThanNan) {
  EXPECT_TRUE(source_.append(kB, at(6), core::stale_marker()));
  EXPECT_TRUE(source_.append(kB, at(6), core::stale_marker()));
  EXPECT_FALSE(source_.append(kB, at(6), std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace
}  // namespace weir::rules
