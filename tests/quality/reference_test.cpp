#include "quality/reference.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::quality {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;

Reference parse(const std::string& bins, const std::string& weights, config::Diagnostics& diagnostics) {
  const std::string yaml =
      "distribution_type: continuous\ndistribution_reference:\n  bins: " + bins + "\n  weights: " + weights;
  return parse_reference(config::parse_yaml(yaml, "ref.yml", diagnostics), "", "amount", diagnostics);
}

TEST(Reference, TakesWeightsWithOrWithoutTheOuterBins) {
  config::Diagnostics diagnostics;
  EXPECT_THAT(parse("[0, 10, 20]", "[0.25, 0.75]", diagnostics).shares, ElementsAre(0, 0.25, 0.75, 0));
  EXPECT_THAT(parse("[0, 10, 20]", "[0.1, 0.15, 0.75]", diagnostics).shares, ElementsAre(0.1, 0.15, 0.75, 0));
  EXPECT_THAT(parse("[0, 10, 20]", "[0.1, 0.1, 0.7, 0.1]", diagnostics).shares,
              ElementsAre(DoubleNear(0.1, 1e-9), DoubleNear(0.1, 1e-9), DoubleNear(0.7, 1e-9), DoubleNear(0.1, 1e-9)));
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
}

TEST(Reference, RefusesWhatIsNoDistribution) {
  const auto expect = [](const std::string& bins, const std::string& weights, const std::string& message) {
    config::Diagnostics diagnostics;
    parse(bins, weights, diagnostics);
    EXPECT_THAT(diagnostics.to_string(), HasSubstr(message)) << bins << " " << weights;
  };
  expect("[0, 10]", "[0.5, 0.2]", "their sum 1 (it is 0.7)");
  expect("[0, 10]", "[1.5, -0.5]", "none below 0");
  expect("[0, 10]", "[0.1, 0.1, 0.1, 0.7]", "expected 2 weights");
  expect("[10, 0]", "[1]", "ascending");
  expect("[0, 0]", "[1]", "ascending");
  expect("[5]", "[1]", "2 to 100 edges");
  expect("[a, b]", "[1]", "expected a number, found \"a\"");
  expect("[0, .inf]", "[1]", "expected a number");
  expect("[0, nan]", "[1]", "expected a number");
}

TEST(Reference, RefusesOtherShapes) {
  const auto expect = [](const std::string& yaml, const std::string& message) {
    config::Diagnostics diagnostics;
    parse_reference(config::parse_yaml(yaml, "ref.yml", diagnostics), "", "amount", diagnostics);
    EXPECT_THAT(diagnostics.to_string(), HasSubstr(message)) << yaml;
  };
  expect("distribution_type: categorical", "categorical references are not supported");
  expect("distribution_type: continuous", "\"distribution_reference\" with its bins and weights is missing");
  expect("distribution_type: continous", "is not one of continuous");
  expect("{}", "\"distribution_type\" is missing");
  expect("[1]", "expected a mapping");
  expect("{distribution_typ: continuous}", "unknown key \"distribution_typ\" (did you mean \"distribution_type\"?)");
  expect("distribution_type: continuous\ndistribution_reference: {bins: [0, 1], weights: [1], edges: 2}",
         "unknown key \"edges\"");
}

TEST(PopulationStabilityIndex, IsZeroForTheSameDistribution) {
  Reference reference;
  reference.edges = {0, 10, 20};
  reference.shares = {0, 0.25, 0.75, 0};
  const std::vector<double> same = {0, 25, 75, 0};
  EXPECT_NEAR(population_stability_index(same, reference), 0, 1e-12);
  const std::vector<double> twice = {0, 50, 150, 0};
  EXPECT_NEAR(population_stability_index(twice, reference), 0, 1e-12);
}

TEST(PopulationStabilityIndex, IsTheTextbooksSum) {
  Reference reference;
  reference.edges = {0, 10, 20};
  reference.shares = {0, 0.5, 0.5, 0};
  const std::vector<double> counts = {0, 30, 70, 0};
  const double expected = (0.3 - 0.5) * std::log(0.3 / 0.5) + (0.7 - 0.5) * std::log(0.7 / 0.5);
  EXPECT_NEAR(population_stability_index(counts, reference), expected, 1e-12);
}

TEST(PopulationStabilityIndex, StaysFiniteWithEmptyBins) {
  Reference reference;
  reference.edges = {0, 10, 20};
  reference.shares = {0, 0.5, 0.5, 0};
  const std::vector<double> outside = {0, 0, 0, 10};
  const double index = population_stability_index(outside, reference);
  EXPECT_TRUE(std::isfinite(index));
  EXPECT_GT(index, 5);
}

}  // namespace
}  // namespace weir::quality
