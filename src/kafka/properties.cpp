#include "kafka/properties.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <librdkafka/rdkafka.h>
#include <string_view>

#include "core/masking.h"

namespace weir::kafka {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

/// The values that librdkafka's own table permits: "plaintext, ssl, …" or "10 .. 300000", "" for any.
std::string permitted_values(std::string_view name) {
  char* table = nullptr;
  std::size_t size = 0;
  FILE* stream = open_memstream(&table, &size);
  if (stream == nullptr) return {};
  rd_kafka_conf_properties_show(stream);
  std::fclose(stream);
  const std::unique_ptr<char, decltype(&std::free)> owned(table, &std::free);
  std::string_view rest(table, size);
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    std::array<std::string_view, 3> columns;  // name, consumer or producer, range
    for (std::string_view& column : columns) {
      const std::size_t end = std::min(line.find('|'), line.size());
      column = trimmed(line.substr(0, end));
      line.remove_prefix(std::min(end + 1, line.size()));
    }
    if (columns[0] == name) return std::string(columns[2]);
  }
  return {};
}

}  // namespace

void ConfDeleter::operator()(rd_kafka_conf_s* conf) const { rd_kafka_conf_destroy(conf); }

Conf new_conf() { return Conf(rd_kafka_conf_new()); }

bool may_be_secret(std::string_view name) {
  constexpr std::array<std::string_view, 10> kWords = {"password", "passwd",     "secret", "key",      "token",
                                                       "jaas",     "credential", "oauth",  "username", "pem"};
  return std::ranges::any_of(kWords, [&](std::string_view word) { return name.find(word) != std::string_view::npos; });
}

core::Result<void> set_property(rd_kafka_conf_s* conf, const std::string& name, const core::Secret& value) {
  std::array<char, 512> reason{};
  const std::string& text = value.reveal();
  const auto outcome = rd_kafka_conf_set(conf, name.c_str(), text.c_str(), reason.data(), reason.size());
  if (outcome == RD_KAFKA_CONF_OK) return {};
  if (outcome == RD_KAFKA_CONF_UNKNOWN) return core::fail(core::ErrorKind::not_found, "unknown librdkafka property");
  std::string message = reason.data();
  message.erase(message.find_last_not_of(" \r\n") + 1);
  const std::string permitted = message.starts_with("Invalid value") ? permitted_values(name) : "";
  if (!permitted.empty()) message += " (permitted: " + permitted + ")";
  return core::fail(core::ErrorKind::invalid,
                    may_be_secret(name) ? core::without_secret(std::move(message), text) : message);
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
