#include "collectors/topic_governance.h"

#include <gtest/gtest.h>

namespace weir::collectors {
namespace {

std::string shown(const TopicTally& tally) {
  std::string text;
  for (const auto& [finding, seen] : tally.found()) {
    const auto& [field, kind, found_by] = finding;
    text += field + ": " + kind + " by " + found_by + ", " + seen + "\n";
  }
  return text;
}

TEST(TopicTally, FieldsOfJsonAreKnownByNameAndValues) {
  TopicTally tally;
  tally.add(
      R"({"id": 1, "customer": {"e_mail": "", "note": "call ann@example.com"}, "tags": ["DE89370400440532013000"]})");
  tally.add(R"({"id": 4111111111111111, "customer": {"note": null}, "tags": []})");
  EXPECT_EQ(shown(tally),
            "customer.e_mail: email by name, by its name\n"
            "customer.note: email by values, in 1 of 1 values\n"
            "id: card by values, in 1 of 2 values\n"
            "tags: iban by values, in 1 of 1 values\n");
}

TEST(TopicTally, OtherMessagesAreLookedAtAsAWhole) {
  TopicTally tally;
  tally.add("");
  tally.add(
      std::string("\0\0\0\0\x07\x1e"
                  "ann@example.com\xff",
                  22));
  tally.add("{\"cut off\": \"bob@example.com");
  tally.add("\"carol@example.com\"");
  EXPECT_EQ(shown(tally), "(value): email by values, in 3 of 3 values\n");
}

TEST(TopicTally, NamesThatAreValuesAreCountedAndNotKept) {
  TopicTally tally;
  tally.add(R"({"ann@example.com": {"phone": "x"}, "by_card": {"4111111111111111": {"tags": ["bob@example.com"]}}})");
  EXPECT_EQ(shown(tally),
            "(names): email by values, in 1 of 1 values\n"
            "*.phone: phone by name, by its name\n"
            "by_card.(names): card by values, in 1 of 1 values\n"
            "by_card.*.tags: email by values, in 1 of 1 values\n");
}

TEST(TopicTally, KeysAreLookedAtToo) {
  TopicTally tally;
  tally.add_key("");
  tally.add_key("ann@example.com");
  tally.add_key(R"({"iban": 1})");
  EXPECT_EQ(shown(tally),
            "(key): email by values, in 1 of 1 values\n"
            "(key).iban: iban by name, by its name\n");
}

TEST(TopicTally, IsBoundedInFieldsAndDepth) {
  TopicTally tally;
  std::string wide = "{";
  for (int i = 0; i < 1000; ++i) wide += (i == 0 ? "\"f" : ", \"f") + std::to_string(i) + R"(": "a@b.de")";
  tally.add(wide + "}");
  EXPECT_EQ(tally.found().size(), 200U);
  TopicTally deep;
  deep.add(std::string(50, '[') + "\"a@b.de\"" + std::string(50, ']'));
  EXPECT_TRUE(deep.found().empty());
  deep.add(std::string(100'000, '['));
  EXPECT_TRUE(deep.found().empty());
}

}  // namespace
}  // namespace weir::collectors
