#include "kafka/own_client.h"

#include <array>
#include <librdkafka/rdkafka.h>

namespace weir::kafka {
namespace {

void on_log(const rd_kafka_t*, int, const char*, const char*) {}

void on_token_wanted(rd_kafka_t* handle, const char*, void* self) {
  const auto& own = *static_cast<OwnClient*>(self);
  give_token(handle, *own.token, own.token_source);
}

core::Result<Handle> new_handle(rd_kafka_type_t type, Conf& conf) {
  std::array<char, 512> reason{};
  rd_kafka_t* handle = rd_kafka_new(type, conf.get(), reason.data(), reason.size());
  if (handle == nullptr) return core::fail(core::ErrorKind::invalid, reason.data());
  (void)conf.release();  // belongs to the handle now
  rd_kafka_poll(handle, 0);
  return Handle(handle);
}

}  // namespace

core::Result<Conf> own_configuration(const ClusterSettings& cluster,
                                     const std::vector<std::pair<std::string, std::string>>& defaults,
                                     const std::vector<std::pair<std::string, std::string>>& own) {
  Conf conf = new_conf();
  for (const auto& [name, value] : defaults) {
    if (auto set = set_property(conf.get(), name, value); !set) return std::unexpected(std::move(set.error()));
  }
  for (const auto& [name, value] : cluster.properties) {
    if (auto set = set_property(conf.get(), name, value); !set) return std::unexpected(std::move(set.error()));
  }
  for (const auto& [name, value] : own) {
    if (auto set = set_property(conf.get(), name, value); !set) return std::unexpected(std::move(set.error()));
  }
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  return conf;
}

void use_tokens(rd_kafka_conf_s* conf, const ClusterSettings& cluster, OwnClient& own) {
  rd_kafka_conf_set_opaque(conf, &own);
  own.token = cluster.token;
  if (own.token && own.token_source) rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_wanted);
}

core::Result<Handle> own_consumer(Conf conf) { return new_handle(RD_KAFKA_CONSUMER, conf); }

core::Result<Handle> own_producer(Conf conf) {
  auto handle = new_handle(RD_KAFKA_PRODUCER, conf);
  (void)conf.release();  // lost where it is refused: librdkafka 2.0.2 frees the interceptors of such a one itself
  return handle;
}

}  // namespace weir::kafka
