#include "quality/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::quality {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(MaskTest, HidesWhatIdentifiesAPerson) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"write to jane.doe+x@example.co.uk now", "write to <email> now"},
      {"mailto:jürgen@müller.de", "mailto:<email>"},
      {"a@b.cc,d@e.ff", "<email>,<email>"},
      {"o'brien+x@ex.co.uk", "<email>"},
      {"'a@b.cc'", "'<email>'"},
      {"to \"quoted x\"@ex.com.", "to <email>."},
      {"user@localhost", "<email>"},
      {"491705551234", "<phone>"},
      {"4915123456789", "<phone>"},
      {"4111 1111 1111 1111", "<card>"},
      {"4111-1111-1111-1111!", "<card>!"},
      {"378282246310005", "<card>"},
      {"DE89 3704 0044 0532 0130 00", "<iban>"},
      {"gb29nwbk60161331926819", "<iban>"},
      {"from 192.168.10.20:443", "from <ip>:443"},
      {"2001:db8::ff00:42:8329", "<ip>"},
      {"fe80:0:0:0:1:2:3:4", "<ip>"},
      {"::1 x", "<ip> x"},
      {"+49 (151) 1234-5678", "<phone>"},
      {"0151/12345678", "<phone>"},
      {"555-123-4567 or (555) 123-4567", "<phone> or <phone>"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(mask(text), expected) << text;
}

TEST(MaskTest, LeavesEverythingElse) {
  for (const char* text : {"", "2023-11-14T22:13:20Z", "12:34:56", "4111 1111 1111 1112", "1700000000000",
                           "version 1.2.3", "@home", "meet @ 5", "AB12", "order 17 of 2023-11-14", "C++::", "10.5"}) {
    EXPECT_EQ(mask(text), text);
  }
}

TEST(MaskTest, EndsOnWhateverItIsGiven) {
  EXPECT_EQ(mask(std::string(10'000, '@')).size(), 10'000U);
  EXPECT_NE(mask(std::string("\xff\xfe@\xff.\xff\xff", 7)), "x");
  EXPECT_LT(mask(std::string(5000, '1')).size(), 5001U);
}

TEST(ShowSampleTest, BoundsValuesAndRows) {
  sql::Table table{{"id", "note"}, {}};
  table.rows.push_back({std::int64_t{7}, std::string(200, 'x')});
  table.rows.push_back({std::monostate(), std::string("a\nb\x1b[31m")});
  table.rows.push_back({2.5, core::time_from_seconds(0)});
  const auto shown = show_sample(table);
  ASSERT_EQ(shown.size(), 3U);
  EXPECT_EQ(shown[0], "{id: 7, note: " + std::string(80, 'x') + "…}");
  EXPECT_EQ(shown[1], "{id: NULL, note: a b [31m}");
  EXPECT_THAT(shown[2], HasSubstr("{id: 2.5, note: 1970-01-01T00:00:00"));
  for (int i = 0; i < 100; ++i) table.rows.push_back({std::int64_t{i}, std::string(80, 'y')});
  std::size_t bytes = 0;
  for (const std::string& row : show_sample(table)) bytes += row.size();
  EXPECT_LE(bytes, 2000U);
}

TEST(ShowSampleTest, MasksBeforeItCuts) {
  const sql::Table table{{"note"}, {{std::string(70, 'x') + " 4111 1111 1111 1111"}, {std::int64_t{4111111111111111}}}};
  EXPECT_THAT(show_sample(table), ElementsAre("{note: " + std::string(70, 'x') + " <card>}", "{note: <card>}"));
}

TEST(SampleQueryTest, NamesOnlyTheAllowedColumns) {
  EXPECT_EQ(sample_query({.from = "\"t\" s", .where = "(x < 1\n)", .columns_of = "s."}, {3, {"id", "a\"b"}},
                         sql::postgres_dialect()),
            "SELECT s.\"id\", s.\"a\"\"b\" FROM \"t\" s WHERE (x < 1\n) LIMIT 3");
}

}  // namespace
}  // namespace weir::quality
