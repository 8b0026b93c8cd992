// Against a real broker, given as WEIR_BENCH_BROKERS=host:port: `LoadGroups` fills it with 1,000 groups that have
// committed for the 48 partitions of one topic, `Snapshot` measures a cycle of reading them.
//   kafka_bench --benchmark_filter=LoadGroups   once, also before measuring the whole process
//   kafka_bench --benchmark_filter=Snapshot

#include <algorithm>
#include <array>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <librdkafka/rdkafka.h>
#include <memory>
#include <numeric>
#include <string>
#include <sys/resource.h>
#include <vector>

#include "kafka/client.h"
#include "kafka/cluster.h"

namespace weir::kafka {
namespace {

constexpr int kGroups = 1000;
constexpr int kPartitions = 48;
constexpr int kMessages = 200;  // a partition
const char* const kTopic = "bench.orders";

struct Deleter {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
using Client = std::unique_ptr<rd_kafka_t, Deleter>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Deleter>;
using Event = std::unique_ptr<rd_kafka_event_t, Deleter>;

const char* brokers(benchmark::State& state) {
  const char* given = std::getenv("WEIR_BENCH_BROKERS");
  if (given == nullptr) state.SkipWithError("set WEIR_BENCH_BROKERS to the host:port of a Kafka broker");
  return given;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * time.tv_usec; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_megabytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * 4096 / 1e6;
}

Client connect(const char* given) {
  std::array<char, 256> reason{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", given, reason.data(), reason.size());
  return Client(rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason.data(), reason.size()));
}

/// Creates the topic; one that is there already is fine.
void create_topic(rd_kafka_t* client, rd_kafka_queue_t* queue) {
  std::array<char, 256> reason{};
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(kTopic, kPartitions, 1, reason.data(), reason.size());
  rd_kafka_CreateTopics(client, &topic, 1, nullptr, queue);
  rd_kafka_NewTopic_destroy(topic);
  const Event event(rd_kafka_queue_poll(queue, 30'000));
}

void commit(rd_kafka_t* client, rd_kafka_queue_t* queue, int group) {
  rd_kafka_topic_partition_list_t* offsets = rd_kafka_topic_partition_list_new(kPartitions);
  for (int partition = 0; partition < kPartitions; ++partition) {
    rd_kafka_topic_partition_list_add(offsets, kTopic, partition)->offset = (group + partition) % kMessages;
  }
  const std::string name = "bench-group-" + std::to_string(group);
  rd_kafka_AlterConsumerGroupOffsets_t* request = rd_kafka_AlterConsumerGroupOffsets_new(name.c_str(), offsets);
  rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS);
  rd_kafka_AdminOptions_set_opaque(options, reinterpret_cast<void*>(static_cast<std::intptr_t>(group)));
  rd_kafka_AlterConsumerGroupOffsets(client, &request, 1, options, queue);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_AlterConsumerGroupOffsets_destroy(request);
  rd_kafka_topic_partition_list_destroy(offsets);
}

bool committed(rd_kafka_event_t* event) {
  if (rd_kafka_event_error(event) != 0) return false;
  std::size_t count = 0;
  const auto* groups =
      rd_kafka_AlterConsumerGroupOffsets_result_groups(rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
  if (count != 1 || rd_kafka_group_result_error(groups[0]) != nullptr) return false;
  const rd_kafka_topic_partition_list_t* partitions = rd_kafka_group_result_partitions(groups[0]);
  return std::all_of(partitions->elems, partitions->elems + partitions->cnt,
                     [](const rd_kafka_topic_partition_t& partition) { return partition.err == 0; });
}

/// Returns those that failed.
std::vector<int> commit_all(rd_kafka_t* client, rd_kafka_queue_t* queue, const std::vector<int>& groups) {
  std::vector<int> failed;
  std::size_t asked = 0;
  for (std::size_t answered = 0; answered < groups.size(); ++answered) {
    while (asked < groups.size() && asked - answered < 100) commit(client, queue, groups[asked++]);
    const Event event(rd_kafka_queue_poll(queue, 30'000));
    if (!event) return groups;
    const auto group = reinterpret_cast<std::intptr_t>(rd_kafka_event_opaque(event.get()));
    if (!committed(event.get())) failed.push_back(static_cast<int>(group));
  }
  return failed;
}

std::string load(const char* given) {
  const Client client = connect(given);
  const Queue queue(rd_kafka_queue_new(client.get()));
  create_topic(client.get(), queue.get());
  auto producer = Producer::open(given);
  if (!producer) return producer.error().message;
  for (int i = 0; i < kMessages * kPartitions; ++i) {
    if (auto sent = producer->produce(kTopic, i % kPartitions, "", "0123456789"); !sent) return sent.error().message;
  }
  if (auto flushed = producer->flush(std::chrono::seconds(60)); !flushed) return flushed.error().message;
  // A broker that has just created its offsets topic refuses some commits: again, a bounded number of times.
  std::vector<int> missing(kGroups);
  std::iota(missing.begin(), missing.end(), 0);
  for (int attempt = 0; attempt < 20 && !missing.empty(); ++attempt) {
    missing = commit_all(client.get(), queue.get(), missing);
  }
  if (!missing.empty()) return std::to_string(missing.size()) + " groups could not commit";
  return {};
}

void LoadGroups(benchmark::State& state) {
  const char* given = brokers(state);
  if (given == nullptr) return;
  for (auto _ : state) {
    if (const std::string error = load(given); !error.empty()) state.SkipWithError(error.c_str());
  }
}
BENCHMARK(LoadGroups)->Iterations(1)->Unit(benchmark::kSecond)->UseRealTime();

void Snapshot(benchmark::State& state) {
  const char* given = brokers(state);
  if (given == nullptr) return;
  ClusterSettings settings;
  settings.name = "bench";
  settings.brokers = given;
  settings.groups.filter.allow = *Patterns::compile({"^bench-group-"});
  settings.topics.deny = *Patterns::compile({"^__"});
  auto cluster = Cluster::connect(settings);
  if (!cluster) return state.SkipWithError(cluster.error().message.c_str());
  const auto take = [&] {
    return (*cluster)->snapshot(std::chrono::steady_clock::now() + std::chrono::seconds(30), {});
  };
  auto snapshot = take();  // connects, and describes all groups
  const double before = cpu_seconds();
  std::size_t partitions = 0;
  for (auto _ : state) {
    snapshot = take();
    if (!snapshot) return state.SkipWithError(snapshot.error().message.c_str());
    partitions = 0;
    for (const Group& group : snapshot->groups) partitions += group.partitions.size();
  }
  state.counters["cpu_s"] = benchmark::Counter(cpu_seconds() - before, benchmark::Counter::kAvgIterations);
  state.counters["groups"] = static_cast<double>(snapshot->groups.size());
  state.counters["partitions"] = static_cast<double>(partitions);
  state.counters["faults"] = static_cast<double>(snapshot->faults.size());
  state.counters["resident_MB"] = resident_megabytes();
}
BENCHMARK(Snapshot)->Iterations(20)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace weir::kafka
