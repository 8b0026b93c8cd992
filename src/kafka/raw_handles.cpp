#include "kafka/raw_handles.h"

#include <librdkafka/rdkafka.h>

namespace weir::kafka {

void RawDeleter::operator()(const struct rd_kafka_metadata* metadata) const { rd_kafka_metadata_destroy(metadata); }
void RawDeleter::operator()(rd_kafka_topic_partition_list_s* list) const {
  rd_kafka_topic_partition_list_destroy(list);
}
void RawDeleter::operator()(rd_kafka_message_s* message) const { rd_kafka_message_destroy(message); }
void RawDeleter::operator()(rd_kafka_op_s* event) const { rd_kafka_event_destroy(event); }
void RawDeleter::operator()(rd_kafka_AdminOptions_s* options) const { rd_kafka_AdminOptions_destroy(options); }
void RawDeleter::operator()(rd_kafka_ConfigResource_s* resource) const { rd_kafka_ConfigResource_destroy(resource); }

}  // namespace weir::kafka
