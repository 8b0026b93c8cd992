#include "kafka/groups.h"

#include <algorithm>
#include <array>
#include <librdkafka/rdkafka.h>
#include <memory>
#include <utility>

#include "kafka/errors.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kInFlight = 200;
constexpr milliseconds kPollSpan{100};  // between looks at the stop token

struct EventDeleter {
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
using Event = std::unique_ptr<rd_kafka_event_t, EventDeleter>;

struct OptionsDeleter {
  void operator()(rd_kafka_AdminOptions_t* options) const { rd_kafka_AdminOptions_destroy(options); }
};
using Options = std::unique_ptr<rd_kafka_AdminOptions_t, OptionsDeleter>;

struct PartitionListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, PartitionListDeleter>;

Options new_options(Connection& connection, rd_kafka_admin_op_t operation, milliseconds timeout) {
  Options options(rd_kafka_AdminOptions_new(connection.handle(), operation));
  std::array<char, 256> reason{};
  const int bounded = static_cast<int>(std::clamp<milliseconds::rep>(timeout.count(), 1, 3'600'000));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), bounded, reason.data(), reason.size());
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

/// Keeps up to kInFlight requests of read_groups going on one queue.
class GroupReader {
 public:
  GroupReader(Connection& connection, const Budget& budget, milliseconds timeout,
              const std::vector<GroupQuery>& queries)
      : connection_(connection),
        budget_(budget),
        timeout_(timeout),
        queries_(queries),
        queue_(connection.new_queue()),
        fetch_options_(new_options(connection, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, left())),
        describe_options_(new_options(connection, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, left())) {
    result_.answers.resize(queries.size());
    waiting_.resize(queries.size(), kOffsets);
  }

  core::Result<GroupAnswers> run() {
    while (true) {
      while (next_ < queries_.size() && in_flight_ < kInFlight) start(next_++);
      if (in_flight_ == 0) return std::move(result_);
      const Event event(rd_kafka_queue_poll(queue_.get(), static_cast<int>(budget_.left(kPollSpan).count())));
      if (event) {
        --in_flight_;
        take(event.get());
      } else if (auto error = connection_.give_up(budget_)) {
        if (error->kind != core::ErrorKind::timeout) return std::unexpected(std::move(*error));
        return out_of_time(*error);
      }
    }
  }

 private:
  enum Waiting : std::uint8_t { kOffsets = 1, kDescription = 2 };

  milliseconds left() const { return budget_.left(timeout_); }

  /// The groups that have not answered fail, the others count.
  core::Result<GroupAnswers> out_of_time(const core::Error& error) {
    for (std::size_t i = 0; i < queries_.size(); ++i) {
      if ((waiting_[i] & kOffsets) != 0) result_.answers[i].offsets_error = error;
      if ((waiting_[i] & kDescription) != 0) result_.answers[i].description_error = error;
    }
    return std::move(result_);
  }

  void start(std::size_t index) {
    const GroupQuery& query = queries_[index];
    void* opaque = reinterpret_cast<void*>(index);
    if (!fetch_offsets(query, opaque)) waiting_[index] = 0;
    if (!query.describe) return;
    waiting_[index] |= kDescription;
    rd_kafka_AdminOptions_set_opaque(describe_options_.get(), opaque);
    const char* id = query.id.c_str();
    rd_kafka_DescribeConsumerGroups(connection_.handle(), &id, 1, describe_options_.get(), queue_.get());
    ++in_flight_;
  }

  /// False when there is nothing to ask for.
  bool fetch_offsets(const GroupQuery& query, void* opaque) {
    PartitionList partitions;
    if (!query.all_partitions) {
      partitions.reset(rd_kafka_topic_partition_list_new(16));
      for (const Topic* topic : query.topics) {
        for (const Partition& partition : topic->partitions) {
          rd_kafka_topic_partition_list_add(partitions.get(), topic->name.c_str(), partition.id);
        }
      }
      if (partitions->cnt == 0) return false;
    }
    rd_kafka_ListConsumerGroupOffsets_t* request =
        rd_kafka_ListConsumerGroupOffsets_new(query.id.c_str(), partitions.get());
    rd_kafka_AdminOptions_set_opaque(fetch_options_.get(), opaque);
    rd_kafka_ListConsumerGroupOffsets(connection_.handle(), &request, 1, fetch_options_.get(), queue_.get());
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    ++in_flight_;
    return true;
  }

  void take(rd_kafka_event_t* event) {
    const auto index = reinterpret_cast<std::size_t>(rd_kafka_event_opaque(event));
    if (index >= queries_.size()) return;
    GroupAnswer& answer = result_.answers[index];
    const std::string& id = queries_[index].id;
    switch (rd_kafka_event_type(event)) {
      case RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT:
        waiting_[index] &= static_cast<std::uint8_t>(~kOffsets);
        return take_offsets(event, id, answer);
      case RD_KAFKA_EVENT_DESCRIBECONSUMERGROUPS_RESULT:
        waiting_[index] &= static_cast<std::uint8_t>(~kDescription);
        return take_description(event, id, answer);
      default: break;
    }
  }

  core::Error failed(int code, const std::string& id, std::string_view reason, GroupAnswer& answer) {
    if (code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR) answer.coordinator_moved = true;
    if (!is_connection_error(code)) connection_.answered();
    return connection_.explain(code, subject_of(id), reason);
  }

  void take_offsets(rd_kafka_event_t* event, const std::string& id, GroupAnswer& answer) {
    if (const int code = rd_kafka_event_error(event); code != 0) {
      answer.offsets_error = failed(code, id, event_reason(event), answer);
      return;
    }
    connection_.answered();
    std::size_t count = 0;
    const auto* groups =
        rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    if (count != 1) return;
    if (const rd_kafka_error_t* error = rd_kafka_group_result_error(groups[0])) {
      answer.offsets_error = failed(rd_kafka_error_code(error), id, rd_kafka_error_string(error), answer);
      return;
    }
    const rd_kafka_topic_partition_list_t* list = rd_kafka_group_result_partitions(groups[0]);
    if (list == nullptr) return;
    answer.commits.reserve(static_cast<std::size_t>(list->cnt));
    for (int i = 0; i < list->cnt; ++i) take_commit(list->elems[i], id, answer);
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
    if (code != 0) {
      if (is_unsupported(code)) return connection_.answered();
      if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
        answer.description = {GroupState::dead, 0};
      else
        answer.description_error = failed(code, id, reason, answer);
      return;
    }
    connection_.answered();
    answer.description = {to_state(rd_kafka_ConsumerGroupDescription_state(description)),
                          static_cast<std::int32_t>(rd_kafka_ConsumerGroupDescription_member_count(description))};
  }

  Connection& connection_;
  const Budget& budget_;
  milliseconds timeout_;
  const std::vector<GroupQuery>& queries_;
  GroupAnswers result_;
  std::vector<std::uint8_t> waiting_;  // for which answers, by query
  std::size_t next_ = 0;
  std::size_t in_flight_ = 0;
  Queue queue_;
  Options fetch_options_;
  Options describe_options_;
};

core::Result<GroupListing> take_listing(Connection& connection, rd_kafka_event_t* event) {
  if (const int code = rd_kafka_event_error(event); code != 0) {
    return std::unexpected(connection.explain(code, "list of consumer groups", event_reason(event)));
  }
  const auto* result = rd_kafka_event_ListConsumerGroups_result(event);
  GroupListing listing;
  std::size_t count = 0;
  const auto* groups = rd_kafka_ListConsumerGroups_result_valid(result, &count);
  listing.groups.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    listing.groups.push_back(
        {rd_kafka_ConsumerGroupListing_group_id(groups[i]), to_state(rd_kafka_ConsumerGroupListing_state(groups[i]))});
  }
  if (count > 0) connection.answered();
  std::size_t failures = 0;
  const auto* errors = rd_kafka_ListConsumerGroups_result_errors(result, &failures);
  for (std::size_t i = 0; i < failures; ++i) {
    listing.errors.push_back(connection.explain(rd_kafka_error_code(errors[i]), "list of consumer groups",
                                                rd_kafka_error_string(errors[i])));
  }
  if (failures == 0) connection.answered();
  return listing;
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

core::Result<GroupListing> list_groups(Connection& connection, const Budget& budget) {
  const Queue queue = connection.new_queue();
  const Options options =
      new_options(connection, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, budget.left(std::chrono::minutes(10)));
  rd_kafka_ListConsumerGroups(connection.handle(), options.get(), queue.get());
  while (true) {
    const Event event(rd_kafka_queue_poll(queue.get(), static_cast<int>(budget.left(kPollSpan).count())));
    if (event) return take_listing(connection, event.get());
    if (auto error = connection.give_up(budget)) return std::unexpected(std::move(*error));
  }
}

core::Result<GroupAnswers> read_groups(Connection& connection, const Budget& budget, milliseconds timeout,
                                       const std::vector<GroupQuery>& queries) {
  return GroupReader(connection, budget, timeout, queries).run();
}

}  // namespace weir::kafka
