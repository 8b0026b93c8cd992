#include "kafka/properties.h"

#include <array>
#include <librdkafka/rdkafka.h>
#include <string_view>

namespace weir::kafka {
namespace {

std::string without(std::string text, const std::string& secret) {
  if (secret.empty()) return text;
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), core::Secret::kShown);
    at += core::Secret::kShown.size();
  }
  return text;
}

}  // namespace

void ConfDeleter::operator()(rd_kafka_conf_s* conf) const { rd_kafka_conf_destroy(conf); }

Conf new_conf() { return Conf(rd_kafka_conf_new()); }

core::Result<void> set_property(rd_kafka_conf_s* conf, const std::string& name, const core::Secret& value) {
  std::array<char, 512> reason{};
  const std::string& text = value.reveal();
  const auto outcome = rd_kafka_conf_set(conf, name.c_str(), text.c_str(), reason.data(), reason.size());
  if (outcome == RD_KAFKA_CONF_OK) return {};
  if (outcome == RD_KAFKA_CONF_UNKNOWN) return core::fail(core::ErrorKind::not_found, "unknown librdkafka property");
  return core::fail(core::ErrorKind::invalid, without(reason.data(), text));
}

core::Result<void> set_property(rd_kafka_conf_s* conf, const std::string& name, const std::string& value) {
  return set_property(conf, name, core::Secret(value));
}

std::vector<std::string> property_names() {
  const Conf conf = new_conf();
  std::size_t count = 0;
  const char** entries = rd_kafka_conf_dump(conf.get(), &count);
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 1 < count; i += 2) names.emplace_back(entries[i]);
  rd_kafka_conf_dump_free(entries, count);
  for (const char* name : {"sasl.username", "sasl.password", "ssl.ca.location", "ssl.certificate.location",
                           "ssl.key.location", "ssl.key.password", "sasl.oauthbearer.config"}) {
    names.emplace_back(name);  // have no default
  }
  return names;
}

}  // namespace weir::kafka
