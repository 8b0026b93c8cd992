#include "core/labels.h"

#include <gtest/gtest.h>
#include <map>
#include <thread>
#include <unordered_set>

namespace weir::core {
namespace {

TEST(LabelsTest, AreSortedWhateverTheOrderGiven) {
  const Labels labels{{"topic", "orders"}, {"cluster", "prod"}, {"partition", "3"}};
  EXPECT_EQ(labels, (Labels{{"cluster", "prod"}, {"partition", "3"}, {"topic", "orders"}}));
  EXPECT_EQ(labels.to_string(), R"({cluster="prod",partition="3",topic="orders"})");
  EXPECT_EQ(labels.at(0), (Labels::Pair{"cluster", "prod"}));
}

TEST(LabelsTest, TheLastOfANameCountsAndAnEmptyValueIsNone) {
  EXPECT_EQ((Labels{{"a", "1"}, {"a", "2"}}), (Labels{{"a", "2"}}));
  EXPECT_EQ((Labels{{"a", "1"}, {"a", ""}}), Labels());
  EXPECT_EQ((Labels{{"a", ""}}).size(), 0U);
  EXPECT_TRUE((Labels{{"a", ""}}).empty());
}

TEST(LabelsTest, AbsentAndEmptyAreTheSame) {
  const Labels labels{{"a", "1"}};
  EXPECT_EQ(labels.get("b"), "");
  EXPECT_FALSE(labels.has("b"));
  EXPECT_TRUE(labels.includes(Labels()));
  EXPECT_TRUE(labels.includes(Labels{{"a", "1"}}));
  EXPECT_FALSE(labels.includes(Labels{{"a", "2"}}));
  EXPECT_FALSE(Labels().includes(labels));
}

TEST(LabelsTest, AMetricHasItsName) {
  const Labels labels = Labels::metric("kafka_brokers", {{"cluster", "prod"}});
  EXPECT_EQ(labels.name(), "kafka_brokers");
  EXPECT_EQ(labels.to_string(), R"(kafka_brokers{cluster="prod"})");
  EXPECT_EQ(Labels::metric("up", {}).to_string(), "up");
  EXPECT_EQ(Labels().to_string(), "{}");
}

TEST(LabelsTest, WithAndWithoutLeaveTheOriginal) {
  const Labels labels{{"a", "1"}, {"b", "2"}};
  EXPECT_EQ(labels.with("b", "3"), (Labels{{"a", "1"}, {"b", "3"}}));
  EXPECT_EQ(labels.with("b", ""), (Labels{{"a", "1"}}));
  EXPECT_EQ(labels.without("a"), (Labels{{"b", "2"}}));
  EXPECT_EQ(labels.without("x"), labels);
  EXPECT_EQ(labels.size(), 2U);
}

TEST(LabelsTest, TheHashTellsNamesFromValues) {
  std::unordered_set<std::uint64_t> hashes;
  for (const Labels& labels :
       {Labels{{"a", "bc"}}, Labels{{"ab", "c"}}, Labels{{"a", "b"}, {"c", "d"}}, Labels{{"a", "bcd"}}, Labels()}) {
    EXPECT_TRUE(hashes.insert(labels.hash()).second) << labels.to_string();
  }
  EXPECT_EQ((Labels{{"a", "1"}, {"b", "2"}}).hash(), (Labels{{"b", "2"}, {"a", "1"}}).hash());
}

TEST(LabelsTest, TheHashIsTheSameInEveryProcess) {
  // FNV-1a of "a" ff "1" ff: stored fingerprints depend on it.
  std::uint64_t expected = 14695981039346656037ULL;
  for (const unsigned char byte : {0x61, 0xff, 0x31, 0xff}) expected = (expected ^ byte) * 1099511628211ULL;
  EXPECT_EQ((Labels{{"a", "1"}}).hash(), expected);
}

TEST(LabelsTest, AreOrderedByNamesAndValues) {
  EXPECT_LT((Labels{{"a", "1"}}), (Labels{{"a", "2"}}));
  EXPECT_LT((Labels{{"a", "1"}}), (Labels{{"a", "1"}, {"b", "1"}}));
  EXPECT_LT(Labels(), (Labels{{"a", "1"}}));
  EXPECT_EQ((std::map<Labels, int>{{Labels{{"a", "1"}}, 5}}).at(Labels{{"a", "1"}}), 5);
}

TEST(LabelsTest, AnyBytesAreValues) {
  const std::string zero("a\0b", 3);
  const Labels labels{{"a", zero}, {"b", "\xff\n\"\\"}};
  EXPECT_EQ(labels.get("a"), zero);
  EXPECT_EQ((Labels{{"b", "x\n\"\\"}}).to_string(), R"({b="x\n\"\\"})");
  const std::string large(1U << 20U, 'x');
  EXPECT_EQ((Labels{{"a", large}}).get("a").size(), large.size());
}

TEST(LabelsTest, TellWhetherTextsMayHoldTheirValuesAsTheyAre) {
  EXPECT_TRUE(Labels().plain());
  EXPECT_TRUE((Labels{{"a", "x y'{}=,"}, {"b", "\t"}}.plain()));
  for (const char* value : {"\"", "\\", "a\nb", "\xc3\xa4"})
    EXPECT_FALSE((Labels{{"a", "x"}, {"b", value}}.plain())) << value;
  EXPECT_FALSE((Labels{{"a", std::string(100'000, 'x')}, {"b", "\""}}.plain()));
}

TEST(LabelsTest, CopiesOutliveTheOriginalAndCrossThreads) {
  auto original = std::make_unique<Labels>(Labels{{"a", "1"}});
  const Labels copy = *original;
  original.reset();
  std::thread([&] { EXPECT_EQ(copy.get("a"), "1"); }).join();
}

TEST(LabelsBuilderTest, CollectsReplacesAndErases) {
  LabelsBuilder builder(Labels{{"a", "1"}, {"b", "2"}});
  builder.set("b", "3").set("c", "4").erase("a");
  EXPECT_EQ(builder.get("b"), "3");
  EXPECT_EQ(builder.get("a"), "");
  EXPECT_EQ(builder.build(), (Labels{{"b", "3"}, {"c", "4"}}));
}

}  // namespace
TEST(LabelsTest, KeepsTextBeyond64KiB) {
  const std::string name(40'000, 'n');
  const std::string value(70'000, 'v');
  const Labels labels{{name, value}, {"z", "last"}};
  EXPECT_EQ(labels.size(), 2U);
  EXPECT_EQ(labels.get(name), value);
  EXPECT_EQ(labels.get("z"), "last");
  EXPECT_EQ(labels, (Labels{{"z", "last"}, {name, value}}));
  EXPECT_NE(labels, (Labels{{"z", "lost"}, {name, value}}));
}

TEST(LabelsTest, LivesAsLongAsItsLastOwner) {
  Labels copy;
  {
    const Labels original{{"a", "1"}};
    Labels moved = original;
    copy = std::move(moved);
    EXPECT_TRUE(moved.empty());  // NOLINT(bugprone-use-after-move): what it says
    copy = std::as_const(copy);
  }
  EXPECT_EQ(copy.get("a"), "1");
}

}  // namespace weir::core
