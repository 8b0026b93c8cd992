#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/connection.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

/// Reads topics' settings (DescribeConfigs, the wanted keys only) on a slow lane: each topic about every 20 cycles,
/// every 5 minutes at the least, new ones first, a bounded share of them a cycle. A topic keeps what was last read.
///
/// A user who may not read settings (DESCRIBE_CONFIGS) still sees everything else, so that is no fault: it is told by a
/// notice once, until they can be read again. Other failures pass: what failed is asked for again a minute later, or
/// sooner.
class TopicConfigs {
 public:
  using Clock = std::chrono::steady_clock;

  /// `interval`: from cycle to cycle.
  explicit TopicConfigs(std::chrono::milliseconds interval);

  /// Sets `config` of each topic whose settings were ever read. Ends within 2 s.
  void update(Connection& connection, const Budget& budget, Snapshot& snapshot);

  struct Answer {
    std::shared_ptr<const TopicConfig> config;  // null where it failed
    bool denied = false;
  };
  /// Which topics to ask for now; at most a share of them. Marks them as asked.
  std::vector<std::string> due(const std::vector<Topic>& topics, Clock::time_point now);
  void take(const std::string& topic, Answer answer, Clock::time_point now);
  /// Puts what is known into the snapshot, and says so where it may not be read.
  void fill(Snapshot& snapshot);

 private:
  struct Known {
    std::shared_ptr<const TopicConfig> config;
    Clock::time_point next;  // when to ask again
    bool denied = false;
    bool seen = false;
  };

  std::chrono::milliseconds period_;  // until a topic is asked for again
  std::size_t cycles_;                // in a period
  std::map<std::string, Known, std::less<>> topics_;
  bool told_ = false;
};

/// The settings from the broker's texts; what is missing or no number stays unknown.
TopicConfig to_topic_config(std::span<const std::pair<std::string_view, std::string_view>> entries);

}  // namespace weir::kafka
