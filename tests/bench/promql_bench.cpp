// Queries over 60,000 consumer-group lags with two hours of history at 15 s, as the series store holds them.

#include <benchmark/benchmark.h>
#include <memory>

#include "promql/engine.h"
#include "series/store.h"

namespace weir::promql {
namespace {

using namespace std::chrono_literals;

constexpr int kGroups = 1000;
constexpr int kPartitions = 60;
constexpr int kCycles = 480;
const core::Time kEnd{std::chrono::hours(500'000)};

const series::Store& store() {
  static const auto filled = [] {
    auto store =
        std::make_unique<series::Store>(series::Limits{.retention = 6h, .max_series = 100'000, .max_bytes = 1U << 30U});
    std::vector<core::Labels> labels;
    for (int group = 0; group < kGroups; ++group) {
      for (int partition = 0; partition < kPartitions; ++partition) {
        labels.push_back(
            core::Labels::metric("kafka_consumergroup_lag", {{"cluster", "prod"},
                                                             {"consumergroup", "g" + std::to_string(group)},
                                                             {"topic", "t" + std::to_string(group % 50)},
                                                             {"partition", std::to_string(partition)}}));
      }
    }
    std::uint32_t seed = 1;
    for (int cycle = 0; cycle < kCycles; ++cycle) {
      core::Batch batch;
      const core::Time now = kEnd - 15s * (kCycles - 1 - cycle);
      for (const core::Labels& one : labels) {
        seed = seed * 1664525U + 1013904223U;
        batch.samples.push_back({one, now, static_cast<double>(seed >> 24U)});
      }
      store->ingest("kafka/prod", batch, now);
    }
    return store;
  }();
  return *filled;
}

void instant(benchmark::State& state, const std::string& text) {
  const auto expr = parse(text);
  const auto& source = store();
  for (auto _ : state) benchmark::DoNotOptimize(evaluate(*expr, source, kEnd));
}

void range(benchmark::State& state, const std::string& text) {
  const auto expr = parse(text);
  const auto& source = store();
  for (auto _ : state) benchmark::DoNotOptimize(evaluate_range(*expr, source, kEnd - 1h + 15s, kEnd, 15s));
}

BENCHMARK_CAPTURE(instant, sum_by_group, "sum by (consumergroup) (kafka_consumergroup_lag)")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(instant, topk, "topk(10, kafka_consumergroup_lag)")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(instant, rate, "rate(kafka_consumergroup_lag[5m])")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(instant, regex, "count(kafka_consumergroup_lag{consumergroup=~\"g1.*\",topic=~\"t(1|2).*\"})")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(range, sum_by_group_240_steps, "sum by (consumergroup) (kafka_consumergroup_lag)")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(range, rate_240_steps, "sum(rate(kafka_consumergroup_lag[5m]))")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::promql
