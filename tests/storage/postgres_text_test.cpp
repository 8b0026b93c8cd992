#include "storage/postgres_text.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <set>

namespace weir::storage {
namespace {

TEST(PostgresText, WhatIsPlainUtf8StaysAsItIs) {
  for (const std::string text : {"", "plain", "caf\u00e9 \u20ac \U0001F600", "a'b\\c\"d\n\t"}) {
    EXPECT_EQ(to_postgres_text(text), text);
    EXPECT_EQ(from_postgres_text(text), text);
  }
}

TEST(PostgresText, WhatPostgresCannotKeepIsEscaped) {
  EXPECT_EQ(to_postgres_text(std::string("a\0b", 3)),
            "a\x1a"
            "00b");
  EXPECT_EQ(to_postgres_text("\xff"),
            "\x1a"
            "ff");
  EXPECT_EQ(to_postgres_text("\x1a"),
            "\x1a"
            "1a");
  for (const char* invalid : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    EXPECT_EQ(to_postgres_text(invalid).front(), '\x1a') << "overlong, a surrogate, too high, cut off, a lone tail";
  }
}

TEST(PostgresText, AnyBytesComeBackAndNoTwoTextsBecomeOne) {
  std::mt19937 random(7);  // NOLINT: the same in every run
  const std::string alphabet(
      "\0\x1a\x80\xff\xc3\xa9"
      "0fa1",
      10);
  std::set<std::string> texts;
  std::set<std::string> kept;
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 6, ' ');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    const std::string stored = to_postgres_text(text);
    EXPECT_EQ(stored.find('\0'), std::string::npos);
    ASSERT_EQ(from_postgres_text(stored), text);
    texts.insert(text);
    kept.insert(stored);
  }
  EXPECT_EQ(texts.size(), kept.size());
}

TEST(PostgresText, AnEscapeThatIsNoneStays) {
  for (const std::string text : {"\x1a",
                                 "\x1a"
                                 "0",
                                 "\x1a"
                                 "zz",
                                 "\x1a"
                                 "-1"})
    EXPECT_EQ(from_postgres_text(text), text);
}

std::string quoted(const std::string& text) { return "<" + text + ">"; }

TEST(PostgresText, PlaceholdersBecomeLiteralsByTheirNumber) {
  EXPECT_EQ(with_literals("VALUES ($1, $2, $1, $3, $4)", {std::string_view("it's $2"), std::int64_t{-5}, 0.5, nullptr},
                          quoted),
            "VALUES (<it's $2>::text, '-5'::bigint, <it's $2>::text, '0.5'::double precision, NULL)");
  EXPECT_EQ(with_literals("$12 $ $x $0 $", {std::int64_t{1}}, quoted), "$12 $ $x $0 $");
}

TEST(PostgresText, NumbersKeepEveryDigit) {
  EXPECT_EQ(to_postgres_number(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(to_postgres_number(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(to_postgres_number(std::nan("")), "NaN");
}

}  // namespace
}  // namespace weir::storage
