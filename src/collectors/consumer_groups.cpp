#include "collectors/consumer_groups.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <utility>

#include "collectors/group_labels.h"
#include "collectors/progress_recall.h"
#include "collectors/retention.h"

namespace weir::collectors {
namespace {

using core::Labels;
using kafka::GroupPartition;

/// A group that one cycle could not read keeps its labels and last lags that long.
constexpr std::uint64_t kForgetAfter = 4;
/// Likewise while a fault may be why it is not seen.
constexpr std::uint64_t kForgetHidden = 1000;
/// Past this a fault for the whole cluster stands for those of single groups and topics.
constexpr std::size_t kMaxKept = 50;

/// Partition ids are indexes here; Kafka's clusters end well before this.
constexpr std::int32_t kMaxPartition = 1'000'000;

/// Largest time lag of several partitions.
struct MaxTimeLag {
  TimeLag largest;
  bool known = false;
  bool at_least = false;  // of some partition only a lower bound is known
  bool unsure = false;    // and that of some is less than its lag was

  void add(const TimeLag& one) {
    at_least = at_least || one.method == LagMethod::at_least;
    if (!known || one.lag > largest.lag || (one.lag == largest.lag && one.error > largest.error)) largest = one;
    known = true;
  }
  void add(const MaxTimeLag& other) {
    if (other.known) add(other.largest);
    at_least = at_least || other.at_least;
    unsure = unsure || other.unsure;
  }
  LagMethod method() const { return at_least ? LagMethod::at_least : largest.method; }
};

/// Sums of one topic or group.
struct Sum {
  std::int64_t lag = 0;
  std::int64_t lost = 0;
  std::int64_t uncommitted = 0;
  bool uncommitted_known = true;  // no partition without a commit whose offsets could not be read
  bool known = false;             // some partition has a lag, now or before
  MaxTimeLag time_lag;
  ReadingPace::Sums pace;
  std::int64_t beyond_end = 0;
  std::int64_t rewound = 0;     // partitions, in this cycle
  std::int64_t rewound_by = 0;  // messages
  RetentionMargin margin;
  std::array<std::int64_t, kTroubles> troubles{};  // partitions
  bool unjudged = false;                           // some partition was not watched for long enough
};

/// The worst partition of a group.
struct Worst {
  std::optional<GroupStatus> status;
  const std::string* topic = nullptr;
  std::int32_t partition = 0;
  const GroupMemory::Partition* known = nullptr;
};

/// A topic of the snapshot and what is remembered of its log.
struct Log {
  const kafka::Topic& topic;
  const LogMemory::Topic* history;

  const LogMemory::Partition* past(const kafka::Partition& partition) const {
    if (history == nullptr) return nullptr;
    const auto at = static_cast<std::size_t>(&partition - topic.partitions.data());
    return at < history->partitions.size() ? &history->partitions[at] : nullptr;
  }
};

bool assigned(const std::vector<kafka::Member>& members, const std::string& topic, std::int32_t partition) {
  return std::ranges::any_of(members, [&](const kafka::Member& member) {
    return std::ranges::binary_search(member.assignment, std::pair(topic, partition));
  });
}

/// Whether some member has the partition; true also where that cannot be told.
bool is_read(const kafka::Group& group, const std::string& topic, std::int32_t partition) {
  if (group.kind == kafka::GroupKind::simple) return true;  // it never has members
  if (group.members ? *group.members == 0
                    : group.state == kafka::GroupState::empty || group.state == kafka::GroupState::dead) {
    return false;
  }
  if (group.member_list == nullptr) return true;
  const bool told = std::ranges::any_of(*group.member_list, [](const auto& each) { return !each.assignment.empty(); });
  return !told || assigned(*group.member_list, topic, partition);
}

std::size_t trouble_index(GroupStatus status) {
  return static_cast<std::size_t>(status) - static_cast<std::size_t>(GroupStatus::warn);
}

class GroupSamples {
 public:
  GroupSamples(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, GroupMemory& memory, core::Batch& batch)
      : snapshot_(snapshot),
        cycle_(cycle),
        memory_(memory),
        batch_(batch),
        labels_(cycle.cluster),
        logs_(observe_logs(snapshot, cycle, memory.logs)) {
    if (cycle.past != nullptr && !memory.since) memory.recall = std::make_shared<const ProgressRecall>(cycle);
    if (!memory.since) memory.since = cycle.now;
    // Groups may come into sight one after the other.
    if (cycle.now - *memory.since >= cycle.status.window) memory.recall.reset();
  }

  void group(const kafka::Group& group) {
    GroupMemory::Group& known = memory_.groups[group.id];
    const bool first = known.seen == 0;
    if (first) labels_.build(group.id, known);
    if (first && memory_.recall) known.said_before = memory_.recall->last(known.lag_seconds);
    if (group.members) add(known.members, *group.members);
    state(group, known, first);
    kind(group, known);
    clients(group, known);
    std::int64_t lag = 0;
    bool lag_known = false;
    MaxTimeLag time_lag;
    ReadingPace::Rates rates{.known = true};
    worst_ = {};
    for (std::size_t at = 0; at < group.partitions.size();) {
      std::size_t end = at + 1;
      while (end < group.partitions.size() && group.partitions[end].topic == group.partitions[at].topic) ++end;
      const Sum sum = topic(group, {group.partitions.data() + at, end - at}, known, rates);
      lag += sum.lag;
      lag_known = lag_known || sum.known;
      time_lag.add(sum.time_lag);
      at = end;
    }
    if (lag_known) add(known.lag, static_cast<double>(lag));
    group_time_lag(group.id, time_lag, known);
    status(group.id, known);
    if (lag_known) catch_up(lag, rates, known);
    known.seen = memory_.cycle;
    std::erase_if(known.topics, [&](const auto& topic) { return forgotten(topic.seen); });
  }

  /// Of a group that came later nothing can have been said before. It stands until the window has passed, as groups
  /// come into such a lag and out of it from cycle to cycle.
  void note_unbounded() {
    memory_.unbounded = (memory_.unbounded || unbounded_) && cycle_.now - *memory_.since < cycle_.status.window;
    if (!memory_.unbounded) return;
    for (const std::string_view metric :
         {"kafka_consumergroup_lag_seconds", "kafka_consumergroup_lag_seconds_max",
          "kafka_consumergroup_group_lag_seconds", "kafka_consumergroup_group_lag_seconds_error"}) {
      batch_.faults.push_back(
          {{core::ErrorKind::unavailable,
            "the time lag of some groups is older than what Weir has seen of their topics; wait for the status window"},
           Labels::metric(metric, {{"cluster", cycle_.cluster}}),
           true});
    }
  }

  bool forgotten(std::uint64_t seen) const { return memory_.cycle - seen >= kForgetAfter; }
  bool forgotten(const std::string& id, std::uint64_t seen) const {
    if (!forgotten(seen)) return false;
    return memory_.cycle - seen >= kForgetHidden || !hidden(snapshot_, about(id));
  }

  /// What is not said for want of knowledge keeps its state.
  void note_kept() {
    constexpr std::string_view kWhat =
        "what is known since Weir sees it is less than what it was: it keeps its state until more is known";
    if (kept_.size() > kMaxKept) {
      std::map<std::string, Labels> merged;
      for (const Labels& scope : kept_) {
        merged.try_emplace(std::string(scope.name()), Labels::metric(scope.name(), {{"cluster", cycle_.cluster}}));
      }
      kept_.clear();
      for (const auto& [metric, scope] : merged) kept_.push_back(scope);
    }
    for (const Labels& scope : kept_) {
      batch_.faults.push_back({{core::ErrorKind::unavailable, std::string(kWhat)}, scope, true});
    }
  }

 private:
  void add(const Labels& labels, double value) { batch_.samples.push_back({labels, cycle_.now, value}); }

  void event(const char* kind, Labels about, std::string message) {
    batch_.events.push_back({cycle_.now, kind, std::move(about), std::move(message)});
  }

  Labels about(const std::string& id) const { return {{"cluster", cycle_.cluster}, {"consumergroup", id}}; }
  Labels about(const std::string& id, const std::string& topic) const {
    return {{"cluster", cycle_.cluster}, {"consumergroup", id}, {"topic", topic}};
  }

  void state(const kafka::Group& group, GroupMemory::Group& known, bool first) {
    if (known.state_labels.empty() || known.state != group.state) {
      known.state_labels =
          labels_.of_group("kafka_consumergroup_state", group.id).with("state", kafka::to_string(group.state));
    }
    add(known.state_labels, 1);
    if (!first && known.state != group.state) {
      event("group_state_changed", about(group.id),
            fmt::format("Consumer group {} went from {} to {}.", group.id, kafka::to_string(known.state),
                        kafka::to_string(group.state)));
    }
    known.state = group.state;
  }

  void kind(const kafka::Group& group, GroupMemory::Group& known) {
    if (group.kind == kafka::GroupKind::unknown) return;
    if (known.info.empty() || known.kind != group.kind) {
      known.kind = group.kind;
      known.info = labels_.of_group("kafka_consumergroup_info", group.id).with("kind", kafka::to_string(group.kind));
    }
    add(known.info, 1);
  }

  void clients(const kafka::Group& group, GroupMemory::Group& known) {
    if (!cycle_.metrics.members || group.member_list == nullptr) return;
    if (known.described != group.member_list) {
      known.described = group.member_list;
      labels_.build_clients(group.id, *group.member_list, known);
    }
    for (const GroupMemory::Client& client : known.clients) add(client.labels, static_cast<double>(client.partitions));
  }

  GroupMemory::Topic& known_topic(const std::string& id, const std::string& name, GroupMemory::Group& known) const {
    const auto found = std::ranges::find(known.topics, name, &GroupMemory::Topic::name);
    if (found != known.topics.end()) return *found;
    GroupMemory::Topic& topic = known.topics.emplace_back();
    labels_.build(id, name, topic);
    topic.per_partition = cycle_.metrics.partition_topics.admits(name) && cycle_.metrics.partition_groups.admits(id);
    if (memory_.recall) {
      topic.said_before = memory_.recall->last(topic.lag_seconds_max);
      topic.trouble_before =
          memory_.recall->was_in_trouble(labels_.of_topic("kafka_consumergroup_status_partitions", id, name));
    }
    return topic;
  }

  /// The series of this metric that are not said in this cycle.
  void keep(std::string_view metric, const std::string& id) { kept_.push_back(labels_.of_group(metric, id)); }
  void keep(std::string_view metric, const std::string& id, const std::string& topic) {
    kept_.push_back(labels_.of_topic(metric, id, topic));
  }

  Sum topic(const kafka::Group& group, std::span<const GroupPartition> partitions, GroupMemory::Group& known,
            ReadingPace::Rates& rates) {
    const Log log{snapshot_.topics[partitions.front().topic], logs_[partitions.front().topic]};
    GroupMemory::Topic& remembered = known_topic(group.id, log.topic.name, known);
    const auto highest = static_cast<std::size_t>(std::clamp(partitions.back().partition, 0, kMaxPartition));
    if (remembered.partitions.size() <= highest) remembered.partitions.resize(highest + 1);
    const bool committed = std::ranges::any_of(partitions, [](const auto& each) { return each.committed.is_offset(); });
    if (committed) {
      const std::string cluster(cycle_.cluster);
      batch_.edges.push_back({{"topic", cluster, log.topic.name}, {"consumer group", cluster, group.id}, "kafka"});
    }
    Sum sum;
    for (const GroupPartition& each : partitions) {
      if (each.partition < 0 || each.partition > kMaxPartition) continue;
      partition(group, log, each, remembered, sum);
    }
    if (sum.known) {
      add(remembered.lag_sum, static_cast<double>(sum.lag));
      lost(group.id, sum.lost, remembered);
      topic_time_lag(group.id, sum.time_lag, remembered);
      went_back(group.id, sum, remembered);
      beyond_end(group.id, sum.beyond_end, remembered);
    }
    retention(sum.margin, remembered);
    troubles(group.id, sum, remembered);
    pace(sum, remembered, rates);
    if (!log.topic.failed && sum.uncommitted_known) add(remembered.uncommitted, static_cast<double>(sum.uncommitted));
    remembered.seen = memory_.cycle;
    if (committed) {
      remembered.committed = memory_.cycle;
      remembered.unread = sum.lag;
    }
    return sum;
  }

  void partition(const kafka::Group& group, const Log& log, const GroupPartition& each, GroupMemory::Topic& topic,
                 Sum& sum) {
    GroupMemory::Partition& known = topic.partitions[static_cast<std::size_t>(each.partition)];
    const kafka::Partition* now = log.topic.find(each.partition);
    if (each.committed.is_none()) {
      // Where nothing is to be read, nothing is to be committed.
      const bool offsets_known = now != nullptr && now->offsets_known();
      sum.uncommitted_known = sum.uncommitted_known && offsets_known;
      if (offsets_known && now->end > now->start) ++sum.uncommitted;
      known.lag_value = -1;
      known.time_lag = -1;
      known.progress = {};
      return;
    }
    const bool shown = topic.per_partition && has_room(known);
    if (shown && known.lag.empty()) begin_partition(group.id, topic.name, each.partition, known);
    const auto first = batch_.samples.size();
    if (each.committed.is_offset() && shown) {
      add(known.current, static_cast<double>(each.committed.offset()));
    }
    if (each.committed.is_offset() && now != nullptr && now->offsets_known()) {
      read(group, log, *now, each.committed.offset(), shown, known, sum);
    } else if (known.time_lag >= 0) {
      const auto last = core::Duration(static_cast<std::int64_t>(known.time_lag * 1000));
      sum.time_lag.add(TimeLag{last, core::Duration{0}, LagMethod::at_least});
    }
    if (known.progress.known()) note_worst(log.topic.name, each.partition, known);
    if (cycle_.budget != nullptr) {
      cycle_.budget->note(first, batch_, std::max<std::int64_t>(0, known.lag_value), known.kept);
    }
    if (known.lag_value < 0) return;
    sum.lag += known.lag_value;
    sum.lost += known.lost;
    sum.known = true;
  }

  void begin_partition(const std::string& id, const std::string& topic, std::int32_t number,
                       GroupMemory::Partition& known) {
    labels_.build(id, topic, number, known);
    if (!memory_.recall || known.progress.known()) return;
    if (const auto before = memory_.recall->of(known.lag)) known.progress = *before;
    if (const auto before =
            memory_.recall->last(known.lag.with(core::kMetricName, "kafka_consumergroup_lag_seconds"))) {
      known.time_lag = static_cast<float>(*before);
    }
  }

  /// By the lag of the last cycle, so that a partition comes into the budget one cycle late.
  bool has_room(GroupMemory::Partition& known) {
    if (cycle_.budget == nullptr) return true;
    const std::size_t series = (known.time_lag >= 0 ? 3 : 2) + (is_trouble(known.status) ? 1 : 0);
    if (!cycle_.budget->leaves_out(std::max<std::int64_t>(0, known.lag_value), known.kept, series)) return true;
    known.current = known.lag = known.lag_seconds = known.trouble = {};
    return false;
  }

  /// A partition whose commit and offsets are known.
  void read(const kafka::Group& group, const Log& log, const kafka::Partition& now, std::int64_t committed, bool shown,
            GroupMemory::Partition& known, Sum& sum) {
    const bool to_stable = group.read_committed && now.stable != kafka::kUnknownOffset;
    const std::int64_t end = to_stable ? std::min(now.stable, now.end) : now.end;
    const std::int64_t position = std::max(committed, now.start);
    known.lag_value = std::max<std::int64_t>(0, end - position);
    known.lost = std::max<std::int64_t>(0, now.start - committed);
    if (shown) add(known.lag, static_cast<double>(known.lag_value));
    const LogMemory::Partition* past = log.past(now);
    if (committed > now.end) {
      ++sum.beyond_end;
      known.time_lag = -1;
    } else {
      time_lag(past, {committed, position, shown}, known, sum);
    }
    if (known.lag_value > 0 && past != nullptr) {
      sum.margin.add(committed - now.start, past->deletions.per_second(cycle_.now), log.topic.config.get(), time_lag_);
    }
    const std::int64_t before = known.progress.committed();
    if (known.progress.add({committed, known.lag_value, now.end, cycle_.now}, cycle_.status)) {
      ++sum.rewound;
      sum.rewound_by += before - committed;
    }
    sum.pace.committed += committed;
    sum.pace.end += end;
    ++sum.pace.partitions;
    partition_status(group, log.topic.name, now.id, shown, known);
    if (is_trouble(known.status)) ++sum.troubles[trouble_index(known.status)];
    sum.unjudged = sum.unjudged || known.status == GroupStatus::unknown;
  }

  struct Reader {
    std::int64_t committed;
    std::int64_t position;
    bool shown;
  };

  void time_lag(const LogMemory::Partition* past, const Reader& reader, GroupMemory::Partition& known, Sum& sum) {
    time_lag_ = TimeLag{};
    if (known.lag_value > 0) time_lag_ = past != nullptr ? past->ends.lag(reader.position, cycle_.now) : std::nullopt;
    if (!time_lag_) return;
    if (time_lag_->method == LagMethod::at_least && core::to_seconds(time_lag_->lag) < known.time_lag) {
      // Who has not moved is later by the time since. Of who has, it is not known how late it still is.
      known.moved = known.moved || reader.committed != known.progress.committed();
      if (known.moved) {
        sum.time_lag.add(*time_lag_);
        sum.time_lag.unsure = true;
        time_lag_.reset();
        return;
      }
      const auto before = core::Duration(static_cast<std::int64_t>(known.time_lag * 1000));
      const auto since = cycle_.now - known.progress.seen_at() - std::chrono::seconds(1);
      time_lag_->lag = std::max(before + std::max(core::Duration{0}, since), time_lag_->lag);
    }
    sum.time_lag.add(*time_lag_);
    if (time_lag_->method == LagMethod::at_least && time_lag_->lag < cycle_.status.window) {
      known.time_lag = -1;
      unbounded_ = true;
      return;
    }
    known.time_lag = static_cast<float>(core::to_seconds(time_lag_->lag));
    known.moved = false;
    if (!reader.shown) return;
    // Most partitions have none, and labels are what a partition takes most of.
    if (known.lag_seconds.empty()) {
      known.lag_seconds = known.lag.with(core::kMetricName, "kafka_consumergroup_lag_seconds");
    }
    add(known.lag_seconds, core::to_seconds(time_lag_->lag));
  }

  void partition_status(const kafka::Group& group, const std::string& topic, std::int32_t id, bool shown,
                        GroupMemory::Partition& known) {
    GroupStatus status = known.progress.judge(true, cycle_.status);
    if (status == GroupStatus::stall && !is_read(group, topic, id)) status = GroupStatus::stop;
    if (status != known.status) known.trouble = {};
    known.status = status;
    if (!is_trouble(status) || !shown) return;
    if (known.trouble.empty()) known.trouble = labels_.trouble(group.id, topic, id, status);
    add(known.trouble, 1);
  }

  void troubles(const std::string& id, const Sum& sum, GroupMemory::Topic& known) {
    for (std::size_t i = 0; i < kTroubles; ++i) {
      if (sum.troubles[i] == 0) continue;
      if (known.troubles[i].empty()) {
        const auto status = static_cast<GroupStatus>(i + static_cast<std::size_t>(GroupStatus::warn));
        known.troubles[i] =
            labels_.of_topic("kafka_consumergroup_status_partitions", id, known.name).with("status", to_string(status));
      }
      add(known.troubles[i], static_cast<double>(sum.troubles[i]));
    }
    known.trouble_before = known.trouble_before && memory_.recall != nullptr && sum.unjudged;
    if (known.trouble_before) keep("kafka_consumergroup_status_partitions", id, known.name);
  }

  void note_worst(const std::string& topic, std::int32_t partition, const GroupMemory::Partition& known) {
    if (worst_.status && *worst_.status >= known.status) return;
    worst_ = {known.status, &topic, partition, &known};
  }

  bool is_bounded(const MaxTimeLag& lag) const {
    return lag.known && (!lag.at_least || lag.largest.lag >= cycle_.status.window);
  }

  /// A lower bound that is less than what was said (before a restart too) does not say that it is no more.
  static bool is_unsure(const MaxTimeLag& lag, std::optional<double>& said_before) {
    if (!lag.known) return false;
    const bool less = said_before && lag.at_least && core::to_seconds(lag.largest.lag) < *said_before;
    if (!less) said_before.reset();
    return less || lag.unsure;
  }

  void topic_time_lag(const std::string& id, const MaxTimeLag& lag, GroupMemory::Topic& known) {
    if (is_unsure(lag, known.said_before)) {
      keep("kafka_consumergroup_lag_seconds", id, known.name);
      return keep("kafka_consumergroup_lag_seconds_max", id, known.name);
    }
    if (is_bounded(lag)) add(known.lag_seconds_max, core::to_seconds(lag.largest.lag));
  }

  void group_time_lag(const std::string& id, const MaxTimeLag& lag, GroupMemory::Group& known) {
    if (is_unsure(lag, known.said_before)) {
      keep("kafka_consumergroup_group_lag_seconds", id);
      return keep("kafka_consumergroup_group_lag_seconds_error", id);
    }
    if (!is_bounded(lag)) return;
    const LagMethod method = lag.method();
    if (known.lag_seconds_error.empty() || known.method != method) {
      known.method = method;
      known.lag_seconds_error =
          labels_.of_group("kafka_consumergroup_group_lag_seconds_error", id).with("method", to_string(method));
    }
    add(known.lag_seconds, core::to_seconds(lag.largest.lag));
    add(known.lag_seconds_error,
        method == LagMethod::at_least ? std::numeric_limits<double>::infinity() : core::to_seconds(lag.largest.error));
  }

  void status(const std::string& id, GroupMemory::Group& known) {
    if (!worst_.status) return;
    if (known.status_labels.empty() || known.status != worst_.status) {
      known.status_labels =
          labels_.of_group("kafka_consumergroup_status", id).with("status", to_string(*worst_.status));
      status_event(id, known.status);
    }
    known.status = worst_.status;
    add(known.status_labels, 1);
  }

  /// Only what a person would tell another: into trouble, out of it, from one into another.
  void status_event(const std::string& id, std::optional<GroupStatus> before) {
    const bool was = before && is_trouble(*before);
    const bool is = is_trouble(*worst_.status);
    if (!before || (!was && !is)) return;
    std::string text =
        fmt::format("Consumer group {} went from {} to {}", id, to_string(*before), to_string(*worst_.status));
    if (is) {
      text += fmt::format(": {} partition {} is at offset {} with {} messages unread", *worst_.topic, worst_.partition,
                          worst_.known->progress.committed(), worst_.known->lag_value);
    }
    event("group_status_changed", about(id), text + ".");
  }

  /// The event marks when losing began, not each further message, nor what was lost before Weir came.
  void lost(const std::string& id, std::int64_t messages, GroupMemory::Topic& known) {
    add(known.messages_lost, static_cast<double>(messages));
    if (messages > 0 && known.last_lost == 0) {
      event("messages_lost", about(id, known.name),
            fmt::format("Retention deleted {} messages of {} before consumer group {} read them.", messages, known.name,
                        id));
    }
    known.last_lost = messages;
  }

  void went_back(const std::string& id, const Sum& sum, GroupMemory::Topic& known) {
    known.rewound += static_cast<std::uint64_t>(sum.rewound);
    add(known.rewinds, static_cast<double>(known.rewound));
    if (sum.rewound == 0) return;
    event("group_rewound", about(id, known.name),
          fmt::format("Consumer group {} went back by {} messages on {} partition{} of {}.", id, sum.rewound_by,
                      sum.rewound, sum.rewound == 1 ? "" : "s", known.name));
  }

  void beyond_end(const std::string& id, std::int64_t partitions, GroupMemory::Topic& known) {
    add(known.beyond_end, static_cast<double>(partitions));
    if (partitions > 0 && known.last_beyond_end == 0) {
      event("commit_beyond_end", about(id, known.name),
            fmt::format("Consumer group {} has committed offsets beyond the end of {} partition{} of {}: the topic was "
                        "truncated or created anew.",
                        id, partitions, partitions == 1 ? "" : "s", known.name));
    }
    known.last_beyond_end = partitions;
  }

  void retention(const RetentionMargin& margin, GroupMemory::Topic& known) {
    if (margin.messages) add(known.margin, static_cast<double>(*margin.messages));
    if (margin.seconds) add(known.margin_seconds, *margin.seconds);
  }

  void pace(const Sum& sum, GroupMemory::Topic& known, ReadingPace::Rates& rates) {
    if (sum.pace.partitions == 0) {
      rates.known = rates.known && !sum.known;
      return;
    }
    const ReadingPace::Rates topic = known.pace.add(sum.pace, cycle_.now, cycle_.status);
    rates.read += topic.read;
    rates.written += topic.written;
    rates.known = rates.known && topic.known;
    if (topic.known) add(known.rate, topic.read);
  }

  /// One that stands still on some partition never catches up there, however fast it is on others.
  void catch_up(std::int64_t lag, const ReadingPace::Rates& rates, GroupMemory::Group& known) {
    if (lag == 0) return add(known.catch_up, 0);
    if (!rates.known || !known.status || *known.status >= GroupStatus::stall) return;
    const double gain = rates.read - rates.written;
    // Less than a message through the window is none.
    if (gain * core::to_seconds(cycle_.status.window) < 1) return;
    add(known.catch_up, static_cast<double>(lag) / gain);
  }

  const kafka::Snapshot& snapshot_;
  const KafkaCycle& cycle_;
  GroupMemory& memory_;
  core::Batch& batch_;
  GroupLabels labels_;
  std::vector<LogMemory::Topic*> logs_;
  Worst worst_;                      // of the group at hand
  std::optional<TimeLag> time_lag_;  // of the partition at hand
  std::vector<Labels> kept_;         // what is not said
  bool unbounded_ = false;
};

}  // namespace

void consumer_groups(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, GroupMemory& memory,
                     core::Batch& batch) {
  ++memory.cycle;
  GroupSamples samples(snapshot, cycle, memory, batch);
  for (const kafka::Group& group : snapshot.groups) samples.group(group);
  samples.note_unbounded();
  samples.note_kept();
  std::erase_if(memory.groups, [&](const auto& entry) { return samples.forgotten(entry.first, entry.second.seen); });
}

}  // namespace weir::collectors
