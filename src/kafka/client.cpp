#include "kafka/client.h"

#include <array>
#include <librdkafka/rdkafka.h>

#include "kafka/connection.h"
#include "kafka/errors.h"
#include "kafka/properties.h"

namespace weir::kafka {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

void on_log(const rd_kafka_t*, int, const char*, const char*) {}

struct HeadersDeleter {
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
};

core::Result<Conf> configure(const Pairs& own, const Properties& properties) {
  Conf conf = new_conf();
  for (const auto& [name, value] : own) {
    if (auto set = set_property(conf.get(), name, value); !set) return std::unexpected(std::move(set.error()));
  }
  for (const auto& [name, value] : properties) {
    if (auto set = set_property(conf.get(), name, value); !set) return std::unexpected(std::move(set.error()));
  }
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  return conf;
}

core::Result<Handle> new_handle(rd_kafka_type_t type, Conf conf) {
  std::array<char, 512> reason{};
  rd_kafka_t* handle = rd_kafka_new(type, conf.get(), reason.data(), reason.size());
  if (handle == nullptr) return core::fail(core::ErrorKind::invalid, reason.data());
  (void)conf.release();  // belongs to the handle now
  return Handle(handle);
}

std::string text_of(const void* data, std::size_t size) {
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

Message to_message(const rd_kafka_message_t& raw) {
  Message message;
  message.topic = rd_kafka_topic_name(raw.rkt);
  message.partition = raw.partition;
  message.offset = raw.offset;
  message.key = text_of(raw.key, raw.key_len);
  message.value = text_of(raw.payload, raw.len);
  message.timestamp = core::Time(std::chrono::milliseconds(rd_kafka_message_timestamp(&raw, nullptr)));
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&raw, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return message;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i) {
    message.headers.emplace_back(name, text_of(value, size));
  }
  return message;
}

}  // namespace

class Producer::Impl {
 public:
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
    auto& impl = *static_cast<Impl*>(self);
    if (message->err != 0 && impl.failure == 0) impl.failure = message->err;
  }

  int failure = 0;  // the first since the last flush
  Handle handle;
};

Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Producer::Producer(Producer&&) noexcept = default;
Producer& Producer::operator=(Producer&&) noexcept = default;
Producer::~Producer() = default;

core::Result<Producer> Producer::open(const std::string& brokers, const Properties& properties) {
  auto conf =
      configure({{"bootstrap.servers", brokers}, {"linger.ms", "5"}, {"message.timeout.ms", "30000"}}, properties);
  if (!conf) return std::unexpected(std::move(conf.error()));
  auto impl = std::make_unique<Impl>();
  rd_kafka_conf_set_opaque(conf->get(), impl.get());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), Impl::on_delivery);
  auto handle = new_handle(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!handle) return std::unexpected(std::move(handle.error()));
  impl->handle = std::move(*handle);
  return Producer(std::move(impl));
}

core::Result<void> Producer::produce(const std::string& topic, std::optional<std::int32_t> partition,
                                     std::string_view key, std::string_view value, const Headers& headers) {
  rd_kafka_poll(impl_->handle.get(), 0);
  std::unique_ptr<rd_kafka_headers_t, HeadersDeleter> raw(rd_kafka_headers_new(headers.size()));
  for (const auto& [name, text] : headers) {
    rd_kafka_header_add(raw.get(), name.c_str(), static_cast<ssize_t>(name.size()), text.data(),
                        static_cast<ssize_t>(text.size()));
  }
  const auto code = rd_kafka_producev(
      impl_->handle.get(), RD_KAFKA_V_TOPIC(topic.c_str()),
      RD_KAFKA_V_PARTITION(partition.value_or(RD_KAFKA_PARTITION_UA)), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()),
      RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_HEADERS(raw.get()), RD_KAFKA_V_END);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    (void)raw.release();  // belongs to the message now
    return {};
  }
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    return core::fail(core::ErrorKind::limit, "the producer's queue is full; flush, then try again");
  }
  return std::unexpected(to_error(code, "topic \"" + topic + "\"", {}));
}

core::Result<void> Producer::flush(std::chrono::milliseconds timeout) {
  const auto code = rd_kafka_flush(impl_->handle.get(), static_cast<int>(timeout.count()));
  const int failure = std::exchange(impl_->failure, 0);
  if (failure != 0) return std::unexpected(to_error(failure, "produce", {}));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(to_error(code, "produce", {}));
  return {};
}

class Consumer::Impl {
 public:
  Handle handle;
  bool closed = false;
};

Consumer::Consumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Consumer::Consumer(Consumer&&) noexcept = default;
Consumer& Consumer::operator=(Consumer&&) noexcept = default;
Consumer::~Consumer() {
  if (impl_) close();
}

core::Result<Consumer> Consumer::open(const std::string& brokers, const std::string& group,
                                      const std::vector<std::string>& topics, const Properties& properties) {
  auto conf = configure({{"bootstrap.servers", brokers},
                         {"group.id", group},
                         {"enable.auto.commit", "false"},
                         {"enable.auto.offset.store", "true"},
                         {"auto.offset.reset", "earliest"},
                         {"fetch.wait.max.ms", "100"}},
                        properties);
  if (!conf) return std::unexpected(std::move(conf.error()));
  auto handle = new_handle(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return std::unexpected(std::move(handle.error()));
  auto impl = std::make_unique<Impl>();
  impl->handle = std::move(*handle);
  rd_kafka_poll_set_consumer(impl->handle.get());
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(static_cast<int>(topics.size()));
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list, topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  const auto code = rd_kafka_subscribe(impl->handle.get(), list);
  rd_kafka_topic_partition_list_destroy(list);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    impl->closed = true;
    return std::unexpected(to_error(code, "group \"" + group + "\"", {}));
  }
  return Consumer(std::move(impl));
}

std::optional<Message> Consumer::poll(std::chrono::milliseconds timeout) {
  if (impl_->closed) return std::nullopt;
  rd_kafka_message_t* raw = rd_kafka_consumer_poll(impl_->handle.get(), static_cast<int>(timeout.count()));
  if (raw == nullptr) return std::nullopt;
  std::optional<Message> message;
  if (raw->err == 0) message = to_message(*raw);
  rd_kafka_message_destroy(raw);
  return message;
}

core::Result<void> Consumer::commit() {
  const auto code = rd_kafka_commit(impl_->handle.get(), nullptr, 0);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET) return {};
  return std::unexpected(to_error(code, "commit", {}));
}

void Consumer::close() {
  if (impl_->closed) return;
  impl_->closed = true;
  rd_kafka_consumer_close(impl_->handle.get());
}

}  // namespace weir::kafka
