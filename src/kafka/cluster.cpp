#include "kafka/cluster.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "kafka/assemble.h"
#include "kafka/connection.h"
#include "kafka/groups.h"
#include "kafka/metadata.h"
#include "kafka/offsets.h"
#include "kafka/sampler.h"

namespace weir::kafka {
namespace {

/// Descriptions refreshed in a cycle besides those of groups whose state changed: a hundred groups are
/// described every cycle, a thousand every tenth.
constexpr std::uint64_t kRefreshesPerCycle = 100;

/// The brokers answer this code for a topic they do not know (UNKNOWN_TOPIC_OR_PARTITION).
constexpr int kUnknownTopicOrPartition = 3;

bool has_no_members(GroupState state) { return state == GroupState::empty || state == GroupState::dead; }

}  // namespace

class Cluster::Impl {
 public:
  Impl(ClusterSettings settings, std::unique_ptr<Connection> connection)
      : settings_(std::move(settings)), connection_(std::move(connection)) {
    for (const NamedGroup& group : settings_.groups.named) {
      explicit_partitions_ = explicit_partitions_ || !topics_of(group).empty();
    }
  }

  core::Result<Snapshot> snapshot(const Budget& budget) {
    auto taken = take(budget);
    if (!taken) taken.error().where = where();
    return taken;
  }

 private:
  struct Known {
    GroupState state = GroupState::unknown;
    std::optional<std::int32_t> members;
    std::uint64_t described = 0;  // cycle
    bool again = false;           // the last description failed
    std::uint64_t seen = 0;       // cycle
  };

  std::string where() const { return "kafka/" + settings_.name; }

  core::Result<Snapshot> take(const Budget& budget) {
    if (auto reopened = reopen(); !reopened) return std::unexpected(std::move(reopened.error()));
    ++cycle_;
    connection_->begin();
    Snapshot snapshot;
    // Naming partitions takes knowing them first; else metadata is read after the commits, so that no commit
    // is seen for a topic not yet seen.
    if (explicit_partitions_) {
      if (auto read = read_topics(budget, snapshot); !read) return std::unexpected(std::move(read.error()));
    }
    TopicNames names;
    auto groups = read_all_groups(budget, snapshot, names);
    if (!groups) return std::unexpected(std::move(groups.error()));
    if (!explicit_partitions_) {
      if (auto read = read_topics(budget, snapshot); !read) return std::unexpected(std::move(read.error()));
    }
    join_groups(std::move(*groups), names, settings_.name, snapshot);
    if (auto read = read_ends(budget, snapshot); !read) return std::unexpected(std::move(read.error()));
    auto faults = newest_.update(*connection_, budget, settings_.name, snapshot.topics);
    std::ranges::move(faults, std::back_inserter(snapshot.faults));
    for (core::Fault& fault : snapshot.faults) fault.error.where = where();
    return snapshot;
  }

  /// librdkafka 2.0 keeps asking a coordinator that is none any more while its broker is up, so a move is
  /// answered with a new client.
  core::Result<void> reopen() {
    if (!stale_) return {};
    auto connection = Connection::open(settings_);
    if (!connection) return std::unexpected(std::move(connection.error()));
    connection_ = std::move(*connection);
    stale_ = false;
    return {};
  }

  const std::vector<std::string>& topics_of(const NamedGroup& group) const {
    return group.topics.empty() ? settings_.topics.names : group.topics;
  }

  core::Result<void> read_topics(const Budget& budget, Snapshot& snapshot) {
    auto metadata = read_metadata(*connection_, budget, settings_);
    if (!metadata) return std::unexpected(std::move(metadata.error()));
    snapshot.brokers = metadata->brokers;
    snapshot.topics = std::move(metadata->topics);
    std::ranges::move(metadata->faults, std::back_inserter(snapshot.faults));
    return {};
  }

  core::Result<std::vector<ReadGroup>> read_all_groups(const Budget& budget, Snapshot& snapshot, TopicNames& names) {
    // Half of the time at most: coordinators that do not answer must not cost the topics.
    const Budget share = budget.within(budget.left(std::chrono::hours(1)) / 2);
    auto groups = settings_.groups.named.empty() ? list(share, snapshot) : named();
    if (!groups) return groups;
    std::vector<GroupQuery> queries = plan(*groups, snapshot);
    auto answers = read_groups(*connection_, share, settings_.request_timeout, queries);
    if (!answers) return std::unexpected(std::move(answers.error()));
    for (std::size_t i = 0; i < groups->size(); ++i) {
      (*groups)[i].answer = std::move(answers->answers[i]);
      remember((*groups)[i]);
    }
    std::erase_if(known_, [&](const auto& entry) { return entry.second.seen != cycle_; });
    if (!settings_.groups.named.empty()) {
      std::erase_if(*groups, [](const ReadGroup& group) {  // deleted, or not there yet
        return group.state == GroupState::dead && group.answer.commits.empty() && !group.answer.offsets_error;
      });
    }
    names = std::move(answers->topics);
    return groups;
  }

  core::Result<std::vector<ReadGroup>> list(const Budget& budget, Snapshot& snapshot) {
    auto listing = list_groups(*connection_, budget.within(settings_.request_timeout));
    if (!listing) return std::unexpected(std::move(listing.error()));
    // Which groups a silent broker coordinates is unknown, so nothing of the cluster may be taken for deleted.
    for (core::Error& error : listing->errors) {
      snapshot.faults.push_back({std::move(error), core::Labels{{"cluster", settings_.name}}});
    }
    std::vector<ReadGroup> groups;
    for (ListedGroup& group : listing->groups) {
      if (!settings_.groups.filter.admits(group.id)) continue;
      groups.push_back({std::move(group.id), group.state, std::nullopt, {}, {}});
    }
    std::ranges::sort(groups, {}, &ReadGroup::id);
    const auto twice = std::ranges::unique(groups, {}, &ReadGroup::id);  // listed by two brokers as it moved
    groups.erase(twice.begin(), twice.end());
    return groups;
  }

  core::Result<std::vector<ReadGroup>> named() const {
    std::vector<ReadGroup> groups;
    for (const NamedGroup& group : settings_.groups.named) {
      groups.push_back({group.name, GroupState::unknown, std::nullopt, group.topics, {}});
    }
    return groups;
  }

  std::vector<GroupQuery> plan(const std::vector<ReadGroup>& groups, const Snapshot& snapshot) {
    const std::uint64_t period = (groups.size() + kRefreshesPerCycle - 1) / kRefreshesPerCycle;
    std::vector<GroupQuery> queries(groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
      queries[i].id = groups[i].id;
      if (!settings_.groups.named.empty()) {
        queries[i].describe = true;
        add_partitions(settings_.groups.named[i], snapshot, queries[i]);
        continue;
      }
      auto [known, added] = known_.try_emplace(groups[i].id);
      Known& group = known->second;
      const bool changed = added || group.again || group.state != groups[i].state;
      queries[i].describe = !has_no_members(groups[i].state) && (changed || cycle_ - group.described >= period);
      if (queries[i].describe) group.described = cycle_;
      if (added) group.described = cycle_ - std::min(cycle_, i % period);  // spreads the refreshes
      group.state = groups[i].state;
      group.seen = cycle_;
      if (has_no_members(group.state)) group.members = 0;
    }
    return queries;
  }

  void add_partitions(const NamedGroup& group, const Snapshot& snapshot, GroupQuery& query) const {
    const std::vector<std::string>& names = topics_of(group);
    query.all_partitions = names.empty();
    for (const std::string& name : names) {
      const auto topic = std::ranges::lower_bound(snapshot.topics, name, {}, &Topic::name);
      if (topic != snapshot.topics.end() && topic->name == name) query.topics.push_back(&*topic);
    }
  }

  void remember(ReadGroup& group) {
    stale_ = stale_ || group.answer.coordinator_moved;
    const auto& description = group.answer.description;
    if (!settings_.groups.named.empty()) {
      if (!description) return;
      group.state = description->state;
      group.members = description->members;
      // A broker describes a group of the new protocol (KIP-848) as dead to a client of the old one.
      if (group.state == GroupState::dead && !group.answer.commits.empty()) {
        group.state = GroupState::unknown;
        group.members.reset();
      }
      return;
    }
    Known& known = known_[group.id];
    known.again = group.answer.description_error.has_value();
    if (description && description->state == GroupState::dead && !has_no_members(group.state)) {
      known.members.reset();
    } else if (description) {
      known.members = description->members;
    }
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
  bool explicit_partitions_ = false;
  bool stale_ = false;
  std::uint64_t cycle_ = 0;
  std::unordered_map<std::string, Known> known_;
  NewestMessages newest_;
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
