#include "kafka/connection.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <librdkafka/rdkafka.h>
#include <mutex>
#include <utility>

#include "kafka/errors.h"
#include "kafka/properties.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Time for every broker to be tried again before all are taken to be down still.
constexpr milliseconds kGrace{1500};

void on_log(const rd_kafka_t*, int, const char*, const char*) {}  // failures are told by on_error

bool given(const Properties& properties, std::string_view name) {
  return std::ranges::any_of(properties, [&](const auto& property) { return property.first == name; });
}

/// Every setting of Weir's own. Those of the first list give way to the user's.
core::Result<void> apply(rd_kafka_conf_t* conf, const ClusterSettings& settings, Isolation isolation) {
  const std::string timeout = std::to_string(settings.request_timeout.count());
  const std::string setup = std::to_string(std::max<milliseconds::rep>(1000, settings.request_timeout.count()));
  const std::array<std::pair<std::string, std::string>, 6> defaults = {{
      {"client.id", "weir"},
      {"socket.timeout.ms", timeout},
      {"socket.connection.setup.timeout.ms", setup},
      {"reconnect.backoff.ms", "100"},               // doubled with each try, and librdkafka varies it at random
      {"reconnect.backoff.max.ms", "500"},           // a broker that is back is seen in the next cycle
      {"topic.metadata.refresh.interval.ms", "-1"},  // each cycle asks for it
  }};
  const std::array<std::pair<std::string, std::string>, 12> fixed = {{
      {"bootstrap.servers", settings.brokers},
      {"allow.auto.create.topics", "false"},
      {"isolation.level", isolation == Isolation::read_committed ? "read_committed" : "read_uncommitted"},
      {"enable.partition.eof", "true"},
      {"group.id", "weir"},  // never joined, see open()
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      // The newest messages of dead-letter topics are fetched over the same connections: little, and no long polls.
      {"fetch.wait.max.ms", "10"},
      {"max.partition.fetch.bytes", "65536"},
      // A full queue would put off the partition's next fetch by a second, and so the next thing that is read of it.
      {"queued.min.messages", "100000"},
      {"queued.max.messages.kbytes", "1024"},
      {"fetch.error.backoff.ms", "100"},
  }};
  for (const auto& [name, value] : defaults) {
    if (given(settings.properties, name)) continue;
    if (auto set = set_property(conf, name, value); !set) return set;
  }
  for (const auto& [name, value] : settings.properties) {
    if (auto set = set_property(conf, name, value); !set) return set;
  }
  for (const auto& [name, value] : fixed) {
    if (auto set = set_property(conf, name, value); !set) return set;
  }
  return {};
}

}  // namespace

void HandleDeleter::operator()(rd_kafka_s* handle) const {
  rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}
void QueueDeleter::operator()(rd_kafka_queue_s* queue) const { rd_kafka_queue_destroy(queue); }
void TopicDeleter::operator()(rd_kafka_topic_s* topic) const { rd_kafka_topic_destroy(topic); }

milliseconds Budget::left(milliseconds cap) const {
  const auto remaining = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
  return std::clamp(remaining, milliseconds{0}, cap);
}

void Budget::pause(milliseconds span) const {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, left(span), [] { return false; });
}

Budget Budget::within(milliseconds span) const { return {std::min(deadline, steady_clock::now() + span), stop}; }

Connection::Connection(std::string brokers, milliseconds timeout)
    : brokers_(std::move(brokers)), timeout_(timeout), began_(steady_clock::now()) {}

Connection::~Connection() = default;

core::Result<std::unique_ptr<Connection>> Connection::open(const ClusterSettings& settings, Isolation isolation,
                                                           TokenSource token_source) {
  std::unique_ptr<Connection> connection(new Connection(settings.brokers, settings.request_timeout));
  Conf conf = new_conf();
  if (auto applied = apply(conf.get(), settings, isolation); !applied)
    return std::unexpected(std::move(applied.error()));
  rd_kafka_conf_set_opaque(conf.get(), connection.get());
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  if (settings.token && token_source) {
    connection->token_ = settings.token;
    connection->token_source_ = std::move(token_source);
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf.get(), on_token_wanted);
  }
  (void)rd_kafka_conf_set_ssl_cert_verify_cb(conf.get(), on_certificate);  // fails where librdkafka has no TLS
  std::array<char, 512> reason{};
  // A consumer: a producer's metadata requests would create topics.
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), reason.data(), reason.size());
  if (handle == nullptr) return core::fail(core::ErrorKind::invalid, reason.data());
  (void)conf.release();  // belongs to the handle now
  connection->handle_.reset(handle);
  // librdkafka 2.0 dereferences the client's own group when a coordinator turns out to be none any more. So there
  // is one, closed at once: it looks for no coordinator and joins nothing.
  rd_kafka_consumer_close(handle);
  for (const std::string& name : settings.topics.names) {
    if (rd_kafka_topic_t* topic = rd_kafka_topic_new(handle, name.c_str(), nullptr)) {
      connection->named_topics_.emplace_back(topic);
    }
  }
  return connection;
}

Queue Connection::new_queue() const { return Queue(rd_kafka_queue_new(handle_.get())); }

void Connection::begin() {
  poll();
  began_ = steady_clock::now();
  answered_ = false;
}

/// Called by poll(), so in the thread that uses the connection.
void Connection::on_token_wanted(rd_kafka_s* handle, const char*, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  give_token(handle, *connection.token_, connection.token_source_);
}

/// librdkafka's own words for a certificate that is refused do not say why.
int Connection::on_certificate(rd_kafka_s*, const char*, std::int32_t, int* error, int, const char*, std::size_t,
                               char* reason, std::size_t room, void* self) {
  if (*error == 0) return 1;
  static_cast<Connection*>(self)->certificate_error_ = *error;
  std::snprintf(reason, room, "%s", std::string(certificate_words(*error)).c_str());
  return 0;
}

void Connection::on_error(rd_kafka_s*, int code, const char* words, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  std::string reason = words;
  if (reason.find("certificate verify failed") != std::string::npos) {
    if (const int certificate = connection.certificate_error_; certificate != 0) {
      reason.append("; ").append(certificate_words(certificate));
    }
  }
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    connection.hopeless_ = true;
  }
  std::optional<Trouble>& trouble = connection.trouble_;
  // "All brokers are down" follows the reason why, which says more. The same of another broker or address says nothing
  // new, and a message that changed with each try would be logged with each.
  const bool known = trouble && (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
                                 (code == trouble->code && same_trouble(reason, trouble->reason)));
  if (!known) trouble = Trouble{code, std::move(reason)};
}

void Connection::poll() {
  while (rd_kafka_poll(handle_.get(), 0) > 0) {
  }
}

core::Error Connection::unreachable(std::string_view how) const {
  const int code = trouble_ ? trouble_->code : RD_KAFKA_RESP_ERR__TRANSPORT;
  const std::string detail = trouble_ ? trouble_->reason : std::string(how);
  return to_error(code, "brokers " + brokers_, detail);
}

std::optional<core::Error> Connection::give_up(const Budget& budget) {
  poll();
  if (answered_) {
    trouble_.reset();
    hopeless_ = false;
  }
  if (budget.stop.stop_requested()) return core::fail(core::ErrorKind::cancelled, "shutting down").error();
  if (!answered_ && hopeless_ && steady_clock::now() - began_ >= kGrace) return unreachable("all brokers are down");
  if (steady_clock::now() < budget.deadline) return std::nullopt;
  if (!answered_) return unreachable("no connection in time");
  return to_error(RD_KAFKA_RESP_ERR__TIMED_OUT, "brokers " + brokers_, {});
}

core::Error Connection::explain(int code, std::string_view subject, std::string_view detail) {
  poll();
  if (is_connection_error(code) && !answered_ && trouble_) return unreachable(detail);
  return to_error(code, subject.empty() ? "brokers " + brokers_ : std::string(subject), detail);
}

}  // namespace weir::kafka
