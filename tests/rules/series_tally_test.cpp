#include "rules/series_tally.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace weir::rules {
namespace {

const std::vector<std::string> kNames{"cluster", "group", "topic"};

core::Labels random_labels(std::mt19937& random) {
  core::LabelsBuilder labels;
  for (const std::string& name : kNames) {
    if (random() % 4 != 0) labels.set(name, std::to_string(random() % 3));
  }
  if (random() % 2 == 0) labels.set("partition", std::to_string(random() % 3));
  return labels.build();
}

/// The definition, one series at a time.
bool contradicts(const core::Labels& series, const core::Labels& alert) {
  return std::ranges::any_of(
      kNames, [&](const std::string& name) { return series.has(name) && series.get(name) != alert.get(name); });
}

TEST(SeriesTally, CountsWhatContradictsNothing) {
  std::mt19937 random(1);
  std::vector<FoundSeries> series;
  for (int i = 0; i < 500; ++i) {
    series.push_back({random_labels(random), static_cast<SeriesCondition>(random() % 3)});
  }
  const SeriesTally tally(series, kNames);
  std::size_t matched = 0;
  for (int i = 0; i < 200; ++i) {
    const core::Labels alert = random_labels(random);
    SeriesTally::Counts expected;
    for (const FoundSeries& found : series) {
      if (contradicts(found.labels, alert)) continue;
      expected.fresh += found.condition == SeriesCondition::fresh ? 1U : 0U;
      expected.lapsed += found.condition == SeriesCondition::lapsed ? 1U : 0U;
      expected.deleted += found.condition == SeriesCondition::deleted ? 1U : 0U;
    }
    const SeriesTally::Counts counts = tally.matching(alert);
    EXPECT_EQ(counts.fresh, expected.fresh) << alert.to_string();
    EXPECT_EQ(counts.lapsed, expected.lapsed) << alert.to_string();
    EXPECT_EQ(counts.deleted, expected.deleted) << alert.to_string();
    matched += counts.fresh;
  }
  EXPECT_GT(matched, 0U);
}

TEST(SeriesTally, WithoutNamesEverySeriesCounts) {
  const SeriesTally tally({{core::Labels{{"a", "1"}}, SeriesCondition::fresh}, {{}, SeriesCondition::fresh}}, {});
  EXPECT_EQ(tally.matching({}).fresh, 2U);
}

}  // namespace
}  // namespace weir::rules
