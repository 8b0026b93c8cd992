#include "kafka/canary.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <map>
#include <mutex>
#include <utility>

#include "kafka/canary_text.h"
#include "kafka/connection.h"
#include "kafka/errors.h"
#include "kafka/own_client.h"
#include "kafka/property_files.h"
#include "kafka/raw_handles.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

const std::vector<std::pair<std::string, std::string>> kDefaults = {{"client.id", "weir-canary"},
                                                                    {"reconnect.backoff.max.ms", "1000"}};
constexpr milliseconds kMetadataAge{30'000};
constexpr milliseconds kRefusedWait{60'000};
constexpr milliseconds kCallSpan{1000};  // of calls that do not look at the stop token
constexpr milliseconds kCreationSpan{5000};
constexpr milliseconds kCreationPause{100};

struct NewTopicDeleter {
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
};

milliseconds left(SteadyTime deadline, milliseconds cap) {
  const auto remaining = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
  return std::clamp(remaining, milliseconds{0}, cap);
}

core::Error denied(std::string_view subject, std::string_view right) {
  return core::fail(core::ErrorKind::denied, fmt::format("{}: not allowed; grant this user {}", subject, right))
      .error();
}

bool is_topic_denied(int code) { return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; }

class Link;

/// When brokers acknowledged canaries: noted by librdkafka's threads, since rd_kafka_message_latency() goes on counting
/// until it is asked.
class AckTimes {
 public:
  using Key = std::pair<std::int32_t, std::uint64_t>;  // partition, sequence

  static Key key_of(const rd_kafka_message_t& message) {
    return {message.partition, reinterpret_cast<std::uintptr_t>(message._private)};
  }

  void note(const rd_kafka_message_t& message) {
    const std::scoped_lock lock(mutex_);
    latencies_[key_of(message)] = rd_kafka_message_latency(&message);
  }

  void forget(const Key& key) {
    const std::scoped_lock lock(mutex_);
    latencies_.erase(key);
  }

  /// From handing it to the producer.
  core::Duration take(const rd_kafka_message_t& message) {
    const std::scoped_lock lock(mutex_);
    const auto found = latencies_.extract(key_of(message));
    const std::int64_t latency = found.empty() ? rd_kafka_message_latency(&message) : found.mapped();
    // Rounded up: less than a millisecond is not nothing.
    return std::chrono::ceil<core::Duration>(std::chrono::microseconds(std::max<std::int64_t>(0, latency)));
  }

 private:
  std::mutex mutex_;
  std::map<Key, std::int64_t> latencies_;  // no more than the producer's queue holds
};

/// A producer and a consumer, and what their callbacks are given.
struct Clients : OwnClient {
  Link* link = nullptr;
  AckTimes acks;
  std::optional<core::Error> trouble;  // the last with a broker
  Handle producer;                     // go first: their callbacks use the rest
  Handle consumer;
};

class Link : public CanaryLink {
 public:
  Link(const ClusterSettings& cluster, CanarySettings settings, TokenSource tokens)
      : cluster_(cluster),
        files_(cluster),
        tokens_(std::move(tokens)),
        settings_(std::move(settings)),
        instance_(canary_instance()) {}

  core::Result<void> open() {
    auto opened = open_clients();
    if (!opened) return std::unexpected(std::move(opened.error()));
    clients_ = std::move(*opened);
    return {};
  }

  core::Result<std::vector<std::int32_t>> prepare(SteadyTime deadline, const std::stop_token& stop) override {
    if (stop.stop_requested()) return core::fail(core::ErrorKind::cancelled, "shutting down");
    rd_kafka_poll(clients_->producer.get(), 0);
    follow_files(deadline);
    if (file_error_ && !news_.error) news_.error = file_error_;
    if (!assigned_.empty() && steady_clock::now() - read_at_ < kMetadataAge) return assigned_;
    auto partitions = read_partitions(*clients_, deadline);
    read_at_ = steady_clock::now();
    if (!partitions && partitions.error().retryable && !assigned_.empty()) {
      news_.error = std::move(partitions.error());  // canaries that wait say more than none
      return assigned_;
    }
    if (!partitions && partitions.error().kind == core::ErrorKind::not_found && settings_.create) {
      if (auto created = create(deadline); !created) return std::unexpected(std::move(created.error()));
      partitions = await_creation(std::min(deadline, steady_clock::now() + kCreationSpan), stop);
    }
    if (!partitions) return partitions;
    if (*partitions != assigned_) {
      if (auto assigned = assign(*partitions, deadline); !assigned) return std::unexpected(std::move(assigned.error()));
    }
    return partitions;
  }

  core::Result<SteadyTime> send(std::int32_t partition, std::uint64_t sequence) override {
    const std::string text = CanaryText{instance_, sequence}.write();
    const SteadyTime at = steady_clock::now();
    const auto code = rd_kafka_producev(
        clients_->producer.get(), RD_KAFKA_V_TOPIC(settings_.topic.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(const_cast<char*>(text.data()), text.size()),
        RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::uintptr_t>(sequence))), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return at;
    clients_->acks.forget({partition, sequence});
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      return core::fail(core::ErrorKind::limit, "the canary's producer still waits for earlier canaries");
    }
    return std::unexpected(to_error(code, topic(), {}));
  }

  CanaryNews poll(milliseconds timeout) override {
    const SteadyTime deadline = steady_clock::now() + timeout;
    while (true) {
      rd_kafka_poll(clients_->producer.get(), 0);
      // Short, since an acknowledgement does not wake the consumer. Its latency is of when it came.
      const RawMessage message(
          rd_kafka_consumer_poll(clients_->consumer.get(), static_cast<int>(left(deadline, milliseconds{20}).count())));
      if (message) take(*message);
      const bool any = !news_.deliveries.empty() || !news_.arrivals.empty() || news_.error;
      if (any || steady_clock::now() >= deadline) return std::exchange(news_, {});
    }
  }

  core::Result<core::Duration> commit(SteadyTime deadline) override {
    const PartitionList offsets(rd_kafka_topic_partition_list_new(static_cast<int>(next_.size())));
    for (const auto& [partition, offset] : next_) {
      rd_kafka_topic_partition_list_add(offsets.get(), settings_.topic.c_str(), partition)->offset = offset;
    }
    const Queue queue(rd_kafka_queue_new(clients_->consumer.get()));
    const SteadyTime began = steady_clock::now();
    auto code = rd_kafka_commit_queue(clients_->consumer.get(), offsets.get(), queue.get(), nullptr, nullptr);
    const std::string group = "group \"" + settings_.group + "\"";
    if (code != 0) return std::unexpected(to_error(code, group, {}));
    const Event event(rd_kafka_queue_poll(queue.get(), static_cast<int>(left(deadline, kCallSpan * 5).count())));
    if (!event) return std::unexpected(to_error(RD_KAFKA_RESP_ERR__TIMED_OUT, group + ", commit", {}));
    const auto took = std::chrono::duration_cast<core::Duration>(steady_clock::now() - began);
    code = rd_kafka_event_error(event.get());
    const rd_kafka_topic_partition_list_t* answered = rd_kafka_event_topic_partition_list(event.get());
    for (int i = 0; code == 0 && answered != nullptr && i < answered->cnt; ++i) code = answered->elems[i].err;
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
      return std::unexpected(denied(group, "READ on the group, so that the canary can commit"));
    }
    if (code != 0) return std::unexpected(to_error(code, group, {}));
    return took;
  }

  SteadyTime now() const override { return steady_clock::now(); }

 private:
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
    auto& clients = *static_cast<Clients*>(static_cast<OwnClient*>(self));
    Link& link = *clients.link;
    CanaryDelivery delivery;
    std::tie(delivery.partition, delivery.sequence) = AckTimes::key_of(*message);
    delivery.latency = clients.acks.take(*message);
    if (is_topic_denied(message->err)) {
      delivery.error = denied(link.topic(), "WRITE on the topic, so that the canary can produce");
    } else if (message->err != 0) {
      delivery.error = to_error(message->err, link.topic(), {});
    }
    link.news_.deliveries.push_back(std::move(delivery));
  }

  static rd_kafka_resp_err_t on_acknowledgement(rd_kafka_t*, rd_kafka_message_t* message, void* acks) {
    static_cast<AckTimes*>(acks)->note(*message);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }

  static rd_kafka_resp_err_t on_new(rd_kafka_t* client, const rd_kafka_conf_t*, void* acks, char*, std::size_t) {
    return rd_kafka_interceptor_add_on_acknowledgement(client, "canary", on_acknowledgement, acks);
  }

  static void on_error(rd_kafka_t*, int code, const char* reason, void* self) {
    auto& clients = *static_cast<Clients*>(static_cast<OwnClient*>(self));
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !clients.trouble) {
      clients.trouble = to_error(code, "brokers " + clients.link->cluster_.brokers, reason);
    }
  }

  std::string topic() const { return "topic \"" + settings_.topic + "\""; }

  /// A failed call, explained by the last trouble with a broker.
  static core::Error explained(const Clients& clients, int code, std::string_view subject) {
    return is_connection_error(code) && clients.trouble ? *clients.trouble : to_error(code, subject, {});
  }

  core::Result<std::unique_ptr<Clients>> open_clients() {
    const auto cluster = files_.read(cluster_);
    if (!cluster) return std::unexpected(cluster.error());
    auto clients = std::make_unique<Clients>();
    clients->link = this;
    clients->token_source = tokens_;
    if (auto opened = open_consumer(*cluster, *clients); !opened) return std::unexpected(std::move(opened.error()));
    if (auto opened = open_producer(*cluster, *clients); !opened) return std::unexpected(std::move(opened.error()));
    return clients;
  }

  core::Result<void> open_producer(const ClusterSettings& cluster, Clients& clients) const {
    auto conf = own_configuration(cluster, kDefaults,
                                  {{"bootstrap.servers", cluster.brokers},
                                   {"allow.auto.create.topics", "false"},
                                   {"acks", "all"},
                                   {"linger.ms", "0"},
                                   {"queue.buffering.max.messages", "100000"},
                                   {"message.timeout.ms", std::to_string(settings_.lost_after.count())}});
    if (!conf) return std::unexpected(std::move(conf.error()));
    use_tokens(conf->get(), cluster, clients);
    rd_kafka_conf_set_dr_msg_cb(conf->get(), on_delivery);
    rd_kafka_conf_interceptor_add_on_new(conf->get(), "canary", on_new, &clients.acks);
    rd_kafka_conf_set_error_cb(conf->get(), on_error);
    auto producer = own_producer(std::move(*conf));
    if (!producer) return std::unexpected(std::move(producer.error()));
    clients.producer = std::move(*producer);
    return {};
  }

  core::Result<void> open_consumer(const ClusterSettings& cluster, Clients& clients) const {
    auto conf = own_configuration(cluster, kDefaults,
                                  {{"bootstrap.servers", cluster.brokers},
                                   {"allow.auto.create.topics", "false"},
                                   {"group.id", settings_.group},
                                   {"enable.auto.commit", "false"},
                                   {"enable.auto.offset.store", "false"},
                                   {"auto.offset.reset", "latest"},
                                   {"queued.max.messages.kbytes", "4096"},
                                   {"fetch.error.backoff.ms", "100"}});
    if (!conf) return std::unexpected(std::move(conf.error()));
    use_tokens(conf->get(), cluster, clients);
    rd_kafka_conf_set_error_cb(conf->get(), on_error);
    auto consumer = own_consumer(std::move(*conf));
    if (!consumer) return std::unexpected(std::move(consumer.error()));
    clients.consumer = std::move(*consumer);
    rd_kafka_poll_set_consumer(clients.consumer.get());
    return {};
  }

  /// New certificates or passwords are tried by clients of their own; the old ones go when these are let in.
  void follow_files(SteadyTime deadline) {
    if (files_.changed()) {
      candidate_.reset();
      try_at_ = steady_clock::now();
    }
    if (!try_at_ || steady_clock::now() < *try_at_) return;
    if (!candidate_) {
      auto opened = open_clients();
      if (!opened) return refuse_files(opened.error());
      candidate_ = std::move(*opened);
    }
    serve(*candidate_);
    const auto tried = read_partitions(*candidate_, std::min(deadline, steady_clock::now() + kCallSpan));
    if (tried) {
      use_candidate(deadline);
    } else if (tried.error().kind == core::ErrorKind::not_found) {
      use_candidate(deadline);  // it was let in
    } else {
      serve(*candidate_);
      refuse_files(tried.error().retryable && candidate_->trouble ? *candidate_->trouble : tried.error());
    }
  }

  /// Tokens that are asked for, and why a connection failed. Of clients that are assigned nothing: no message is lost.
  static void serve(Clients& clients) {
    rd_kafka_poll(clients.producer.get(), 0);
    const RawMessage nothing(rd_kafka_consumer_poll(clients.consumer.get(), 0));
  }

  void use_candidate(SteadyTime deadline) {
    rd_kafka_flush(clients_->producer.get(), static_cast<int>(left(deadline, kCallSpan).count()));
    clients_ = std::move(candidate_);
    assigned_.clear();
    try_at_.reset();
    file_error_.reset();
  }

  void refuse_files(const core::Error& error) {
    file_error_ = error;
    file_error_->message =
        files_.names() + " changed and cannot be used, so what was there before still is: " + error.message;
    if (error.kind != core::ErrorKind::denied && candidate_) return;
    candidate_.reset();  // logins that are refused again and again lock accounts
    try_at_ = steady_clock::now() + kRefusedWait;
  }

  core::Result<std::vector<std::int32_t>> read_partitions(Clients& clients, SteadyTime deadline) {
    // Of the consumer, whose requests create nothing.
    rd_kafka_topic_t* raw = rd_kafka_topic_new(clients.consumer.get(), settings_.topic.c_str(), nullptr);
    const TopicHandle handle(raw);
    if (!handle) return core::fail(core::ErrorKind::invalid, "\"" + settings_.topic + "\" is no topic name");
    const rd_kafka_metadata_t* found = nullptr;
    const auto code = rd_kafka_metadata(clients.consumer.get(), 0, raw, &found,
                                        static_cast<int>(left(deadline, 2 * kCallSpan).count()));
    const RawMetadata metadata(found);
    if (code != 0) return std::unexpected(explained(clients, code, topic()));
    clients.trouble.reset();
    broker_count_ = metadata->broker_cnt;
    if (metadata->topic_cnt != 1) return core::fail(core::ErrorKind::protocol, topic() + ": no answer about it");
    const rd_kafka_metadata_topic_t& told = metadata->topics[0];
    if (told.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      assigned_.clear();
      return core::fail(core::ErrorKind::not_found,
                        topic() + " does not exist; create it, with a partition for each broker, or set create: true");
    }
    if (is_topic_denied(told.err)) {
      return std::unexpected(denied(topic(), "DESCRIBE, READ and WRITE on the topic, and READ on the group"));
    }
    if (told.err != 0) return std::unexpected(to_error(told.err, topic(), {}));
    std::vector<std::int32_t> partitions;
    for (int i = 0; i < told.partition_cnt; ++i) partitions.push_back(told.partitions[i].id);
    std::ranges::sort(partitions);
    return partitions;
  }

  /// One partition for each broker, so that each of them leads one.
  core::Result<void> create(SteadyTime deadline) {
    std::array<char, 512> reason{};
    const int copies = std::min(3, std::max(1, broker_count_));
    const std::unique_ptr<rd_kafka_NewTopic_t, NewTopicDeleter> wanted(rd_kafka_NewTopic_new(
        settings_.topic.c_str(), std::max(1, broker_count_), copies, reason.data(), reason.size()));
    if (!wanted) return core::fail(core::ErrorKind::invalid, topic() + ": " + reason.data());
    rd_kafka_NewTopic_set_config(wanted.get(), "retention.ms", "3600000");
    const Queue queue(rd_kafka_queue_new(clients_->consumer.get()));
    std::array<rd_kafka_NewTopic_t*, 1> topics = {wanted.get()};
    rd_kafka_CreateTopics(clients_->consumer.get(), topics.data(), topics.size(), nullptr, queue.get());
    const Event event(rd_kafka_queue_poll(queue.get(), static_cast<int>(left(deadline, 5 * kCallSpan).count())));
    if (!event) return std::unexpected(explained(*clients_, RD_KAFKA_RESP_ERR__TIMED_OUT, topic() + ", create"));
    int code = rd_kafka_event_error(event.get());
    std::size_t count = 0;
    if (const auto* result = rd_kafka_event_CreateTopics_result(event.get()); code == 0 && result != nullptr) {
      const auto* results = rd_kafka_CreateTopics_result_topics(result, &count);
      if (count == 1) code = rd_kafka_topic_result_error(results[0]);
    }
    if (code == 0 || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return {};
    if (is_topic_denied(code) || code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
      return std::unexpected(
          denied(topic(), "CREATE on the topic, or create it by hand, with a partition for each broker"));
    }
    return std::unexpected(explained(*clients_, code, topic() + ", create"));
  }

  /// Brokers learn of a new topic one after the other.
  core::Result<std::vector<std::int32_t>> await_creation(SteadyTime until, const std::stop_token& stop) {
    while (true) {
      auto partitions = read_partitions(*clients_, until);
      if (partitions) return partitions;
      if (partitions.error().kind != core::ErrorKind::not_found && !partitions.error().retryable) return partitions;
      if (stop.stop_requested()) return core::fail(core::ErrorKind::cancelled, "shutting down");
      if (steady_clock::now() + kCreationPause >= until) {
        read_at_ = {};  // to look again in the next cycle
        return core::fail(core::ErrorKind::unavailable,
                          topic() + " is being created; it is looked for again next cycle");
      }
      rd_kafka_poll(clients_->producer.get(), static_cast<int>(kCreationPause.count()));
    }
  }

  /// From where each was read to, else from its end.
  core::Result<void> assign(const std::vector<std::int32_t>& partitions, SteadyTime deadline) {
    const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
    for (const std::int32_t partition : partitions) {
      rd_kafka_topic_partition_list_add(list.get(), settings_.topic.c_str(), partition)->offset = -1;  // the end
    }
    auto code = rd_kafka_offsets_for_times(clients_->consumer.get(), list.get(),
                                           static_cast<int>(left(deadline, 5 * kCallSpan).count()));
    if (is_topic_denied(code))
      return std::unexpected(denied(topic(), "READ on the topic, so that the canary can consume"));
    if (code != 0) return std::unexpected(explained(*clients_, code, topic()));
    for (int i = 0; i < list->cnt; ++i) {
      rd_kafka_topic_partition_t& element = list->elems[i];
      if (element.err != 0 || element.offset < 0) element.offset = RD_KAFKA_OFFSET_END;
      element.err = RD_KAFKA_RESP_ERR_NO_ERROR;
      const auto before = places_.find(element.partition);
      if (before != places_.end() && element.offset >= before->second) element.offset = before->second;
      if (element.offset >= 0) places_[element.partition] = element.offset;
    }
    code = rd_kafka_assign(clients_->consumer.get(), list.get());
    if (code != 0) return std::unexpected(to_error(code, topic(), {}));
    assigned_ = partitions;
    return {};
  }

  void take(const rd_kafka_message_t& message) {
    if (message.err != 0) {
      if (message.err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) return;  // commit() says so
      if (is_topic_denied(message.err)) {
        news_.error = denied(topic(), "READ on the topic, so that the canary can consume");
      } else if (!is_connection_error(message.err)) {
        news_.error = to_error(message.err, topic(), rd_kafka_message_errstr(&message));
      }
      return;
    }
    next_[message.partition] = places_[message.partition] = message.offset + 1;
    const auto text = CanaryText::read({static_cast<const char*>(message.payload), message.len});
    if (!text || text->instance != instance_) return;
    news_.arrivals.push_back({message.partition, text->sequence, steady_clock::now()});
  }

  const ClusterSettings cluster_;
  PropertyFiles files_;
  TokenSource tokens_;
  const CanarySettings settings_;
  const std::string instance_;
  CanaryNews news_;
  std::optional<SteadyTime> try_at_;       // files changed, and the clients do not use them yet
  std::optional<core::Error> file_error_;  // why not
  int broker_count_ = 1;
  SteadyTime read_at_;  // the partitions
  std::vector<std::int32_t> assigned_;
  std::map<std::int32_t, std::int64_t> next_;    // offsets to commit
  std::map<std::int32_t, std::int64_t> places_;  // to read on from
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<Clients> candidate_;  // with files that changed
};

}  // namespace

CanarySettings parse_canary(const config::Node& node, config::Diagnostics& diagnostics, const std::string& what) {
  CanarySettings settings;
  config::MapReader reader(node, diagnostics, what);
  settings.topic = reader.required_text("topic");
  settings.group = reader.text("group", settings.group);
  settings.interval = reader.duration("interval", settings.interval);
  settings.late_after = reader.duration("late_after", settings.late_after);
  settings.lost_after = reader.duration("lost_after", settings.lost_after);
  settings.create = reader.boolean("create", settings.create);
  if (settings.interval < milliseconds(500)) reader.error("interval", "must be at least 500ms");
  if (settings.late_after < milliseconds(1)) reader.error("late_after", "must be at least 1ms");
  if (settings.lost_after < settings.late_after || settings.lost_after < std::chrono::seconds(1) ||
      settings.lost_after > std::chrono::minutes(5)) {
    reader.error("lost_after", "must be from 1s to 5m, and no less than late_after");
  }
  if (reader.has("group") && settings.group.empty()) reader.error("group", "must not be empty");
  reader.finish();
  return settings;
}

core::Result<std::unique_ptr<CanaryLink>> open_canary(const ClusterSettings& cluster, const CanarySettings& settings,
                                                      TokenSource token_source) {
  auto link = std::make_unique<Link>(cluster, settings, std::move(token_source));
  if (auto opened = link->open(); !opened) return std::unexpected(std::move(opened.error()));
  return link;
}

}  // namespace weir::kafka
