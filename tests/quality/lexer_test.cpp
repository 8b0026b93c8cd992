#include "quality/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::quality {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> texts(std::string_view text) {
  const auto tokens = tokenize(text);
  EXPECT_TRUE(tokens) << text;
  std::vector<std::string> result;
  for (const Token& token : tokens.value_or(std::vector<Token>())) result.push_back(token.text);
  return result;
}

std::vector<Token::Kind> kinds(std::string_view text) {
  std::vector<Token::Kind> result;
  for (const Token& token : tokenize(text).value_or(std::vector<Token>())) result.push_back(token.kind);
  return result;
}

using K = Token::Kind;

TEST(Lexer, SplitsWithOrWithoutSpaces) {
  EXPECT_THAT(texts("row_count>=10"), ElementsAre("row_count", ">=", "10", ""));
  EXPECT_THAT(texts(" row_count  >=\t10 "), ElementsAre("row_count", ">=", "10", ""));
  EXPECT_THAT(texts("percentile(size, 0.95)<-5%"),
              ElementsAre("percentile", "(", "size", ",", "0.95", ")", "<", "-5", "%", ""));
}

TEST(Lexer, TellsNumbersFromDurations) {
  EXPECT_THAT(kinds("5 -5 +5 .5 1e3 1h30m 90s 1d12 2w"),
              ElementsAre(K::number, K::number, K::number, K::number, K::number, K::duration, K::duration, K::duration,
                          K::duration, K::end));
}

TEST(Lexer, KeepsOddNames) {
  EXPECT_THAT(texts("missing_count(größe-2)"), ElementsAre("missing_count", "(", "größe-2", ")", ""));
  EXPECT_THAT(texts(R"("order ""id""; DROP")"), ElementsAre(R"(order "id"; DROP)", ""));
  EXPECT_THAT(texts("`order id`"), ElementsAre("order id", ""));
  EXPECT_THAT(kinds("\"a\" a"), ElementsAre(K::quoted, K::word, K::end));
}

TEST(Lexer, KnowsWhereTokensStand) {
  const auto tokens = tokenize("avg( \"x\" )");
  ASSERT_TRUE(tokens);
  EXPECT_EQ((*tokens)[2].offset, 5U);
  EXPECT_EQ((*tokens)[2].end, 8U);
  EXPECT_EQ(tokens->back().offset, 10U);
}

TEST(Lexer, SaysWhatItCannotRead) {
  const auto expect = [](std::string_view text, std::size_t offset, const std::string& message) {
    const auto tokens = tokenize(text);
    ASSERT_FALSE(tokens) << text;
    EXPECT_EQ(tokens.error().offset, offset) << text;
    EXPECT_THAT(tokens.error().message, HasSubstr(message));
  };
  expect("avg(\"x) > 1", 4, "has no end");
  expect("avg(\"\") > 1", 4, "is empty");
  expect("row_count == 1", 10, "write = rather than ==");
  expect("row_count ; drop", 10, "unexpected character \";\"");
  expect("a ! b", 2, "unexpected character");
  expect(std::string_view("a\0b", 3), 1, "control character");
  expect(std::string(5000, 'x'), 0, "longer than 4096");
}

}  // namespace
}  // namespace weir::quality
