// 60,000 series as a Kafka cluster of 1,250 groups with 48 partitions gives them, two hours at 15 s. A third of the
// lags stay at zero, a third jitter, a third follow a random walk; ticks are off by up to 3 ms.
// `Bytes` prints bytes a sample: payload (the bits alone) and whole (chunks, series and index included, as malloc
// counts them).

#include <benchmark/benchmark.h>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "series/snapshot.h"
#include "series/store.h"

namespace weir::series {
namespace {

using namespace std::chrono_literals;

constexpr int kGroups = 1250;
constexpr int kPartitions = 48;
constexpr int kCycles = 480;
const core::Time kStart = core::time_from_seconds(1'700'000'000);

std::size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::vector<core::Labels> make_labels() {
  std::vector<core::Labels> labels;
  for (int group = 0; group < kGroups; ++group) {
    for (int partition = 0; partition < kPartitions; ++partition) {
      labels.push_back(
          core::Labels::metric("kafka_consumergroup_lag", {{"cluster", "prod"},
                                                           {"consumergroup", "team-" + std::to_string(group)},
                                                           {"topic", "orders-" + std::to_string(group % 100)},
                                                           {"partition", std::to_string(partition)}}));
    }
  }
  return labels;
}

/// The samples of one cycle after another.
class Feed {
 public:
  explicit Feed(const std::vector<core::Labels>& labels) : lag_(labels.size()) {
    for (const core::Labels& each : labels) batch_.samples.push_back({each, {}, 0});
  }
  const core::Batch& next() {
    now_ = kStart + cycle_++ * 15s + core::Duration(random_() % 4);
    for (std::size_t i = 0; i < batch_.samples.size(); ++i) {
      double& lag = lag_[i];
      if (i % 3 == 1) lag = static_cast<double>(random_() % 20);
      if (i % 3 == 2) lag = std::max(0.0, lag + static_cast<double>(random_() % 2001) - 1000);
      batch_.samples[i].time = now_;
      batch_.samples[i].value = lag;
    }
    return batch_;
  }
  core::Time now() const { return now_; }

 private:
  std::mt19937 random_{1};
  std::vector<double> lag_;
  core::Batch batch_;
  core::Time now_;
  int cycle_ = 0;
};

struct Filled {
  std::vector<core::Labels> labels = make_labels();
  Feed feed{labels};
  std::unique_ptr<Store> store;
  std::size_t heap = 0;   // that the store took
  double longest_ms = 0;  // of the cycles, chunks that were closed included
  double first_ms = 0;    // of the cycle in which all series are new

  Filled() {
    const std::size_t before = heap_bytes();
    store = std::make_unique<Store>(Limits{});
    for (int i = 0; i < kCycles; ++i) {
      const core::Batch& batch = feed.next();
      const auto began = std::chrono::steady_clock::now();
      store->ingest("kafka", batch, feed.now());
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
      if (i == 0) first_ms = took.count();
      if (i > 0) longest_ms = std::max(longest_ms, took.count());
    }
    heap = heap_bytes() - before;
  }
};

Filled& filled() {
  static Filled all;
  return all;
}

void IngestCycle(benchmark::State& state) {
  Filled& all = filled();
  for (auto _ : state) {
    state.PauseTiming();
    const core::Batch& batch = all.feed.next();
    state.ResumeTiming();
    benchmark::DoNotOptimize(all.store->ingest("kafka", batch, all.feed.now()));
  }
  state.counters["first_ms"] = all.first_ms;
  state.counters["longest_ms"] = all.longest_ms;
}
BENCHMARK(IngestCycle)->Unit(benchmark::kMillisecond)->Iterations(20);

/// As a collector would that builds its labels anew each cycle, in another order.
void IngestCycleOfOtherLabels(benchmark::State& state) {
  Filled& all = filled();
  std::mt19937 random(3);
  for (auto _ : state) {
    state.PauseTiming();
    core::Batch batch = all.feed.next();
    const std::vector<core::Labels> fresh = make_labels();
    for (std::size_t i = 0; i < fresh.size(); ++i) batch.samples[i].labels = fresh[i];
    std::ranges::shuffle(batch.samples, random);
    state.ResumeTiming();
    benchmark::DoNotOptimize(all.store->ingest("kafka", batch, all.feed.now()));
  }
}
BENCHMARK(IngestCycleOfOtherLabels)->Unit(benchmark::kMillisecond)->Iterations(10);

void select(benchmark::State& state, const std::vector<core::Matcher>& matchers, core::Duration range) {
  Filled& all = filled();
  const core::Selection selection{
      .matchers = matchers, .from = all.feed.now() - range, .to = all.feed.now(), .newest_only = range == 5min};
  std::size_t series = 0;
  std::size_t points = 0;
  for (auto _ : state) {
    auto views = all.store->select(selection);
    series = views->size();
    points = 0;
    for (const core::SeriesView& view : *views) points += view.points.size();
    state.PauseTiming();
    views = {};
    state.ResumeTiming();
  }
  state.counters["series"] = static_cast<double>(series);
  state.counters["points"] = static_cast<double>(points);
}

const core::Matcher kName{"__name__", core::MatchOp::equal, "kafka_consumergroup_lag"};

void SelectNewest(benchmark::State& state) { select(state, {kName}, 5min); }
BENCHMARK(SelectNewest)->Unit(benchmark::kMillisecond);
void SelectFiveMinuteRange(benchmark::State& state) { select(state, {kName}, 5min + 1ms); }
BENCHMARK(SelectFiveMinuteRange)->Unit(benchmark::kMillisecond);
void SelectTwoHourRange(benchmark::State& state) { select(state, {kName}, 2h); }
BENCHMARK(SelectTwoHourRange)->Unit(benchmark::kMillisecond);
void SelectOneSeriesTwoHours(benchmark::State& state) {
  select(state, {kName, {"consumergroup", core::MatchOp::equal, "team-7"}, {"partition", core::MatchOp::equal, "3"}},
         2h);
}
BENCHMARK(SelectOneSeriesTwoHours)->Unit(benchmark::kMicrosecond);
void SelectRegex(benchmark::State& state) {
  select(state, {kName, {"consumergroup", core::MatchOp::regex, "team-.*[37]5"}}, 5min);
}
BENCHMARK(SelectRegex)->Unit(benchmark::kMillisecond);
void SelectNotRegex(benchmark::State& state) {
  select(state, {kName, {"consumergroup", core::MatchOp::not_regex, "team-[1-9]+"}}, 5min);
}
BENCHMARK(SelectNotRegex)->Unit(benchmark::kMillisecond);
void SelectWords(benchmark::State& state) {
  select(state, {kName, {"consumergroup", core::MatchOp::regex, "team-1|team-2|team-3"}}, 5min);
}
BENCHMARK(SelectWords)->Unit(benchmark::kMicrosecond);

/// The longest that the writer had to wait while others read all the time.
void IngestBesideReaders(benchmark::State& state) {
  Filled& all = filled();
  const core::Selection selection{
      .matchers = {kName}, .from = all.feed.now() - 1h, .to = all.feed.now(), .newest_only = false};
  double longest = 0;
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) benchmark::DoNotOptimize(all.store->select(selection));
  });
  for (auto _ : state) {
    state.PauseTiming();
    const core::Batch& batch = all.feed.next();
    state.ResumeTiming();
    const auto began = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(all.store->ingest("kafka", batch, all.feed.now()));
    longest =
        std::max(longest, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  state.counters["longest_ms"] = longest;
}
BENCHMARK(IngestBesideReaders)->Unit(benchmark::kMillisecond)->Iterations(20)->UseRealTime();

std::string snapshot_path() { return (std::filesystem::temp_directory_path() / "weir_series_bench").string(); }

void SaveSnapshot(benchmark::State& state) {
  Filled& all = filled();
  double slice = 0;
  std::size_t bytes = 0;
  for (auto _ : state) bytes = save_snapshot(*all.store, snapshot_path())->bytes;
  std::vector<SeriesRecord> records;
  for (int i = 0; i < 60; ++i) {  // what the writer waits for
    records.clear();
    const auto began = std::chrono::steady_clock::now();
    all.store->copy(static_cast<std::size_t>(i) * 1000, 1000, records);
    slice =
        std::max(slice, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  state.counters["MB"] = static_cast<double>(bytes) / 1e6;
  state.counters["slice_ms"] = slice;
}
BENCHMARK(SaveSnapshot)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);

void LoadSnapshot(benchmark::State& state) {
  save_snapshot(*filled().store, snapshot_path()).value();
  for (auto _ : state) {
    Store store(Limits{});
    benchmark::DoNotOptimize(load_snapshot(store, snapshot_path(), filled().feed.now()));
  }
  std::filesystem::remove(snapshot_path());
}
BENCHMARK(LoadSnapshot)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);

void Bytes(benchmark::State& state) {
  const Filled& all = filled();
  for (auto _ : state) benchmark::DoNotOptimize(all.heap);
  std::vector<SeriesRecord> records;
  all.store->copy(0, all.labels.size(), records);
  double bits = 0;
  double samples = 0;
  for (const SeriesRecord& record : records) {
    for (const Chunk& chunk : record.chunks) {
      bits += static_cast<double>(chunk.bits().size());
      samples += chunk.size();
    }
  }
  const StoreStats stats = all.store->stats();
  state.counters["payload"] = bits / samples;
  state.counters["chunks"] = static_cast<double>(stats.chunk_bytes) / static_cast<double>(stats.samples);
  state.counters["whole"] = static_cast<double>(all.heap) / (static_cast<double>(all.labels.size()) * kCycles);
}
BENCHMARK(Bytes)->Iterations(1);

}  // namespace
}  // namespace weir::series
