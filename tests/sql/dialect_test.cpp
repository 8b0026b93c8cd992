#include "sql/dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::sql {
namespace {

using testing::ElementsAre;

TEST(Dialect, QuotesIdentifiersWhateverTheyHold) {
  for (const Dialect* dialect : {&postgres_dialect(), &sqlite_dialect()}) {
    EXPECT_EQ(dialect->identifier("amount"), R"("amount")");
    EXPECT_EQ(dialect->identifier(R"(a"; DROP TABLE x; --)"), R"("a""; DROP TABLE x; --")");
    EXPECT_EQ(dialect->identifier("größe in €"), R"("größe in €")");
  }
}

TEST(Dialect, QuotesEachPartOfATablesName) {
  const std::vector<std::string> parts = {"sales", "odd.name"};
  EXPECT_EQ(postgres_dialect().table(parts), R"("sales"."odd.name")");
}

TEST(Dialect, QuotesTextSoThatItCannotEnd) {
  EXPECT_EQ(sqlite_dialect().text_literal("it's"), "'it''s'");
  EXPECT_EQ(sqlite_dialect().text_literal(R"(\')"), R"('\''')");
  EXPECT_EQ(postgres_dialect().text_literal("it's"), "'it''s'");
  EXPECT_EQ(postgres_dialect().text_literal(R"(\')"), R"(E'\\''')");
}

TEST(Dialect, WritesNumbersThatReadBackTheSame) {
  EXPECT_EQ(postgres_dialect().number_literal(0.1), "0.1");
  EXPECT_EQ(postgres_dialect().number_literal(-5), "-5");
  EXPECT_EQ(std::stod(postgres_dialect().number_literal(1.0 / 3)), 1.0 / 3);
}

TEST(Dialect, CountsEveryValueInExactlyOneBin) {
  const std::vector<double> edges = {0, 10, 20};
  EXPECT_THAT(sqlite_dialect().histogram("\"x\"", edges),
              ElementsAre(R"(count(*) FILTER (WHERE "x" < 0))", R"(count(*) FILTER (WHERE "x" >= 0 AND "x" < 10))",
                          R"(count(*) FILTER (WHERE "x" >= 10 AND "x" <= 20))", R"(count(*) FILTER (WHERE "x" > 20))"));
}

TEST(Dialect, AsksTheCatalogForATablesColumns) {
  const std::vector<std::string> parts = {"sales", "it's"};
  EXPECT_THAT(postgres_dialect().columns_of(parts), testing::HasSubstr(R"(to_regclass('"sales"."it''s"'))"));
  EXPECT_EQ(sqlite_dialect().columns_of(parts), "SELECT name, type FROM pragma_table_xinfo('it''s', 'sales')");
}

TEST(Dialect, NumbersParametersItsOwnWay) {
  EXPECT_EQ(postgres_dialect().parameter(2), "$2");
  EXPECT_EQ(sqlite_dialect().parameter(2), "?2");
}

}  // namespace
}  // namespace weir::sql
