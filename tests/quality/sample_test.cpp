#include "quality/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::quality {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
