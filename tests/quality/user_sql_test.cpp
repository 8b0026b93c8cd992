#include "quality/user_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::quality {
namespace {

using testing::HasSubstr;

TEST(QueryMistakeTest, TakesOneSelect) {
  for (const char* sql : {"SELECT 1", " select 1 ; ", "WITH a AS (SELECT ')' x) SELECT * FROM a",
                          "(SELECT 1) UNION (SELECT 2)", "-- why\nSELECT 1", "/* ; */ SELECT ';' -- ;", "VALUES (1)",
                          "SELECT \"a;b\", 'it''s', `c` FROM t", "SELECT a > '$1' FROM t", "SELECT 5 $ 3"}) {
    EXPECT_EQ(query_mistake(sql), "") << sql;
  }
}

TEST(QueryMistakeTest, NamesWhatIsNone) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "there is no query"},
      {" ;", "there is no query"},
      {"-- nothing", "there is no query"},
      {"DELETE FROM t", "not with DELETE"},
      {"SELECT 1; DROP TABLE t", "semicolon"},
      {"SELECT (1", "not closed"},
      {"SELECT 1) FROM (SELECT 2", "closes that was not opened"},
      {"SELECT 'a", "a quote ' is not closed"},
      {"SELECT \"a", "a quote \" is not closed"},
      {"SELECT 1 /* ", "comment is not closed"},
      {"SELECT /* /* */ ) */ 1", "a comment within a comment"},
      {"SELECT $$)$$", "dollar"},
      {"SELECT $a$)$a$", "dollar"},
      {"SELECT ${x}", "dollar"},
      {std::string("SELECT 1\0", 9), "control character"},
      {"SELECT " + std::string(100'000, '1'), "longer than"},
  };
  for (const auto& [sql, expected] : cases) EXPECT_THAT(query_mistake(sql), HasSubstr(expected)) << sql.substr(0, 60);
}

TEST(DerivedTableTest, KeepsALastCommentInside) {
  EXPECT_EQ(derived_table(bare_query(" SELECT 1 -- one ; "), "r"), "(SELECT 1 -- one\n) r");
  EXPECT_EQ(bare_query("; "), "");
}

}  // namespace
}  // namespace weir::quality
