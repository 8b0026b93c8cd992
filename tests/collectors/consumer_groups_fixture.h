#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "collectors/consumer_groups.h"
#include "collectors/kafka_fixture.h"

namespace weir::collectors {

inline const std::string kGroup = R"(cluster="prod",consumergroup="billing")";
inline const std::string kTopic = kGroup + R"(,topic="orders"})";

inline std::string partition(const std::string& metric, int id) {
  return metric + "{" + kGroup + ",partition=\"" + std::to_string(id) + R"(",topic="orders"})";
}

class ConsumerGroups : public testing::Test {
 protected:
  /// One group "billing" of the topic "orders".
  static kafka::Snapshot one(std::vector<std::pair<std::int64_t, std::int64_t>> offsets,
                             std::vector<kafka::Committed> committed,
                             kafka::GroupState state = kafka::GroupState::stable) {
    kafka::Snapshot snapshot;
    snapshot.topics = {make_topic("orders", std::move(offsets))};
    kafka::Group group;
    group.id = "billing";
    group.state = state;
    for (std::size_t i = 0; i < committed.size(); ++i) {
      group.partitions.push_back({0, static_cast<std::int32_t>(i), committed[i]});
    }
    snapshot.groups = {group};
    return snapshot;
  }

  core::Batch run(const kafka::Snapshot& snapshot) {
    core::Batch batch;
    const core::SeriesSource* past = past_.series.empty() ? nullptr : &past_;
    consumer_groups(snapshot, {"prod", at_second(second_ += 15), kafka::kDefaultStatus, settings_, nullptr, past},
                    memory_, batch);
    return batch;
  }

  /// The scopes of faults that keep the state of something.
  static std::vector<std::string> kept(const core::Batch& batch) {
    std::vector<std::string> scopes;
    for (const core::Fault& fault : batch.faults) {
      if (fault.no_value) scopes.push_back(fault.scope.to_string());
    }
    return scopes;
  }

  Past past_;  // where it has series
  GroupMemory memory_;
  kafka::MetricSettings settings_;
  int second_ = 0;
};

}  // namespace weir::collectors
