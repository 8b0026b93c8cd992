#include "app/explanation.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "app/value_table.h"

namespace weir::app {
namespace {

using testing::HasSubstr;

rules::ExpressionNode tree(const std::string& text) {
  const auto expr = promql::parse(text);
  EXPECT_TRUE(expr) << text;
  return rules::expression_tree(*expr);
}

promql::Vector vector_of(std::size_t size) {
  promql::Vector vector;
  for (std::size_t i = 0; i < size; ++i)
    vector.push_back({core::Labels::metric("m", {{"n", std::to_string(i)}}), {}, static_cast<double>(i)});
  return vector;
}

TEST(Explanation, EachPartIsShownWithItsValue) {
  const auto found = explain(tree("m > 5"), [](const std::string& expression) -> core::Result<promql::Value> {
    return expression == "m" ? vector_of(2) : vector_of(0);
  });
  EXPECT_EQ(format_explanation(found),
            "m > 5  → nothing\n"
            "  m  → 2 series\n"
            "    = m{n=\"0\"} 0\n"
            "    = m{n=\"1\"} 1\n"
            "  5\n");
}

TEST(Explanation, APartWithoutAValueSaysWhy) {
  const auto found = explain(tree("m > 5"), [](const std::string&) -> core::Result<promql::Value> {
    return core::fail(core::ErrorKind::invalid, "refused");
  });
  EXPECT_THAT(format_explanation(found), HasSubstr("m > 5  → refused\n"));
  const auto json = nlohmann::json::parse(explanation_json(found, {}));
  EXPECT_EQ(json["error"], "refused");
  EXPECT_TRUE(json["value"].is_null());
  EXPECT_EQ(json["parts"][1]["expression"], "5");
}

TEST(Explanation, ManySeriesAreCounted) {
  const auto found = explain(tree("m"), [](const std::string&) { return core::Result<promql::Value>(vector_of(25)); });
  const std::string text = format_explanation(found);
  EXPECT_THAT(text, HasSubstr("25 series"));
  EXPECT_THAT(text, HasSubstr("… 15 more"));
  EXPECT_EQ(text.find("n=\"10\""), std::string::npos);
}

TEST(Explanation, OnlySoManyQueriesAreAsked) {
  std::string text = "m";
  for (int i = 0; i < 400; ++i) text += " + m";
  std::size_t asked = 0;
  explain(tree(text), [&](const std::string&) {
    ++asked;
    return core::Result<promql::Value>(promql::Scalar{1});
  });
  EXPECT_EQ(asked, 200U);
}

TEST(ValueTable, AlignsItsColumns) {
  EXPECT_EQ(format_value_table(vector_of(2)), "SERIES    VALUE\nm{n=\"0\"}  0\nm{n=\"1\"}  1\n");
  EXPECT_EQ(format_value_table(promql::Vector{}), "no series\n");
  EXPECT_EQ(format_value_table(promql::Scalar{2.5}), "2.5\n");
  EXPECT_EQ(format_value_table(promql::Matrix{{core::Labels::metric("m", {}), {{core::Time{}, 1}}}}),
            "m\n  1970-01-01T00:00:00.000Z  1\n");
  EXPECT_EQ(format_table({{"é", "x"}, {"ab", "y"}}), "é   x\nab  y\n");
}

}  // namespace
}  // namespace weir::app
