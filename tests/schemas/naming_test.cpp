#include "schemas/naming.h"

#include <gtest/gtest.h>

#include "schemas/level.h"
#include "schemas/wire_format.h"

namespace weir::schemas {
namespace {

using enum NamingStrategy;

TEST(Naming, ASubjectTellsItsTopic) {
  EXPECT_EQ(read_subject("orders-value", topic_name, "").topic, "orders");
  EXPECT_EQ(read_subject("orders-key", topic_name, "").part, "key");
  EXPECT_EQ(read_subject("-value", topic_name, "").topic, "");
  EXPECT_EQ(read_subject("shop.Order", topic_name, "").topic, "");
  EXPECT_EQ(read_subject("orders-shop.Order", topic_record_name, "shop.Order").topic, "orders");
  EXPECT_EQ(read_subject("shop.Order", topic_record_name, "shop.Order").topic, "");
  EXPECT_EQ(read_subject("shop.Order", record_name, "shop.Order").topic, "");
  const SubjectName staged = read_subject(":.staging:orders-value", topic_name, "");
  EXPECT_EQ(staged.context, ".staging");
  EXPECT_EQ(staged.topic, "orders");
  EXPECT_EQ(read_subject(":.broken", topic_name, "").topic, "");
}

TEST(Naming, WhichSubjectsATopicMayHave) {
  EXPECT_TRUE(belongs("orders-value", "orders", false, topic_name));
  EXPECT_FALSE(belongs("orders-key", "orders", false, topic_name));
  EXPECT_FALSE(belongs("orders2-value", "orders", false, topic_name));
  EXPECT_TRUE(belongs(":.s:orders-value", "orders", false, topic_name));
  EXPECT_TRUE(belongs("orders-shop.Order", "orders", false, topic_record_name));
  EXPECT_FALSE(belongs("orders-", "orders", false, topic_record_name));
  EXPECT_TRUE(belongs("shop.Order", "orders", false, record_name));
}

TEST(Naming, AFileTellsItsSubject) {
  EXPECT_EQ(subject_of_file("orders", "schemas", "shop.Order", topic_name), "orders-value");
  EXPECT_EQ(subject_of_file("orders-key", "schemas", "shop.Order", topic_name), "orders-key");
  EXPECT_EQ(subject_of_file("x", "schemas", "shop.Order", record_name), "shop.Order");
  EXPECT_EQ(subject_of_file("x", "orders", "shop.Order", topic_record_name), "orders-shop.Order");
  EXPECT_EQ(subject_of_file("x", "orders", "", topic_record_name), "");
}

TEST(Level, LooserIsWhatPromisesLess) {
  EXPECT_TRUE(loosened("BACKWARD", "NONE"));
  EXPECT_TRUE(loosened("FULL", "BACKWARD"));
  EXPECT_TRUE(loosened("BACKWARD", "FORWARD"));
  EXPECT_TRUE(loosened("BACKWARD_TRANSITIVE", "BACKWARD"));
  EXPECT_TRUE(loosened("BACKWARD_TRANSITIVE", "FULL"));
  EXPECT_FALSE(loosened("BACKWARD", "FULL"));
  EXPECT_FALSE(loosened("NONE", "BACKWARD"));
  EXPECT_FALSE(loosened("BACKWARD", "BACKWARD"));
  EXPECT_FALSE(level_named("SOMETHING_TRANSITIVE").transitive);
}

TEST(WireFormat, AnIdIsAZeroByteAndFourMore) {
  using namespace std::string_view_literals;
  EXPECT_EQ(schema_id("\0\0\0\1\2data"sv), 258);
  EXPECT_EQ(schema_id("\0\0\0\0\1"sv), 1);
  EXPECT_EQ(schema_id("{\"a\":1}"sv), std::nullopt);
  EXPECT_EQ(schema_id("\0\0\0\1"sv), std::nullopt);
  EXPECT_EQ(schema_id(""sv), std::nullopt);
  EXPECT_EQ(schema_id("\0\xff\0\0\1"sv), std::nullopt);
}

}  // namespace
}  // namespace weir::schemas
