#include "promql/engine.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <vector>

#include "promql/format.h"
#include "promql/memory_source.h"

namespace weir::promql {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const core::Time kAt = core::time_from_seconds(1000);

core::Labels metric(std::string_view name, std::initializer_list<core::Labels::Pair> labels) {
  return core::Labels::metric(name, labels);
}

/// Ten points a minute apart, the last at kAt.
std::vector<double> ramp(double from, double step) {
  std::vector<double> values;
  for (int i = 0; i < 10; ++i) values.push_back(from + step * i);
  return values;
}

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    const core::Time start = kAt - 9min;
    source_.add(metric("lag", {{"group", "a"}, {"topic", "x"}}), start, 1min, ramp(0, 1));     // 9 at the end
    source_.add(metric("lag", {{"group", "a"}, {"topic", "y"}}), start, 1min, ramp(100, 10));  // 190
    source_.add(metric("lag", {{"group", "b"}, {"topic", "x"}}), start, 1min, ramp(7, 0));     // 7
    source_.add(metric("members", {{"group", "a"}}), start, 1min, ramp(2, 0));
    source_.add(metric("members", {{"group", "b"}}), start, 1min, ramp(0, 0));
    source_.add(metric("reset_total", {}), start, 1min, {0, 10, 20, 30, 5, 15, 25, 35, 45, 55});
    source_.add(metric("ended", {}), start, 1min, {1, 1, 1, 1, 1, 1, 1, 1, 1, core::stale_marker()});
    source_.add(metric("old", {}), kAt - 20min, 1min, {1, 2, 3});
    source_.add(metric("edge", {}), kAt - 5min, 1min, {4});
  }

  /// Series in order of their text: "{group="a"} 9; …"
  std::string eval(const std::string& text, core::Time at = kAt) {
    const auto expr = parse(text);
    if (!expr) return "parse error " + expr.error().describe();
    const auto value = evaluate(*expr, source_, at);
    if (!value) return "error " + value.error().message;
    if (const auto* scalar = std::get_if<Scalar>(&*value)) return format_value(scalar->value);
    if (const auto* literal = std::get_if<Text>(&*value)) return literal->text;
    std::vector<std::string> rows;
    if (const auto* vector = std::get_if<Vector>(&*value)) {
      for (const VectorSample& sample : *vector)
        rows.push_back(sample.labels.to_string() + " " + format_value(sample.value));
    } else {
      for (const core::SeriesView& series : std::get<Matrix>(*value))
        rows.push_back(series.labels.to_string() + " #" + std::to_string(series.points.size()));
    }
    std::ranges::sort(rows);
    std::string out;
    for (const std::string& row : rows) out += (out.empty() ? "" : "; ") + row;
    return out;
  }

  MemorySource source_;
};

TEST_F(EngineTest, Selectors) {
  EXPECT_EQ(eval("lag{group=\"b\"}"), "lag{group=\"b\",topic=\"x\"} 7");
  EXPECT_EQ(eval("lag{topic!=\"x\"}"), "lag{group=\"a\",topic=\"y\"} 190");
  EXPECT_EQ(eval("{__name__=~\"mem.*\",group=~\"a|c\"}"), "members{group=\"a\"} 2");
  EXPECT_EQ(eval("lag{group!~\"a\"}"), "lag{group=\"b\",topic=\"x\"} 7");
  EXPECT_EQ(eval("lag{nothing=\"\",group=\"b\"}"), "lag{group=\"b\",topic=\"x\"} 7");
  EXPECT_EQ(eval("lag{group=\"b\"}[5m]"), "lag{group=\"b\",topic=\"x\"} #5");
}

TEST_F(EngineTest, LooksBackFiveMinutesLeavingOutTheLeftEndAndStopsAtAStaleMarker) {
  EXPECT_EQ(eval("old"), "");
  EXPECT_EQ(eval("edge"), "");
  EXPECT_EQ(eval("edge", kAt - 1ms), "edge 4");
  EXPECT_EQ(eval("ended"), "");
  EXPECT_EQ(eval("ended offset 1m"), "ended 1");
  EXPECT_EQ(eval("old offset 18m"), "old 3");
  EXPECT_EQ(eval("count_over_time(ended[10m])"), "{} 9");
}

TEST_F(EngineTest, Arithmetic) {
  EXPECT_EQ(eval("7 % 3 + 2 ^ 3"), "9");
  EXPECT_EQ(eval("-7 % 3"), "-1");
  EXPECT_EQ(eval("1 / 0"), "+Inf");
  EXPECT_EQ(eval("0 / 0"), "NaN");
  EXPECT_EQ(eval("lag{group=\"b\"} * 2"), "{group=\"b\",topic=\"x\"} 14");
  EXPECT_EQ(eval("100 - lag{group=\"b\"}"), "{group=\"b\",topic=\"x\"} 93");
  EXPECT_EQ(eval("-lag{group=\"b\"}"), "{group=\"b\",topic=\"x\"} -7");
}

TEST_F(EngineTest, ComparisonsFilterAndKeepTheVectorsValue) {
  EXPECT_EQ(eval("lag > 8"), "lag{group=\"a\",topic=\"x\"} 9; lag{group=\"a\",topic=\"y\"} 190");
  EXPECT_EQ(eval("8 < lag{topic=\"x\"}"), "lag{group=\"a\",topic=\"x\"} 9");
  EXPECT_EQ(eval("lag{topic=\"x\"} > bool 8"), "{group=\"a\",topic=\"x\"} 1; {group=\"b\",topic=\"x\"} 0");
  EXPECT_EQ(eval("1 == bool 1"), "1");
}

TEST_F(EngineTest, VectorsMatchByTheirLabels) {
  EXPECT_EQ(eval("sum by (group) (lag) / members"), "{group=\"a\"} 99.5; {group=\"b\"} +Inf");
  EXPECT_EQ(eval("lag{topic=\"x\"} * ignoring (topic) members"), "{group=\"a\"} 18; {group=\"b\"} 0");
  EXPECT_EQ(eval("lag * on (group) group_left members{group=\"a\"}"),
            "{group=\"a\",topic=\"x\"} 18; {group=\"a\",topic=\"y\"} 380");
  EXPECT_EQ(eval("members{group=\"a\"} * on (group) group_right lag"),
            "{group=\"a\",topic=\"x\"} 18; {group=\"a\",topic=\"y\"} 380");
  EXPECT_THAT(eval("members * on (group) lag"), HasSubstr("many-to-many matching not allowed"));
  EXPECT_THAT(eval("lag * on (group) members"), HasSubstr("group_left"));
}

TEST_F(EngineTest, SetOperations) {
  EXPECT_EQ(eval("lag and on (group) (members == 0)"), "lag{group=\"b\",topic=\"x\"} 7");
  EXPECT_EQ(eval("lag unless on (group) (members == 0)"),
            "lag{group=\"a\",topic=\"x\"} 9; lag{group=\"a\",topic=\"y\"} 190");
  EXPECT_EQ(eval("members{group=\"a\"} or members"), "members{group=\"a\"} 2; members{group=\"b\"} 0");
}

TEST_F(EngineTest, Aggregations) {
  EXPECT_EQ(eval("sum(lag)"), "{} 206");
  EXPECT_EQ(eval("sum by (group) (lag)"), "{group=\"a\"} 199; {group=\"b\"} 7");
  EXPECT_EQ(eval("max without (topic) (lag)"), "{group=\"a\"} 190; {group=\"b\"} 7");
  EXPECT_EQ(eval("min(lag)"), "{} 7");
  EXPECT_EQ(eval("avg by (topic) (lag)"), "{topic=\"x\"} 8; {topic=\"y\"} 190");
  EXPECT_EQ(eval("count(lag)"), "{} 3");
  EXPECT_EQ(eval("group(lag)"), "{} 1");
  EXPECT_EQ(eval("stdvar(lag{topic=\"x\"})"), "{} 1");
  EXPECT_EQ(eval("topk(1, lag)"), "lag{group=\"a\",topic=\"y\"} 190");
  EXPECT_EQ(eval("bottomk(1, lag)"), "lag{group=\"b\",topic=\"x\"} 7");
  EXPECT_EQ(eval("topk(0, lag)"), "");
  EXPECT_EQ(eval("quantile(0.5, lag)"), "{} 9");
  EXPECT_EQ(eval("quantile(2, lag)"), "{} +Inf");
  EXPECT_EQ(eval("count_values(\"v\", members)"), "{v=\"0\"} 1; {v=\"2\"} 1");
  EXPECT_EQ(eval("sum(none)"), "");
}

TEST_F(EngineTest, RatesExtrapolateAndSurviveResets) {
  // Five samples from 150 to 190 over four minutes, a full minute before the first: extended by half an interval there.
  EXPECT_EQ(eval("delta(lag{topic=\"y\"}[5m])"), "{group=\"a\",topic=\"y\"} 50");
  EXPECT_EQ(eval("increase(reset_total[5m])"), "{} 50");
  EXPECT_EQ(eval("resets(reset_total[10m])"), "{} 1");
  // 0 to 30, then from 0 to 55: 85 in nine minutes, and never below zero before the first.
  EXPECT_EQ(eval("increase(reset_total[10m])"), "{} 85");
  EXPECT_EQ(eval("irate(reset_total[5m]) * 60"), "{} 10");
  EXPECT_EQ(eval("deriv(lag{topic=\"y\"}[5m]) * 60"), "{group=\"a\",topic=\"y\"} 10");
  EXPECT_EQ(eval("predict_linear(lag{topic=\"y\"}[5m], 60)"), "{group=\"a\",topic=\"y\"} 200");
  EXPECT_EQ(eval("rate(edge[5m])"), "");
}

TEST_F(EngineTest, OverTime) {
  EXPECT_EQ(eval("avg_over_time(lag{topic=\"y\"}[3m])"), "{group=\"a\",topic=\"y\"} 180");
  EXPECT_EQ(eval("max_over_time(lag{topic=\"y\"}[3m])"), "{group=\"a\",topic=\"y\"} 190");
  EXPECT_EQ(eval("min_over_time(lag{topic=\"y\"}[3m])"), "{group=\"a\",topic=\"y\"} 170");
  EXPECT_EQ(eval("sum_over_time(lag{topic=\"y\"}[3m])"), "{group=\"a\",topic=\"y\"} 540");
  EXPECT_EQ(eval("last_over_time(old[30m])"), "old 3");
  EXPECT_EQ(eval("changes(lag{group=\"b\"}[5m])"), "{group=\"b\",topic=\"x\"} 0");
  EXPECT_EQ(eval("quantile_over_time(0.5, lag{topic=\"y\"}[3m])"), "{group=\"a\",topic=\"y\"} 180");
}

TEST_F(EngineTest, Functions) {
  EXPECT_EQ(eval("time()"), "1000");
  EXPECT_EQ(eval("vector(3)"), "{} 3");
  EXPECT_EQ(eval("scalar(members{group=\"a\"})"), "2");
  EXPECT_EQ(eval("scalar(members)"), "NaN");
  EXPECT_EQ(eval("timestamp(lag{group=\"b\"} offset 1m)"), "{group=\"b\",topic=\"x\"} 940");
  EXPECT_EQ(eval("clamp_max(lag{topic=\"y\"}, 50)"), "{group=\"a\",topic=\"y\"} 50");
  EXPECT_EQ(eval("round(lag{group=\"b\"} / 2, 0.5)"), "{group=\"b\",topic=\"x\"} 3.5");
  EXPECT_EQ(eval("abs(-lag{group=\"b\"})"), "{group=\"b\",topic=\"x\"} 7");
  EXPECT_EQ(eval("absent(lag)"), "");
  EXPECT_EQ(eval("absent(none{a=\"b\",c=~\"d\"})"), "{a=\"b\"} 1");
  EXPECT_EQ(eval("absent_over_time(none[5m])"), "{} 1");
  EXPECT_EQ(eval("label_replace(members{group=\"a\"}, \"g\", \"<$1>\", \"group\", \"(.*)\")"),
            "members{g=\"<a>\",group=\"a\"} 2");
  EXPECT_EQ(eval("label_join(lag{group=\"b\"}, \"k\", \"/\", \"group\", \"topic\")"),
            "lag{group=\"b\",k=\"b/x\",topic=\"x\"} 7");
}

TEST_F(EngineTest, SeriesThatCannotBeToldApartAreAnError) {
  EXPECT_THAT(eval("label_replace(members, \"group\", \"x\", \"\", \"\")"), HasSubstr("same labelset"));
  EXPECT_THAT(eval("rate({__name__=~\"lag|members\",group=\"b\"}[5m]) + 0"), testing::Not(HasSubstr("error")));
}

TEST_F(EngineTest, ARangeIsTheInstantsOfItsSteps) {
  const auto expr = parse("sum by (group) (lag)");
  const auto matrix = evaluate_range(*expr, source_, kAt - 2min, kAt, 1min);
  ASSERT_TRUE(matrix);
  ASSERT_EQ(matrix->size(), 2U);
  EXPECT_EQ(matrix->at(0).points.size(), 3U);
  EXPECT_EQ(matrix->at(0).points.back().value, 199);
}

TEST_F(EngineTest, QueriesAreBounded) {
  const auto expr = parse("lag[10m]");
  EXPECT_EQ(evaluate(*expr, source_, kAt, {.max_samples = 5}).error().kind, core::ErrorKind::limit);
  EXPECT_EQ(evaluate_range(*parse("lag"), source_, kAt - 24h, kAt, 1ms).error().kind, core::ErrorKind::limit);
  EXPECT_EQ(evaluate_range(*parse("lag"), source_, kAt, kAt, 0ms).error().kind, core::ErrorKind::invalid);
}

}  // namespace
}  // namespace weir::promql
