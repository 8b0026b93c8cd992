#pragma once

#include <memory>

struct rd_kafka_metadata;
struct rd_kafka_topic_partition_list_s;
struct rd_kafka_message_s;
struct rd_kafka_op_s;
struct rd_kafka_AdminOptions_s;
struct rd_kafka_ConfigResource_s;

/// Owners of what librdkafka gives out.
namespace weir::kafka {

struct RawDeleter {
  void operator()(const struct rd_kafka_metadata* metadata) const;
  void operator()(rd_kafka_topic_partition_list_s* list) const;
  void operator()(rd_kafka_message_s* message) const;
  void operator()(rd_kafka_op_s* event) const;
  void operator()(rd_kafka_AdminOptions_s* options) const;
  void operator()(rd_kafka_ConfigResource_s* resource) const;
};
using RawMetadata = std::unique_ptr<const struct rd_kafka_metadata, RawDeleter>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_s, RawDeleter>;
using RawMessage = std::unique_ptr<rd_kafka_message_s, RawDeleter>;
using Event = std::unique_ptr<rd_kafka_op_s, RawDeleter>;
using Options = std::unique_ptr<rd_kafka_AdminOptions_s, RawDeleter>;
using Resource = std::unique_ptr<rd_kafka_ConfigResource_s, RawDeleter>;

}  // namespace weir::kafka
