// From a Kafka snapshot to a batch, without any I/O.

#include <benchmark/benchmark.h>
#include <chrono>
#include <string>

#include "collectors/kafka.h"

namespace weir::collectors {
namespace {

kafka::Snapshot make_snapshot(int groups, int partitions) {
  kafka::Snapshot snapshot;
  kafka::Topic& topic = snapshot.topics.emplace_back();
  topic.name = "bench.orders";
  for (int i = 0; i < partitions; ++i) {
    topic.partitions.push_back({.id = i, .leader = 1, .replicas = 1, .in_sync = 1, .start = 0, .end = 1000});
  }
  for (int i = 0; i < groups; ++i) {
    kafka::Group& group = snapshot.groups.emplace_back();
    group.id = "bench-group-" + std::to_string(i);
    group.state = kafka::GroupState::stable;
    group.members = 3;
    for (int p = 0; p < partitions; ++p) group.partitions.push_back({0, p, kafka::Committed::at((i + p) % 1000)});
  }
  return snapshot;
}

void SnapshotToBatch(benchmark::State& state) {
  const kafka::Snapshot snapshot = make_snapshot(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  KafkaCollector collector("bench", std::chrono::seconds(15),
                           [&](const auto&) -> core::Result<kafka::Snapshot> { return snapshot; });
  core::CollectContext context{core::Time(std::chrono::seconds(1)), std::chrono::steady_clock::now(), {}};
  benchmark::DoNotOptimize(collector.collect(context));  // builds the labels
  std::size_t samples = 0;
  for (auto _ : state) {
    context.now += std::chrono::seconds(15);
    auto batch = collector.collect(context);
    samples = batch->samples.size();
    benchmark::DoNotOptimize(batch);
  }
  state.counters["samples"] = static_cast<double>(samples);
}
BENCHMARK(SnapshotToBatch)->Args({1000, 48})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::collectors
