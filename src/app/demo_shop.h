#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/demo_files.h"
#include "app/demo_registry.h"
#include "app/demo_script.h"
#include "app/demo_warehouse.h"
#include "core/error.h"
#include "core/time.h"
#include "kafka/client.h"
#include "runtime/log.h"

namespace weir::app {

/// The shop that the demo watches: real librdkafka clients produce and consume orders, payments and clicks, a
/// loader fills the warehouse, and the script breaks one after another. One thread calls step().
class DemoShop {
 public:
  /// Topics must exist at `places.brokers`.
  static core::Result<std::unique_ptr<DemoShop>> open(const DemoPlaces& places, core::Time now);

  /// What the shop does in the time since the last call: to be called several times a second.
  void step(core::Time now);

 private:
  /// A group with one consumer, which may be away.
  struct Group {
    std::string name;
    std::vector<std::string> topics;
    std::unique_ptr<kafka::Consumer> consumer;
    core::Time committed_at;
  };

  DemoShop(DemoPlaces places, DemoWarehouse warehouse, kafka::Producer producer, core::Time now);

  void produce(core::Duration elapsed, const DemoFaults& faults);
  void consume(Group& group, core::Time now, bool dead_letters);
  void load(core::Time now, const DemoFaults& faults);
  void offer_schema(const DemoFaults& faults);
  void note(const core::Result<void>& done);

  DemoPlaces places_;
  DemoWarehouse warehouse_;
  kafka::Producer producer_;
  std::vector<Group> groups_;
  core::Time started_at_;
  core::Time stepped_at_;
  core::Time orders_loaded_at_;
  core::Time revenue_loaded_at_;
  double owed_orders_ = 0;  // messages due but not yet a whole one
  long long next_order_ = 1;
  int loads_ = 0;
  bool schema_broken_ = true;  // so that the first step writes the good one
  std::string last_error_;
};

}  // namespace weir::app
