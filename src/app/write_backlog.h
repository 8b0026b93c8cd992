#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/store.h"

namespace weir::app {

/// What the judge has to write, from one step to the next when storage does not take it. Of alerts, incidents and
/// groups only the newest word is kept; of transitions and messages all, up to a bound, past which the oldest go that
/// were followed by another of the same alert or the same group: how things ended is never dropped. Used by one thread.
class WriteBacklog {
 public:
  /// `most` transitions, and as many messages, wait before any is dropped; `chunk` of each go into one commit.
  explicit WriteBacklog(std::size_t most = 50'000, std::size_t chunk = 5'000);

  /// Joins what waits.
  void add(storage::Commit changes);
  /// Nothing waits.
  bool empty() const;
  /// What to write next. It stays the same, under the same id, until written() says that it was: an answer that was
  /// lost does not double anything. What the alerts, incidents and groups became goes with the last of several.
  const storage::Commit& next();
  void written();
  /// The id of the commit that storage says was its last; the next one follows it.
  void go_on_after(std::string last) { last_ = std::move(last); }
  /// Storage has not what was written to it (Trouble::lost): `states` is all there is of alerts, incidents and groups,
  /// and takes the place of what storage has of them.
  void begin_anew(storage::Commit states);
  /// Forgets all that waits.
  void clear();
  /// The transitions that wait, none of which next() has given out.
  std::vector<core::Transition> take_transitions();

  /// Transitions, messages, alerts, incidents and groups that wait.
  std::size_t size() const;
  /// Transitions and messages that were dropped, ever.
  std::uint64_t dropped() const { return dropped_; }

 private:
  using AlertKey = std::tuple<std::uint64_t, std::string, std::string>;

  void bound_transitions();
  void bound_messages();

  const std::size_t most_;
  const std::size_t chunk_;
  const std::string run_;  // what this process's ids begin with
  std::uint64_t commits_ = 0;
  std::uint64_t dropped_ = 0;
  std::size_t least_transitions_ = 0;  // that the last bounding left
  std::size_t least_messages_ = 0;
  storage::Commit current_;  // under way
  std::string last_;         // id of what was written last
  bool anew_ = false;
  std::map<AlertKey, core::Alert> alerts_;
  std::map<AlertKey, core::Alert> removed_;
  std::map<std::string, core::Incident> incidents_;
  std::map<std::string, core::GroupRecord> groups_;
  std::deque<core::Transition> transitions_;
  std::deque<core::OutboxMessage> outbox_;
};

}  // namespace weir::app
