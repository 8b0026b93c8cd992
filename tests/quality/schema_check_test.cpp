#include "quality/schema_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::quality {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<Column> kColumns = {{"id", "integer"}, {"name", "character varying(20)"}, {"ssn_hash", "text"}};

std::vector<std::string> violations(const SchemaRules& rules, const std::vector<Column>* previous = nullptr) {
  return schema_violations(rules, kColumns, previous);
}

TEST(SchemaRulesTest, NameWhatIsMissingOnce) {
  EXPECT_THAT(violations({.required = {"id", "email"}, .types = {{"email", "text"}}, .indexes = {{"email", 3}}}),
              ElementsAre("column \"email\" is missing"));
}

TEST(SchemaRulesTest, RequireTheColumnsThatHaveATypeOrAnIndex) {
  EXPECT_THAT(violations({.types = {{"a", "text"}}}), ElementsAre("column \"a\" is missing"));
  EXPECT_THAT(violations({.indexes = {{"b", 0}}}), ElementsAre("column \"b\" is missing"));
}

TEST(SchemaRulesTest, TellTypesApart) {
  EXPECT_THAT(violations({.types = {{"id", "INTEGER"}, {"name", "varchar"}}}), IsEmpty());
  EXPECT_THAT(violations({.types = {{"id", "bigint"}}}), ElementsAre("column \"id\" is integer, expected bigint"));
}

TEST(SchemaRulesTest, RequireColumnsOfALogicalType) {
  EXPECT_THAT(violations({.logical_types = {{"id", "integer"}, {"name", "string"}}}), IsEmpty());
  EXPECT_THAT(violations({.logical_types = {{"id", "string"}, {"mail", "string"}}}),
              ElementsAre("column \"mail\" is missing", "column \"id\" is integer, expected a type of string"));
}

TEST(SchemaRulesTest, CountIndexesFromZero) {
  EXPECT_THAT(violations({.indexes = {{"id", 0}, {"name", 1}}}), IsEmpty());
  EXPECT_THAT(violations({.indexes = {{"id", 1}}}),
              ElementsAre("column \"id\" is at index 0, expected 1 (\"name\" is there)"));
  EXPECT_THAT(violations({.indexes = {{"id", 9}}}), ElementsAre("column \"id\" is at index 0, expected 9"));
}

TEST(SchemaRulesTest, TakeForbiddenNamesAsBeginnings) {
  EXPECT_THAT(violations({.forbidden = {"ssn"}}), ElementsAre("column \"ssn_hash\" is forbidden"));
  EXPECT_THAT(violations({.forbidden = {"hash", "SSN", "x*"}}), IsEmpty());
  EXPECT_THAT(violations({.forbidden = {"*hash"}}), ElementsAre("column \"ssn_hash\" is forbidden"));
}

TEST(SchemaRulesTest, ForbidAllButTheListedAndAllowTheOptional) {
  const SchemaRules rules{
      .types = {{"id", ""}, {"name", "varchar"}, {"note", "text"}}, .optional = {"note"}, .only_these = true};
  EXPECT_THAT(violations(rules), ElementsAre("column \"ssn_hash\" is none of the listed"));
}

TEST(SchemaRulesTest, SeeChangesOnlyWhereTheyAreForbidden) {
  const std::vector<Column> before = {{"name", "text"}, {"id", "integer"}, {"gone", "text"}};
  EXPECT_THAT(violations({}, &before), IsEmpty());
  EXPECT_THAT(violations({.additions = true}, &before), ElementsAre("column \"ssn_hash\" was added (text)"));
  EXPECT_THAT(violations({.deletions = true}, &before), ElementsAre("column \"gone\" was deleted"));
  EXPECT_THAT(violations({.type_changes = true}, &before),
              ElementsAre("column \"name\" became character varying(20), was text"));
  EXPECT_THAT(violations({.index_changes = true}, &before),
              ElementsAre("column \"name\" moved to index 1, was at 0", "column \"id\" moved to index 0, was at 1"));
  EXPECT_THAT(violations({.additions = true, .deletions = true}), IsEmpty()) << "nothing was seen before";
}

struct TypeCase {
  std::string expected, actual;
  bool same;
};

class SameTypeTest : public testing::TestWithParam<TypeCase> {};

TEST_P(SameTypeTest, ComparesAsSodaDoes) {
  EXPECT_EQ(same_type(GetParam().expected, GetParam().actual), GetParam().same)
      << GetParam().expected << " / " << GetParam().actual;
}

INSTANTIATE_TEST_SUITE_P(
    Types, SameTypeTest,
    testing::Values(TypeCase{"varchar", "character varying(20)", true}, TypeCase{"text", "character varying", true},
                    TypeCase{"varchar", "text", false}, TypeCase{"character varying", "text", true},
                    TypeCase{"numeric", "numeric(10,2)", true}, TypeCase{"numeric", "double precision", true},
                    TypeCase{"decimal", "numeric(10,2)", false}, TypeCase{"int", "integer", false},
                    TypeCase{"timestamp", "timestamp(3) without time zone", true},
                    TypeCase{"timestamptz", "timestamp with time zone", true},
                    TypeCase{"timestamp", "timestamp with time zone", false}, TypeCase{"ARRAY", "integer[]", true},
                    TypeCase{"USER-DEFINED", "sales.mood", true}, TypeCase{"user-defined", "integer", false},
                    TypeCase{"USER-DEFINED", "int4range", false}, TypeCase{"USER-DEFINED", "mood[]", false},
                    TypeCase{" Varchar(20) ", "character varying(20)", true},
                    TypeCase{"varchar(21)", "character varying(20)", false},
                    TypeCase{"numeric(10, 2)", "numeric(10,2)", true}, TypeCase{"", "text", false}));

TEST(ForbiddenTest, FollowsSodasWildcards) {
  EXPECT_TRUE(*is_forbidden("pii_*", "pii_"));
  EXPECT_TRUE(*is_forbidden("pii_%", "pii_a"));
  EXPECT_FALSE(*is_forbidden("pii_%", "pii_")) << "% is at least one character";
  EXPECT_FALSE(is_forbidden("(", "x").has_value());
  EXPECT_FALSE(is_forbidden("(?=x)", "x").has_value()) << "RE2 has no look-around";
}

TEST(ColumnsTextTest, ReadsBackWhateverNamesHold) {
  const std::vector<Column> odd = {{"a 1\n2 3\n", "t"}, {"", "numeric(10,2)"}, {"ß", ""}};
  const auto back = columns_from_text(columns_to_text(odd));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 3U);
  for (std::size_t i = 0; i < odd.size(); ++i) {
    EXPECT_EQ((*back)[i].name, odd[i].name);
    EXPECT_EQ((*back)[i].type, odd[i].type);
  }
}

TEST(ColumnsTextTest, RefusesWhatIsDamaged) {
  const std::string text = columns_to_text(kColumns);
  EXPECT_FALSE(columns_from_text(""));
  EXPECT_FALSE(columns_from_text("columns 2\n"));
  EXPECT_FALSE(columns_from_text("columns 1\n99999999999999999999 1\nab"));
  EXPECT_FALSE(columns_from_text("columns 1\n-1 1\nab"));
  EXPECT_FALSE(columns_from_text("columns 1\n1 18446744073709551615\nab"));
  for (std::size_t cut = 11; cut < text.size(); ++cut) {
    const auto read = columns_from_text(text.substr(0, cut));
    EXPECT_TRUE(!read || read->size() < kColumns.size()) << cut;
  }
}

}  // namespace
}  // namespace weir::quality
