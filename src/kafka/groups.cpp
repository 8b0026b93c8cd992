#include "kafka/groups.h"

#include <algorithm>
#include <array>
#include <deque>
#include <librdkafka/rdkafka.h>
#include <map>
#include <memory>
#include <utility>

#include "kafka/errors.h"
#include "kafka/raw_handles.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kInFlight = 200;
constexpr milliseconds kPollSpan{100};  // between looks at the stop token
constexpr milliseconds kGather{4};      // of answers: to be woken by each costs more than to read it

Options new_options(Connection& connection, rd_kafka_admin_op_t operation, milliseconds timeout, std::int32_t broker) {
  Options options(rd_kafka_AdminOptions_new(connection.handle(), operation));
  std::array<char, 256> reason{};
  const int bounded = static_cast<int>(std::clamp<milliseconds::rep>(timeout.count(), 1, 3'600'000));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), bounded, reason.data(), reason.size());
  rd_kafka_AdminOptions_set_broker(options.get(), broker, reason.data(), reason.size());
  return options;
}

GroupState to_state(rd_kafka_consumer_group_state_t state) {
  switch (state) {
    case RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE: return GroupState::preparing_rebalance;
    case RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE: return GroupState::completing_rebalance;
    case RD_KAFKA_CONSUMER_GROUP_STATE_STABLE: return GroupState::stable;
    case RD_KAFKA_CONSUMER_GROUP_STATE_DEAD: return GroupState::dead;
    case RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY: return GroupState::empty;
    default: return GroupState::unknown;
  }
}

std::string_view event_reason(const rd_kafka_event_t* event) {
  const char* reason = rd_kafka_event_error_string(const_cast<rd_kafka_event_t*>(event));
  return reason == nullptr ? std::string_view() : std::string_view(reason);
}

bool is_unsupported(int code) {
  return code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE || code == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION;
}

std::string subject_of(const std::string& group) { return "group \"" + group + "\""; }

/// Kafka Connect names its sinks' consumers so, unless told otherwise.
constexpr std::string_view kConnectClient = "connector-consumer-";
/// Kafka Streams' assignor until KIP-1071.
constexpr std::string_view kStreamsAssignor = "stream";

GroupKind kind_of(const rd_kafka_ConsumerGroupListing_t* listing) {
  if (rd_kafka_ConsumerGroupListing_is_simple_consumer_group(listing) != 0) return GroupKind::simple;
#if RD_KAFKA_VERSION >= 0x020600ff
  switch (rd_kafka_ConsumerGroupListing_type(listing)) {
    case RD_KAFKA_CONSUMER_GROUP_TYPE_CONSUMER: return GroupKind::consumer;
    case RD_KAFKA_CONSUMER_GROUP_TYPE_CLASSIC: return GroupKind::classic;
    default: break;
  }
#endif
  return GroupKind::unknown;
}

GroupKind kind_of(const rd_kafka_ConsumerGroupDescription_t* description, const std::vector<Member>& members) {
#if RD_KAFKA_VERSION >= 0x020a00ff
  if (rd_kafka_ConsumerGroupDescription_type(description) == RD_KAFKA_CONSUMER_GROUP_TYPE_CONSUMER) {
    return GroupKind::consumer;
  }
#endif
  const char* assignor = rd_kafka_ConsumerGroupDescription_partition_assignor(description);
  if (assignor != nullptr && assignor == kStreamsAssignor) return GroupKind::streams;
  if (!members.empty() &&
      std::ranges::all_of(members, [](const Member& member) { return member.client_id.starts_with(kConnectClient); })) {
    return GroupKind::connect;
  }
  if (rd_kafka_ConsumerGroupDescription_is_simple_consumer_group(description) != 0) return GroupKind::simple;
  return GroupKind::classic;
}

std::string text_of(const char* text) { return text == nullptr ? std::string() : std::string(text); }

Member to_member(const rd_kafka_MemberDescription_t* raw) {
  Member member;
  member.id = text_of(rd_kafka_MemberDescription_consumer_id(raw));
  member.client_id = text_of(rd_kafka_MemberDescription_client_id(raw));
  member.host = text_of(rd_kafka_MemberDescription_host(raw));
  if (member.host.starts_with('/')) member.host.erase(0, 1);
  const auto* assignment = rd_kafka_MemberDescription_assignment(raw);
  const auto* list = assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
  if (list == nullptr) return member;
  member.assignment.reserve(static_cast<std::size_t>(list->cnt));
  for (int i = 0; i < list->cnt; ++i) {
    member.assignment.emplace_back(text_of(list->elems[i].topic), list->elems[i].partition);
  }
  std::ranges::sort(member.assignment);
  return member;
}

GroupDescription to_description(const rd_kafka_ConsumerGroupDescription_t* raw) {
  GroupDescription description;
  description.state = to_state(rd_kafka_ConsumerGroupDescription_state(raw));
  std::vector<Member> members;
  const std::size_t count = rd_kafka_ConsumerGroupDescription_member_count(raw);
  for (std::size_t i = 0; i < count; ++i)
    members.push_back(to_member(rd_kafka_ConsumerGroupDescription_member(raw, i)));
  std::ranges::sort(members, {}, &Member::id);
  if (description.state == GroupState::dead) {
    description.kind = GroupKind::consumer;
  } else {
    description.kind = kind_of(raw, members);
    description.members = std::move(members);
  }
  return description;
}

/// Requests to one broker.
struct Lane {
  std::deque<std::size_t> waiting;  // queries
  std::size_t in_flight = 0;
  bool silent = false;  // a request timed out: the others are not sent
};

/// Keeps up to kInFlight requests of read_groups going to each broker, answers on one queue. Requests are sent and
/// answers taken many at a time, since librdkafka's threads wake each other for each that comes alone.
class GroupReader {
 public:
  GroupReader(Connection& connection, const Budget& budget, milliseconds timeout,
              const std::vector<GroupQuery>& queries, const BrokerIds& silent)
      : connection_(connection), budget_(budget), timeout_(timeout), queries_(queries), queue_(connection.new_queue()) {
    result_.answers.resize(queries.size());
    progress_.resize(queries.size());
    for (const std::int32_t broker : silent) lanes_[broker].silent = true;
    for (std::size_t i = 0; i < queries.size(); ++i) {
      if (asks_offsets(queries[i])) enqueue(i);
    }
  }

  core::Result<GroupAnswers> run() {
    while (true) {
      for (auto& [broker, lane] : lanes_) {
        if (lane.silent || lane.in_flight <= kInFlight / 2) pump(broker, lane);
      }
      if (in_flight_ == 0) return std::move(result_);
      Event event(rd_kafka_queue_poll(queue_.get(), static_cast<int>(budget_.left(kPollSpan).count())));
      if (!event) {
        auto error = connection_.give_up(budget_);
        if (error && error->kind != core::ErrorKind::timeout) return std::unexpected(std::move(*error));
        if (error) return out_of_time(*error);
      }
      for (; event; event.reset(rd_kafka_queue_poll(queue_.get(), 0))) take(event.get());
      if (in_flight_ > 0) budget_.pause(kGather);
    }
  }

 private:
  struct Progress {
    std::size_t attempt = 0;  // index into the query's brokers
    bool offsets = false;     // still waited for
    bool description = false;
  };

  static bool asks_offsets(const GroupQuery& query) {
    return !query.brokers.empty() && (query.all_partitions || std::ranges::any_of(query.topics, [](const Topic* topic) {
                                        return !topic->partitions.empty();
                                      }));
  }

  std::int32_t broker_of(std::size_t index) const { return queries_[index].brokers[progress_[index].attempt]; }

  void enqueue(std::size_t index) {
    progress_[index].offsets = true;
    lanes_[broker_of(index)].waiting.push_back(index);
  }

  void pump(std::int32_t broker, Lane& lane) {
    if (lane.waiting.empty()) return;
    const Options options =
        new_options(connection_, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, budget_.left(timeout_), broker);
    while (!lane.waiting.empty() && (lane.silent || lane.in_flight < kInFlight)) {
      const std::size_t index = lane.waiting.front();
      lane.waiting.pop_front();
      if (lane.silent) {
        progress_[index].offsets = false;
        result_.answers[index].offsets_error =
            to_error(RD_KAFKA_RESP_ERR__TIMED_OUT, subject_of(queries_[index].id), {});
      } else {
        fetch_offsets(index, options.get());
        count(lane);
      }
    }
  }

  void count(Lane& lane) {
    ++lane.in_flight;
    ++in_flight_;
  }

  /// The groups that have not answered fail, the others count.
  core::Result<GroupAnswers> out_of_time(const core::Error& error) {
    for (std::size_t i = 0; i < queries_.size(); ++i) {
      if (progress_[i].offsets) result_.answers[i].offsets_error = error;
      if (progress_[i].description) result_.answers[i].description_error = error;
    }
    return std::move(result_);
  }

  /// `options` are of its broker.
  void fetch_offsets(std::size_t index, rd_kafka_AdminOptions_t* options) {
    const GroupQuery& query = queries_[index];
    PartitionList partitions;
    if (!query.all_partitions) {
      partitions.reset(rd_kafka_topic_partition_list_new(16));
      for (const Topic* topic : query.topics) {
        for (const Partition& partition : topic->partitions) {
          rd_kafka_topic_partition_list_add(partitions.get(), topic->name.c_str(), partition.id);
        }
      }
    }
    rd_kafka_ListConsumerGroupOffsets_t* request =
        rd_kafka_ListConsumerGroupOffsets_new(query.id.c_str(), partitions.get());
    rd_kafka_AdminOptions_set_opaque(options, reinterpret_cast<void*>(index));
    rd_kafka_ListConsumerGroupOffsets(connection_.handle(), &request, 1, options, queue_.get());
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
  }

  void describe(std::size_t index) {
    progress_[index].description = true;
    const char* id = queries_[index].id.c_str();
    const Options options =
        new_options(connection_, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, budget_.left(timeout_), broker_of(index));
    rd_kafka_AdminOptions_set_opaque(options.get(), reinterpret_cast<void*>(index));
    rd_kafka_DescribeConsumerGroups(connection_.handle(), &id, 1, options.get(), queue_.get());
    count(lanes_[broker_of(index)]);
  }

  void take(rd_kafka_event_t* event) {
    const auto index = reinterpret_cast<std::size_t>(rd_kafka_event_opaque(event));
    if (index >= queries_.size()) return;
    GroupAnswer& answer = result_.answers[index];
    Lane& lane = lanes_[broker_of(index)];
    --in_flight_;
    --lane.in_flight;
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__TIMED_OUT && !lane.silent) {
      lane.silent = true;
      result_.silent.push_back(broker_of(index));
    }
    const std::string& id = queries_[index].id;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DESCRIBECONSUMERGROUPS_RESULT) {
      progress_[index].description = false;
      return take_description(event, id, answer);
    }
    progress_[index].offsets = false;
    const int code = take_offsets(event, id, answer);
    if (code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR && progress_[index].attempt + 1 < queries_[index].brokers.size()) {
      ++progress_[index].attempt;
      answer.offsets_error.reset();
      enqueue(index);
    } else if (code == 0) {
      answer.broker = broker_of(index);
      if (queries_[index].describe) describe(index);
    }
  }

  core::Error failed(int code, const std::string& id, std::string_view reason) {
    if (!is_connection_error(code)) connection_.answered();
    return connection_.explain(code, subject_of(id), reason);
  }

  /// 0, or the code of the error it put into the answer.
  int take_offsets(rd_kafka_event_t* event, const std::string& id, GroupAnswer& answer) {
    if (const int code = rd_kafka_event_error(event); code != 0) {
      answer.offsets_error = failed(code, id, event_reason(event));
      return code;
    }
    connection_.answered();
    std::size_t count = 0;
    const auto* groups =
        rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    if (count != 1) return 0;
    if (const rd_kafka_error_t* error = rd_kafka_group_result_error(groups[0])) {
      answer.offsets_error = failed(rd_kafka_error_code(error), id, rd_kafka_error_string(error));
      return rd_kafka_error_code(error);
    }
    const rd_kafka_topic_partition_list_t* list = rd_kafka_group_result_partitions(groups[0]);
    if (list == nullptr) return 0;
    answer.commits.reserve(static_cast<std::size_t>(list->cnt));
    for (int i = 0; i < list->cnt; ++i) take_commit(list->elems[i], id, answer);
    return 0;
  }

  void take_commit(const rd_kafka_topic_partition_t& element, const std::string& id, GroupAnswer& answer) {
    Committed committed = element.offset >= 0 ? Committed::at(element.offset) : Committed::none();
    if (element.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return;  // deleted since
    if (element.err != 0) {
      committed = Committed::unknown();
      if (!answer.partition_error) {
        const std::string where = std::string(element.topic) + "/" + std::to_string(element.partition);
        answer.partition_error = to_error(element.err, subject_of(id) + ", " + where, {});
      }
    }
    answer.commits.push_back({result_.topics.intern(element.topic), element.partition, committed});
  }

  void take_description(rd_kafka_event_t* event, const std::string& id, GroupAnswer& answer) {
    int code = rd_kafka_event_error(event);
    std::string_view reason = event_reason(event);
    const rd_kafka_ConsumerGroupDescription_t* description = nullptr;
    if (code == 0) {
      std::size_t count = 0;
      const auto* groups =
          rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(event), &count);
      if (count != 1) return;
      description = groups[0];
      if (const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(description)) {
        code = rd_kafka_error_code(error);
        reason = rd_kafka_error_string(error);
      }
    }
    if (is_unsupported(code)) return connection_.answered();
    if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) {
      answer.description = {GroupState::dead, GroupKind::consumer, std::nullopt};
      return connection_.answered();
    }
    if (code == RD_KAFKA_RESP_ERR__INVALID_ARG) {  // "is not a consumer group (connect)": one of Connect's workers
      const bool connect = reason.find("(connect)") != std::string_view::npos;
      answer.description = {GroupState::unknown, connect ? GroupKind::connect : GroupKind::unknown, std::nullopt};
      return connection_.answered();
    }
    if (code != 0) {
      answer.description_error = failed(code, id, reason);
      return;
    }
    connection_.answered();
    answer.description = to_description(description);
  }

  Connection& connection_;
  const Budget& budget_;
  milliseconds timeout_;
  const std::vector<GroupQuery>& queries_;
  GroupAnswers result_;
  std::vector<Progress> progress_;  // by query
  std::map<std::int32_t, Lane> lanes_;
  std::size_t in_flight_ = 0;
  Queue queue_;
};

std::int32_t broker_of(rd_kafka_event_t* event) {
  return static_cast<std::int32_t>(reinterpret_cast<std::intptr_t>(rd_kafka_event_opaque(event)));
}

std::string subject_of(std::int32_t broker) { return "consumer groups of broker " + std::to_string(broker); }

/// One broker's list, added to the listing.
void take_listing(Connection& connection, rd_kafka_event_t* event, GroupListing& listing) {
  const std::int32_t broker = broker_of(event);
  const std::string subject = subject_of(broker);
  const auto failed = [&](int code, std::string_view reason) {
    if (!is_connection_error(code)) connection.answered();
    listing.errors.push_back(connection.explain(code, subject, reason));
  };
  if (const int code = rd_kafka_event_error(event); code != 0) {
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT) listing.silent.push_back(broker);
    return failed(code, event_reason(event));
  }
  const auto* result = rd_kafka_event_ListConsumerGroups_result(event);
  std::size_t failures = 0;
  const auto* errors = rd_kafka_ListConsumerGroups_result_errors(result, &failures);
  for (std::size_t i = 0; i < failures; ++i) failed(rd_kafka_error_code(errors[i]), rd_kafka_error_string(errors[i]));
  if (failures == 0) connection.answered();
  ++listing.answered;
  std::size_t count = 0;
  const auto* groups = rd_kafka_ListConsumerGroups_result_valid(result, &count);
  for (std::size_t i = 0; i < count; ++i) {
    listing.groups.push_back({rd_kafka_ConsumerGroupListing_group_id(groups[i]),
                              to_state(rd_kafka_ConsumerGroupListing_state(groups[i])), kind_of(groups[i]), broker});
  }
}

}  // namespace

std::uint32_t TopicNames::intern(std::string_view name) {
  if (last_ < names_.size() && names_[last_] == name) return last_;
  if (const auto known = index_.find(name); known != index_.end()) return last_ = known->second;
  last_ = static_cast<std::uint32_t>(names_.size());
  names_.emplace_back(name);
  index_.emplace(names_.back(), last_);
  return last_;
}

void send_list_groups(Connection& connection, std::int32_t broker, milliseconds timeout, rd_kafka_queue_s* queue) {
  const Options options = new_options(connection, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, timeout, broker);
  rd_kafka_AdminOptions_set_opaque(options.get(), reinterpret_cast<void*>(static_cast<std::intptr_t>(broker)));
  rd_kafka_ListConsumerGroups(connection.handle(), options.get(), queue);
}

void send_touch(Connection& connection, std::int32_t broker, milliseconds timeout, rd_kafka_queue_s* queue) {
  const Options options = new_options(connection, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, timeout, broker);
  const rd_kafka_consumer_group_state_t dead = RD_KAFKA_CONSUMER_GROUP_STATE_DEAD;
  if (rd_kafka_error_t* refused = rd_kafka_AdminOptions_set_match_consumer_group_states(options.get(), &dead, 1)) {
    rd_kafka_error_destroy(refused);  // then it lists all of them
  }
  rd_kafka_ListConsumerGroups(connection.handle(), options.get(), queue);
}

core::Result<GroupListing> list_groups(Connection& connection, const Budget& budget, const BrokerIds& brokers,
                                       milliseconds patience) {
  const Queue queue = connection.new_queue();
  for (const std::int32_t broker : brokers) {
    send_list_groups(connection, broker, budget.left(std::chrono::minutes(10)), queue.get());
  }
  GroupListing listing;
  BrokerIds waiting = brokers;
  const Budget patient = budget.within(patience);
  while (!waiting.empty()) {
    // A cluster that is slow altogether is waited for.
    const Budget& until = listing.answered > 0 ? patient : budget;
    const Event event(rd_kafka_queue_poll(queue.get(), static_cast<int>(until.left(kPollSpan).count())));
    if (event) {
      std::erase(waiting, broker_of(event.get()));
      take_listing(connection, event.get(), listing);
    } else if (auto error = connection.give_up(until)) {
      if (error->kind != core::ErrorKind::timeout || waiting == brokers) return std::unexpected(*error);
      for (const std::int32_t broker : waiting)
        listing.errors.push_back(connection.explain(RD_KAFKA_RESP_ERR__TIMED_OUT, subject_of(broker)));
      listing.silent.insert(listing.silent.end(), waiting.begin(), waiting.end());
      break;
    }
  }
  if (!brokers.empty() && listing.errors.size() >= brokers.size()) return std::unexpected(listing.errors.front());
  return listing;
}

core::Result<GroupAnswers> read_groups(Connection& connection, const Budget& budget, milliseconds timeout,
                                       const std::vector<GroupQuery>& queries, const BrokerIds& silent) {
  return GroupReader(connection, budget, timeout, queries, silent).run();
}

}  // namespace weir::kafka
