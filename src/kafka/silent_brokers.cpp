#include "kafka/silent_brokers.h"

#include <algorithm>
#include <librdkafka/rdkafka.h>
#include <memory>

#include "kafka/errors.h"
#include "kafka/groups.h"
#include "kafka/raw_handles.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;

/// In which a broker that answers again is known to do so in the same cycle.
constexpr milliseconds kWait{200};

bool is_in(const BrokerIds& brokers, std::int32_t broker) {
  return std::ranges::find(brokers, broker) != brokers.end();
}

}  // namespace

SilentBrokers::SilentBrokers(Connection& connection, milliseconds timeout)
    : connection_(connection), timeout_(timeout), answers_(connection.new_queue()), unread_(connection.new_queue()) {}

bool SilentBrokers::contains(std::int32_t broker) const { return is_in(silent_, broker); }

void SilentBrokers::add(const BrokerIds& brokers) {
  for (const std::int32_t broker : brokers) {
    if (!contains(broker)) silent_.push_back(broker);
  }
}

void SilentBrokers::prefer_others(const BrokerIds& present) {
  while (const Event unread{rd_kafka_queue_poll(unread_.get(), 0)}) {
  }
  if (silent_.empty()) return;
  for (const std::int32_t broker : present) {
    if (!contains(broker)) send_touch(connection_, broker, timeout_, unread_.get());
  }
}

void SilentBrokers::take_answers(const Budget& budget) {
  const Budget wait = budget.within(kWait);
  while (!asked_.empty()) {
    const Event event(rd_kafka_queue_poll(answers_.get(), static_cast<int>(wait.left(kWait).count())));
    if (!event) return;
    const auto broker = static_cast<std::int32_t>(reinterpret_cast<std::intptr_t>(rd_kafka_event_opaque(event.get())));
    std::erase(asked_, broker);
    // Any answer of the broker's own will do: it may not be allowed to list groups.
    if (!is_connection_error(rd_kafka_event_error(event.get()))) std::erase(silent_, broker);
  }
}

void SilentBrokers::check(const Budget& budget, const BrokerIds& present) {
  std::erase_if(silent_, [&](std::int32_t broker) { return !is_in(present, broker); });
  for (const std::int32_t broker : silent_) {
    if (is_in(asked_, broker)) continue;
    send_list_groups(connection_, broker, timeout_, answers_.get());
    asked_.push_back(broker);
  }
  take_answers(budget);
}

}  // namespace weir::kafka
