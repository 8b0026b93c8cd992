#include "kafka/dead_letter_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/node.h"

namespace weir::kafka {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

TEST(DeadLetterHeadersTest, KafkaConnectNamesTopicConnectorAndException) {
  const DeadLetterReason reason = read_reason({
      {"trace", "1"},
      {"__connect.errors.topic", "orders"},
      {"__connect.errors.partition", "3"},
      {"__connect.errors.offset", "4711"},
      {"__connect.errors.connector.name", "sink-pg"},
      {"__connect.errors.task.id", "0"},
      {"__connect.errors.stage", "VALUE_CONVERTER"},
      {"__connect.errors.class.name", "io.confluent.connect.avro.AvroConverter"},
      {"__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.DataException"},
      {"__connect.errors.exception.message", "Unknown magic byte!"},
      {"__connect.errors.exception.stacktrace", "org.apache…\n\tat x"},
  });
  EXPECT_EQ(reason.origin, "orders");
  EXPECT_EQ(reason.origin_partition, 3);
  EXPECT_EQ(reason.origin_offset, 4711);
  EXPECT_EQ(reason.component, "connector sink-pg");
  EXPECT_EQ(reason.exception, "org.apache.kafka.connect.errors.DataException");
  EXPECT_EQ(reason.message, "Unknown magic byte!");
}

TEST(DeadLetterHeadersTest, SpringNamesItsCauseInPlaceOfTheWrapperAndHasBinaryNumbers) {
  const DeadLetterReason reason = read_reason({
      {"kafka_dlt-original-topic", "clicks"},
      {"kafka_dlt-original-partition", "\0\0\0\x05"s},
      {"kafka_dlt-original-offset", "\0\0\0\0\0\x01\0\0"s},
      {"kafka_dlt-original-consumer-group", "billing"},
      {"kafka_dlt-exception-fqcn", "org.springframework.kafka.listener.ListenerExecutionFailedException"},
      {"kafka_dlt-exception-cause-fqcn", "java.lang.IllegalStateException"},
      {"kafka_dlt-exception-message", "Listener failed; no such customer"},
  });
  EXPECT_EQ(reason.origin, "clicks");
  EXPECT_EQ(reason.origin_partition, 5);
  EXPECT_EQ(reason.origin_offset, 65536);
  EXPECT_EQ(reason.component, "consumer group billing");
  EXPECT_EQ(reason.exception, "java.lang.IllegalStateException");
  EXPECT_EQ(reason.message, "Listener failed; no such customer");
}

TEST(DeadLetterHeadersTest, AnExceptionThatIsNoWrapperIsNotReplacedByItsCause) {
  const DeadLetterReason reason = read_reason({{"kafka_dlt-exception-fqcn", "com.shop.PaymentRefused"},
                                               {"kafka_dlt-exception-cause-fqcn", "java.io.IOException"}});
  EXPECT_EQ(reason.exception, "com.shop.PaymentRefused");
}

TEST(DeadLetterHeadersTest, RetryTopicsAndCloudStreamAreUnderstoodToo) {
  EXPECT_EQ(read_reason({{"kafka_original-topic", "a"}, {"kafka_exception-fqcn", "E"}}).origin, "a");
  const DeadLetterReason reason =
      read_reason({{"x-original-topic", "b"}, {"x-exception-fqcn", "F"}, {"x-exception-message", "m"}});
  EXPECT_EQ(reason.origin, "b");
  EXPECT_EQ(reason.exception, "F");
  EXPECT_EQ(reason.message, "m");
}

TEST(DeadLetterHeadersTest, TheFirstOriginAndTheLastExceptionCount) {
  const DeadLetterReason reason = read_reason({{"kafka_dlt-original-topic", "orders"},
                                               {"kafka_dlt-exception-fqcn", "First"},
                                               {"kafka_dlt-original-topic", "orders.retry"},
                                               {"kafka_dlt-exception-fqcn", "Second"}});
  EXPECT_EQ(reason.origin, "orders");
  EXPECT_EQ(reason.exception, "Second");
}

TEST(DeadLetterHeadersTest, HeadersOfOnesOwnComeFirst) {
  const DeadLetterHeaders own{"x-origin", "x-error", "x-app", "x-text"};
  const DeadLetterReason reason = read_reason({{"__connect.errors.topic", "not this"},
                                               {"x-origin", "payments"},
                                               {"x-error", "Timeout"},
                                               {"x-app", "flink-job-7"},
                                               {"x-text", "no answer"}},
                                              own);
  EXPECT_EQ(reason.origin, "payments");
  EXPECT_EQ(reason.exception, "Timeout");
  EXPECT_EQ(reason.component, "flink-job-7");
  EXPECT_EQ(reason.message, "no answer");
}

TEST(DeadLetterHeadersTest, NumbersOfAnotherSizeOrSignAreNone) {
  for (const std::string& bytes : {""s, "\1"s, "\0\0\0\0\5"s, "\xff\xff\xff\xff"s}) {
    EXPECT_FALSE(read_reason({{"kafka_dlt-original-partition", bytes}}).origin_partition);
  }
  for (const char* text : {"", "-1", "1x", "99999999999999999999"}) {
    EXPECT_FALSE(read_reason({{"__connect.errors.offset", text}}).origin_offset) << text;
  }
}

TEST(DeadLetterHeadersTest, WithoutKnownHeadersNothingIsSaid) {
  EXPECT_TRUE(read_reason({}).empty());
  EXPECT_TRUE(read_reason({{"", "x"}, {"content-type", "json"}}).empty());
}

TEST(DeadLetterHeadersTest, WhateverIsInThemIsBoundedTextOfUtf8) {
  const DeadLetterReason reason = read_reason({{"__connect.errors.topic", std::string(10'000, 'x')},
                                               {"__connect.errors.exception.message", "a\xff\n\x1b[31mé\xe2\x82"s}});
  EXPECT_EQ(reason.origin.size(), 200U);
  EXPECT_EQ(reason.message, "a?  [31mé??");
}

TEST(CleanTextTest, NoCharacterIsCutInTwo) {
  EXPECT_EQ(clean_text("aé", 2), "a");
  EXPECT_EQ(clean_text("aé", 3), "aé");
  EXPECT_EQ(clean_text("\xed\xa0\x80", 9), "???");  // a surrogate
  EXPECT_EQ(clean_text("\xc0\xaf", 9), "??");       // overlong
  EXPECT_EQ(clean_text("\xf0\x9f\x98\x80", 9), "\xf0\x9f\x98\x80");
}

TEST(DeadLetterSettingsTest, NamesHeadersAndRefusesWhatItDoesNotKnow) {
  const auto parse = [](const std::string& text, config::Diagnostics& diagnostics) {
    const config::Node node = config::parse_yaml(text, "weir.yml", diagnostics);
    config::MapReader reader(node, diagnostics, "dead_letter");
    DeadLetterSettings settings = parse_dead_letter(reader);
    reader.finish();
    return settings;
  };
  config::Diagnostics good;
  const auto settings =
      parse("headers: {topic: x-origin, exception: x-error, component: x-app}\npreview: true\n", good);
  EXPECT_TRUE(good.ok());
  EXPECT_TRUE(settings.preview);
  EXPECT_EQ(settings.headers.component, "x-app");
  config::Diagnostics bad;
  parse("headers: {topics: x}\nsample: false\npreview: true\n", bad);
  EXPECT_EQ(bad.errors().size(), 2U);
}

}  // namespace
}  // namespace weir::kafka
