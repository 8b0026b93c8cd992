#include "app/demo_shop.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

namespace weir::app {
namespace {

using namespace std::chrono_literals;

constexpr double kOrdersPerSecond = 400;
constexpr std::size_t kMostPolls = 400;  // messages a group takes in one step
constexpr int kRevenueRows = 280;

std::string order(long long id) {
  return fmt::format(R"({{"order_id":"{}","amount":{:.2f}}})", id, 5.0 + static_cast<double>(id * 7919 % 4500) / 100.0);
}

}  // namespace

core::Result<std::unique_ptr<DemoShop>> DemoShop::open(const DemoPlaces& places, core::Time now) {
  auto warehouse = DemoWarehouse::create(places.warehouse().string());
  if (!warehouse) return std::unexpected(warehouse.error());
  auto producer = kafka::Producer::open(places.brokers);
  if (!producer) return std::unexpected(producer.error());
  return std::unique_ptr<DemoShop>(new DemoShop(places, std::move(*warehouse), std::move(*producer), now));
}

DemoShop::DemoShop(DemoPlaces places, DemoWarehouse warehouse, kafka::Producer producer, core::Time now)
    : places_(std::move(places)),
      warehouse_(std::move(warehouse)),
      producer_(std::move(producer)),
      started_at_(now),
      stepped_at_(now) {
  groups_.push_back({"fulfilment", {"orders"}, nullptr, now});
  groups_.push_back({"fraud-check", {"payments"}, nullptr, now});
  groups_.push_back({"click-stream", {"user.clicks"}, nullptr, now});
  groups_.push_back({"warehouse-loader", {"orders"}, nullptr, now});
}

void DemoShop::step(core::Time now) {
  const DemoFaults faults = demo_faults(now - started_at_);
  produce(now - stepped_at_, faults);
  for (Group& group : groups_) {
    const bool away = group.name == "fulfilment" && faults.consumer_stopped;
    if (away) {
      group.consumer.reset();
    } else {
      consume(group, now, group.name == "click-stream");
    }
  }
  load(now, faults);
  offer_schema(faults);
  stepped_at_ = now;
}

void DemoShop::produce(core::Duration elapsed, const DemoFaults& faults) {
  owed_orders_ += kOrdersPerSecond * core::to_seconds(std::min<core::Duration>(elapsed, 2s));
  for (; owed_orders_ >= 1; --owed_orders_) {
    const long long id = next_order_++;
    const std::string key = std::to_string(id);
    note(producer_.produce("orders", std::nullopt, key, order(id)));
    if (id % 2 == 0) note(producer_.produce("payments", std::nullopt, key, order(id)));
    const bool poison = faults.poison_messages && id % 400 == 0;
    if (id % 2 == 1 || poison)
      note(producer_.produce("user.clicks", std::nullopt, key, poison ? "\xff not JSON" : R"({"page":"/"})"));
  }
}

void DemoShop::consume(Group& group, core::Time now, bool dead_letters) {
  if (!group.consumer) {
    auto consumer = kafka::Consumer::open(
        places_.brokers, group.name, group.topics,
        {{"session.timeout.ms", core::Secret("4000")}, {"heartbeat.interval.ms", core::Secret("500")}});
    if (!consumer) return note(std::unexpected(consumer.error()));
    group.consumer = std::make_unique<kafka::Consumer>(std::move(*consumer));
  }
  for (std::size_t i = 0; i < kMostPolls; ++i) {
    const auto message = group.consumer->poll(0ms);
    if (!message) break;
    if (!dead_letters || message->value.starts_with('{')) continue;
    note(producer_.produce(
        "user.clicks.dlt", std::nullopt, message->key, message->value,
        {{"__connect.errors.topic", message->topic},
         {"__connect.errors.exception.class.name", "org.apache.kafka.common.errors.SerializationException"},
         {"__connect.errors.exception.message", "cannot deserialize: invalid UTF-8 at byte 0"}}));
  }
  if (now - group.committed_at < 1s) return;
  group.committed_at = now;
  note(group.consumer->commit());
}

void DemoShop::load(core::Time now, const DemoFaults& faults) {
  if (!faults.loader_stalled && now - orders_loaded_at_ >= 5s) {
    orders_loaded_at_ = now;
    note(warehouse_.load_orders(100, now));
  }
  if (now - revenue_loaded_at_ < 10s) return;
  revenue_loaded_at_ = now;
  ++loads_;
  const int rows = kRevenueRows + loads_ % 7;
  note(warehouse_.load_revenue(faults.half_load ? rows / 2 : rows, now));
}

void DemoShop::offer_schema(const DemoFaults& faults) {
  if (schema_broken_ == faults.schema_incompatible) return;
  schema_broken_ = faults.schema_incompatible;
  note(write_file(places_.candidate(), demo_order_schema(!faults.schema_incompatible)));
}

void DemoShop::note(const core::Result<void>& done) {
  const std::string error = done ? std::string() : done.error().describe();
  if (!error.empty() && error != last_error_) runtime::log_warn("the demo's shop has trouble", {{"error", error}});
  if (!error.empty()) last_error_ = error;
}

}  // namespace weir::app
