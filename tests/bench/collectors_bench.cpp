// From a Kafka snapshot to a batch, without any I/O: groups that read a moving topic, and many partitions.
//
// Targets at 1,000 groups × 48 partitions: a whole cycle with its I/O takes <= 0.3 s and <= 0.12 CPU-s, so that what
// is measured here must be a small part of it. Steady/*: 2,000 cycles, `growth_percent` of resident memory since cycle
// 500 is <= 5.

#include <benchmark/benchmark.h>
#include <chrono>
#include <fstream>
#include <malloc.h>
#include <string>
#include <unistd.h>

#include "collectors/kafka.h"

namespace weir::collectors {
namespace {

/// Groups that read one topic at different speeds, some of them not at all.
class Fleet {
 public:
  Fleet(int groups, int topics, int partitions) {
    for (int t = 0; t < topics; ++t) {
      kafka::Topic& topic = snapshot_.topics.emplace_back();
      topic.name = "bench.orders." + std::to_string(100'000 + t);
      for (int i = 0; i < partitions; ++i) {
        topic.partitions.push_back({.id = i, .leader = i % 3, .replicas = 3, .in_sync = 3, .start = 0, .end = 1000});
      }
    }
    for (int i = 0; i < groups; ++i) {
      kafka::Group& group = snapshot_.groups.emplace_back();
      group.id = "bench-group-" + std::to_string(i);
      group.state = kafka::GroupState::stable;
      group.kind = kafka::GroupKind::classic;
      group.members = 3;
      const auto topic = static_cast<std::uint32_t>(i % topics);
      for (int p = 0; p < partitions; ++p) group.partitions.push_back({topic, p, kafka::Committed::at(500)});
    }
    snapshot_.groups_listed = snapshot_.groups.size();
  }

  /// One cycle later.
  const kafka::Snapshot& step() {
    ++cycle_;
    for (kafka::Topic& topic : snapshot_.topics) {
      for (kafka::Partition& partition : topic.partitions) partition.end += 100 + (cycle_ * 7 + partition.id) % 40;
    }
    for (std::size_t i = 0; i < snapshot_.groups.size(); ++i) {
      if (i % 10 == 0) continue;
      for (kafka::GroupPartition& each : snapshot_.groups[i].partitions) {
        const std::int64_t end = snapshot_.topics[each.topic].partitions[static_cast<std::size_t>(each.partition)].end;
        const auto behind =
            static_cast<std::int64_t>((i + static_cast<std::size_t>(cycle_ * 13 + each.partition)) % 900);
        each.committed = kafka::Committed::at(std::max(each.committed.offset(), end - behind));
      }
    }
    return snapshot_;
  }

 private:
  kafka::Snapshot snapshot_;
  int cycle_ = 0;
};

double resident_megabytes() {
  std::ifstream file("/proc/self/statm");
  long all = 0;
  long resident = 0;
  file >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

/// What is allocated, whatever earlier runs have left to the allocator.
double allocated_megabytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / (1 << 20);
}

class Run {
 public:
  Run(int groups, int topics, int partitions, std::size_t max_series = 0)
      : fleet_(groups, topics, partitions),
        collector_(settings(max_series),
                   [this](const auto&) -> core::Result<kafka::Snapshot> { return fleet_.step(); }) {}

  std::size_t cycle() {
    context_.now += std::chrono::seconds(15);
    const auto batch = collector_.collect(context_);
    benchmark::DoNotOptimize(batch->samples.data());
    return batch->samples.size();
  }

 private:
  static kafka::ClusterSettings settings(std::size_t max_series) {
    kafka::ClusterSettings made;
    made.name = "bench";
    made.metrics.max_series = max_series;
    return made;
  }

  Fleet fleet_;
  KafkaCollector collector_;
  core::CollectContext context_{core::Time(std::chrono::seconds(1)), std::chrono::steady_clock::now(), {}};
};

void measure(benchmark::State& state, int groups, int topics, int partitions, std::size_t max_series) {
  const double before = allocated_megabytes();
  Run run(groups, topics, partitions, max_series);
  for (int i = 0; i < 100; ++i) run.cycle();
  std::size_t samples = 0;
  for (auto _ : state) samples = run.cycle();
  state.counters["samples"] = static_cast<double>(samples);
  state.counters["allocated_MB"] = allocated_megabytes() - before;
}

/// Groups × partitions of one topic, and `metrics.max_series`.
void Groups(benchmark::State& state) {
  measure(state, static_cast<int>(state.range(0)), 1, static_cast<int>(state.range(1)),
          static_cast<std::size_t>(state.range(2)));
}
BENCHMARK(Groups)
    ->Args({100, 48, 0})
    ->Args({1000, 48, 0})
    ->Args({1000, 48, 60'000})
    ->Args({5000, 48, 0})
    ->Args({5000, 48, 60'000})
    ->Unit(benchmark::kMillisecond);

/// Partitions in 400 topics, each read by one group.
void Partitions(benchmark::State& state) { measure(state, 400, 400, static_cast<int>(state.range(0)) / 400, 0); }
BENCHMARK(Partitions)->Arg(20'000)->Unit(benchmark::kMillisecond);

void Steady(benchmark::State& state) {
  double early = 0;
  double late = 0;
  for (auto _ : state) {
    Run run(static_cast<int>(state.range(0)), 1, 48);
    for (int i = 0; i < 2000; ++i) {
      run.cycle();
      if (i == 500) early = resident_megabytes();
    }
    late = resident_megabytes();
  }
  state.counters["resident_MB"] = late;
  state.counters["growth_percent"] = (late - early) / early * 100;
}
BENCHMARK(Steady)->Arg(100)->Arg(1000)->Unit(benchmark::kSecond)->Iterations(1);

}  // namespace
}  // namespace weir::collectors
