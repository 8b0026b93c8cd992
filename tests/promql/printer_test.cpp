#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "promql/parser.h"

namespace weir::promql {
namespace {

std::string printed(const std::string& text) {
  const auto expr = parse(text);
  return expr ? to_string(*expr) : "error: " + expr.error().describe();
}

std::string split(const std::string& text) {
  const auto expr = parse(text);
  return expr ? pretty(*expr) : "error: " + expr.error().describe();
}

TEST(Printer, NumbersHaveTheirShortestDigitsAndAnExponentWhereGoWritesOne) {
  EXPECT_EQ(printed("1e9"), "1e+09");
  EXPECT_EQ(printed("0.00001"), "1e-05");
  EXPECT_EQ(printed("0.0001"), "0.0001");
  EXPECT_EQ(printed("1000000"), "1e+06");
  EXPECT_EQ(printed("999999"), "999999");
  EXPECT_EQ(printed("123456.5"), "123456.5");
  EXPECT_EQ(printed("-1234567.25"), "-1.23456725e+06");
  EXPECT_EQ(printed("1e300"), "1e+300");
  EXPECT_EQ(printed("inf"), "+Inf");
  EXPECT_EQ(printed("-inf"), "-Inf");
  EXPECT_EQ(printed("nan"), "NaN");
  EXPECT_EQ(printed("-0"), "-0");
}

TEST(Printer, TextIsQuotedAsGoQuotesIt) {
  EXPECT_EQ(printed(R"('a"b\\c')"), R"("a\"b\\c")");
  EXPECT_EQ(printed(R"("\a\b\f\n\r\t\v")"), R"("\a\b\f\n\r\t\v")");
  EXPECT_EQ(printed(R"("\x00\x1f\x7f")"), R"("\x00\x1f\x7f")");
  EXPECT_EQ(printed("\"東京 é €\""), "\"東京 é €\"");
  EXPECT_EQ(printed(R"("\u00a0\u200b\ufeff\u2028")"), R"("\u00a0\u200b\ufeff\u2028")");
  EXPECT_EQ(printed(R"("\U0001f600\U000e0001")"), "\"\xf0\x9f\x98\x80\\U000e0001\"");
  EXPECT_EQ(printed(R"("\u2003\ue000")"), R"("\u2003\ue000")");
}

TEST(Printer, BytesThatAreNotUtf8AreEscapedOneByOne) {
  EXPECT_EQ(printed(R"("\xff\xc0\x80")"), R"("\xff\xc0\x80")");
  EXPECT_EQ(printed(R"("\xed\xa0\x80")"), R"("\xed\xa0\x80")");
  EXPECT_EQ(printed(R"("\xe2\x82")"), R"("\xe2\x82")");
  EXPECT_EQ(printed(R"("\xf4\x90\x80\x80")"), R"("\xf4\x90\x80\x80")");
  EXPECT_EQ(printed(R"("\xe2\x82\xac")"), "\"€\"");
}

TEST(Printer, MatchersAreSortedAndTheNameStaysWhereItWasWritten) {
  EXPECT_EQ(printed("a{d=\"1\", b!=\"2\", c=~\"3\"}"), "a{b!=\"2\",c=~\"3\",d=\"1\"}");
  EXPECT_EQ(printed("a{}"), "a");
  EXPECT_EQ(printed("{__name__=\"a\"}"), "{__name__=\"a\"}");
  EXPECT_EQ(printed("{b=\"1\",__name__=\"a\",A=\"2\"}"), "{A=\"2\",__name__=\"a\",b=\"1\"}");
  EXPECT_EQ(printed("{\"a.b\"}"), "{__name__=\"a.b\"}");
  EXPECT_EQ(printed("a{\"ü\"=\"1\",\"b\"=\"2\"}"), "a{\"ü\"=\"1\",b=\"2\"}");
  EXPECT_EQ(printed("a{b=\"\",b=\"\"}"), "a{b=\"\",b=\"\"}");
}

TEST(Printer, ModifiersHaveOneOrder) {
  EXPECT_EQ(printed("a offset 90m @ 1"), "a @ 1.000 offset 1h30m");
  EXPECT_EQ(printed("a[1w] offset -7d @ end()"), "a[1w] @ end() offset -1w");
  EXPECT_EQ(printed("max_over_time(a[36h:] offset 1500ms @ -0.5)"), "max_over_time(a[1d12h:] @ -0.500 offset 1s500ms)");
  EXPECT_EQ(printed("a offset 0s"), "a");
}

TEST(Printer, GroupingAndMatching) {
  EXPECT_EQ(printed("sum(a)by(b,c)"), "sum by (b, c) (a)");
  EXPECT_EQ(printed("sum by()(a)"), "sum(a)");
  EXPECT_EQ(printed("sum without()(a)"), "sum without () (a)");
  EXPECT_EQ(printed("quantile(0.9,a)without(\"b c\")"), "quantile without (\"b c\") (0.9, a)");
  EXPECT_EQ(printed("a+ignoring()b"), "a + b");
  EXPECT_EQ(printed("a+on()b"), "a + on () b");
  EXPECT_EQ(printed("a>bool on(x,y)group_left b"), "a > bool on (x, y) group_left () b");
  EXPECT_EQ(printed("a/ignoring(x)group_right(y,z)b"), "a / ignoring (x) group_right (y, z) b");
  EXPECT_EQ(printed("a/ignoring()group_left(y)b"), "a / ignoring () group_left (y) b");
  EXPECT_EQ(printed("- (+ a)  ^((2))"), "-(+a) ^ ((2))");
}

TEST(Pretty, WhatFitsStaysOnOneLine) {
  const std::string name(100, 'a');
  EXPECT_EQ(split(" " + name), name);
  EXPECT_EQ(split("sum(" + name.substr(5) + ")"), "sum(" + name.substr(5) + ")");
  EXPECT_EQ(split("sum(" + name.substr(4) + ")"), "sum(\n  " + name.substr(4) + "\n)");
}

TEST(Pretty, BothSidesOfAnOperatorAreIndented) {
  const std::string a(60, 'a');
  const std::string b(60, 'b');
  EXPECT_EQ(split(a + "/on(x)group_left " + b), "  " + a + "\n/ on (x) group_left ()\n  " + b);
  EXPECT_EQ(split("(" + a + " + " + b + ")"), "(\n    " + a + "\n  +\n    " + b + "\n)");
  EXPECT_EQ(split(a + ">bool " + b + "*2"), "  " + a + "\n> bool\n  " + b + " * 2");
}

TEST(Pretty, ArgumentsHaveALineEach) {
  const std::string a(100, 'a');
  EXPECT_EQ(split("topk by (x) (3, " + a + ")"), "topk by (x) (\n  3,\n  " + a + "\n)");
  EXPECT_EQ(split("clamp(" + a + ", 1, 2)"), "clamp(\n  " + a + ",\n  1,\n  2\n)");
  EXPECT_EQ(split("sum(-(" + a + "))"), "sum(\n  -(\n    " + a + "\n  )\n)");
}

TEST(Pretty, SubqueriesKeepTheirRangeBehindTheLastLine) {
  const std::string a(100, 'a');
  EXPECT_EQ(split("max_over_time(sum(" + a + ")[5m:1m] offset 1m)"),
            "max_over_time(\n  sum(\n    " + a + "\n  )[5m:1m] offset 1m\n)");
}

TEST(Pretty, TheLongestChainHasALineForEachSideAndOperator) {
  std::string chain(50, 'a');
  for (int i = 0; i < 1000; ++i) chain += " + " + std::string(50, 'a');
  const std::string text = split(chain);
  EXPECT_LT(text.size(), 3'000'000U);
  EXPECT_EQ(std::ranges::count(text, '\n'), 2 * 1000);
}

}  // namespace
}  // namespace weir::promql
