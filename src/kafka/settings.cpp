#include "kafka/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <re2/re2.h>
#include <string_view>

#include "config/reader_checks.h"
#include "kafka/properties.h"

namespace weir::kafka {
namespace {

using config::MapReader;
using config::Node;

std::string quote(std::string_view text) { return "\"" + std::string(text) + "\""; }

/// Properties that Weir itself must set to read a cluster without side effects.
struct Reserved {
  std::string_view name;
  std::string_view instead;
};
constexpr std::array kReserved = {
    Reserved{"bootstrap.servers", "give the brokers under \"brokers\""},
    Reserved{"metadata.broker.list", "give the brokers under \"brokers\""},
    Reserved{"group.id", "Weir joins no group"},
    Reserved{"enable.auto.commit", "Weir commits nothing"},
    Reserved{"enable.auto.offset.store", "Weir commits nothing"},
    Reserved{"enable.partition.eof", "Weir sets it"},
    Reserved{"allow.auto.create.topics", "Weir creates no topics"},
    Reserved{"isolation.level", "Weir reads high watermarks"},
    Reserved{"test.mock.num.brokers", "use \"weir demo\""},
};

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

/// No name ends in a label of digits alone (RFC 1123, 2.1), and an address has four of them.
bool is_bare_number(std::string_view host) {
  return host.find('.') == std::string_view::npos && host.find_first_not_of("0123456789") == std::string_view::npos;
}

/// What is wrong with one `host:port`, if anything. An IPv6 address is written in brackets.
std::optional<std::string> broker_mistake(std::string_view broker) {
  if (const std::size_t scheme = broker.find("://"); scheme != std::string_view::npos) {
    return "write host:port without " + quote(broker.substr(0, scheme + 3)) +
           "; security.protocol goes into properties";
  }
  const std::size_t colon = broker.rfind(':');
  const bool has_port = colon != std::string_view::npos && broker.find(']', colon) == std::string_view::npos;
  const std::string_view host = has_port ? broker.substr(0, colon) : broker;
  if (host.empty()) return "the host is missing";
  if (host.front() != '[' && host.find(':') != std::string_view::npos) return "write an IPv6 address in brackets";
  if (host.find_first_of(" \t/") != std::string_view::npos || is_bare_number(host))
    return quote(host) + " is no host name";
  if (has_port && !is_port(broker.substr(colon + 1))) return "the port is not a number from 1 to 65535";
  return std::nullopt;
}

std::string read_brokers(MapReader& reader) {
  std::string joined;
  bool wrong = false;
  if (!reader.has("brokers")) reader.required_text("brokers");
  for (const std::string& entry : reader.text_list("brokers")) {
    std::size_t at = 0;
    while (at <= entry.size()) {
      const std::size_t end = std::min(entry.find(',', at), entry.size());
      std::string broker = entry.substr(at, end - at);
      at = end + 1;
      broker.erase(0, std::min(broker.find_first_not_of(" \t"), broker.size()));
      broker.erase(broker.find_last_not_of(" \t") + 1);
      if (auto mistake = broker_mistake(broker)) {
        reader.error("brokers", quote(broker) + ": " + *mistake);
        wrong = true;
      }
      joined += (joined.empty() ? "" : ",") + broker;
    }
  }
  if (reader.has("brokers") && joined.empty() && !wrong) reader.error("brokers", "name at least one host:port");
  return joined;
}

Patterns read_patterns(MapReader& reader, std::string_view key, const std::vector<std::string>& fallback) {
  Patterns patterns;
  if (!reader.has(key)) {
    for (const std::string& expression : fallback) (void)patterns.add(expression);
    return patterns;
  }
  for (const Node* item : reader.list(key)) {
    if (!item->is_scalar()) {
      reader.error(*item, quote(key) + ": expected a regular expression, found " + std::string(item->kind_name()));
      continue;
    }
    const auto added = patterns.add(config::expand_environment(*item, reader.diagnostics()));
    if (!added) reader.error(*item, quote(key) + ": " + added.error().message);
  }
  return patterns;
}

std::vector<std::string> sorted_names(MapReader& reader, std::string_view key) {
  std::vector<std::string> names = reader.text_list(key);
  if (std::ranges::any_of(names, [](const std::string& name) { return name.empty(); })) {
    reader.error(key, "a name must not be empty");
    std::erase(names, "");
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

NamedGroup read_named_group(const Node& item, config::Diagnostics& diagnostics, const std::string& what) {
  NamedGroup group;
  if (item.is_scalar()) {
    group.name = config::expand_environment(item, diagnostics);
    if (group.name.empty()) diagnostics.error(item.position(), what + ": a group's name must not be empty");
    return group;
  }
  MapReader reader(item, diagnostics, what + ", named group");
  group.name = reader.required_text("name");
  group.topics = sorted_names(reader, "topics");
  reader.finish();
  return group;
}

GroupFilter read_groups(const Node& node, config::Diagnostics& diagnostics, const std::string& what) {
  MapReader reader(node, diagnostics, what);
  GroupFilter groups;
  groups.filter.allow = read_patterns(reader, "allow", {});
  groups.filter.deny = read_patterns(reader, "deny", {});
  groups.read_committed = read_patterns(reader, "read_committed", {});
  groups.max = static_cast<std::size_t>(reader.integer("max", 5000, 1, 1'000'000));
  for (const Node* item : reader.list("names")) groups.named.push_back(read_named_group(*item, diagnostics, what));
  std::ranges::stable_sort(groups.named, {}, &NamedGroup::name);
  for (std::size_t i = 0; i < groups.named.size(); ++i) {
    const std::string& name = groups.named[i].name;
    if (i > 0 && groups.named[i - 1].name == name) reader.error("names", quote(name) + " is named twice");
    groups.filter.names.push_back(name);
  }
  reader.finish();
  return groups;
}

NameFilter read_topics(const Node& node, config::Diagnostics& diagnostics, const std::string& what) {
  MapReader reader(node, diagnostics, what);
  NameFilter topics;
  topics.allow = read_patterns(reader, "allow", {});
  topics.deny = read_patterns(reader, "deny", {"^__"});
  topics.names = sorted_names(reader, "names");
  reader.finish();
  return topics;
}

/// librdkafka's properties for OIDC, which Weir serves itself: a librdkafka without libcurl (Debian's) has none of
/// them.
std::string* token_property(std::string_view name, TokenSettings& token) {
  if (name == "sasl.oauthbearer.token.endpoint.url") return &token.url;
  if (name == "sasl.oauthbearer.client.id") return &token.client_id;
  if (name == "sasl.oauthbearer.scope") return &token.scope;
  if (name == "sasl.oauthbearer.extensions") return &token.extensions;
  if (name == "https.ca.location") return &token.ca_file;
  return nullptr;
}

constexpr std::string_view kTokenMethod = "sasl.oauthbearer.method";
constexpr std::string_view kTokenSecret = "sasl.oauthbearer.client.secret";

bool is_oidc(const Node& properties) {
  const Node* method = properties.find(kTokenMethod);
  return method != nullptr && method->is_scalar() && method->text() == "oidc";
}

/// True when the property is one of OIDC's, and is read.
bool read_token_property(const Node& key, const std::string& name, MapReader& reader, ClusterSettings& settings) {
  if (!settings.token) return false;
  if (name == kTokenMethod) return reader.text(name) == "oidc";
  if (name == kTokenSecret) {
    settings.token->client_secret = reader.secret(name);
    if (key.text() != name) settings.property_files.push_back({name, config::placed(reader.text(key.text()), key)});
    return true;
  }
  std::string* place = token_property(name, *settings.token);
  if (place == nullptr || key.text() != name) return false;
  *place = reader.text(name);
  if (name.ends_with(".location") && *place != "probe") *place = config::file_path(reader, name);
  return true;
}

void check_token(const Node& properties, MapReader& reader, const TokenSettings& token) {
  const auto wants = [&](bool given, std::string_view name) {
    if (!given) reader.error(properties, "sasl.oauthbearer.method: oidc needs " + quote(name));
  };
  wants(!token.url.empty(), "sasl.oauthbearer.token.endpoint.url");
  wants(!token.client_id.empty(), "sasl.oauthbearer.client.id");
  wants(!token.client_secret.empty(), "sasl.oauthbearer.client.secret");
}

/// Authorities may be in a directory as well, where OpenSSL looks for each by a hash of its name: 5ed36f99.0.
bool holds_hashed_certificates(const std::string& folder) {
  constexpr std::size_t kMostNames = 10'000;
  static const re2::RE2 kHashed("[0-9a-f]{8}\\.[0-9]+");
  std::error_code ignored;
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (re2::RE2::FullMatch(entry.path().filename().string(), kHashed)) return true;
    if (++seen == kMostNames) break;
  }
  return false;
}

void check_location(const Node& key, const std::string& name, const std::string& path, MapReader& reader) {
  std::error_code ignored;
  if (name != "ssl.ca.location" || !std::filesystem::is_directory(path, ignored))
    return config::check_file(reader, key.text(), path);
  if (!holds_hashed_certificates(path))
    reader.error(key, quote(path) +
                          " is a directory without certificates by their hash; name a file, or call openssl "
                          "rehash on it");
}

void read_property(const Node& key, MapReader& reader, ClusterSettings& settings, rd_kafka_conf_s* conf) {
  std::string name = key.text();
  const bool in_file = name.ends_with("_file");
  if (in_file) name.resize(name.size() - 5);
  if (read_token_property(key, name, reader, settings)) return;
  const auto same = [&](const auto& known) { return known.name == name; };
  if (const auto reserved = std::ranges::find_if(kReserved, same); reserved != kReserved.end()) {
    reader.has(key.text());
    return reader.error(key, quote(name) + " cannot be set: " + std::string(reserved->instead));
  }
  const std::size_t mistakes = reader.diagnostics().errors().size();
  core::Secret value = reader.secret(name);
  if (reader.diagnostics().errors().size() != mistakes) return;
  if (value.empty()) return reader.error(key, quote(key.text()) + " has no value");
  if (!in_file && (name == "sasl.mechanism" || name == "sasl.mechanisms")) {
    // librdkafka takes any text here, and knows it for a mistake when it connects.
    static const std::vector<std::string> kMechanisms{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI",
                                                      "OAUTHBEARER"};
    (void)reader.choice(key.text(), "PLAIN", kMechanisms);
  }
  // librdkafka looks for the system's authorities itself where it says "probe".
  if (name.ends_with(".location") && value.reveal() != "probe") {
    value = core::Secret(config::placed(value.reveal(), key));
    check_location(key, name, value.reveal(), reader);
  }
  const auto set = set_property(conf, name, value);
  if (set) {
    settings.properties.emplace_back(name, value);
    if (in_file) settings.property_files.push_back({name, config::placed(reader.text(key.text()), key)});
  } else if (set.error().kind == core::ErrorKind::not_found) {
    reader.error(key, "unknown librdkafka property " + quote(name) + config::did_you_mean(name, property_names()));
  } else {
    reader.error(key, quote(name) + ": " + set.error().message);
  }
}

void read_properties(const Node& node, config::Diagnostics& diagnostics, const std::string& what,
                     ClusterSettings& settings) {
  MapReader reader(node, diagnostics, what);
  const Conf conf = new_conf();
  if (is_oidc(node)) settings.token.emplace().timeout = settings.request_timeout;
  for (const auto& [key, value] : node.entries()) read_property(key, reader, settings, conf.get());
  if (settings.token) check_token(node, reader, *settings.token);
}

}  // namespace

ClusterSettings parse_cluster(const config::Node& node, config::Diagnostics& diagnostics) {
  ClusterSettings settings;
  const Node* named = node.find("name");
  const std::string what =
      named != nullptr && named->is_scalar() ? "kafka cluster " + quote(named->text()) : std::string("kafka cluster");
  MapReader reader(node, diagnostics, what);
  settings.name = reader.required_text("name");
  settings.brokers = read_brokers(reader);
  settings.interval = reader.duration("interval", settings.interval);
  settings.request_timeout = reader.duration("request_timeout", settings.request_timeout);
  if (settings.interval < std::chrono::milliseconds(100)) reader.error("interval", "must be at least 100ms");
  if (settings.request_timeout < std::chrono::milliseconds(100) || settings.request_timeout > std::chrono::minutes(5)) {
    reader.error("request_timeout", "must be from 100ms to 5m");
  }
  const Node none;
  const auto section = [&](std::string_view key) -> const Node& {
    const Node* child = reader.child(key);
    return child == nullptr ? none : *child;
  };
  read_properties(section("properties"), diagnostics, what + ", properties", settings);
  settings.groups = read_groups(section("groups"), diagnostics, what + ", groups");
  settings.topics = read_topics(section("topics"), diagnostics, what + ", topics");
  settings.transactions = reader.boolean("transactions", false);
  if (!settings.groups.read_committed.empty() && !settings.transactions) {
    reader.error("groups", "\"read_committed\" needs \"transactions: true\" beside \"groups\"");
  }
  MapReader dead_letter(section("dead_letter"), diagnostics, what + ", dead_letter");
  settings.dead_letter = read_patterns(dead_letter, "topics", {"[.-](dlt|dlq)$"});
  settings.dead_letters = parse_dead_letter(dead_letter);
  dead_letter.finish();
  settings.status = parse_status(section("status"), diagnostics, what + ", status");
  settings.metrics = parse_metrics(section("metrics"), diagnostics, what + ", metrics");
  settings.offsets_stream = reader.choice("offsets", "admin", {"admin", "stream"}) == "stream";
  if (const Node* canary = reader.child("canary")) {
    settings.canary = parse_canary(*canary, diagnostics, what + ", canary");
  }
  reader.finish();
  return settings;
}

}  // namespace weir::kafka
