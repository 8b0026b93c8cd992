#include "promql/engine.h"

#include <gmock/gmock.h>
#include <map>

#include "promql/engine_fixture.h"

namespace weir::promql {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class EngineTest : public EngineFixture {
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

TEST_F(EngineTest, Subqueries) {
  EXPECT_EQ(eval("max_over_time(lag{topic=\"y\"}[5m:1m])"), "{group=\"a\",topic=\"y\"} 180");
  EXPECT_EQ(eval("sum_over_time(sum(lag)[3m:1m])"), "{} 552");
  EXPECT_EQ(eval("count_over_time(vector(1)[10m:])"), "{} 10");
  EXPECT_EQ(eval("max_over_time(rate(reset_total[3m])[5m:1m] offset 1m) * 60 > 0"), "{} 10");
  EXPECT_EQ(eval("lag{group=\"b\"}[3m:1m]"), "lag{group=\"b\",topic=\"x\"} #3");
  EXPECT_EQ(eval("last_over_time(rate(reset_total[3m])[2m:1m]) * 60"), "{} 10");
  EXPECT_EQ(eval("last_over_time(abs(old offset 18m)[2m:1m])"), "{} 2");
  EXPECT_EQ(eval("count_over_time(lag{group=\"b\"}[7s:5s])"), "{group=\"b\",topic=\"x\"} 2");
}

TEST_F(EngineTest, FixedTimes) {
  EXPECT_EQ(eval("lag{topic=\"y\"} @ 880"), "lag{group=\"a\",topic=\"y\"} 170");
  EXPECT_EQ(eval("lag{topic=\"y\"} @ end() offset 1m"), "lag{group=\"a\",topic=\"y\"} 180");
  EXPECT_EQ(eval("timestamp(lag{topic=\"y\"} @ 905)"), "{group=\"a\",topic=\"y\"} 880");
  const auto first = eval_range("lag{topic=\"y\"} @ start()", kAt - 2min, kAt, 1min);
  ASSERT_TRUE(first);
  for (const core::Point& point : first->at(0).points) EXPECT_EQ(point.value, 170);
}

TEST_F(EngineTest, HistogramQuantiles) {
  for (const auto& [bound, count] : {std::pair{"1", 10.0}, {"2", 30.0}, {"+Inf", 40.0}})
    source_.add(metric("took_bucket", {{"job", "a"}, {"le", bound}}), kAt, 1min, {count});
  EXPECT_EQ(eval("histogram_quantile(0.5, took_bucket)"), "{job=\"a\"} 1.5");
  EXPECT_EQ(eval("histogram_quantile(0.125, took_bucket)"), "{job=\"a\"} 0.5");
  EXPECT_EQ(eval("histogram_quantile(0.9, took_bucket)"), "{job=\"a\"} 2");
  EXPECT_EQ(eval("histogram_quantile(0.5, took_bucket{le!=\"+Inf\"})"), "{job=\"a\"} NaN");
  EXPECT_EQ(eval("histogram_quantile(2, took_bucket)"), "{job=\"a\"} +Inf");
  EXPECT_EQ(eval("histogram_quantile(0.5, lag)"), "");
}

TEST_F(EngineTest, NamesAreKeptWhereValuesAre) {
  EXPECT_EQ(eval("(members and on () lag) < 1"), "members{group=\"b\"} 0");
  EXPECT_EQ(eval("(members or lag) == 7"), "lag{group=\"b\",topic=\"x\"} 7");
  EXPECT_EQ(eval("-members == 0"), "{group=\"b\"} -0");
  EXPECT_EQ(eval("last_over_time(members{group=\"a\"}[5m])"), "members{group=\"a\"} 2");
  EXPECT_EQ(eval("timestamp(members{group=\"a\"} + 0) - 1000"), "{group=\"a\"} 0");
}

TEST_F(EngineTest, Dates) {
  EXPECT_EQ(eval("minute()"), "{} 16");
  EXPECT_EQ(
      eval("year(vector(1709164800)) * 10000 + month(vector(1709164800)) * 100 + day_of_month(vector(1709164800))"),
      "{} 20240229");
  EXPECT_EQ(eval("days_in_month(vector(1709164800)) + day_of_year(vector(1709164800))"), "{} 89");
  EXPECT_EQ(eval("hour(vector(-1))"), "{} 23");
  EXPECT_EQ(eval("day_of_week(vector(0))"), "{} 4");
  EXPECT_EQ(eval("year(vector(1e300))"), "{} NaN");
}

TEST_F(EngineTest, AMatchIsOnlyAmbiguousWhereThereIsSomethingToMatch) {
  EXPECT_EQ(eval("none * on () group_left lag"), "");
  EXPECT_THAT(eval("lag{group=\"b\"} * on () group_left lag"), HasSubstr("many-to-many"));
}

TEST_F(EngineTest, CountValuesReplacesALabelOfThatName) {
  EXPECT_EQ(eval("count_values without (topic) (\"group\", lag * 0)"), "{group=\"0\"} 3");
}

TEST_F(EngineTest, OrderIsShownByInstantQueries) {
  const auto first_value = [&](const std::string& text) {
    return std::get<Vector>(*evaluate(*parse(text), source_, kAt)).front().value;
  };
  EXPECT_EQ(first_value("sort(lag)"), 7);
  EXPECT_EQ(first_value("sort_desc(lag)"), 190);
  EXPECT_EQ(first_value("topk(3, lag)"), 190);
  EXPECT_EQ(first_value("bottomk(3, lag)"), 7);
}

TEST_F(EngineTest, ValuesAreWrittenAsGoWritesThem) {
  EXPECT_EQ(eval("1e20 + 0.1"), "100000000000000000000");
  EXPECT_EQ(eval("123456789012345680000"), "123456789012345680000");
  EXPECT_EQ(eval("1e21"), "1e+21");
  EXPECT_EQ(eval("1e-7"), "1e-7");
  EXPECT_EQ(eval("1.5e-6"), "0.0000015");
  EXPECT_EQ(eval("-0.5e-300"), "-5e-301");
  EXPECT_EQ(eval("count_values(\"v\", vector(1e22))"), "{v=\"10000000000000000000000\"} 1");
}

// Steps are evaluated in blocks, whose seams must not show.
TEST_F(EngineTest, ARangeQueryIsTheSameAsItsInstants) {
  std::vector<double> saw;
  for (int i = 0; i < 2000; ++i) saw.push_back(i % 37 == 0 ? core::stale_marker() : (i * 7) % 101);
  source_.add(metric("saw", {{"n", "1"}}), kAt, 15s, saw);
  source_.add(metric("saw", {{"n", "2"}}), kAt + 1h, 15s, saw);
  const core::Time end = kAt + 6h;
  for (const std::string text :
       {"saw", "rate(saw[2m])", "sum by (n) (saw) > 50", "topk(1, saw)", "max_over_time(rate(saw[1m])[10m:2m])",
        "saw - on (n) saw offset 5m", "saw unless on (n) (saw > 50)", "absent(saw{n=\"2\"})", "saw @ end()",
        "count_values(\"v\", saw)", "time() % 100", "{__name__=~\"saw\"} or vector(1)"}) {
    const auto matrix = eval_range(text, kAt, end, 30s);
    ASSERT_TRUE(matrix) << text << ": " << matrix.error().message;
    std::map<std::pair<core::Labels, core::Time>, double> ranged;
    for (const core::SeriesView& series : *matrix) {
      for (const core::Point& point : series.points) ranged[{series.labels, point.time}] = point.value;
    }
    std::map<std::pair<core::Labels, core::Time>, double> instants;
    std::string fixed = text;
    if (const auto at = fixed.find("@ end()"); at != std::string::npos)
      fixed.replace(at, 7, "@ " + std::to_string(end.time_since_epoch().count() / 1000));
    const auto expr = parse(fixed);
    for (core::Time at = kAt; at <= end; at += 30s) {
      const auto value = evaluate(*expr, source_, at);
      ASSERT_TRUE(value) << text;
      if (const auto* scalar = std::get_if<Scalar>(&*value)) instants[{core::Labels(), at}] = scalar->value;
      if (const auto* vector = std::get_if<Vector>(&*value)) {
        for (const VectorSample& sample : *vector) instants[{sample.labels, at}] = sample.value;
      }
    }
    EXPECT_EQ(ranged, instants) << text;
    EXPECT_FALSE(ranged.empty()) << text;
  }
}

TEST_F(EngineTest, ARangeIsTheInstantsOfItsSteps) {
  const auto expr = parse("sum by (group) (lag)");
  const auto matrix = evaluate_range(*expr, source_, kAt - 2min, kAt, 1min);
  ASSERT_TRUE(matrix);
  ASSERT_EQ(matrix->size(), 2U);
  EXPECT_EQ(matrix->at(0).points.size(), 3U);
  EXPECT_EQ(matrix->at(0).points.back().value, 199);
}

TEST_F(EngineTest, ARangeQueryNeedsValuesAtSteps) {
  EXPECT_THAT(eval_range("lag[5m]", kAt, kAt, 1s).error().message, HasSubstr("found a range vector"));
  EXPECT_THAT(eval_range("\"text\"", kAt, kAt, 1s).error().message, HasSubstr("found a string"));
}

TEST_F(EngineTest, QueriesAreBounded) {
  const auto expr = parse("lag[10m]");
  EXPECT_EQ(evaluate(*expr, source_, kAt, {.max_samples = 5}).error().kind, core::ErrorKind::limit);
  EXPECT_EQ(evaluate_range(*parse("lag"), source_, kAt - 24h, kAt, 1ms).error().kind, core::ErrorKind::limit);
  EXPECT_EQ(evaluate_range(*parse("lag"), source_, kAt, kAt, 0ms).error().kind, core::ErrorKind::invalid);
  EXPECT_EQ(eval_range("count_over_time(vector(1)[1000d:1ms])", kAt, kAt, 1s).error().kind, core::ErrorKind::limit);
  EXPECT_EQ(eval_range("lag", kAt, kAt, 1s, {.timeout = -1s}).error().kind, core::ErrorKind::timeout);
}

}  // namespace
}  // namespace weir::promql
