#include "kafka/group_tracker.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weir::kafka {
namespace {

/// Descriptions refreshed in a cycle besides those that something calls for: a hundred groups are described
/// every cycle, a thousand every tenth.
constexpr std::int64_t kRefreshesPerCycle = 100;

BrokerIds starting_with(std::int32_t first, BrokerIds brokers) {
  const auto found = std::ranges::find(brokers, first);
  if (found != brokers.end()) std::rotate(brokers.begin(), found, found + 1);
  return brokers;
}

bool has_commits(const GroupAnswer& answer) {
  return std::ranges::any_of(answer.commits, [](const RawCommit& commit) { return !commit.committed.is_none(); });
}

bool has_no_members(GroupState state) { return state == GroupState::empty || state == GroupState::dead; }

bool rebalances(GroupState state) {
  return state == GroupState::preparing_rebalance || state == GroupState::completing_rebalance;
}

/// What a listing adds to what descriptions have told.
GroupKind merge(GroupKind listed, GroupKind known) {
  if (listed == GroupKind::unknown) return known == GroupKind::simple ? GroupKind::unknown : known;
  const bool finer = known == GroupKind::streams || known == GroupKind::connect;
  return listed == GroupKind::classic && finer ? known : listed;
}

}  // namespace

GroupTracker::GroupTracker(const ClusterSettings& settings)
    : settings_(settings), nobody_(std::make_shared<const std::vector<Member>>()) {}

/// Ascending by id, each once.
std::vector<ListedGroup> GroupTracker::admitted(std::vector<ListedGroup> listed) const {
  std::erase_if(listed, [&](const ListedGroup& group) { return !settings_.groups.filter.admits(group.id); });
  std::ranges::sort(listed, [&](const ListedGroup& a, const ListedGroup& b) {
    if (a.id != b.id) return a.id < b.id;
    return std::pair(a.state == GroupState::dead, a.broker) < std::pair(b.state == GroupState::dead, b.broker);
  });
  std::vector<ListedGroup> once;
  once.reserve(listed.size());
  for (ListedGroup& group : listed) {
    if (!once.empty() && once.back().id == group.id) {
      once.back().other_broker = group.broker;
    } else {
      once.push_back(std::move(group));
    }
  }
  return once;
}

void GroupTracker::cap(std::vector<ListedGroup>& listed, GroupPlan& plan) const {
  plan.listed = listed.size();
  if (listed.size() <= settings_.groups.max) return;
  plan.over_cap = listed.size() - settings_.groups.max;
  std::ranges::stable_partition(listed, [&](const ListedGroup& group) { return known_.contains(group.id); });
  listed.resize(settings_.groups.max);
  std::ranges::sort(listed, {}, &ListedGroup::id);
}

void GroupTracker::describe_soon(std::string id) {
  if (std::ssize(wanted_) < kRefreshesPerCycle) wanted_.insert(std::move(id));
}

GroupTracker::Known& GroupTracker::known_group(const std::string& id) {
  const auto [known, added] = known_.try_emplace(id);
  if (added) known->second.read_committed = settings_.groups.read_committed.match(id);
  return known->second;
}

void GroupTracker::plan_group(const ListedGroup& listed, std::int64_t index, std::int64_t period, GroupPlan& plan) {
  const bool added = !known_.contains(listed.id);
  Known& known = known_group(listed.id);
  const bool changed =
      added || known.again || known.state != listed.state || rebalances(listed.state) || wanted_.contains(listed.id);
  known.kind = merge(listed.kind, known.kind);
  known.state = listed.state;
  // Of a group without members only its kind can be learnt, and it does not change.
  const bool tells = has_no_members(listed.state) ? known.kind == GroupKind::unknown && listed.state != GroupState::dead
                                                  : listed.kind != GroupKind::simple;
  if (has_no_members(listed.state)) {
    known.members = 0;
    if (known.member_list) known.member_list = nobody_;
  }
  plan.groups.emplace_back().id = listed.id;
  GroupQuery& query = plan.queries.emplace_back();
  query.id = listed.id;
  query.brokers = {listed.broker};
  if (listed.other_broker >= 0) query.brokers.push_back(listed.other_broker);
  query.describe = tells && (changed || cycle_ - known.described >= period);
  if (query.describe) known.described = cycle_;
  if (added) known.described = cycle_ - index % period;  // spreads the refreshes
}

void GroupTracker::plan_missing(const BrokerIds& brokers, bool all_brokers_listed, GroupPlan& plan) {
  const std::size_t listed = plan.groups.size();
  for (auto& [id, known] : known_) {
    const auto end = plan.groups.begin() + static_cast<std::ptrdiff_t>(listed);
    const auto found = std::lower_bound(
        plan.groups.begin(), end, id, [](const ReadGroup& group, const std::string& name) { return group.id < name; });
    if (found != end && found->id == id) continue;
    if (!all_brokers_listed) {  // a fault for the whole cluster keeps them
      known.seen = cycle_;
      continue;
    }
    ReadGroup& group = plan.groups.emplace_back();
    group.id = id;
    group.listed = false;
    GroupQuery& query = plan.queries.emplace_back();
    query.id = id;
    query.brokers = starting_with(known.broker, brokers);
  }
}

GroupPlan GroupTracker::plan_listed(GroupListing listing, const BrokerIds& brokers, bool all_brokers_listed) {
  ++cycle_;
  GroupPlan plan;
  std::vector<ListedGroup> groups = admitted(std::move(listing.groups));
  cap(groups, plan);
  const std::int64_t period = (std::ssize(groups) + kRefreshesPerCycle - 1) / kRefreshesPerCycle;
  plan.groups.reserve(groups.size());
  plan.queries.reserve(groups.size());
  for (std::int64_t i = 0; i < std::ssize(groups); ++i)
    plan_group(groups[static_cast<std::size_t>(i)], i, period, plan);
  wanted_.clear();
  plan_missing(brokers, all_brokers_listed, plan);
  return plan;
}

GroupPlan GroupTracker::plan_named(const BrokerIds& brokers, const BrokerIds& silent,
                                   const std::vector<Topic>& topics) {
  ++cycle_;
  GroupPlan plan;
  for (const NamedGroup& named : settings_.groups.named) {
    ReadGroup& group = plan.groups.emplace_back();
    group.id = named.name;
    group.topics = named.topics;
    GroupQuery& query = plan.queries.emplace_back();
    query.id = named.name;
    query.describe = true;
    query.brokers = starting_with(known_group(named.name).broker, brokers);
    std::ranges::stable_partition(
        query.brokers, [&](std::int32_t broker) { return std::ranges::find(silent, broker) == silent.end(); });
    const std::vector<std::string>& names = named.topics.empty() ? settings_.topics.names : named.topics;
    query.all_partitions = names.empty();
    for (const std::string& name : names) {
      const auto topic = std::ranges::lower_bound(topics, name, {}, &Topic::name);
      if (topic != topics.end() && topic->name == name) query.topics.push_back(&*topic);
    }
  }
  plan.listed = plan.groups.size();
  return plan;
}

std::vector<ReadGroup> GroupTracker::finish(std::vector<ReadGroup> groups, std::vector<GroupAnswer> answers) {
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i].answer = std::move(answers[i]);
  std::erase_if(groups, [](const ReadGroup& group) {
    return !group.listed && !group.answer.offsets_error && !has_commits(group.answer);  // deleted indeed
  });
  for (ReadGroup& group : groups) remember(group);
  std::erase_if(known_, [&](const auto& entry) { return entry.second.seen != cycle_; });
  if (!settings_.groups.named.empty()) {
    std::erase_if(groups, [this](const ReadGroup& group) {  // deleted, or not there yet
      if (group.answer.offsets_error) return false;
      const bool missing = group.state == GroupState::dead && !has_commits(group.answer);
      if (!missing) told_missing_.erase(group.id);
      if (missing && told_missing_.insert(group.id).second) missing_.push_back(group.id);
      return missing;
    });
  }
  return groups;
}

std::vector<std::string> GroupTracker::take_missing() { return std::exchange(missing_, {}); }

void GroupTracker::remember(ReadGroup& group) {
  const GroupAnswer& answer = group.answer;
  Known& known = known_[group.id];
  known.seen = cycle_;
  known.again = answer.description_error.has_value();
  if (answer.broker >= 0) known.broker = answer.broker;
  if (answer.description) take_description(group, known);
  group.state = known.state;
  group.kind = known.kind;
  group.members = known.members;
  group.member_list = known.member_list;
  group.read_committed = known.read_committed;
}

void GroupTracker::take_description(const ReadGroup& group, Known& known) const {
  const GroupDescription& description = *group.answer.description;
  const bool named = !settings_.groups.named.empty();
  if (named && description.state == GroupState::dead && !has_commits(group.answer)) {
    known.state = GroupState::dead;  // and not one of KIP-848
    return;
  }
  if (!description.members) {
    known.kind = description.kind;
    known.member_list.reset();
    if (named || !has_no_members(known.state)) known.members.reset();
    if (named) known.state = GroupState::unknown;
    return;
  }
  // An empty group no longer says what its members were.
  const bool finer = known.kind == GroupKind::streams || known.kind == GroupKind::connect;
  if (!description.members->empty() || !finer) known.kind = description.kind;
  known.members = static_cast<std::int32_t>(description.members->size());
  if (!known.member_list || *known.member_list != *description.members) {
    known.member_list = std::make_shared<const std::vector<Member>>(*description.members);
  }
  if (named) known.state = description.state;
}

}  // namespace weir::kafka
