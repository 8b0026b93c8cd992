#include "kafka/cluster.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_map>
#include <utility>

#include "kafka/assemble.h"
#include "kafka/connection.h"
#include "kafka/dead_letter_samples.h"
#include "kafka/groups.h"
#include "kafka/metadata.h"
#include "kafka/offsets.h"
#include "kafka/sampler.h"
#include "kafka/topic_configs.h"

namespace weir::kafka {
namespace {

using BrokerIds = std::vector<std::int32_t>;

/// Descriptions refreshed in a cycle besides those of groups whose state changed: a hundred groups are
/// described every cycle, a thousand every tenth.
constexpr std::uint64_t kRefreshesPerCycle = 100;

/// The brokers answer this code for a topic they do not know (UNKNOWN_TOPIC_OR_PARTITION).
constexpr int kUnknownTopicOrPartition = 3;

BrokerIds starting_with(std::int32_t first, BrokerIds brokers) {
  const auto found = std::ranges::find(brokers, first);
  if (found != brokers.end()) std::rotate(brokers.begin(), found, found + 1);
  return brokers;
}

bool has_commits(const GroupAnswer& answer) {
  return std::ranges::any_of(answer.commits, [](const RawCommit& commit) { return !commit.committed.is_none(); });
}

bool has_no_members(GroupState state) { return state == GroupState::empty || state == GroupState::dead; }

}  // namespace

class Cluster::Impl {
 public:
  Impl(ClusterSettings settings, std::unique_ptr<Connection> connection)
      : settings_(std::move(settings)),
        connection_(std::move(connection)),
        letters_(settings_.dead_letters),
        configs_(settings_.interval) {}

  core::Result<Snapshot> snapshot(const Budget& budget) {
    auto taken = take(budget);
    if (!taken) taken.error().where = where();
    return taken;
  }

 private:
  struct Known {
    GroupState state = GroupState::unknown;
    std::optional<std::int32_t> members;
    std::int32_t broker = -1;     // the last that coordinated it
    std::uint64_t described = 0;  // cycle
    bool again = false;           // the last description failed
    std::uint64_t seen = 0;       // cycle
  };

  std::string where() const { return "kafka/" + settings_.name; }
  bool is_named() const { return !settings_.groups.named.empty(); }

  core::Result<Snapshot> take(const Budget& budget) {
    ++cycle_;
    connection_->begin();
    auto metadata = read_metadata(*connection_, budget, settings_);
    if (!metadata) return std::unexpected(std::move(metadata.error()));
    Snapshot snapshot;
    snapshot.brokers = static_cast<std::int32_t>(metadata->brokers.size());
    snapshot.topics = std::move(metadata->topics);
    snapshot.faults = std::move(metadata->faults);
    TopicNames names;
    auto groups = read_all_groups(budget, metadata->brokers, snapshot, names);
    if (!groups) return std::unexpected(std::move(groups.error()));
    join_groups(std::move(*groups), names, settings_.name, snapshot);
    if (auto read = read_ends(budget, snapshot); !read) return std::unexpected(std::move(read.error()));
    auto faults = newest_.update(*connection_, budget, settings_.name, snapshot.topics);
    std::ranges::move(faults, std::back_inserter(snapshot.faults));
    letters_.update(*connection_, budget, snapshot.topics);
    configs_.update(*connection_, budget, snapshot);
    limit_faults(settings_.name, snapshot.faults);
    for (core::Fault& fault : snapshot.faults) fault.error.where = where();
    return snapshot;
  }

  core::Result<std::vector<ReadGroup>> read_all_groups(const Budget& budget, const BrokerIds& brokers,
                                                       Snapshot& snapshot, TopicNames& names) {
    // Half of the time at most: coordinators that do not answer must not cost the topics.
    const Budget share = budget.within(budget.left(std::chrono::hours(1)) / 2);
    auto groups = is_named() ? named() : listed(share, brokers, snapshot);
    if (!groups) return groups;
    const std::vector<GroupQuery> queries = is_named() ? plan_named(brokers, snapshot) : plan_listed(*groups, brokers);
    auto answers = read_groups(*connection_, share, settings_.request_timeout, queries);
    if (!answers) return std::unexpected(std::move(answers.error()));
    for (std::size_t i = 0; i < groups->size(); ++i) (*groups)[i].answer = std::move(answers->answers[i]);
    std::erase_if(*groups, [](const ReadGroup& group) {
      return !group.listed && !group.answer.offsets_error && !has_commits(group.answer);  // deleted indeed
    });
    for (ReadGroup& group : *groups) remember(group);
    std::erase_if(known_, [&](const auto& entry) { return entry.second.seen != cycle_; });
    if (is_named()) {
      std::erase_if(*groups, [](const ReadGroup& group) {  // deleted, or not there yet
        return group.state == GroupState::dead && !has_commits(group.answer) && !group.answer.offsets_error;
      });
    }
    names = std::move(answers->topics);
    return groups;
  }

  core::Result<std::vector<ReadGroup>> listed(const Budget& budget, const BrokerIds& brokers, Snapshot& snapshot) {
    auto listing = list_groups(*connection_, budget.within(settings_.request_timeout), brokers);
    if (!listing) return std::unexpected(std::move(listing.error()));
    // Which groups a silent broker coordinates is unknown, so nothing of the cluster may be taken for deleted.
    for (core::Error& error : listing->errors) {
      snapshot.faults.push_back({std::move(error), core::Labels{{"cluster", settings_.name}}});
    }
    std::vector<ReadGroup> groups;
    for (ListedGroup& group : listing->groups) {
      if (!settings_.groups.filter.admits(group.id)) continue;
      ReadGroup& read = groups.emplace_back();
      read.id = std::move(group.id);
      read.state = group.state;
      read.answer.broker = group.broker;
    }
    std::ranges::sort(groups, {}, &ReadGroup::id);
    const auto twice = std::ranges::unique(groups, {}, &ReadGroup::id);
    groups.erase(twice.begin(), twice.end());
    add_missing(groups, listing->errors.empty());
    return groups;
  }

  /// A broker that has just become coordinator lists only the groups it has loaded so far, and no error. So
  /// groups that are listed no more are asked for: a coordinator that is not ready says so, one that is and
  /// knows no commits means that the group is gone.
  void add_missing(std::vector<ReadGroup>& groups, bool all_brokers_listed) {
    std::vector<ReadGroup> missing;
    for (auto& [id, known] : known_) {
      if (std::ranges::binary_search(groups, id, {}, &ReadGroup::id)) continue;
      if (!all_brokers_listed) {  // a fault for the whole cluster keeps them
        known.seen = cycle_;
        continue;
      }
      ReadGroup& group = missing.emplace_back();
      group.id = id;
      group.state = known.state;
      group.listed = false;
      group.answer.broker = known.broker;
    }
    std::ranges::move(missing, std::back_inserter(groups));
  }

  core::Result<std::vector<ReadGroup>> named() const {
    std::vector<ReadGroup> groups;
    for (const NamedGroup& group : settings_.groups.named) {
      ReadGroup& read = groups.emplace_back();
      read.id = group.name;
      read.topics = group.topics;
    }
    return groups;
  }

  std::vector<GroupQuery> plan_listed(const std::vector<ReadGroup>& groups, const BrokerIds& brokers) {
    const std::uint64_t period = (groups.size() + kRefreshesPerCycle - 1) / kRefreshesPerCycle;
    std::vector<GroupQuery> queries(groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
      queries[i].id = groups[i].id;
      if (!groups[i].listed) {
        queries[i].brokers = starting_with(groups[i].answer.broker, brokers);
        continue;
      }
      queries[i].brokers = {groups[i].answer.broker};
      auto [known, added] = known_.try_emplace(groups[i].id);
      Known& group = known->second;
      const bool changed = added || group.again || group.state != groups[i].state;
      queries[i].describe = !has_no_members(groups[i].state) && (changed || cycle_ - group.described >= period);
      if (queries[i].describe) group.described = cycle_;
      if (added) group.described = cycle_ - std::min(cycle_, i % period);  // spreads the refreshes
      group.state = groups[i].state;
      if (has_no_members(group.state)) group.members = 0;
    }
    return queries;
  }

  /// Which broker coordinates a named group is found by asking one after the other, the last that did
  /// first: that takes no right but DESCRIBE on the group.
  std::vector<GroupQuery> plan_named(const BrokerIds& brokers, const Snapshot& snapshot) {
    std::vector<GroupQuery> queries;
    for (const NamedGroup& group : settings_.groups.named) {
      GroupQuery& query = queries.emplace_back();
      query.id = group.name;
      query.describe = true;
      query.brokers = starting_with(known_[group.name].broker, brokers);
      const std::vector<std::string>& names = group.topics.empty() ? settings_.topics.names : group.topics;
      query.all_partitions = names.empty();
      for (const std::string& name : names) {
        const auto topic = std::ranges::lower_bound(snapshot.topics, name, {}, &Topic::name);
        if (topic != snapshot.topics.end() && topic->name == name) query.topics.push_back(&*topic);
      }
    }
    return queries;
  }

  void remember(ReadGroup& group) {
    const GroupAnswer& answer = group.answer;
    const auto& description = answer.description;
    Known& known = known_[group.id];
    known.seen = cycle_;
    known.again = answer.description_error.has_value();
    if (answer.broker >= 0) known.broker = answer.broker;
    // A broker describes a group of the new protocol (KIP-848) as dead to a client of the old one.
    const bool undescribed = description && description->state == GroupState::dead &&
                             (is_named() ? has_commits(answer) : !has_no_members(group.state));
    if (undescribed) {
      known.members.reset();
      if (is_named()) known.state = GroupState::unknown;
    } else if (description) {
      known.members = description->members;
      if (is_named()) known.state = description->state;
    }
    group.state = known.state;
    group.members = known.members;
  }

  core::Result<void> read_ends(const Budget& budget, Snapshot& snapshot) {
    auto codes = read_offsets(*connection_, budget, snapshot.topics);
    if (!codes) return std::unexpected(std::move(codes.error()));
    if (std::ranges::find(*codes, kUnknownTopicOrPartition) != codes->end()) drop_deleted(budget, *codes, snapshot);
    add_offset_faults(settings_.name, *codes, snapshot);
    return {};
  }

  /// A leader that does not know its topic: deleted a moment ago, if the metadata says so too.
  void drop_deleted(const Budget& budget, std::vector<int>& codes, Snapshot& snapshot) {
    const auto metadata = read_metadata(*connection_, budget, settings_);
    if (!metadata) return;
    std::vector<bool> gone(codes.size());
    std::vector<int> kept;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      gone[i] = codes[i] == kUnknownTopicOrPartition &&
                !std::ranges::binary_search(metadata->topics, snapshot.topics[i].name, {}, &Topic::name);
      if (!gone[i]) kept.push_back(codes[i]);
    }
    drop_topics(snapshot, gone);
    codes = std::move(kept);
  }

  ClusterSettings settings_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t cycle_ = 0;
  std::unordered_map<std::string, Known> known_;
  NewestMessages newest_;
  DeadLetterSamples letters_;
  TopicConfigs configs_;
};

Cluster::Cluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cluster::~Cluster() = default;

core::Result<std::unique_ptr<Cluster>> Cluster::connect(ClusterSettings settings) {
  auto connection = Connection::open(settings);
  if (!connection) {
    connection.error().where = "kafka/" + settings.name;
    return std::unexpected(std::move(connection.error()));
  }
  return std::unique_ptr<Cluster>(new Cluster(std::make_unique<Impl>(std::move(settings), std::move(*connection))));
}

core::Result<Snapshot> Cluster::snapshot(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop) {
  return impl_->snapshot({deadline, stop});
}

}  // namespace weir::kafka
