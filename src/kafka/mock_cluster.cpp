#include "kafka/mock_cluster.h"

#include <array>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "kafka/connection.h"
#include "kafka/properties.h"

namespace weir::kafka {
namespace {

void on_log(const rd_kafka_t*, int, const char*, const char*) {}

struct MockDeleter {
  void operator()(rd_kafka_mock_cluster_t* cluster) const { rd_kafka_mock_cluster_destroy(cluster); }
};

core::Result<void> check(rd_kafka_resp_err_t code, const std::string& what) {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return core::fail(core::ErrorKind::invalid, what + ": " + rd_kafka_err2str(code));
}

}  // namespace

class MockCluster::Impl {
 public:
  Handle handle;  // librdkafka keeps its books in a client; outlives the cluster
  std::unique_ptr<rd_kafka_mock_cluster_t, MockDeleter> cluster;
  std::string bootstrap;
};

MockCluster::MockCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MockCluster::MockCluster(MockCluster&&) noexcept = default;
MockCluster& MockCluster::operator=(MockCluster&&) noexcept = default;
MockCluster::~MockCluster() = default;

core::Result<MockCluster> MockCluster::start(int brokers) {
  Conf conf = new_conf();
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  std::array<char, 512> reason{};
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), reason.data(), reason.size());
  if (handle == nullptr) return core::fail(core::ErrorKind::internal, reason.data());
  (void)conf.release();  // belongs to the handle now
  auto impl = std::make_unique<Impl>();
  impl->handle.reset(handle);
  impl->cluster.reset(rd_kafka_mock_cluster_new(handle, brokers));
  if (!impl->cluster) return core::fail(core::ErrorKind::internal, "cannot start a mock Kafka cluster on 127.0.0.1");
  impl->bootstrap = rd_kafka_mock_cluster_bootstraps(impl->cluster.get());
  return MockCluster(std::move(impl));
}

const std::string& MockCluster::bootstrap_servers() const { return impl_->bootstrap; }

core::Result<void> MockCluster::create_topic(const std::string& name, int partitions, int replication) {
  return check(rd_kafka_mock_topic_create(impl_->cluster.get(), name.c_str(), partitions, replication),
               "topic \"" + name + "\"");
}

core::Result<void> MockCluster::set_leader(const std::string& topic, std::int32_t partition, std::int32_t broker) {
  return check(rd_kafka_mock_partition_set_leader(impl_->cluster.get(), topic.c_str(), partition, broker),
               "topic \"" + topic + "\"");
}

core::Result<void> MockCluster::set_down(std::int32_t broker) {
  return check(rd_kafka_mock_broker_set_down(impl_->cluster.get(), broker), "broker " + std::to_string(broker));
}

core::Result<void> MockCluster::set_up(std::int32_t broker) {
  return check(rd_kafka_mock_broker_set_up(impl_->cluster.get(), broker), "broker " + std::to_string(broker));
}

core::Result<void> MockCluster::set_delay(std::int32_t broker, std::chrono::milliseconds delay) {
  return check(rd_kafka_mock_broker_set_rtt(impl_->cluster.get(), broker, static_cast<int>(delay.count())),
               "broker " + std::to_string(broker));
}

core::Result<void> MockCluster::move_coordinator(const std::string& group, std::int32_t broker) {
  return check(rd_kafka_mock_coordinator_set(impl_->cluster.get(), "group", group.c_str(), broker),
               "group \"" + group + "\"");
}

void MockCluster::fail_next(Request request, const std::vector<int>& codes) {
  std::vector<rd_kafka_resp_err_t> errors;
  for (const int code : codes) errors.push_back(static_cast<rd_kafka_resp_err_t>(code));
  rd_kafka_mock_push_request_errors_array(impl_->cluster.get(), static_cast<std::int16_t>(request), errors.size(),
                                          errors.data());
}

void MockCluster::fail_topic(const std::string& topic, int code) {
  rd_kafka_mock_topic_set_error(impl_->cluster.get(), topic.c_str(), static_cast<rd_kafka_resp_err_t>(code));
}

}  // namespace weir::kafka
