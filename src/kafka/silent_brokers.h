#pragma once

#include <chrono>

#include "kafka/connection.h"

namespace weir::kafka {

/// Brokers that let a request time out, or are so slow that a cycle with them would outlast its interval. A cycle does
/// not wait for them again: one request to each is always on its way, and a broker that answers it counts again. So a
/// broker that hangs costs one request_timeout at most once, and a moment in each cycle after.
class SilentBrokers {
 public:
  /// `timeout` of the requests on their way. Their answers come over `connection`, which must outlive this.
  SilentBrokers(Connection& connection, std::chrono::milliseconds timeout);

  const BrokerIds& ids() const { return silent_; }
  /// While some are silent: sends a little to each of the others in `present`, since librdkafka sends what any broker
  /// can answer, as metadata, to one that it has just used. Waits for nothing.
  void prefer_others(const BrokerIds& present);
  bool contains(std::int32_t broker) const;
  void add(const BrokerIds& brokers);
  /// To be called once a cycle: takes the answers that came, asks again, and forgets brokers that are not in
  /// `present`, the cluster's metadata. Waits 200 ms at most, and not at all while none is silent.
  void check(const Budget& budget, const BrokerIds& present);

 private:
  void take_answers(const Budget& budget);

  Connection& connection_;
  std::chrono::milliseconds timeout_;
  BrokerIds silent_;
  BrokerIds asked_;  // whose answer has not come
  Queue answers_;
  Queue unread_;  // answers of no interest
};

}  // namespace weir::kafka
