#include "quality/sketch.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace weir::quality {
namespace {

using testing::HasSubstr;

std::int64_t bin_of(double number) {
  return static_cast<std::int64_t>(std::ceil(std::log(std::abs(number)) / Sketch::bin_width()));
}

void add(Sketch& sketch, double number) {
  sketch.add(number > 0 ? 1 : number < 0 ? -1 : 0, number == 0 ? 0 : bin_of(number), 1);
}

double exact(std::vector<double> numbers, double p) {
  std::ranges::sort(numbers);
  const double place = std::max(1.0, std::ceil(p * static_cast<double>(numbers.size())));
  return numbers.at(static_cast<std::size_t>(place) - 1);
}

std::vector<double> draw(int kind, std::mt19937& random) {
  std::vector<double> numbers(1 + random() % 500);
  std::lognormal_distribution<double> wide(0, 6);
  std::uniform_real_distribution<double> flat(-10, 10);
  for (double& each : numbers) {
    if (kind == 0) each = wide(random);
    if (kind == 1) each = flat(random);
    if (kind == 2) each = static_cast<double>(random() % 3) - 1;
    if (kind == 3) each = -wide(random);
    if (kind == 4) each = random() % 2 == 0 ? 1e300 : 5e-324;
  }
  return numbers;
}

TEST(SketchTest, IsOffByNoMoreThanItSaysHoweverItWasSplit) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const std::vector<double> numbers = draw(round % 5, random);
    Sketch parts[3];
    for (const double each : numbers) add(parts[random() % 3], each);
    Sketch all = parts[0];
    all.merge(parts[1]);
    all.merge(parts[2]);
    EXPECT_EQ(all.size(), static_cast<std::int64_t>(numbers.size()));
    for (const double p : {0.0, 0.01, 0.25, 0.5, 0.95, 0.999, 1.0}) {
      const double truth = exact(numbers, p);
      const auto told = all.quantile(p);
      ASSERT_TRUE(told) << round;
      // Below the normal doubles the neighbours of a number are further off than that.
      const double bound = std::abs(truth) * Sketch::kRelativeError * (1 + 1e-9) + 5e-324;
      EXPECT_LE(std::abs(*told - truth), bound) << "p " << p << " of " << numbers.size() << ", round " << round;
    }
  }
}

TEST(SketchTest, OfNothingTellsNothing) { EXPECT_FALSE(Sketch().quantile(0.5)); }

TEST(SketchTest, CollapsesTheLowestAndTellsNothingOfThem) {
  Sketch sketch;
  constexpr auto kMost = static_cast<std::int64_t>(Sketch::kMostBins);
  for (std::int64_t bin = 0; bin < 2 * kMost; ++bin) sketch.add(1, bin, 1);
  EXPECT_TRUE(sketch.collapsed());
  EXPECT_EQ(sketch.bins().size(), Sketch::kMostBins);
  EXPECT_EQ(sketch.size(), 2 * kMost);
  EXPECT_FALSE(sketch.quantile(0.1));
  const auto high = sketch.quantile(0.9);
  ASSERT_TRUE(high);
  const double truth = std::exp(std::ceil(0.9 * 2 * kMost - 1) * Sketch::bin_width());
  EXPECT_NEAR(*high, truth, truth * 2 * Sketch::kRelativeError);
  Sketch other;
  other.add(-1, 3, 5);
  other.merge(sketch);
  EXPECT_FALSE(other.quantile(0)) << "what is lower than the collapsed is among them";
  EXPECT_EQ(other.size(), 2 * kMost + 5);
  sketch.add(-1, 3, 5);
  EXPECT_EQ(sketch.size(), 2 * kMost + 5);
  EXPECT_FALSE(sketch.quantile(0));
}

TEST(SketchTest, RefusesBinsThatAreNone) {
  EXPECT_TRUE(Sketch::of({{-5, 1}, {0, 2}, {7, 1}}, false));
  EXPECT_FALSE(Sketch::of({{7, 1}, {7, 1}}, false));
  EXPECT_FALSE(Sketch::of({{7, 1}, {3, 1}}, false));
  EXPECT_FALSE(Sketch::of({{7, 0}}, false));
  EXPECT_FALSE(Sketch::of({{2'000'000, 1}}, false));
  EXPECT_FALSE(Sketch::of({{INT32_MIN, 1}}, false));
  EXPECT_FALSE(Sketch::of({}, true));
}

TEST(SketchAnswerTest, IsReadByHalfSignAndBin) {
  const std::int64_t one = 1;
  const auto halves =
      read_sketches({{}, {{std::int64_t{0}, one, 3.0, one}, {one, std::int64_t{-1}, 2.0, one}, {one, 0.0, 0.0, 4.0}}});
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->before.size(), 1);
  EXPECT_EQ(halves->after.size(), 5);
  EXPECT_LT(*halves->after.quantile(0), 0);
}

TEST(SketchAnswerTest, RefusesWhatIsInNoBin) {
  const std::int64_t one = 1;
  for (const sql::Row& row : std::vector<sql::Row>{{one, one, one},
                                                   {one, one, std::nan(""), one},
                                                   {one, one, INFINITY, one},
                                                   {one, std::monostate(), one, one},
                                                   {one, one, std::monostate(), one},
                                                   {one, one, std::string("3"), one},
                                                   {one, one, 1e9, one},
                                                   {std::int64_t{2}, one, one, one},
                                                   {one, std::int64_t{2}, one, one},
                                                   {one, one, one, 0.0}}) {
    EXPECT_FALSE(read_sketches({{}, {row}}));
  }
  EXPECT_FALSE(read_sketches({{}, {{one, one, one, one}, {one, one, one, one}}})) << "a bin twice";
}

TEST(NumberTypeTest, KnowsTheTypesOfNumbersOfEveryEngine) {
  for (const std::string_view type :
       {"integer", "numeric(10,2)", "double precision", "bigint(20) unsigned", "INT64", "Nullable(Decimal(9, 2))",
        "FLOAT8", "NUMBER", "BINARY_DOUBLE", "UInt32", "real", "DECIMAL(5, 1)"}) {
    EXPECT_TRUE(is_number_type(type)) << type;
  }
  for (const std::string_view type : {"", "text", "integer[]", "date", "timestamp with time zone", "interval",
                                      "varchar(20)", "Array(Int64)", "int4range", "money", "point"}) {
    EXPECT_FALSE(is_number_type(type)) << type;
  }
}

TEST(SketchQueryTest, CountsBinsOfTheNewestRows) {
  Dataset dataset;
  dataset.table = {"t"};
  dataset.incremental = IncrementalSettings{.column = "at"};
  const Aggregate aggregate{.sql = "p", .merge = Merge::sketch, .of = "\"a\"", .fraction = 0.5};
  const std::string sql = sketch_query(dataset, aggregate, 3600, 7200, sql::postgres_dialect());
  EXPECT_THAT(sql, HasSubstr("WHERE \"a\" IS NOT NULL AND (\"at\" >= "));
  EXPECT_THAT(sql, HasSubstr("GROUP BY weir_half, weir_sign, weir_bin"));
  EXPECT_THAT(sketch_query(dataset, aggregate, std::nullopt, 7200, sql::postgres_dialect()),
              testing::Not(HasSubstr(">= TIMESTAMP")));
}

}  // namespace
}  // namespace weir::quality
