#include "app/write_backlog.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <random>
#include <set>
#include <utility>

namespace weir::app {
namespace {

std::string random_name() {
  std::random_device device;
  std::uniform_int_distribution<std::uint32_t> any;
  return fmt::format("{:08x}{:08x}", any(device), any(device));
}

/// Drops what `key` says was followed by another, from the oldest on, until `most` are left; the number dropped.
template <class Item, class Key>
std::size_t drop_followed(std::deque<Item>& items, std::size_t most, Key key) {
  const std::size_t before = items.size();
  std::set<decltype(key(items.front()))> later;
  std::deque<Item> kept;
  for (auto item = items.rbegin(); item != items.rend(); ++item) {
    const bool last = later.insert(key(*item)).second;
    if (last || kept.size() < most) kept.push_front(std::move(*item));
  }
  items = std::move(kept);
  return before - items.size();
}

template <class Item>
std::vector<Item> take(std::deque<Item>& from, std::size_t most) {
  const auto end = from.begin() + static_cast<std::ptrdiff_t>(std::min(most, from.size()));
  std::vector<Item> taken(std::make_move_iterator(from.begin()), std::make_move_iterator(end));
  from.erase(from.begin(), end);
  return taken;
}

template <class Key, class Item>
std::vector<Item> take(std::map<Key, Item>& from) {
  std::vector<Item> taken;
  taken.reserve(from.size());
  for (auto& [key, item] : from) taken.push_back(std::move(item));
  from.clear();
  return taken;
}

}  // namespace

WriteBacklog::WriteBacklog(std::size_t most, std::size_t chunk) : most_(most), chunk_(chunk), run_(random_name()) {}

void WriteBacklog::add(storage::Commit changes) {
  for (core::Alert& alert : changes.alerts) {
    AlertKey key{alert.fingerprint, alert.group, alert.rule};
    removed_.erase(key);
    alerts_.insert_or_assign(std::move(key), std::move(alert));
  }
  for (core::Alert& alert : changes.removed) {
    AlertKey key{alert.fingerprint, alert.group, alert.rule};
    alerts_.erase(key);
    removed_.insert_or_assign(std::move(key), std::move(alert));
  }
  for (core::Incident& incident : changes.incidents) incidents_.insert_or_assign(incident.id, std::move(incident));
  for (core::GroupRecord& group : changes.groups) groups_.insert_or_assign(group.key, std::move(group));
  std::ranges::move(changes.transitions, std::back_inserter(transitions_));
  std::ranges::move(changes.outbox, std::back_inserter(outbox_));
  bound_transitions();
  bound_messages();
}

// Each bounding looks at all: the next comes when as many again have gathered.
void WriteBacklog::bound_transitions() {
  if (transitions_.size() <= std::max(most_, 2 * least_transitions_)) return;
  dropped_ += drop_followed(transitions_, most_ / 2, [](const core::Transition& transition) {
    return AlertKey{transition.alert.fingerprint, transition.alert.group, transition.alert.rule};
  });
  least_transitions_ = transitions_.size();
}

void WriteBacklog::bound_messages() {
  if (outbox_.size() <= std::max(most_, 2 * least_messages_)) return;
  dropped_ += drop_followed(outbox_, most_ / 2, [](const core::OutboxMessage& message) {
    const core::Notification& notification = message.notification;
    return std::tuple(notification.receiver, notification.integration, notification.group_key);
  });
  least_messages_ = outbox_.size();
}

bool WriteBacklog::empty() const { return size() == 0 && !anew_ && !current_.anew; }

void WriteBacklog::written() {
  last_ = current_.id;
  current_ = {};
}

void WriteBacklog::begin_anew(storage::Commit states) {
  last_.clear();
  current_.follows.clear();
  current_.anew = false;
  current_.alerts.clear();
  current_.removed.clear();
  current_.groups.clear();
  for (core::Incident& incident : std::exchange(current_.incidents, {})) incidents_.emplace(incident.id, incident);
  alerts_.clear();
  removed_.clear();
  groups_.clear();
  anew_ = true;
  add(std::move(states));
}

void WriteBacklog::clear() {
  current_ = {};
  last_.clear();
  anew_ = false;
  alerts_.clear();
  removed_.clear();
  incidents_.clear();
  groups_.clear();
  transitions_.clear();
  outbox_.clear();
  least_transitions_ = least_messages_ = 0;
}

std::vector<core::Transition> WriteBacklog::take_transitions() {
  least_transitions_ = 0;
  return take(transitions_, transitions_.size());
}

std::size_t WriteBacklog::size() const {
  return current_.alerts.size() + current_.removed.size() + current_.transitions.size() + current_.incidents.size() +
         current_.outbox.size() + current_.groups.size() + alerts_.size() + removed_.size() + incidents_.size() +
         groups_.size() + transitions_.size() + outbox_.size();
}

const storage::Commit& WriteBacklog::next() {
  if (!current_.empty()) return current_;
  current_.id = fmt::format("{}/{}", run_, ++commits_);
  current_.follows = last_;
  current_.transitions = take(transitions_, chunk_);
  current_.outbox = take(outbox_, chunk_);
  if (transitions_.empty() && outbox_.empty()) {
    current_.alerts = take(alerts_);
    current_.removed = take(removed_);
    current_.incidents = take(incidents_);
    current_.groups = take(groups_);
    current_.anew = std::exchange(anew_, false);
    least_transitions_ = least_messages_ = 0;
  }
  return current_;
}

}  // namespace weir::app
