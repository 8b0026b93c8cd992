#include "sql/query_tag.h"

#include <gtest/gtest.h>

namespace weir::sql {
namespace {

TEST(QueryTag, IsAComment) {
  EXPECT_EQ(with_tag("dataset=orders check=row_count", "SELECT 1"),
            "/* weir dataset=orders check=row_count */ SELECT 1");
  EXPECT_EQ(with_tag("", "SELECT 1"), "SELECT 1");
}

TEST(QueryTag, CannotLeaveTheComment) {
  EXPECT_EQ(with_tag("a */ DROP TABLE t; --", "SELECT 1"), "/* weir a __ DROP TABLE t_ -- */ SELECT 1");
  EXPECT_EQ(with_tag("/*!50000 x*/ ? $1 :name\n'\"\\", "S"), "/* weir ___50000 x__ _ _1 _name____ */ S");
  EXPECT_EQ(with_tag(std::string("é\0", 3), "S"), "/* weir ___ */ S");
}

TEST(QueryTag, IsBounded) { EXPECT_LE(with_tag(std::string(10'000, 'a'), "S").size(), 220U); }

}  // namespace
}  // namespace weir::sql
