#include "rules/input_series.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

namespace weir::rules {
namespace {

using testing::HasSubstr;

class InputSeriesTest : public testing::Test {
 protected:
  InputSeries read(const std::string& text) {
    const config::Node root = config::parse_yaml(text, "t.yml", diagnostics_);
    return read_input_series(root.find("input_series"), config::YamlPlace(text), diagnostics_, budget_);
  }

  config::Diagnostics diagnostics_;
  std::size_t budget_ = 100;
};

TEST_F(InputSeriesTest, SeriesAndValuesMakeOneLine) {
  const InputSeries found = read("input_series:\n  - {series: 'm{a=\"b\"}', values: 1x2}\n  - series: n 4 5\n");
  EXPECT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
  ASSERT_EQ(found.series.size(), 2U);
  EXPECT_EQ(found.series[0].values.size(), 3U);
  EXPECT_EQ(found.series[1].values.size(), 2U);
  EXPECT_EQ(budget_, 95U);
}

TEST_F(InputSeriesTest, MistakesAreFoundInTheirText) {
  const InputSeries found = read("input_series:\n  - series: 'm{a=\"b\"}'\n    values: '1 2 three'\n");
  ASSERT_EQ(found.mistakes.size(), 1U);
  EXPECT_EQ(found.mistakes[0].position.to_string(), "t.yml:3:18");
  const InputSeries other = read("input_series:\n  - series: m{a=b}\n    values: 1 2\n");
  ASSERT_EQ(other.mistakes.size(), 1U);
  EXPECT_EQ(other.mistakes[0].position.to_string(), "t.yml:2:17");
}

TEST_F(InputSeriesTest, MistakesAreFoundInFoldedText) {
  const InputSeries found = read("input_series:\n  - series: m\n    values: >-\n      1 2\n      3 four\n");
  ASSERT_EQ(found.mistakes.size(), 1U);
  EXPECT_EQ(found.mistakes[0].position.to_string(), "t.yml:5:9");
}

TEST_F(InputSeriesTest, OfASeriesGivenTwiceTheLastCounts) {
  const InputSeries found = read("input_series: [{series: m, values: 1}, {series: m, values: 2 3}]");
  ASSERT_EQ(found.series.size(), 1U);
  EXPECT_EQ(found.series[0].values.size(), 2U);
}

TEST_F(InputSeriesTest, AnEmptyLineEndsTheSeriesAndIsTold) {
  const InputSeries found =
      read("input_series:\n  - series: m\n    values: |\n      1 2\n  - {series: n, values: 1}\n");
  EXPECT_EQ(found.series.size(), 1U);
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_EQ(found.notes[0].position.line, 5) << "the line after the block's last";
  EXPECT_THAT(found.notes[0].message, HasSubstr("those after it are left out"));
}

TEST_F(InputSeriesTest, WhatIsNoListOfSeriesIsADiagnostic) {
  for (const char* text : {"input_series: m", "input_series: {a: b}", "input_series: [m]",
                           "input_series: [{series: [m], values: 1}]", "input_series: [{serie: m}]"}) {
    diagnostics_ = {};
    read(text);
    EXPECT_FALSE(diagnostics_.ok()) << text;
  }
}

TEST_F(InputSeriesTest, AFileIsBounded) {
  const InputSeries found = read("input_series: [{series: m, values: 1x59}, {series: n, values: 1x59}]");
  ASSERT_EQ(found.mistakes.size(), 1U);
  EXPECT_THAT(found.mistakes[0].message, HasSubstr("the file has more than 10000000 values"));
}

TEST_F(InputSeriesTest, ASeriesWithoutAnyLabelIsAMistake) {
  EXPECT_EQ(read("input_series: [{series: '{}', values: 1}]").mistakes.size(), 1U);
  EXPECT_EQ(read("input_series: [{series: '{}', values: _}]").mistakes.size(), 0U) << "as with promtool";
}

TEST(SeriesFeed, FeedsUpToATimeAndGoesOnFromThere) {
  const std::vector<SeriesNotation> series{{core::Labels::metric("m", {}), {1, std::nullopt, 3, 4}}};
  SampleSource source;
  SeriesFeed feed(series, std::chrono::seconds(10));
  const auto points = [&] {
    const auto found = source.select({{}, core::Time{}, core::Time(std::chrono::hours(1)), false}).value();
    return found.empty() ? 0U : found[0].points.size();
  };
  ASSERT_TRUE(feed.feed_until(core::Time(std::chrono::seconds(19)), source));
  EXPECT_EQ(points(), 1U);
  ASSERT_TRUE(feed.feed_until(core::Time(std::chrono::seconds(20)), source));
  EXPECT_EQ(points(), 2U);
  ASSERT_TRUE(feed.feed_until(core::Time(std::chrono::hours(1)), source));
  EXPECT_EQ(points(), 3U);
}

class SampleFileTest : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    const auto path = std::filesystem::path(testing::TempDir()) / (std::string("weir_") + test->name() + ".yml");
    std::ofstream(path) << text;
    return path.string();
  }
};

TEST_F(SampleFileTest, HoldsAnIntervalAndSeriesAsYamlOrJson) {
  for (const char* text : {"interval: 30s\ninput_series:\n  - {series: m, values: 1x3}\n",
                           R"({"interval": "30s", "input_series": [{"series": "m", "values": "1x3"}]})"}) {
    const auto samples = load_samples(write(text));
    ASSERT_TRUE(samples) << samples.error().to_string();
    EXPECT_EQ(samples->end(), core::Time(std::chrono::seconds(90)));
  }
}

TEST_F(SampleFileTest, EveryMistakeIsReported) {
  const auto samples = load_samples(write("interval: 0\nseries: []\ninput_series: [{series: m, values: x}]\n"));
  ASSERT_FALSE(samples);
  const std::string text = samples.error().to_string();
  EXPECT_THAT(text, HasSubstr("must be more than 0"));
  EXPECT_THAT(text, HasSubstr("unknown key \"series\""));
  EXPECT_THAT(text, HasSubstr("neither a number nor"));
  EXPECT_FALSE(load_samples("/none/samples.yml"));
}

}  // namespace
}  // namespace weir::rules
