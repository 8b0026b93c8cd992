#include "kafka/offsets_stream.h"

#include <algorithm>
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <utility>

#include "kafka/errors.h"
#include "kafka/own_client.h"
#include "kafka/property_files.h"
#include "kafka/raw_handles.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSpan{1000};
constexpr milliseconds kPollSpan{50};
constexpr milliseconds kRetry = std::chrono::minutes(5);
constexpr milliseconds kRenewRetry = std::chrono::minutes(1);  // logins that are refused again and again lock accounts
constexpr milliseconds kRetryMissing{10'000};                  // of a topic that the first commit creates
constexpr const char* kTopic = "__consumer_offsets";

core::Error failed(int code, std::string_view detail = {}) {
  if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
    return core::fail(core::ErrorKind::denied,
                      std::string(kTopic) + ": not allowed; grant this user DESCRIBE and READ on that topic")
        .error();
  }
  return to_error(code, kTopic, detail);
}

}  // namespace

/// The consumer of the topic, and how far it has read.
struct OffsetsStream::Client : OwnClient {
  struct Place {
    std::int64_t reached = -1;  // all before it was taken
    std::int64_t end = -1;      // last stable offset when this cycle began; -1 where that is not known
    bool current() const { return end >= 0 && reached >= end; }
  };

  Handle handle;
  std::map<std::int32_t, Place> places;

  /// End of each partition, as a committed transaction's reader may read it.
  core::Result<PartitionList> read_ends(const Budget& budget) const {
    PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(places.size())));
    for (const auto& [id, place] : places) rd_kafka_topic_partition_list_add(list.get(), kTopic, id)->offset = -1;
    const auto code =
        rd_kafka_offsets_for_times(handle.get(), list.get(), static_cast<int>(budget.left(kSpan).count()));
    if (code != 0) return std::unexpected(failed(code));
    return list;
  }

  core::Result<void> find_partitions(const Budget& budget) {
    rd_kafka_topic_t* raw = rd_kafka_topic_new(handle.get(), kTopic, nullptr);
    const TopicHandle topic(raw);
    const rd_kafka_metadata_t* found = nullptr;
    const auto code = rd_kafka_metadata(handle.get(), 0, raw, &found, static_cast<int>(budget.left(kSpan).count()));
    const RawMetadata metadata(found);
    if (code != 0) return std::unexpected(failed(code));
    if (metadata->topic_cnt != 1) return core::fail(core::ErrorKind::protocol, "no answer about the topic");
    if (metadata->topics[0].err != 0) return std::unexpected(failed(metadata->topics[0].err));
    for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) places[metadata->topics[0].partitions[i].id];
    return {};
  }

  /// From the ends as they are now: what is committed later comes as a record.
  core::Result<void> start(const Budget& budget) {
    if (auto found = find_partitions(budget); !found) return found;
    auto ends = read_ends(budget);
    if (!ends) return std::unexpected(std::move(ends.error()));
    for (int i = 0; i < (*ends)->cnt; ++i) {
      rd_kafka_topic_partition_t& element = (*ends)->elems[i];
      if (element.err != 0 || element.offset < 0) return std::unexpected(failed(element.err));
      places[element.partition].reached = element.offset;
    }
    const auto code = rd_kafka_assign(handle.get(), ends->get());
    if (code != 0) return std::unexpected(failed(code));
    return {};
  }

  /// From where `other` has read to.
  core::Result<void> take_over(const Client& other, const Budget& budget) {
    if (auto found = find_partitions(budget); !found) return found;
    if (places.size() != other.places.size()) return core::fail(core::ErrorKind::unavailable, "its partitions changed");
    places = other.places;
    const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(places.size())));
    for (const auto& [id, place] : places) {
      rd_kafka_topic_partition_list_add(list.get(), kTopic, id)->offset = place.reached;
    }
    const auto code = rd_kafka_assign(handle.get(), list.get());
    if (code != 0) return std::unexpected(failed(code));
    return {};
  }

  void note_ends(const Budget& budget) {
    for (auto& [id, place] : places) place.end = -1;
    const auto ends = read_ends(budget);
    if (!ends) return;
    for (int i = 0; i < (*ends)->cnt; ++i) {
      const rd_kafka_topic_partition_t& element = (*ends)->elems[i];
      if (element.err == 0 && element.offset >= 0) places[element.partition].end = element.offset;
    }
  }

  bool current() const {
    return std::ranges::all_of(places, [](const auto& entry) { return entry.second.current(); });
  }
  /// Whether something is missing that may still come.
  bool waits() const {
    return std::ranges::any_of(
        places, [](const auto& entry) { return entry.second.end >= 0 && entry.second.reached < entry.second.end; });
  }

  core::Result<void> read(const Budget& budget, CommitTable& table) {
    while (budget.left(kSpan) > milliseconds{0} && !budget.stop.stop_requested()) {
      const int timeout = waits() ? static_cast<int>(budget.left(kPollSpan).count()) : 0;
      const RawMessage message(rd_kafka_consumer_poll(handle.get(), timeout));
      if (!message) {
        if (timeout == 0) return {};
        continue;
      }
      if (auto taken = take(*message, table); !taken) return taken;
    }
    return {};
  }

  core::Result<void> take(const rd_kafka_message_t& message, CommitTable& table) {
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      Place& place = places[message.partition];
      place.reached = std::max(place.reached, message.offset);
      return {};
    }
    // Groups' rights are no matter of a consumer that joins none; brokers that are away come back.
    if (message.err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED || is_connection_error(message.err)) return {};
    if (message.err != 0) return std::unexpected(failed(message.err, rd_kafka_message_errstr(&message)));
    const std::string_view key(static_cast<const char*>(message.key), message.key == nullptr ? 0 : message.key_len);
    std::optional<std::string_view> value;
    if (message.payload != nullptr) value.emplace(static_cast<const char*>(message.payload), message.len);
    table.apply(decode_offsets_record(key, value));
    Place& place = places[message.partition];
    place.reached = std::max(place.reached, message.offset + 1);
    return {};
  }
};

OffsetsStream::OffsetsStream(const ClusterSettings& settings, TokenSource token_source)
    : settings_(settings), token_source_(std::move(token_source)), files_(settings) {}
OffsetsStream::~OffsetsStream() = default;

core::Result<std::unique_ptr<OffsetsStream::Client>> OffsetsStream::open() {
  const auto cluster = files_.read(settings_);
  if (!cluster) return std::unexpected(cluster.error());
  auto conf = own_configuration(*cluster, {{"client.id", "weir-offsets"}, {"reconnect.backoff.max.ms", "500"}},
                                {{"bootstrap.servers", cluster->brokers},
                                 {"allow.auto.create.topics", "false"},
                                 {"group.id", "weir"},  // never joined
                                 {"enable.auto.commit", "false"},
                                 {"enable.auto.offset.store", "false"},
                                 {"enable.partition.eof", "true"},
                                 {"isolation.level", "read_committed"},  // transactions commit offsets too
                                 {"auto.offset.reset", "error"},         // what is skipped would not be noticed
                                 {"queued.max.messages.kbytes", "16384"},
                                 {"fetch.wait.max.ms", "200"},
                                 {"fetch.error.backoff.ms", "200"}});
  if (!conf) return std::unexpected(std::move(conf.error()));
  auto client = std::make_unique<Client>();
  client->token_source = token_source_;
  use_tokens(conf->get(), *cluster, *client);
  auto handle = own_consumer(std::move(*conf));
  if (!handle) return std::unexpected(std::move(handle.error()));
  client->handle = std::move(*handle);
  rd_kafka_poll_set_consumer(client->handle.get());
  return client;
}

/// While the new client is not let in, the old one serves; the cluster's other clients say that the files are wrong.
void OffsetsStream::renew(const Budget& budget) {
  auto fresh = open();
  if (fresh && (*fresh)->take_over(*client_, budget)) {
    client_ = std::move(*fresh);
    renew_at_.reset();
  } else {
    renew_at_ = steady_clock::now() + kRenewRetry;
  }
}

void OffsetsStream::give_up(const core::Error& error) {
  client_.reset();
  table_.restart();
  const bool missing = error.kind == core::ErrorKind::not_found;
  next_try_ = steady_clock::now() + (missing ? kRetryMissing : kRetry);
  if (missing) return;  // no group has ever committed
  if (!failure_ || failure_->kind != error.kind) told_ = false;
  failure_ = error;
}

void OffsetsStream::follow(const Budget& budget) {
  if (files_.changed()) renew_at_ = next_try_ = steady_clock::now();
  if (client_ && renew_at_ && steady_clock::now() >= *renew_at_) renew(budget.within(kSpan));
  const Budget span = budget.within(kSpan);
  if (!client_) {
    if (steady_clock::now() < next_try_) return;
    renew_at_.reset();
    auto opened = open();
    if (!opened) return give_up(opened.error());
    client_ = std::move(*opened);
    if (auto started = client_->start(span); !started) return give_up(started.error());
    current_at_ = steady_clock::now();
  }
  client_->note_ends(span);
  if (auto read = client_->read(span, table_); !read) return give_up(read.error());
  const auto now = steady_clock::now();
  if (client_->current()) {
    current_at_ = now;
    failure_.reset();
  } else if (now - current_at_ >= kRetry) {  // a client that was opened anew may do better, with files as they are then
    give_up(
        core::fail(core::ErrorKind::unavailable, std::string(kTopic) + " could not be read to its end for 5 minutes")
            .error());
  }
}

bool OffsetsStream::is_known(const GroupQuery& query) const {
  // Groups that are described anyway are asked for their commits too, each in its turn: so an error of the table would
  // heal.
  if (query.brokers.empty() || query.describe || !query.all_partitions) return false;
  const CommitTable::Group* known = table_.find(query.id);
  if (known == nullptr || !known->complete) return false;
  const auto partition = partition_of_group(query.id, static_cast<std::int32_t>(client_->places.size()));
  if (!partition) return client_->current();
  const auto place = client_->places.find(*partition);
  return place != client_->places.end() && place->second.current();
}

void OffsetsStream::plan(std::vector<GroupQuery>& queries) {
  planned_.assign(queries.size(), false);
  std::vector<std::string_view> ids;
  for (const GroupQuery& query : queries) ids.push_back(query.id);
  table_.forget_others(ids);
  if (!client_) return;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (!is_known(queries[i])) continue;
    planned_[i] = true;
    queries[i].brokers.clear();
  }
}

void OffsetsStream::complete(const std::vector<GroupQuery>& queries, GroupAnswers& answers) {
  for (std::size_t i = 0; i < queries.size() && i < planned_.size(); ++i) {
    GroupAnswer& answer = answers.answers[i];
    if (planned_[i]) {
      answer.commits = table_.commits(*table_.find(queries[i].id), answers.topics);
    } else if (client_ && queries[i].all_partitions && !answer.offsets_error && answer.broker >= 0) {
      table_.put(queries[i].id, answer.commits, answers.topics);
    }
  }
}

void OffsetsStream::fill(Snapshot& snapshot) {
  const auto served = static_cast<std::size_t>(std::ranges::count(planned_, true));
  snapshot.offsets_stream = OffsetsStreamStatus{client_ != nullptr, served, table_.records()};
  if (failure_ && !told_) {
    told_ = true;
    snapshot.notices.push_back(
        {"offsets_stream_refused",
         fmt::format(
             "Commits of {} are read by the admin API in place of the stream: {} It is tried again every 5 minutes.",
             settings_.name, failure_->message.ends_with('.') ? failure_->message : failure_->message + ".")});
  }
  if (!failure_) told_ = false;
  if (!client_) return;
  for (Group& group : snapshot.groups) {
    const CommitTable::Group* known = table_.find(group.id);
    if (known == nullptr) continue;
    group.commit_records = known->records;
    group.last_commit = known->last_commit;
  }
}

}  // namespace weir::kafka
